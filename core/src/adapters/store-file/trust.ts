/**
 * Whom a platform's folders may belong to, and who else may do what in them: the same rules for permission bits and for access
 * lists (docs/spec/environment-store.md, "Platform folder"). Pure. What nobody can tell is not trusted.
 */
import { fail, type SPMigrationError } from '../../domain/error.ts';
import type { FileStatus } from '../../ports/file-system.ts';

/**
 * The drop folder: its owner reads all; everyone else may make files and pass through, but not list, and (sticky) not
 * rename or remove what is another's. Files in it are closed, so a registration is read by its user and its owner only.
 */
export const dropFolderMode = 0o1733;

const writableByOthers = 0o022;
const anyOfOthers = 0o077;

/** `PlatformFolderUntrusted` unless it is one of `owners`' and nobody else may write it. */
export function requireTrusted(
  path: string,
  status: FileStatus,
  kind: 'file' | 'folder',
  owners: readonly string[],
): void {
  if (status.kind !== kind) throw untrusted(path, `it is no ${kind}`);
  requireOwner(path, status, owners);
  const { access } = status;
  if (isWritableByOthers(status))
    throw untrusted(
      path,
      `accounts that are no administrators may write it${named(access?.write ?? access?.leave)}`,
    );
}

/** Whether accounts may write it that are neither its owner nor administrators, or nobody can tell. */
export function isWritableByOthers({ mode, access }: FileStatus): boolean {
  if (access === undefined) return mode === undefined || (mode & writableByOthers) !== 0;
  return access.write !== undefined || access.leave !== undefined;
}

/** `PlatformFolderUntrusted` where others may see or read what is in it. */
export function requireClosed(path: string, { mode, access }: FileStatus): void {
  const reader = access?.read;
  if (access === undefined ? mode === undefined || (mode & anyOfOthers) !== 0 : reader !== undefined)
    throw untrusted(path, `accounts that are no administrators may look into it${named(reader)}`);
}

/** `PlatformFolderUntrusted` unless everybody may leave files there, and do nothing else. */
export function requireDropFolder(path: string, status: FileStatus, owners: readonly string[]): void {
  if (status.kind !== 'folder') throw untrusted(path, 'it is no folder');
  requireOwner(path, status, owners);
  if (isDropFolder(status)) return;
  throw untrusted(
    path,
    `its permissions let accounts see or take away what others leave in it, or leave nothing${named(status.access?.read ?? status.access?.write)}`,
  );
}

export function isDropFolder({ mode, access }: FileStatus): boolean {
  if (access === undefined) return mode === dropFolderMode;
  return access.leave !== undefined && access.read === undefined && access.write === undefined;
}

export function requireOwner(path: string, { owner }: FileStatus, owners: readonly string[]): void {
  if (owner !== undefined && owners.includes(owner)) return;
  if (owner?.startsWith('sid:') === true)
    throw untrusted(path, `it belongs to the account ${owner.slice('sid:'.length)}`);
  throw untrusted(path, `it belongs to the user id ${owner?.replace(/^uid:/, '') ?? 'unknown'}`);
}

export function untrusted(path: string, problem: string): SPMigrationError {
  return fail('PlatformFolderUntrusted', { path, problem });
}

function named(account: string | undefined): string {
  return account === undefined ? '' : `: ${account}`;
}
