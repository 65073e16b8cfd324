/**
 * Port `files` over node:fs: files that people name. Links are followed, because people use them; devices, pipes and
 * folders are refused, so that no mistyped output path replaces a device. A new file appears whole under its name or not
 * at all: a temporary neighbour is written and synced, then linked (new) or renamed (overwrite).
 */
import { constants, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, extname, join, resolve, sep } from 'node:path';
import { toHex } from '../../bytes/bytes.ts';
import { fail } from '../../domain/error.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { Files } from '../../ports/files.ts';
import type { Random } from '../../ports/surroundings.ts';
import { nameProblem, safeFileName } from './file-name.ts';
import { readBounded } from './node-file-system.ts';
import { isSystemCode, storing } from './to-error.ts';

/** As far as the caller's umask allows, like every program's output. */
const publicMode = 0o666;
const privateMode = 0o600;

export function createFiles(platform: NodeJS.Platform, disk: FileSystem, random: Random): Files {
  const windows = platform === 'win32';
  const write = (path: string, bytes: Uint8Array, overwrite: boolean, mode: number): Promise<string> =>
    storing(path, () => writeWhole(disk, path, bytes, overwrite, mode, toHex(random(6)), windows));
  return {
    read: (path, maximumBytes) => storing(path, () => read(path, maximumBytes, windows)),
    write: (path, bytes, overwrite) => write(path, bytes, overwrite, publicMode),
    writePrivate: (path, bytes, overwrite) => write(path, bytes, overwrite, privateMode),
    remove: (path) => storing(path, () => fs.unlink(path)),
    kind: async (path) => {
      const found = await look(path);
      if (found === undefined) return 'none';
      return found.isDirectory() ? 'folder' : 'file';
    },
    outputPath: (path, name, overwrite) => outputPath(path, name, overwrite, windows),
    folderOf: (path) => dirname(resolve(path)),
    freeBytes,
    list,
  };
}

async function read(path: string, maximumBytes: number, windows: boolean): Promise<Uint8Array> {
  const file = await fs.open(path, constants.O_RDONLY | (windows ? 0 : constants.O_NONBLOCK));
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw fail('PathUnusable', { path, problem: notAFile(stats) });
    return await readBounded(file, path, maximumBytes);
  } finally {
    await file.close();
  }
}

async function writeWhole(
  disk: FileSystem,
  path: string,
  bytes: Uint8Array,
  overwrite: boolean,
  mode: number,
  unique: string,
  windows: boolean,
): Promise<string> {
  const target = await usableTarget(path, overwrite, windows);
  const folder = dirname(target);
  // The neighbour's own name is short and random: the target's may already be as long as a name can be.
  const neighbour = join(folder, `.spmigration-${unique}.tmp`);
  try {
    await writeSynced(neighbour, bytes, mode);
    if (overwrite) await disk.rename(neighbour, target);
    else await moveToNewName(disk, neighbour, target);
  } catch (error) {
    await fs.rm(neighbour, { force: true });
    throw error;
  }
  await syncFolder(disk, folder);
  return target;
}

async function writeSynced(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = await fs.open(path, 'wx', mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Gives `neighbour` the name `target`, which must be free. `OutputExists`. */
async function moveToNewName(disk: FileSystem, neighbour: string, target: string): Promise<void> {
  try {
    await fs.link(neighbour, target);
  } catch (error) {
    // FAT and exFAT (memory sticks) and some network file systems know no links: reserve the name, then rename over it.
    if (!isSystemCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EISDIR')) throw error;
    await (await fs.open(target, 'wx')).close();
    try {
      await disk.rename(neighbour, target);
    } catch (renaming) {
      await fs.rm(target, { force: true });
      throw renaming;
    }
    return;
  }
  await fs.unlink(neighbour);
}

/** A folder that the caller may write but not read cannot be synced; the file in it is, and that must do. */
async function syncFolder(disk: FileSystem, folder: string): Promise<void> {
  try {
    await fs.access(folder, constants.R_OK);
  } catch (error) {
    if (isSystemCode(error, 'EACCES', 'EPERM')) return;
    throw error;
  }
  await disk.syncFolder(folder);
}

/** The full path, after links, of what may be written; refuses everything that is there and is not to be replaced. */
async function usableTarget(path: string, overwrite: boolean, windows: boolean): Promise<string> {
  const full = resolve(path);
  const problem = nameProblem(basename(full), windows);
  if (problem !== undefined) throw fail('PathUnusable', { path: full, problem });
  const found = await look(full);
  if (found === undefined) return full;
  if (!found.isFile()) throw fail('PathUnusable', { path: full, problem: notAFile(found) });
  if (!overwrite) throw fail('OutputExists', { path: full });
  return fs.realpath(full);
}

async function outputPath(path: string, name: string, overwrite: boolean, windows: boolean): Promise<string> {
  const inFolder = (await look(path))?.isDirectory() ?? false;
  if (!inFolder && (path.endsWith('/') || path.endsWith(sep))) throw fail('FileNotFound', { path });
  if (!inFolder && extname(path) === '' && extname(name) !== '') {
    // Most likely a folder that was to be there: taken as a file, many outputs would overwrite each other in it.
    const problem = `there is no such folder, and as a file it needs an extension (${extname(name)})`;
    throw fail('PathUnusable', { path, problem });
  }
  return storing(path, async () => {
    const target = await usableTarget(inFolder ? join(path, safeFileName(name)) : path, overwrite, windows);
    const folder = dirname(target);
    const parent = await look(folder);
    if (parent === undefined) throw fail('FileNotFound', { path: folder });
    if (!parent.isDirectory())
      throw fail('PathUnusable', { path: target, problem: `${folder} is no folder` });
    await storing(folder, () => fs.access(folder, constants.W_OK | constants.X_OK));
    if ((await freeBytes(folder)) === 0) throw fail('StorageFull', { path: target });
    return target;
  });
}

async function freeBytes(path: string): Promise<number | undefined> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if ((await look(folder)) === undefined && dirname(folder) !== folder) continue;
    return storing(folder, async () => {
      const { blocks, bavail, bsize } = await fs.statfs(folder);
      // Some network file systems report no sizes at all (0 of 0 blocks).
      return blocks > 0 ? bavail * bsize : undefined;
    });
  }
}

async function list(path: string, extension: string): Promise<readonly string[]> {
  const found = await look(path);
  if (found === undefined) throw fail('FileNotFound', { path });
  if (!found.isDirectory()) return [path];
  return storing(path, async () => {
    const wanted = extension.toLowerCase();
    const names = (await fs.readdir(path)).filter((name) => extname(name).toLowerCase() === wanted).sort();
    const paths: string[] = [];
    for (const name of names) {
      const candidate = join(path, name);
      if ((await look(candidate))?.isFile() === true) paths.push(candidate);
    }
    return paths;
  });
}

/** What is at the end of `path`, links followed; undefined for nothing. */
function look(path: string): Promise<Stats | undefined> {
  return storing(path, async () => {
    try {
      return await fs.stat(path);
    } catch (error) {
      if (isSystemCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  });
}

function notAFile(stats: Stats): string {
  return stats.isDirectory() ? 'it is a folder' : 'it is no regular file';
}
