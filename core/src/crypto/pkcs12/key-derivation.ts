/**
 * Passwords and keys as PKCS#12 has them: RFC 7292, appendix B. Leaves out PBKDF2, which node:crypto has.
 */
import { createHash } from 'node:crypto';
import { concat, fromUtf8 } from '../../bytes/bytes.ts';
import type { SecretBytes } from '../../bytes/secret-bytes.ts';

export type Digest = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** The forms of one password: old schemes and the MAC take UTF-16, PBES2 takes UTF-8. */
export interface PfxPassword {
  readonly utf8: Uint8Array;
  /** What appendix B derives keys from, most probable first. */
  readonly bmpForms: readonly Uint8Array[];
  readonly isEmpty: boolean;
  readonly dispose: () => void;
}

/**
 * The forms of a password (UTF-8). Undefined where it is not UTF-8, so that no file can have it.
 *
 * Appendix B.1 of RFC 7292 takes UTF-16, big-endian, ended by two zero bytes. Two other forms are in the wild: no bytes
 * at all for the empty password (Windows), and each UTF-8 byte widened (OpenSSL before 1.1.0).
 */
export function formsOf(password: SecretBytes): PfxPassword | undefined {
  const text = fromUtf8(password.reveal);
  if (text === undefined) return undefined;
  const terminated = (units: Uint8Array): Uint8Array => concat(units, new Uint8Array(2));
  const utf16 = Buffer.from(text, 'utf16le').swap16();
  const bmpForms = [terminated(utf16)];
  if (password.length === 0) bmpForms.push(new Uint8Array(0));
  if (password.length !== text.length) {
    bmpForms.push(
      terminated(Buffer.from(Buffer.from(password.reveal).toString('latin1'), 'utf16le').swap16()),
    );
  }
  utf16.fill(0);
  return {
    utf8: password.reveal,
    bmpForms,
    isEmpty: password.length === 0,
    dispose: () => {
      for (const form of bmpForms) form.fill(0);
    },
  };
}

export const digestBytes: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };
const digestBlockBytes: Readonly<Record<Digest, number>> = { sha1: 64, sha256: 64, sha384: 128, sha512: 128 };

/** The ID bytes of RFC 7292, B.3. */
export const keyPurpose = { encryption: 1, iv: 2, mac: 3 } as const;

/** A key of `length` bytes: RFC 7292, B.2. */
export function deriveAppendixB(
  digest: Digest,
  id: number,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  const block = digestBlockBytes[digest];
  const diversifier = new Uint8Array(block).fill(id);
  const input = concat(repeated(salt, block), repeated(password, block));
  const derived = new Uint8Array(length);
  for (let done = 0; done < length;) {
    let hash = createHash(digest).update(diversifier).update(input).digest();
    for (let i = 1; i < iterations; i++) hash = createHash(digest).update(hash).digest();
    derived.set(hash.subarray(0, length - done), done);
    done += hash.length;
    if (done < length) addToBlocks(input, repeated(hash, block).subarray(0, block));
    hash.fill(0);
  }
  input.fill(0);
  return derived;
}

/** `bytes` repeated to the next multiple of `block` bytes; nothing stays nothing. */
function repeated(bytes: Uint8Array, block: number): Uint8Array {
  const filled = new Uint8Array(Math.ceil(bytes.length / block) * block);
  for (let i = 0; i < filled.length; i++) filled[i] = bytes[i % bytes.length] ?? 0;
  return filled;
}

/** Adds `addend` + 1 to each block of `blocks`, modulo 2^(8 × block length). */
function addToBlocks(blocks: Uint8Array, addend: Uint8Array): void {
  for (let start = 0; start < blocks.length; start += addend.length) {
    let carry = 1;
    for (let i = addend.length - 1; i >= 0; i--) {
      const sum = (blocks[start + i] ?? 0) + (addend[i] ?? 0) + carry;
      blocks[start + i] = sum & 0xff;
      carry = sum >> 8;
    }
  }
}
