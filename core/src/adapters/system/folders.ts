/**
 * Where things lie: design page 3, "Environment at rest" and "Platform folder". With SPMIGRATION_HOME everything lies
 * below that one folder and this is a rehearsal. The environment variables read here belong to the calling account, so
 * they can mislead only that account; what an administrator decides is protected by the owner of the platform folder
 * (`adapters/store-file/platform-store.ts`) and by a policy outside of SPMIGRATION_HOME.
 */
import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, posix, resolve, win32 } from 'node:path';
import { fail } from '../../domain/error.ts';
import type { PlatformId } from '../../domain/ids.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import { safeFileName } from './file-name.ts';
import { storing } from './to-error.ts';

export interface Folders {
  /** SPMIGRATION_HOME in full; undefined on a real platform. */
  readonly home: string | undefined;
  readonly platform: string;
  /** The calling account's folder for the platform with this id. */
  readonly user: (platform: PlatformId) => string;
  /** Policy files; the first is the machine's own. Empty where the policy is no file (Windows). */
  readonly policies: readonly string[];
}

/** `callerFolder` names the calling account below `users/` of a rehearsal, e.g. `uid-1000`. Pure. */
export function findFolders(
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
  callerFolder: string,
): Folders {
  const windows = platform === 'win32';
  const machinePolicies = windows ? [] : ['/etc/spmigration/policy'];
  const given = env.SPMIGRATION_HOME;
  if (given !== undefined && given !== '') {
    const home = resolve(given);
    return {
      home,
      platform: join(home, 'platform'),
      user: (id) => join(home, 'users', safeFileName(callerFolder), id),
      policies: [...machinePolicies, join(home, 'policy')],
    };
  }
  if (windows) {
    const local = env.LOCALAPPDATA ?? win32.join(homedir(), 'AppData', 'Local');
    return {
      home: undefined,
      platform: win32.join(env.ProgramData ?? String.raw`C:\ProgramData`, 'SPMigration'),
      user: (id) => win32.join(local, 'SPMigration', id),
      policies: machinePolicies,
    };
  }
  const data = env.XDG_DATA_HOME;
  // The XDG specification: a relative path is invalid and to be ignored.
  const base = data !== undefined && isAbsolute(data) ? data : posix.join(homedir(), '.local', 'share');
  return {
    home: undefined,
    platform: '/var/lib/spmigration',
    user: (id) => posix.join(base, 'spmigration', id),
    policies: machinePolicies,
  };
}

/**
 * `PlatformFolderUntrusted` unless the rehearsal's folder is the caller's own and nobody else may write it (ruling 14).
 * One that does not exist yet is made by initialisation, and is the caller's own then. `owners` are those that `disk` may show
 * for it: the caller, and on Windows administrators, to whom what the caller made as an administrator may belong.
 */
export async function requireOwnHome(
  home: string,
  owners: readonly string[],
  disk: FileSystem,
): Promise<void> {
  const untrusted = (problem: string): Error => fail('PlatformFolderUntrusted', { path: home, problem });
  const there = await disk.status(home);
  const found =
    there?.kind === 'link' ? await storing(home, async () => disk.status(await realpath(home))) : there;
  if (found === undefined) return;
  if (found.kind !== 'folder') throw untrusted('it is no folder');
  if (found.owner === undefined || !owners.includes(found.owner))
    throw untrusted(`it belongs to another account${found.access && found.owner ? ` (${found.owner})` : ''}`);
  if (found.mode !== undefined && (found.mode & 0o022) !== 0) throw untrusted('other accounts may write it');
  const writer = found.access && (found.access.write ?? found.access.leave);
  if (writer !== undefined) throw untrusted(`other accounts may write it: ${writer}`);
}
