/**
 * TPM_RC: what a response code says (TPM 2.0 Part 2, clause 6.6, and Part 1, clause 39.4): which error, about which
 * handle, parameter or session. Only decoding: what it means to a person depends on what was attempted and is said by
 * `adapters/chip-tpm2/to-error.ts`.
 */
import type { CommandName } from './constants.ts';

/** Success. */
export const RC_SUCCESS = 0x000;

/** Codes without the number of a handle, parameter or session. */
const names: Readonly<Record<number, string>> = {
  // Format zero: errors (TPM_RC_VER1).
  0x100: 'INITIALIZE',
  0x101: 'FAILURE',
  0x103: 'SEQUENCE',
  0x120: 'DISABLED',
  0x121: 'EXCLUSIVE',
  0x124: 'AUTH_TYPE',
  0x125: 'AUTH_MISSING',
  0x126: 'POLICY',
  0x127: 'PCR',
  0x12d: 'UPGRADE',
  0x12e: 'TOO_MANY_CONTEXTS',
  0x12f: 'AUTH_UNAVAILABLE',
  0x130: 'REBOOT',
  0x142: 'COMMAND_SIZE',
  0x143: 'COMMAND_CODE',
  0x144: 'AUTHSIZE',
  0x145: 'AUTH_CONTEXT',
  0x146: 'NV_RANGE',
  0x147: 'NV_SIZE',
  0x148: 'NV_LOCKED',
  0x149: 'NV_AUTHORIZATION',
  0x14a: 'NV_UNINITIALIZED',
  0x14b: 'NV_SPACE',
  0x14c: 'NV_DEFINED',
  0x150: 'BAD_CONTEXT',
  0x151: 'CPHASH',
  0x152: 'PARENT',
  0x153: 'NEEDS_TEST',
  0x154: 'NO_RESULT',
  0x155: 'SENSITIVE',
  // Format one (TPM_RC_FMT1).
  0x081: 'ASYMMETRIC',
  0x082: 'ATTRIBUTES',
  0x083: 'HASH',
  0x084: 'VALUE',
  0x085: 'HIERARCHY',
  0x087: 'KEY_SIZE',
  0x088: 'MGF',
  0x089: 'MODE',
  0x08a: 'TYPE',
  0x08b: 'HANDLE',
  0x08c: 'KDF',
  0x08d: 'RANGE',
  0x08e: 'AUTH_FAIL',
  0x08f: 'NONCE',
  0x090: 'PP',
  0x092: 'SCHEME',
  0x095: 'SIZE',
  0x096: 'SYMMETRIC',
  0x097: 'TAG',
  0x098: 'SELECTOR',
  0x09a: 'INSUFFICIENT',
  0x09b: 'SIGNATURE',
  0x09c: 'KEY',
  0x09d: 'POLICY_FAIL',
  0x09f: 'INTEGRITY',
  0x0a0: 'TICKET',
  0x0a1: 'RESERVED_BITS',
  0x0a2: 'BAD_AUTH',
  0x0a3: 'EXPIRED',
  0x0a4: 'POLICY_CC',
  0x0a5: 'BINDING',
  0x0a6: 'CURVE',
  0x0a7: 'ECC_POINT',
  // Warnings (TPM_RC_WARN): nothing is wrong with the command.
  0x901: 'CONTEXT_GAP',
  0x902: 'OBJECT_MEMORY',
  0x903: 'SESSION_MEMORY',
  0x904: 'MEMORY',
  0x905: 'SESSION_HANDLES',
  0x906: 'OBJECT_HANDLES',
  0x907: 'LOCALITY',
  0x908: 'YIELDED',
  0x909: 'CANCELED',
  0x90a: 'TESTING',
  0x910: 'REFERENCE_H0',
  0x920: 'NV_RATE',
  0x921: 'LOCKOUT',
  0x922: 'RETRY',
  0x923: 'NV_UNAVAILABLE',
};

const formatOne = 0x080;
const parameterBit = 0x040;
const sessionBit = 0x800;

/** What a response code is about. */
export type Subject =
  | { readonly kind: 'parameter' | 'session' | 'handle'; readonly number: number }
  | { readonly kind: 'command' };

export interface DecodedResponseCode {
  /** TCG's name without `TPM_RC_`, e.g. `POLICY_FAIL`; hex digits where this table has none. */
  readonly name: string;
  readonly subject: Subject;
}

/** Takes a response code apart. */
export function decodeResponseCode(code: number): DecodedResponseCode {
  if ((code & formatOne) === 0) return { name: nameOf(code), subject: { kind: 'command' } };
  const name = nameOf(code & 0x0bf);
  if ((code & parameterBit) !== 0) return { name, subject: numbered('parameter', (code >> 8) & 0xf) };
  const number = (code >> 8) & 0x7;
  return { name, subject: numbered((code & sessionBit) === 0 ? 'handle' : 'session', number) };
}

/** Number 0 stands for "not specified". */
function numbered(kind: 'parameter' | 'session' | 'handle', number: number): Subject {
  return number === 0 ? { kind: 'command' } : { kind, number };
}

function nameOf(code: number): string {
  return names[code] ?? `0x${code.toString(16).padStart(3, '0')}`;
}

/** A TPM's refusal of one command. */
export class Tpm2Error extends Error {
  override readonly name = 'Tpm2Error';
  readonly command: CommandName;
  /** TPM_RC as it came, e.g. 0x99d. */
  readonly responseCode: number;
  /** Its name, e.g. `POLICY_FAIL`. */
  readonly reason: string;
  readonly subject: Subject;

  constructor(command: CommandName, responseCode: number) {
    const { name, subject } = decodeResponseCode(responseCode);
    const about = subject.kind === 'command' ? '' : `, ${subject.kind} ${String(subject.number)}`;
    super(`TPM2_${command}: TPM_RC_${name} (0x${responseCode.toString(16)}${about})`);
    this.command = command;
    this.responseCode = responseCode;
    this.reason = name;
    this.subject = subject;
  }
}
