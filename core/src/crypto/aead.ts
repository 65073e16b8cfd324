/**
 * AES-256-GCM (NIST SP 800-38D) with a 12-byte nonce and a full 16-byte tag behind the ciphertext. Whoever calls
 * guarantees that no key meets the same nonce twice: in this product nearly every key encrypts once.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concat, plain } from '../bytes/bytes.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';

const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** ciphertext ‖ tag, 16 bytes longer than `plaintext`. `key` has 32 bytes, `nonce` 12. */
export function sealAesGcm(
  key: SecretBytes,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  associated: Uint8Array,
): Uint8Array {
  checkSizes(key, nonce);
  const cipher = createCipheriv(algorithm, key.reveal, nonce, { authTagLength: tagBytes });
  cipher.setAAD(associated);
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

/**
 * The plaintext of ciphertext ‖ tag; undefined where key, nonce, associated data or ciphertext are not those of the
 * sealing. Nothing of an unauthenticated plaintext is returned.
 */
export function openAesGcm(
  key: SecretBytes,
  nonce: Uint8Array,
  sealed: Uint8Array,
  associated: Uint8Array,
): Uint8Array | undefined {
  checkSizes(key, nonce);
  if (sealed.length < tagBytes) return undefined;
  const end = sealed.length - tagBytes;
  const decipher = createDecipheriv(algorithm, key.reveal, nonce, { authTagLength: tagBytes });
  decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(end));
  const opened = decipher.update(sealed.subarray(0, end));
  try {
    // In GCM final() adds nothing to the plaintext; it throws for one reason only, a tag that does not fit.
    decipher.final();
    return plain(opened);
  } catch {
    return undefined;
  } finally {
    opened.fill(0);
  }
}

function checkSizes(key: SecretBytes, nonce: Uint8Array): void {
  if (key.length !== keyBytes) throw new RangeError('an AES-256 key has 32 bytes');
  if (nonce.length !== nonceBytes) throw new RangeError('a GCM nonce has 12 bytes');
}
