/**
 * Port `account`: who calls and what the operating system lets them do. Linux: the effective user id; administrator is
 * root. Windows: SID and groups of the process's token. In a rehearsal the owner of SPMIGRATION_HOME counts as administrator
 * (ruling 14); `folders.ts` has made sure that this is the caller.
 */
import { hostname, userInfo } from 'node:os';
import { basename } from 'node:path';
import { fail } from '../../domain/error.ts';
import type { PlatformId } from '../../domain/ids.ts';
import type { AccountPort } from '../../ports/account.ts';
import { ADMINISTRATORS, LOCAL_SYSTEM } from './security-descriptor.ts';
import { isSystemCode } from './to-error.ts';
import { isServiceSid, type Windows } from './windows.ts';
import { windowsItself } from './windows-itself.ts';

/** Longest computer name that fits an identity's line whatever its characters. */
const longestComputerName = 64;

/**
 * `ParameterInvalid` where SPMIGRATION_COMPUTER cannot be a computer's name. `home`: SPMIGRATION_HOME in a rehearsal.
 * `windows` is asked on Windows only.
 */
export function createAccount(
  platform: NodeJS.Platform,
  env: NodeJS.ProcessEnv,
  home: string | undefined,
  windows: () => Windows = windowsItself,
): AccountPort {
  const computer = home === undefined ? hostname() : rehearsedComputer(env, home);
  return platform === 'win32'
    ? createWindowsAccount(env, home !== undefined, computer, windows)
    : createUnixAccount(home !== undefined, computer);
}

/** Effective user id of this process; undefined on Windows. */
export function callerUid(): number | undefined {
  return process.geteuid?.();
}

/** Whom files belong to that are this process's own, and whom a platform's folder may belong to. */
export interface FileOwners {
  /** As the port `file-system` names owners. */
  readonly caller: string;
  readonly ofPlatform: readonly string[];
}

/**
 * A platform's folder is an administrator's: root's; on Windows that of the group Administrators, of the system, or of a caller
 * who is an elevated administrator. In a rehearsal it is the caller's own, and on Windows also Administrators', to whom Windows
 * gives what an elevated administrator makes. `windows` is asked on Windows only.
 */
export function findFileOwners(
  platform: NodeJS.Platform,
  rehearsal: boolean,
  windows: () => Windows = windowsItself,
): FileOwners {
  if (platform !== 'win32') {
    const caller = `uid:${callerUid() ?? 0}`;
    return { caller, ofPlatform: rehearsal ? [caller] : ['uid:0'] };
  }
  const caller = `sid:${windows().userSid()}`;
  const own = rehearsal || windows().isAdministrator() ? [caller] : [];
  return { caller, ofPlatform: [`sid:${ADMINISTRATORS}`, `sid:${LOCAL_SYSTEM}`, ...own] };
}

/** Name of the caller's folder in a rehearsal's `users/`: the user id, on Windows the name (one account rehearses). */
export function callerFolder(): string {
  const uid = callerUid();
  return uid === undefined ? userInfo().username : `uid-${uid}`;
}

/**
 * Account id of the owner of a file; Linux ids name the platform. `rehearsal`: whom its folder may belong to, all of whom are
 * the caller then, because Windows gives files of an elevated administrator to all of them.
 */
export function personOf(owner: string, platform: PlatformId, rehearsal?: FileOwners): string {
  const account = rehearsal?.ofPlatform.includes(owner) === true ? rehearsal.caller : owner;
  return account.startsWith('sid:') ? account : `${account}@${platform}`;
}

function createUnixAccount(rehearsal: boolean, computer: string): AccountPort {
  const uid = callerUid() ?? 0;
  return {
    current: (platform) =>
      Promise.resolve({
        id: platform === undefined ? `uid:${uid}` : `uid:${uid}@${platform}`,
        name: unixName(uid),
      }),
    isAdministrator: () => Promise.resolve(rehearsal || uid === 0),
    // Linux has no such kind of account: root is an ordinary user (ruling 14).
    isServiceAccount: () => Promise.resolve(false),
    computerName: () => Promise.resolve(computer),
  };
}

/** Name from the user database; containers run ids that are in none. */
function unixName(uid: number): string {
  try {
    return userInfo().username;
  } catch (error) {
    if (isSystemCode(error, 'ERR_SYSTEM_ERROR', 'ENOENT')) return `uid ${uid}`;
    throw error;
  }
}

function createWindowsAccount(
  env: NodeJS.ProcessEnv,
  rehearsal: boolean,
  computer: string,
  windows: () => Windows,
): AccountPort {
  return {
    current: () =>
      Promise.resolve({
        id: `sid:${windows().userSid()}`,
        name: windowsName(env),
        // Not before somebody reads it: a registration that is made, and a grant that names people so.
        get upn() {
          return windows().principalName();
        },
      }),
    isAdministrator: () => Promise.resolve(rehearsal || windows().isAdministrator()),
    isServiceAccount: () => Promise.resolve(isServiceSid(windows().userSid())),
    computerName: () => Promise.resolve(computer),
  };
}

/** `DOMAIN\name`. For display only: the domain is taken from the environment, which the caller may set. */
function windowsName(env: NodeJS.ProcessEnv): string {
  const { username } = userInfo();
  const domain = env.USERDOMAIN;
  return domain === undefined || domain === '' ? username : `${domain}\\${username}`;
}

/** Several rehearsed computers share one machine, so each is named by SPMIGRATION_COMPUTER or by its folder. */
function rehearsedComputer(env: NodeJS.ProcessEnv, home: string): string {
  const given = env.SPMIGRATION_COMPUTER;
  const name = given !== undefined && given !== '' ? given : basename(home);
  if (name === '') return hostname();
  if (name.length > longestComputerName) {
    const problem = `it is longer than ${longestComputerName} characters`;
    throw fail('ParameterInvalid', { parameter: 'SPMIGRATION_COMPUTER', problem });
  }
  return name;
}
