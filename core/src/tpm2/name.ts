/** The Name of an object: nameAlg and the hash of its public area (TPM 2.0 Part 1, clause 14). */
import { concat } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { ALG } from './constants.ts';

/** Length of a Name with SHA-256 in bytes. */
export const nameBytes = 34;

/** The 34-byte Name of a TPMT_PUBLIC whose nameAlg is SHA-256; `decodePublic` lets no other pass. */
export function nameOf(publicArea: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(ALG.SHA256 >> 8, ALG.SHA256 & 0xff), sha256(publicArea));
}
