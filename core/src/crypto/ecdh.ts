/**
 * One-pass Diffie-Hellman on P-256 (SP 800-56A, C(1e, 1s)) as TPM 2.0 duplication needs it (`tpm2/kdf.ts` derives from
 * the shared value). The shared value is the x coordinate, 32 bytes, leading zeros kept.
 */
import { diffieHellman } from 'node:crypto';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import {
  generateP256KeyPair,
  importPrivateKey,
  importPublicKey,
  type P256KeyPair,
  type P256Point,
} from './p256.ts';
import { takeSecret } from './secret.ts';

/** A new key for decryption or agreement. */
export function generateAgreementKey(): P256KeyPair {
  return generateP256KeyPair();
}

/** The shared value; undefined where `peer` is not on the curve. `own` is the point of `privateKey`. */
export function agree(privateKey: SecretBytes, own: P256Point, peer: P256Point): SecretBytes | undefined {
  const publicKey = importPublicKey(peer);
  if (publicKey === undefined) return undefined;
  return takeSecret(diffieHellman({ privateKey: importPrivateKey(privateKey, own), publicKey }));
}
