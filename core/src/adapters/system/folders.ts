/**
 * Where things lie: design page 3, "Environment at rest" and "Platform folder". With SPMIGRATION_HOME everything lies
 * below that one folder and this is a rehearsal. The environment variables read here belong to the calling account, so
 * they can mislead only that account; what an administrator decides is protected by the owner of the platform folder
 * (`adapters/store-file/platform-store.ts`) and by a policy outside of SPMIGRATION_HOME.
 */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, posix, resolve, win32 } from 'node:path';
import { fail } from '../../domain/error.ts';
import type { PlatformId } from '../../domain/ids.ts';
import { safeFileName } from './file-name.ts';
import { isSystemCode, storing } from './to-error.ts';

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
 * One that does not exist yet is made by initialisation, and is the caller's own then. Windows shows Node no owner: there
 * the check is left to the folder's access list (docs/windows-checklist.md).
 */
export async function requireOwnHome(home: string, callerUid: number | undefined): Promise<void> {
  const untrusted = (problem: string): Error => fail('PlatformFolderUntrusted', { path: home, problem });
  const found = await storing(home, async () => {
    try {
      return await stat(home);
    } catch (error) {
      if (isSystemCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  });
  if (found === undefined) return;
  if (!found.isDirectory()) throw untrusted('it is no folder');
  if (callerUid === undefined) return;
  if (found.uid !== callerUid) throw untrusted('it belongs to another account');
  if ((found.mode & 0o022) !== 0) throw untrusted('other accounts may write it');
}
