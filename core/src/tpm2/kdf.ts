/** Key derivation inside TPM 2.0 (Part 1, clause 11.4.10), with SHA-256 and for at most one digest's length. */
import { utf8 } from '../bytes/bytes.ts';
import { ByteWriter } from '../bytes/reader.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { hmacSha256, sha256 } from '../crypto/hash.ts';
import { digestBytes } from './constants.ts';

/** KDFa: SP 800-108 in counter mode. `length` in bytes, at most 32; context is contextU followed by contextV. */
export function KDFa(key: SecretBytes, label: string, context: Uint8Array, length: number): SecretBytes {
  const input = new ByteWriter()
    .u32(1)
    .raw(terminated(label))
    .raw(context)
    .u32(8 * length)
    .done();
  return cut(hmacSha256(key.reveal, input), length);
}

/** KDFe: the one-step derivation of SP 800-56A from the shared value `z`. `length` in bytes, at most 32. */
export function KDFe(
  z: SecretBytes,
  use: string,
  partyU: Uint8Array,
  partyV: Uint8Array,
  length: number,
): SecretBytes {
  return cut(sha256(new ByteWriter().u32(1).done(), z.reveal, terminated(use), partyU, partyV), length);
}

/** A label as the derivations want it: with its terminating zero. */
export function terminated(label: string): Uint8Array {
  return utf8(`${label}\0`);
}

function cut(derived: Uint8Array, length: number): SecretBytes {
  if (length > digestBytes) throw new RangeError('only one block is derived here');
  const key = SecretBytes.copyOf(derived.subarray(0, length));
  derived.fill(0);
  return key;
}
