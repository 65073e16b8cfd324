/**
 * AES-128 in CFB mode with full-block feedback, as TPM 2.0 wraps objects (Part 1, clause 11.4.9). It authenticates
 * nothing: in that format an HMAC over the ciphertext does. Nothing else in this product may use it.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { plain } from '../bytes/bytes.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import { takeSecret } from './secret.ts';

const algorithm = 'aes-128-cfb';

/** Length of key and initialisation vector in bytes. */
export const aesCfbBytes = 16;

/** Ciphertext of the same length. */
export function encryptAesCfb(key: SecretBytes, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(algorithm, key.reveal, iv);
  return plain(cipher.update(plaintext));
}

/** Plaintext of the same length; garbage where the key is wrong. */
export function decryptAesCfb(key: SecretBytes, iv: Uint8Array, ciphertext: Uint8Array): SecretBytes {
  const decipher = createDecipheriv(algorithm, key.reveal, iv);
  return takeSecret(decipher.update(ciphertext));
}
