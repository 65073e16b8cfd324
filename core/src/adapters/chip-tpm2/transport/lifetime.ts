/**
 * What every transport has in common: one command at a time, a bound on the wait, a response that is whole, and the end of
 * the transport at its first error. What is particular to a socket, a device or a library is a `Line`. The system
 * refusing one command (`blocked`) is the one error that leaves the line as it was: nothing was sent.
 */
import { headerBytes, maximumMessageBytes, TransportError, type Transport } from './transport.ts';
import type { TransportProblem } from './transport.ts';

/** How long to wait for a response, and what it means when there is none. */
export interface Patience {
  readonly milliseconds: number;
  readonly problem: TransportProblem;
}

/** The bytes going and coming. */
export interface Line {
  readonly name: string;
  readonly exclusive: boolean;
  /**
   * Sends a command and answers what comes back, however long it takes. Rejects with `TransportError`; any other error is
   * taken for `lost`. Need not keep the process alive: the bound on the wait does, and nothing may when no command is under
   * way.
   */
  exchange(command: Uint8Array): Promise<Uint8Array>;
  /** `timeoutMs` and `timeout`, unless silence means something else here. */
  patience?(timeoutMs: number): Patience;
  /** Lets go of everything, also in the middle of an exchange, whose end nobody waits for. Called once. Never throws. */
  release(): Promise<void>;
}

/** Makes a transport of a line that is open. */
export function createTransport(line: Line): Transport {
  const { name, exclusive } = line;
  /** Why there is no further command. */
  let ended: TransportError | undefined;
  let released: Promise<void> | undefined;
  /** Ends the wait of the command that is under way. */
  let giveUp: ((error: TransportError) => void) | undefined;

  function end(error: TransportError): Promise<void> {
    ended ??= error;
    giveUp?.(ended);
    released ??= line.release();
    return released;
  }

  async function send(command: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (ended !== undefined) throw ended;
    if (giveUp !== undefined) throw new RangeError('a command is under way');
    const { milliseconds, problem } = line.patience?.(timeoutMs) ?? {
      milliseconds: timeoutMs,
      problem: 'timeout',
    };
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    giveUp = reject;
    const timer = setTimeout(() => {
      reject(new TransportError(problem, name));
    }, milliseconds);
    line.exchange(command).then(resolve, reject);
    try {
      return whole(await promise, name);
    } catch (error) {
      const failure = error instanceof TransportError ? error : new TransportError('lost', name, error);
      if (failure.problem !== 'blocked') void end(failure);
      throw failure;
    } finally {
      clearTimeout(timer);
      giveUp = undefined;
    }
  }

  return { name, exclusive, send, close: () => end(new TransportError('lost', name, 'it was closed')) };
}

/** The length that a response's header tells: big-endian in bytes 2 to 5. Undefined where they are not there yet. */
export function toldLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < 6) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(2);
}

/** Whether that can be the length of a response. */
export function isResponseLength(length: number): boolean {
  return length >= headerBytes && length <= maximumMessageBytes;
}

/** The response, if it is exactly as long as its header tells. `lost`: what says otherwise is no TPM. */
function whole(response: Uint8Array, name: string): Uint8Array {
  const length = toldLength(response);
  if (length === response.length && isResponseLength(length)) return response;
  throw new TransportError('lost', name, `${response.length} bytes that are no response`);
}
