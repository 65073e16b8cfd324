/**
 * The content of the storage key file, version 2 (docs/spec/chip.md, "Storage key file"): a line with kind and version, the
 * public area behind its length, and scalar and seedValue encrypted by the operating system, which opens them on this computer
 * only. What stands before them is bound to them as their purpose. docs/decisions/0017-data-protection.md.
 */
import { ascii, concat } from '../../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../../bytes/reader.ts';
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { p256Bytes } from '../../crypto/p256.ts';
import { fail } from '../../domain/error.ts';
import type { MachineProtection } from '../../ports/machine-protection.ts';
import { secretBytes, type StorageKey } from './storage-key.ts';
import { checkedStorageKey, damagedStorageKey, largestPublicArea } from './storage-key-v1.ts';

export const firstLineV2 = 'SPMigration storage-key v2\n';
/** Windows makes about 230 bytes of 64. */
const largestProtected = 2048;

export function encodeStorageKeyV2(key: StorageKey, protection: MachineProtection): Uint8Array {
  using secret = new SecretBytes(concat(key.privateKey.reveal, key.seedValue.reveal));
  const head = new ByteWriter().raw(ascii(firstLineV2)).sized16(key.public).done();
  return concat(head, new ByteWriter().sized16(protection.protect(secret, head)).done());
}

/**
 * The key in a content that begins with the first line of version 2. `PlatformDamaged`; `StorageKeyNotOpened` where the system
 * refuses it, or has no such protection. `path` is for messages.
 */
export function decodeStorageKeyV2(
  content: Uint8Array,
  path: string,
  protection: MachineProtection | undefined,
): StorageKey {
  const reader = new ByteReader(content, (problem) => damagedStorageKey(path, problem));
  reader.take(firstLineV2.length);
  const publicArea = reader.sized16(largestPublicArea);
  const headBytes = reader.offset;
  const bytes = reader.sized16(largestProtected);
  reader.end();
  const opened = protection?.unprotect(bytes, content.slice(0, headBytes)) ?? {
    refused: 'Windows encrypted it for a platform of its own, which this is not',
  };
  if ('refused' in opened) throw fail('StorageKeyNotOpened', { path, problem: opened.refused });
  using secret = opened;
  if (secret.length !== secretBytes) throw damagedStorageKey(path, 'has another length');
  const privateKey = SecretBytes.copyOf(secret.reveal.subarray(0, p256Bytes));
  const seedValue = SecretBytes.copyOf(secret.reveal.subarray(p256Bytes));
  return checkedStorageKey(path, publicArea, privateKey, seedValue);
}
