/**
 * The content of the storage key file, version 1 (docs/spec/chip.md, "Storage key file"): a line with kind and version, the
 * public area behind its length, the scalar and the seedValue, 32 bytes each, readable as they are.
 */
import { ascii, equal } from '../../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../../bytes/reader.ts';
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { p256Bytes } from '../../crypto/p256.ts';
import { fail, type SPMigrationError } from '../../domain/error.ts';
import { seedBytes, storageKeyOf, type StorageKey } from './storage-key.ts';

export const firstLineV1 = 'SPMigration storage-key v1\n';
export const largestPublicArea = 1024;

export function encodeStorageKeyV1(key: StorageKey): SecretBytes {
  const writer = new ByteWriter().raw(ascii(firstLineV1)).sized16(key.public);
  return new SecretBytes(writer.raw(key.privateKey.reveal).raw(key.seedValue.reveal).done());
}

/** The key in a content that begins with the first line of version 1. `PlatformDamaged`; `path` is for messages. */
export function decodeStorageKeyV1(content: SecretBytes, path: string): StorageKey {
  const reader = new ByteReader(content.reveal, (problem) => damagedStorageKey(path, problem));
  reader.take(firstLineV1.length);
  const publicArea = reader.sized16(largestPublicArea);
  const privateKey = new SecretBytes(reader.take(p256Bytes));
  const seedValue = new SecretBytes(reader.take(seedBytes));
  reader.end();
  return checkedStorageKey(path, publicArea, privateKey, seedValue);
}

/** The key of what a file holds. `PlatformDamaged` where its parts do not belong together. */
export function checkedStorageKey(
  path: string,
  publicArea: Uint8Array,
  privateKey: SecretBytes,
  seedValue: SecretBytes,
): StorageKey {
  const key = storageKeyOf(privateKey, seedValue);
  if (key === undefined) throw damagedStorageKey(path, 'has no valid private key');
  if (!equal(key.public, publicArea)) throw damagedStorageKey(path, 'does not belong to its public area');
  return key;
}

export function damagedStorageKey(path: string, problem: string): SPMigrationError {
  return fail('PlatformDamaged', { path, problem: `the storage key ${problem}` });
}
