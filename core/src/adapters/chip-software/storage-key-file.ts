/**
 * The software chip's storage key and its file (docs/spec/chip.md, "Storage key file"): one line with kind and version,
 * then the public area behind its length, the scalar and the seedValue, 32 bytes each. Users of the computer must be
 * able to read it, as the chip runs in their processes: the file is public on this computer, and secret to everyone
 * else only as far as the operating system keeps it. It is written once, whole or not at all, and never rewritten.
 */
import { basename, dirname, join } from 'node:path';
import { ascii, equal, toHex } from '../../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../../bytes/reader.ts';
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { generateAgreementKey } from '../../crypto/ecdh.ts';
import { p256Bytes, pointOf, type P256Point } from '../../crypto/p256.ts';
import { fail, hasCode, isSPMigrationError, type SPMigrationError } from '../../domain/error.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { Random } from '../../ports/surroundings.ts';
import { softwareStorageKey } from '../../tpm2/templates.ts';

const firstLine = 'SPMigration storage-key v1\n';
const seedBytes = 32;
/** Far above the one possible length, so that anything else is read and reported, not loaded. */
const maximumFileBytes = 4096;
/** The mask of the process must not hide the key from users, nor let others write it. */
const publicMode = 0o644;
const temporaryBytes = 8;

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

/** The file's content. */
export function encodeStorageKey(key: StorageKey): SecretBytes {
  const writer = new ByteWriter().raw(ascii(firstLine)).sized16(key.public);
  return new SecretBytes(writer.raw(key.privateKey.reveal).raw(key.seedValue.reveal).done());
}

/** The key in the file's content. `StoreNewer`, `PlatformDamaged`; `path` is for messages. */
export function decodeStorageKey(content: SecretBytes, path: string): StorageKey {
  const damaged = (problem: string): SPMigrationError =>
    fail('PlatformDamaged', { path, problem: `the storage key ${problem}` });
  checkFirstLine(content.reveal, path, damaged);
  const reader = new ByteReader(content.reveal, damaged);
  reader.take(firstLine.length);
  const publicArea = reader.sized16(maximumFileBytes);
  const privateKey = new SecretBytes(reader.take(p256Bytes));
  const seedValue = new SecretBytes(reader.take(seedBytes));
  reader.end();
  // The public area is computed, so the file has one form and no second source of truth.
  const point = pointOf(privateKey);
  if (point === undefined) throw damaged('has no valid private key');
  const key = new StorageKey(point, privateKey, seedValue);
  if (!equal(key.public, publicArea)) throw damaged('does not belong to its public area');
  return key;
}

/** The key in the file; `PlatformNotInitialized` where there is none. */
export async function readStorageKey(disk: FileSystem, path: string): Promise<StorageKey> {
  const key = await findStorageKey(disk, path);
  if (key === undefined) throw fail('PlatformNotInitialized');
  return key;
}

/** The key in the file, or undefined where there is none. */
export async function findStorageKey(disk: FileSystem, path: string): Promise<StorageKey | undefined> {
  try {
    const { bytes } = await disk.read(path, maximumFileBytes);
    using content = new SecretBytes(bytes);
    return decodeStorageKey(content, path);
  } catch (error) {
    if (hasCode(error, 'FileNotFound')) return undefined;
    if (!hasCode(error, 'LimitExceeded')) throw error;
    throw fail('PlatformDamaged', { path, problem: 'the storage key is too long' }, error);
  }
}

/**
 * Writes the file unless there is one already, and answers the key that the file then holds. The content is complete
 * and on the medium before it gets its name; linking, unlike renaming, never replaces a key that was made meanwhile.
 * The folder is there already: who may write it is the platform store's concern.
 */
export async function writeStorageKey(
  disk: FileSystem,
  path: string,
  key: StorageKey,
  random: Random,
): Promise<StorageKey> {
  const temporary = `${path}.${toHex(random(temporaryBytes))}.tmp`;
  try {
    using content = encodeStorageKey(key);
    try {
      await disk.create(temporary, content.reveal, publicMode);
      await disk.link(temporary, path);
    } finally {
      await removeIfThere(disk, temporary);
    }
    await disk.syncFolder(dirname(path));
  } catch (error) {
    // Who was quicker has written the key, and may have removed this program's temporary file with the left-overs.
    if (!hasCode(error, 'OutputExists') && !hasCode(error, 'FileNotFound')) throw error;
  }
  const written = await findStorageKey(disk, path);
  if (written === undefined) throw fail('StorageFailed', { path, problem: 'its folder is missing' });
  return written;
}

/**
 * Removes temporary files of programs that were stopped while they wrote the key: they hold a storage key as well. Only
 * where the key is there, so that nobody loses what is still to get its name. A failure is none of provisioning.
 */
export async function removeLeftOvers(disk: FileSystem, path: string): Promise<void> {
  const temporary = new RegExp(`^${basename(path)}\\.[0-9a-f]{${2 * temporaryBytes}}\\.tmp$`);
  const folder = dirname(path);
  for (const name of await disk.list(folder)) {
    if (temporary.test(name)) await removeIfThere(disk, join(folder, name));
  }
}

async function removeIfThere(disk: FileSystem, path: string): Promise<void> {
  try {
    await disk.remove(path);
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
  }
}

function checkFirstLine(
  content: Uint8Array,
  path: string,
  damaged: (problem: string) => SPMigrationError,
): void {
  if (equal(content.subarray(0, firstLine.length), ascii(firstLine))) return;
  const head = String.fromCharCode(...content.subarray(0, firstLine.length + 8));
  const version = /^SPMigration storage-key v([1-9]\d{0,5})\n/.exec(head)?.[1];
  if (version === undefined) throw damaged('is of another kind');
  throw fail('StoreNewer', { path, version });
}
