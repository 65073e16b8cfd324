/**
 * RSA-OAEP with SHA-256 (RFC 8017, 7.1) to a bare modulus: how a duplication seed reaches a storage key that is RSA.
 * Only encryption: this product's own storage keys are ECC, and a TPM decrypts by itself. Its randomness cannot be
 * seeded.
 */
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { plain } from '../bytes/bytes.ts';

/** The encrypted message, as long as the modulus. `modulus` is big-endian without leading zeros, the exponent 65537. */
export function encryptRsaOaep(modulus: Uint8Array, label: Uint8Array, message: Uint8Array): Uint8Array {
  const jwk = { kty: 'RSA', n: Buffer.from(modulus).toString('base64url'), e: 'AQAB' };
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return plain(publicEncrypt({ key, padding, oaepHash: 'sha256', oaepLabel: label }, message));
}
