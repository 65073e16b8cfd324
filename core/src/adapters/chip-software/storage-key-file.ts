/**
 * The software chip's storage key and its file (docs/spec/chip.md, "Storage key file"): one line with kind and version,
 * then the public area behind its length, the scalar and the seedValue, 32 bytes each. Users of the computer must be
 * able to read it, as the chip runs in their processes: the file is public on this computer, and secret to everyone
 * else only as far as the operating system keeps it. It is written once, whole or not at all, and never rewritten.
 */
import { link, open, readFile, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ascii, equal, toHex } from '../../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../../bytes/reader.ts';
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { generateAgreementKey } from '../../crypto/ecdh.ts';
import { p256Bytes, pointOf, type P256Point } from '../../crypto/p256.ts';
import { fail, type SPMigrationError } from '../../domain/error.ts';
import type { Random } from '../../ports/surroundings.ts';
import { softwareStorageKey } from '../../tpm2/templates.ts';

const firstLine = 'SPMigration storage-key v1\n';
const seedBytes = 32;
/** Far above the one possible length, so that anything else is read and reported, not loaded. */
const maximumFileBytes = 4096;

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
export async function readStorageKey(path: string): Promise<StorageKey> {
  const key = await findStorageKey(path);
  if (key === undefined) throw fail('PlatformNotInitialized');
  return key;
}

/** The key in the file, or undefined where there is none. */
export async function findStorageKey(path: string): Promise<StorageKey | undefined> {
  try {
    const { size } = await stat(path);
    if (size > maximumFileBytes)
      throw fail('PlatformDamaged', { path, problem: 'the storage key is too long' });
    using content = new SecretBytes(new Uint8Array(await readFile(path)));
    return decodeStorageKey(content, path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw storageError(error, path);
  }
}

/**
 * Writes the file unless there is one already, and answers the key that the file then holds. The content is complete
 * and on the medium before it gets its name; linking, unlike renaming, never replaces a key that was made meanwhile.
 * The folder is there already: who may write it is the platform store's concern.
 */
export async function writeStorageKey(path: string, key: StorageKey, random: Random): Promise<StorageKey> {
  const folder = dirname(path);
  const temporary = `${path}.${toHex(random(8))}.tmp`;
  try {
    try {
      await writeSynced(temporary, encodeStorageKey(key));
      await link(temporary, path);
    } finally {
      await unlink(temporary).catch(ignoreMissing);
    }
    await syncFolder(folder);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw storageError(error, path);
  }
  return readStorageKey(path);
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

async function writeSynced(path: string, content: SecretBytes): Promise<void> {
  using owned = content;
  await using file = await open(path, 'wx', 0o644);
  // The mask of the process must not hide the key from users, nor let others write it.
  await file.chmod(0o644);
  await file.writeFile(owned.reveal);
  await file.sync();
}

/** A new name is durable only once its folder is; Windows does that by itself and cannot open folders. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle: FileHandle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
}

function storageError(error: unknown, path: string): unknown {
  switch (systemCode(error)) {
    case undefined:
      return error;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return fail('StorageDenied', { path }, error);
    case 'ENOSPC':
    case 'EDQUOT':
      return fail('StorageFull', { path }, error);
    default:
      return fail('StorageFailed', { path, problem: String(systemCode(error)) }, error);
  }
}

/** The operating system's code of a failed call; undefined for any other error, ours included. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
