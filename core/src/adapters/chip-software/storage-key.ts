/** The software chip's storage key in memory: an ECC P-256 key and the seedValue below which blobs are protected. */
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { generateAgreementKey } from '../../crypto/ecdh.ts';
import { p256Bytes, pointOf, type P256Point } from '../../crypto/p256.ts';
import type { Random } from '../../ports/surroundings.ts';
import { softwareStorageKey } from '../../tpm2/templates.ts';

export const seedBytes = 32;
/** Scalar and seedValue, as in the file. */
export const secretBytes = p256Bytes + seedBytes;

/** A storage key in memory; dispose it. */
export class StorageKey {
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array;
  readonly point: P256Point;
  readonly privateKey: SecretBytes;
  /** Protects the blobs below the key. */
  readonly seedValue: SecretBytes;

  constructor(point: P256Point, privateKey: SecretBytes, seedValue: SecretBytes) {
    this.public = softwareStorageKey(point);
    this.point = point;
    this.privateKey = privateKey;
    this.seedValue = seedValue;
  }

  [Symbol.dispose](): void {
    this.privateKey.dispose();
    this.seedValue.dispose();
  }
}

/** A new storage key. */
export function generateStorageKey(random: Random): StorageKey {
  const { privateKey, x, y } = generateAgreementKey();
  return new StorageKey({ x, y }, privateKey, new SecretBytes(random(seedBytes)));
}

/**
 * The key of a scalar and a seedValue, which it takes over; undefined where the scalar is none. The public area is computed, so
 * that a file has one form and no second source of truth.
 */
export function storageKeyOf(privateKey: SecretBytes, seedValue: SecretBytes): StorageKey | undefined {
  const point = pointOf(privateKey);
  return point && new StorageKey(point, privateKey, seedValue);
}
