/**
 * Owners and access lists of the platform's folder on Windows, as the port `file-system` speaks of them. Only there: what lies
 * in people's own folders has the list that Windows gives it. In a rehearsal lists are read and never set: the folder is the
 * person's own, and what administrators made there is theirs, too. docs/decisions/0016-owners-and-access-lists.md.
 */
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { fail, hasCode } from '../../domain/error.ts';
import type { FileStatus } from '../../ports/file-system.ts';
import { accessOf, administratorsList, decodeSecurity, personsList } from './security-descriptor.ts';
import type { WindowsFiles } from './windows-files.ts';

export interface AccessListsOptions {
  /** The platform's folder. */
  readonly platform: string;
  /** SPMIGRATION_HOME in full; undefined on a real platform, where lists are set. */
  readonly home: string | undefined;
  /** SID of the calling account. */
  readonly caller: string;
  readonly windows: () => WindowsFiles;
}

export interface AccessLists {
  /** Whether owner and access count there. */
  covers(path: string): boolean;
  ofPath(path: string, kind: 'file' | 'folder'): SeenAccess;
  /** Of a file that Node has open; `path` is for messages. */
  ofOpen(file: number, path: string): SeenAccess;
  /** Whether what is made there gets a list of ours. */
  sets(path: string): boolean;
  makeFolder(path: string, mode: number): void;
  makeFile(path: string, mode: number): void;
  setFolder(path: string, mode: number): void;
}

type SeenAccess = Required<Pick<FileStatus, 'owner' | 'access'>>;

/** The drop folder's mode on Unix. */
const dropMode = 0o1733;

export function createAccessLists(options: AccessListsOptions): AccessLists {
  const { platform, home, caller, windows } = options;
  const covers = (path: string): boolean => {
    if (isWithin(platform, path)) return true;
    // SPMIGRATION_HOME itself, or where a link in its place leads.
    return home !== undefined && (relative(home, path) === '' || !isWithin(home, path));
  };
  const sets = (path: string): boolean => home === undefined && isWithin(platform, path);
  // In a rehearsal what is the caller's own stays so, whoever Windows makes its owner.
  const trusted = home === undefined ? [] : [caller];
  const seen = (descriptor: Uint8Array, path: string, kind: 'file' | 'folder'): SeenAccess => {
    const security = decodeSecurity(descriptor);
    if (security === undefined)
      throw fail('StorageFailed', { path, problem: 'its access list cannot be read' });
    return { owner: `sid:${security.owner}`, access: accessOf(security, kind === 'folder', trusted) };
  };
  /**
   * Whoever may make files in a folder may make a junction of it, as long as it is empty: the drop folder never is.
   */
  const fill = (folder: string, mode: number): void => {
    if (mode !== dropMode) return;
    const path = join(folder, '.keep');
    try {
      windows().makeFile(path, administratorsList('file', 0o644));
    } catch (error) {
      if (!hasCode(error, 'OutputExists')) throw error;
    }
  };
  return {
    covers,
    ofPath: (path, kind) => seen(windows().descriptorOf(path), path, kind),
    ofOpen: (file, path) => seen(windows().descriptorOfOpen(file), path, 'file'),
    sets,
    makeFolder: (path, mode) => {
      windows().makeFolder(path, administratorsList('folder', mode));
      fill(path, mode);
    },
    makeFile: (path, mode) => {
      const dropped = dirname(path) === join(platform, 'users');
      windows().makeFile(path, dropped ? personsList(caller) : administratorsList('file', mode));
    },
    setFolder: (path, mode) => {
      windows().setDescriptor(path, administratorsList('folder', mode));
      fill(path, mode);
    },
  };
}

function isWithin(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside === '' || !(inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside));
}
