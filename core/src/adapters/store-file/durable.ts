/**
 * The three ways in which stores change a disk: make folders and put a whole file under a name, both durable on return, and
 * take left-overs away, which may come back with a loss of power. What must be ordered against what is said where they are used.
 */
import { basename, dirname, join } from 'node:path';
import { hasCode, isSPMigrationError } from '../../domain/error.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { Processes } from '../../ports/processes.ts';

/** Makes a folder and those above it where they are missing, each with `mode`. */
export async function ensureFolder(disk: FileSystem, path: string, mode: number): Promise<void> {
  if ((await disk.status(path)) !== undefined) return;
  const parent = dirname(path);
  if (parent !== path) await ensureFolder(disk, parent, mode);
  try {
    await disk.makeFolder(path, mode);
  } catch (error) {
    // Another process was quicker; the folder is there, which is all that is wanted.
    if (!hasCode(error, 'OutputExists')) throw error;
  }
  await disk.syncFolder(parent);
}

let serial = 0;

/** A name part that no other process and no other call of this one has: `<pid>.<start>.<number>`. */
export async function uniqueMark(processes: Processes): Promise<string> {
  const { pid, start } = await processes.self();
  serial += 1;
  return `${pid}.${start}.${serial}`;
}

/** Puts a whole file under `path`, over an older one: old or new, never a part. */
export async function replaceFile(
  disk: FileSystem,
  processes: Processes,
  path: string,
  bytes: Uint8Array,
  mode: number,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `${basename(path)}.${await uniqueMark(processes)}.tmp`);
  try {
    await disk.create(temporary, bytes, mode);
    await disk.rename(temporary, path);
  } catch (error) {
    await removeLeftOver(disk, temporary);
    throw error;
  }
  await disk.syncFolder(folder);
}

/**
 * Removes a file that means nothing any more. A failure is no failure of the change that made it meaningless: that one
 * has happened or will, and the next opening with the lock tries again (on Windows a reader may hold it a moment longer).
 */
export async function removeLeftOver(disk: FileSystem, path: string): Promise<void> {
  try {
    await disk.remove(path);
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
  }
}

/** A file's bytes; undefined where there is none. */
export async function readIfThere(
  disk: FileSystem,
  path: string,
  maximumBytes: number,
): Promise<Uint8Array | undefined> {
  try {
    return (await disk.read(path, maximumBytes)).bytes;
  } catch (error) {
    if (hasCode(error, 'FileNotFound')) return undefined;
    throw error;
  }
}

/** Names in a folder; none where there is no folder. */
export async function listIfThere(disk: FileSystem, path: string): Promise<readonly string[]> {
  try {
    return await disk.list(path);
  } catch (error) {
    if (hasCode(error, 'FileNotFound')) return [];
    throw error;
  }
}
