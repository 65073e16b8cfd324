/**
 * ECDSA on P-256 with SHA-256 (FIPS 186-5): the one signature of authorities and grants, as r ‖ s in 64 bytes.
 * Key generation and the signature's own nonce cannot be seeded (`p256.ts`). Leaves out what is signed: a message here
 * begins with its kind or is a TPM digest and its policyRef, which is the caller's to guarantee.
 */
import { sign as ecdsaSign, verify as ecdsaVerify } from 'node:crypto';
import { compare, plain } from '../bytes/bytes.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import {
  generateP256KeyPair,
  importPrivateKey,
  importPublicKey,
  p256Bytes,
  p256Order,
  type P256KeyPair,
} from './p256.ts';

/** Length of a signature in bytes. */
export const signatureBytes = 2 * p256Bytes;

const zero = new Uint8Array(p256Bytes);

/** A new signing key: the scalar and the public point, 32 bytes each. */
export function generateSigningKey(): P256KeyPair {
  return generateP256KeyPair();
}

/**
 * r ‖ s over SHA-256(message). The public point is that of `privateKey`: the result is verified against it, so a wrong
 * pairing (or a fault in the computation) shows here and not at the reader. RangeError where they do not belong together.
 */
export function sign(privateKey: SecretBytes, x: Uint8Array, y: Uint8Array, message: Uint8Array): Uint8Array {
  const key = importPrivateKey(privateKey, { x, y });
  const signature = plain(ecdsaSign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }));
  if (!verify(x, y, message, signature))
    throw new RangeError('private and public key do not belong together');
  return signature;
}

/**
 * Whether `signature` is r ‖ s over SHA-256(message) by this key. False also for any other length, for r or s outside
 * 1 … n-1 (no second form of the same signature), and for a point that is not on the curve.
 */
export function verify(x: Uint8Array, y: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== signatureBytes) return false;
  if (!inRange(signature.subarray(0, p256Bytes)) || !inRange(signature.subarray(p256Bytes))) return false;
  const key = importPublicKey({ x, y });
  return key !== undefined && ecdsaVerify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

function inRange(number: Uint8Array): boolean {
  return compare(number, zero) > 0 && compare(number, p256Order) < 0;
}
