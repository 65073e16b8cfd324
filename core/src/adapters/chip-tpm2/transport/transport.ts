/**
 * How commands reach a TPM: one command in, one response out, in order. Transports move bytes and know nothing of what is
 * in them, except the length that the header tells. Leaves out retries of answers that a TPM gives (`connection.ts`) and
 * the words that people read (`to-error.ts`).
 */

/** An open way to one TPM. */
export interface Transport {
  /** Plain words for messages and status, e.g. `/dev/tpmrm0`, `TPM Base Services`, `swtpm at 127.0.0.1:2321`. */
  readonly name: string;
  /**
   * Whether nobody else reaches this TPM meanwhile and nobody cleans up behind its users (no resource manager): objects
   * that a killed program left stay in its few slots.
   */
  readonly exclusive: boolean;
  /**
   * Sends one command (with its header) and answers the whole response (with its header). Calls are never made while
   * another is under way. After any error but `blocked` the transport is dead and every further call fails at once: `TransportError`.
   * `timeoutMs` bounds the wait for the response.
   */
  send(command: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** Ends it, also in the middle of a command; may be called again. Never throws. */
  close(): Promise<void>;
}

/** Opens a transport anew. `TransportError` with `absent`, `denied`, `busy` or `lost`. */
export type OpenTransport = () => Promise<Transport>;

export type TransportProblem =
  /** There is no TPM, or the system gives none to anybody (switched off in the firmware). */
  | 'absent'
  /** There is one, and this account may not use it. */
  | 'denied'
  /** Somebody else has it, and it was not free in time. */
  | 'busy'
  /** It answered, and then was gone: connection closed, device removed, service stopped, no TPM response. */
  | 'lost'
  /** It did not answer in time. */
  | 'timeout'
  /** The operating system keeps this command from the TPM (TBS command blocking). */
  | 'blocked';

/** Why a command did not get its response. The cause is the system's own error. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly problem: TransportProblem;
  /** The transport's name. */
  readonly where: string;

  constructor(problem: TransportProblem, where: string, cause?: unknown) {
    super(`${where}: ${problem}`, cause === undefined ? undefined : { cause });
    this.problem = problem;
    this.where = where;
  }
}

/** Most bytes of a command or response (TPM 2.0 Part 2, TPM_PT_MAX_COMMAND_SIZE: 4096 on every TPM that is sold). */
export const maximumMessageBytes = 4096;
/** Tag, size and code: TPM 2.0 Part 1, clause 18. */
export const headerBytes = 10;
