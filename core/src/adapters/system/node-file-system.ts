/**
 * Port `file-system` over node:fs. What is written is synced before a call returns; a rename is tried again for a second
 * on Windows, where a reader that holds the old file makes it fail. Folders cannot be synced on Windows: there NTFS's own
 * journal orders names (docs/spec/environment-store.md, "Durability"). There owners and permissions are those of access lists
 * (`access-lists.ts`), in the platform's folder only.
 */
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { plain } from '../../bytes/bytes.ts';
import { fail, hasCode } from '../../domain/error.ts';
import type { FileStatus, FileSystem } from '../../ports/file-system.ts';
import type { AccessLists } from './access-lists.ts';
import { isSystemCode, storing } from './to-error.ts';

const renameTries = 20;
const renamePauseMilliseconds = 50;

/** `access`: who may do what in the platform's folder, on Windows. */
export function createFileSystem(platform: NodeJS.Platform, access?: AccessLists): FileSystem {
  const windows = platform === 'win32';
  return {
    read: (path, maximumBytes) => storing(path, () => read(path, maximumBytes, windows, access)),
    create: (path, bytes, mode) => storing(path, () => create(path, bytes, mode, access)),
    append: (path, bytes, mode) => storing(path, () => append(path, bytes, mode)),
    truncate: (path, length) => storing(path, () => truncate(path, length)),
    rename: (from, to) => storing(to, () => rename(from, to, windows ? renameTries : 1)),
    link: (path, name) => storing(name, () => fs.link(path, name)),
    remove: (path) => storing(path, () => fs.unlink(path)),
    removeFolder: (path) => storing(path, () => fs.rmdir(path)),
    makeFolder: (path, mode) => storing(path, () => makeFolder(path, mode, access)),
    setMode: (path, mode) => storing(path, () => setMode(path, mode, access)),
    list: (path) => storing(path, async () => (await fs.readdir(path)).sort()),
    status: (path) => storing(path, () => status(path, windows, access)),
    syncFolder: (path) => storing(path, () => (windows ? Promise.resolve() : syncFolder(path))),
  };
}

const appendFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | noFollow();

/** O_NOFOLLOW is missing on Windows; there `requireSame` compares. */
function noFollow(): number {
  return (constants as { readonly O_NOFOLLOW?: number }).O_NOFOLLOW ?? 0;
}

async function read(
  path: string,
  maximumBytes: number,
  windows: boolean,
  access: AccessLists | undefined,
): Promise<{ bytes: Uint8Array; status: FileStatus }> {
  // Not blocking: opening a planted FIFO must not hang the reader.
  const nonBlocking = windows ? 0 : constants.O_NONBLOCK;
  const file = await fs.open(path, constants.O_RDONLY | noFollow() | nonBlocking);
  try {
    const covering = access?.covers(path) === true ? access : undefined;
    if (windows) await requireSame(path, file, covering !== undefined);
    const found = toStatus(await file.stat(), windows);
    if (found.kind !== 'file') throw fail('PathUnusable', { path, problem: 'it is no regular file' });
    const seen = covering?.ofOpen(file.fd, path);
    return { bytes: await readBounded(file, path, maximumBytes), status: { ...found, ...seen } };
  } finally {
    await file.close();
  }
}

/**
 * `PathUnusable` where what was opened is not the file at the path itself, but what a link there leads to. `exactly`: also where
 * the link is gone again; not every medium of people's own gives files a number that stays the same.
 */
async function requireSame(path: string, file: fs.FileHandle, exactly: boolean): Promise<void> {
  const [there, read] = [await fs.lstat(path, { bigint: true }), await file.stat({ bigint: true })];
  if (there.isSymbolicLink() || (exactly && there.ino !== read.ino))
    throw fail('PathUnusable', { path, problem: 'it is a symbolic link where none is allowed' });
}

/** Everything in an open file; one byte more than allowed is `LimitExceeded`, however large the file claims to be. */
export async function readBounded(
  file: fs.FileHandle,
  path: string,
  maximumBytes: number,
): Promise<Uint8Array> {
  const { size } = await file.stat();
  const tooLarge = (actual: number): Error =>
    fail('LimitExceeded', { what: path, actual: `${actual} bytes`, maximum: `${maximumBytes} bytes` });
  if (size > maximumBytes) throw tooLarge(size);
  const buffer = new Uint8Array(size + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) return plain(buffer.subarray(0, length));
    length += bytesRead;
  }
  throw fail('StorageFailed', { path, problem: 'it grew while it was read' });
}

async function create(
  path: string,
  bytes: Uint8Array,
  mode: number,
  access: AccessLists | undefined,
): Promise<void> {
  const listed = access?.sets(path) === true;
  if (listed) access.makeFile(path, mode);
  const file = listed ? await fs.open(path, 'r+') : await fs.open(path, 'wx', mode);
  try {
    // The mode is the file's whatever the caller's umask takes away from new files.
    if (!listed) await file.chmod(mode);
    await writeDurably(file, bytes);
  } catch (error) {
    // Nobody needs the part that a full disk took. Should it stay after all, the reason to tell is still the first one.
    await fs.rm(path, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}

async function append(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = await fs.open(path, appendFlags, mode);
  try {
    await writeDurably(file, bytes);
  } finally {
    await file.close();
  }
}

async function writeDurably(file: fs.FileHandle, bytes: Uint8Array): Promise<void> {
  await file.writeFile(bytes);
  // An empty file (a lock) has nothing to lose.
  if (bytes.length > 0) await file.sync();
}

async function truncate(path: string, length: number): Promise<void> {
  const file = await fs.open(path, constants.O_WRONLY | noFollow());
  try {
    await file.truncate(length);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function rename(from: string, to: string, tries: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await fs.rename(from, to);
      return;
    } catch (error) {
      const held = isSystemCode(error, 'EPERM', 'EACCES', 'EBUSY');
      if (!held || attempt >= tries) throw error;
      await delay(renamePauseMilliseconds);
    }
  }
}

/** The mode is set afterwards too, because mkdir subtracts the caller's umask. */
async function makeFolder(path: string, mode: number, access: AccessLists | undefined): Promise<void> {
  if (access?.sets(path) === true) {
    access.makeFolder(path, mode);
    return;
  }
  await fs.mkdir(path, { mode });
  await fs.chmod(path, mode);
}

async function setMode(path: string, mode: number, access: AccessLists | undefined): Promise<void> {
  if (access?.sets(path) === true) access.setFolder(path, mode);
  else await fs.chmod(path, mode);
}

async function status(
  path: string,
  windows: boolean,
  access: AccessLists | undefined,
): Promise<FileStatus | undefined> {
  try {
    const found = toStatus(await fs.lstat(path), windows);
    const { kind } = found;
    if (access?.covers(path) !== true || kind === 'link' || kind === 'other') return found;
    return { ...found, ...access.ofPath(path, kind) };
  } catch (error) {
    if (isSystemCode(error, 'ENOENT', 'ENOTDIR') || hasCode(error, 'FileNotFound')) return undefined;
    throw error;
  }
}

function toStatus(stats: Stats, windows: boolean): FileStatus {
  return {
    kind: kindOf(stats),
    sizeBytes: stats.size,
    owner: windows ? undefined : `uid:${stats.uid}`,
    mode: windows ? undefined : stats.mode & 0o7777,
    names: stats.nlink,
    modified: Math.floor(stats.mtimeMs / 1000),
  };
}

function kindOf(stats: Stats): FileStatus['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

async function syncFolder(path: string): Promise<void> {
  const folder = await fs.open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
