/**
 * The software chip's storage key file (docs/spec/chip.md, "Storage key file"). Users of the computer must be able to read it,
 * as the chip runs in their processes: the file is public on this computer, and secret to everyone else only as far as the
 * operating system keeps it, which is more where the system encrypts it for this computer (version 2, `storage-key-v2.ts`). It
 * is written once, whole or not at all, in the newest version that the system knows, and never rewritten.
 */
import { basename, dirname, join } from 'node:path';
import { ascii, equal, toHex } from '../../bytes/bytes.ts';
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { fail, hasCode, isSPMigrationError } from '../../domain/error.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { MachineProtection } from '../../ports/machine-protection.ts';
import type { Random } from '../../ports/surroundings.ts';
import type { StorageKey } from './storage-key.ts';
import { damagedStorageKey, decodeStorageKeyV1, encodeStorageKeyV1, firstLineV1 } from './storage-key-v1.ts';
import { decodeStorageKeyV2, encodeStorageKeyV2, firstLineV2 } from './storage-key-v2.ts';

/** Far above the one possible length, so that anything else is read and reported, not loaded. */
const maximumFileBytes = 4096;
/** The mask of the process must not hide the key from users, nor let others write it. */
const publicMode = 0o644;
const temporaryBytes = 8;

/** Where the file lies, and what encrypts it there. */
export interface StorageKeyPlace {
  readonly disk: FileSystem;
  readonly path: string;
  /** Undefined where the system has none: then the file is of version 1. */
  readonly protection?: MachineProtection;
}

function encode(key: StorageKey, protection: MachineProtection | undefined): SecretBytes {
  if (protection === undefined) return encodeStorageKeyV1(key);
  return new SecretBytes(encodeStorageKeyV2(key, protection));
}

/** The key in a file's content, of any version. `StoreNewer`, `PlatformDamaged`, `StorageKeyNotOpened`; `path` is for messages. */
export function decodeStorageKey(
  content: SecretBytes,
  path: string,
  protection?: MachineProtection,
): StorageKey {
  const version = versionOf(content.reveal);
  switch (version) {
    case 1:
      return decodeStorageKeyV1(content, path);
    case 2:
      return decodeStorageKeyV2(content.reveal, path, protection);
    case undefined:
      throw damagedStorageKey(path, 'is of another kind');
    default:
      throw fail('StoreNewer', { path, version });
  }
}

/** By its first line; undefined for another kind of file. */
function versionOf(content: Uint8Array): number | undefined {
  const starts = (line: string): boolean => equal(content.subarray(0, line.length), ascii(line));
  if (starts(firstLineV1)) return 1;
  if (starts(firstLineV2)) return 2;
  const head = String.fromCharCode(...content.subarray(0, firstLineV1.length + 8));
  const version = /^SPMigration storage-key v([1-9]\d{0,5})\n/.exec(head)?.[1];
  return version === undefined ? undefined : Number(version);
}

/** Whether the system opens the key on this computer only: that of the file, or the one that would be made. False where nobody can tell. */
export async function isBoundToMachine({ disk, path, protection }: StorageKeyPlace): Promise<boolean> {
  if (protection === undefined) return false;
  try {
    const { bytes } = await disk.read(path, maximumFileBytes);
    using content = new SecretBytes(bytes);
    return versionOf(content.reveal) === 2;
  } catch (error) {
    // What is wrong with the file is told by whoever needs its key.
    if (!isSPMigrationError(error)) throw error;
    return hasCode(error, 'FileNotFound');
  }
}

/** The key in the file; `PlatformNotInitialized` where there is none. */
export async function readStorageKey(place: StorageKeyPlace): Promise<StorageKey> {
  const key = await findStorageKey(place);
  if (key === undefined) throw fail('PlatformNotInitialized');
  return key;
}

/** The key in the file, or undefined where there is none. */
export async function findStorageKey({
  disk,
  path,
  protection,
}: StorageKeyPlace): Promise<StorageKey | undefined> {
  try {
    const { bytes } = await disk.read(path, maximumFileBytes);
    using content = new SecretBytes(bytes);
    return decodeStorageKey(content, path, protection);
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
  place: StorageKeyPlace,
  key: StorageKey,
  random: Random,
): Promise<StorageKey> {
  const { disk, path, protection } = place;
  const temporary = `${path}.${toHex(random(temporaryBytes))}.tmp`;
  try {
    using content = encode(key, protection);
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
  const written = await findStorageKey(place);
  if (written === undefined) throw fail('StorageFailed', { path, problem: 'its folder is missing' });
  return written;
}

/**
 * Gives a file that the system does not open another name, so that a new key can be made. It is not removed: should the
 * computer come back that opens it, it only needs its name again.
 */
export async function setStorageKeyAside({ disk, path }: StorageKeyPlace, random: Random): Promise<void> {
  await disk.rename(path, `${path}.${toHex(random(temporaryBytes))}.unopened`);
  await disk.syncFolder(dirname(path));
}

/**
 * Removes temporary files of programs that were stopped while they wrote the key: they hold a storage key as well. Only
 * where the key is there, so that nobody loses what is still to get its name. A failure is none of provisioning.
 */
export async function removeLeftOvers({ disk, path }: StorageKeyPlace): Promise<void> {
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
