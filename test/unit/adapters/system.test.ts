/** Folders, accounts, processes and policy, those of Windows with a double of it (test/windows/system.test.ts asks a real one). */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { callerUid, createAccount, findFileOwners } from '../../../core/src/adapters/system/account.ts';
import { findFolders, requireOwnHome } from '../../../core/src/adapters/system/folders.ts';
import { createFileSystem } from '../../../core/src/adapters/system/node-file-system.ts';
import { createPolicy, strictest } from '../../../core/src/adapters/system/policy.ts';
import { createProcesses } from '../../../core/src/adapters/system/processes.ts';
import {
  fromWide,
  isServiceSid,
  principalNameOf,
  registryValue,
  sidText,
  toWide,
  type Windows,
} from '../../../core/src/adapters/system/windows.ts';
import { toId } from '../../../core/src/domain/ids.ts';
import { defaultPolicy } from '../../../core/src/domain/policy.ts';
import { isNamed } from '../../../core/src/sealing/check-grant.ts';
import { decodePolicy, encodePolicy } from '../../../core/src/format/policy-v1.ts';
import { platformId } from '../../contract/environment-store.ts';
import { makeTemporaryFolder } from '../../testkit/temporary-folder.ts';

const linux = process.platform === 'linux';
const authority = toId('AuthorityFingerprint', '5a'.repeat(20));

describe('folders', () => {
  it('are those of the system', () => {
    const folders = findFolders({ HOME: '/home/a' }, 'linux', 'uid-1000');
    expect(folders.platform).toBe('/var/lib/spmigration');
    expect(folders.home).toBeUndefined();
    expect(folders.policies).toEqual(['/etc/spmigration/policy']);
    const xdg = (value: string): string =>
      findFolders({ XDG_DATA_HOME: value }, 'linux', 'uid-1000').user(platformId);
    expect(xdg('/data')).toBe(`/data/spmigration/${platformId}`);
    // The XDG specification: relative paths are to be ignored.
    expect(xdg('data')).toMatch(new RegExp(`/\\.local/share/spmigration/${platformId}$`));
  });

  it('are those of Windows', () => {
    const env = { ProgramData: 'D:\\ProgramData', LOCALAPPDATA: 'C:\\Users\\a\\AppData\\Local' };
    const folders = findFolders(env, 'win32', 'a');
    expect(folders.platform).toBe('D:\\ProgramData\\SPMigration');
    expect(folders.user(platformId)).toBe(`C:\\Users\\a\\AppData\\Local\\SPMigration\\${platformId}`);
    expect(folders.policies).toEqual([]);
  });

  it('lie under one root in a rehearsal, and the machine policy still counts', () => {
    const folders = findFolders({ SPMIGRATION_HOME: '/tmp/a/../A' }, 'linux', 'uid-1000');
    expect(folders.home).toBe('/tmp/A');
    expect(folders.platform).toBe('/tmp/A/platform');
    expect(folders.user(platformId)).toBe(`/tmp/A/users/uid-1000/${platformId}`);
    expect(folders.policies).toEqual(['/etc/spmigration/policy', '/tmp/A/policy']);
    expect(findFolders({ SPMIGRATION_HOME: '' }, 'linux', 'uid-1').home).toBeUndefined();
  });

  it('never leave the root, whatever the account is called', () => {
    const user = findFolders({ SPMIGRATION_HOME: '/tmp/A' }, 'linux', '../../etc').user(platformId);
    expect(user).toBe(`/tmp/A/users/__.._etc/${platformId}`);
  });
});

describe.runIf(linux)('the folder of a rehearsal', () => {
  const untrusted = { code: 'PlatformFolderUntrusted' };
  const disk = createFileSystem('linux');
  const own = findFileOwners('linux', true).ofPlatform;

  it('must be the caller’s own', async () => {
    const home = await makeTemporaryFolder();
    await requireOwnHome(home, own, disk);
    await requireOwnHome(join(home, 'not-made-yet'), own, disk);
    await expect(requireOwnHome(home, ['uid:4711'], disk)).rejects.toMatchObject(untrusted);
  });

  it.each([0o770, 0o702, 0o777])('must not be open to others (%o)', async (mode) => {
    const home = await makeTemporaryFolder();
    await chmod(home, mode);
    await expect(requireOwnHome(home, own, disk)).rejects.toMatchObject(untrusted);
  });

  it('must be a folder', async () => {
    const path = join(await makeTemporaryFolder(), 'file');
    await writeFile(path, '');
    await expect(requireOwnHome(path, own, disk)).rejects.toMatchObject(untrusted);
  });
});

describe.runIf(linux)('the account', () => {
  const uid = callerUid() ?? -1;

  it('is the effective user, named with its platform', async () => {
    const account = createAccount('linux', {}, undefined);
    expect(await account.current(platformId)).toEqual({
      id: `uid:${uid}@${platformId}`,
      name: userInfo().username,
    });
    expect(await account.current(undefined)).toMatchObject({ id: `uid:${uid}` });
    expect(await account.isAdministrator()).toBe(uid === 0);
    expect(await account.isServiceAccount()).toBe(false);
    expect(await account.computerName()).toBe(hostname());
  });

  it('administers its own rehearsal, on a computer named after the folder or as told', async () => {
    expect(await createAccount('linux', {}, '/tmp/PC-A').isAdministrator()).toBe(true);
    expect(await createAccount('linux', {}, '/tmp/PC-A').computerName()).toBe('PC-A');
    const named = createAccount('linux', { SPMIGRATION_COMPUTER: 'Laptop Jörg' }, '/tmp/PC-A');
    expect(await named.computerName()).toBe('Laptop Jörg');
    // Outside of rehearsals nobody may choose the computer's name.
    const real = createAccount('linux', { SPMIGRATION_COMPUTER: 'other' }, undefined);
    expect(await real.computerName()).toBe(hostname());
    const tooLong = { SPMIGRATION_COMPUTER: 'x'.repeat(65) };
    const invalid = expect.objectContaining({ code: 'ParameterInvalid' }) as Error;
    expect(() => createAccount('linux', tooLong, '/tmp/A')).toThrow(invalid);
  });
});

describe('policy', () => {
  const disk = createFileSystem(process.platform);

  it('is the default one where there is none', async () => {
    const paths = [join(await makeTemporaryFolder(), 'policy')];
    expect(await createPolicy('linux', paths, disk, decodePolicy).read()).toEqual(defaultPolicy);
  });

  it('is read from its file, and refused where it cannot be', async () => {
    const folder = await makeTemporaryFolder();
    const path = join(folder, 'policy');
    const policy = createPolicy('linux', [path], disk, decodePolicy);
    const strict = { trustedAuthorities: [authority], allowRehearsal: false };
    await writeFile(path, encodePolicy(strict));
    expect(await policy.read()).toEqual(strict);
    await writeFile(path, 'AllowRehearsal=no');
    await expect(policy.read()).rejects.toMatchObject({ code: 'PolicyMalformed' });
    await mkdir(join(folder, 'd'));
    const unreadable = createPolicy('linux', [join(folder, 'd')], disk, decodePolicy);
    await expect(unreadable.read()).rejects.toMatchObject({ code: 'PathUnusable' });
  });

  it('of the machine forbids rehearsals whatever theirs says; authorities are the rehearsal’s own', () => {
    const machine = { trustedAuthorities: [authority], allowRehearsal: false };
    expect(strictest([machine, defaultPolicy])).toEqual({
      trustedAuthorities: undefined,
      allowRehearsal: false,
    });
    expect(strictest([defaultPolicy, machine])).toEqual(machine);
    expect(strictest([])).toEqual(defaultPolicy);
  });

  it('is read from the registry', async () => {
    const key = String.raw`Software\Policies\SPMigration`;
    const spaced = `${'5A5A '.repeat(9)}5A5A`;
    const read = (
      values: readonly (readonly [string, string | number | undefined])[],
      authorities: readonly (readonly [string, string | number | undefined])[] = [],
    ): Promise<unknown> => {
      const keys = new Map([
        [key, new Map(values)],
        [`${key}\\TrustedAuthorities`, new Map(authorities)],
      ]);
      return createPolicy('win32', [], disk, decodePolicy, () =>
        windows({ machineValues: (name) => keys.get(name) }),
      ).read();
    };
    expect(await read([['AllowRehearsal', 0]], [['1', spaced]])).toEqual({
      trustedAuthorities: [authority],
      allowRehearsal: false,
    });
    expect(await read([['AllowRehearsal', 1]])).toEqual(defaultPolicy);
    const malformed = { code: 'PolicyMalformed' };
    await expect(read([['AllowRehearsal', 2]])).rejects.toMatchObject(malformed);
    await expect(read([['AllowRehearsal', undefined]])).rejects.toMatchObject(malformed);
    await expect(read([], [['1', 'nonsense']])).rejects.toMatchObject(malformed);
    // A list of another type must not be taken for one that is empty, and everybody trusted.
    await expect(read([], [['1', undefined]])).rejects.toMatchObject(malformed);
    const none = createPolicy('win32', [], disk, decodePolicy, () => windows({}));
    expect(await none.read()).toEqual(defaultPolicy);
  });
});

describe('on Windows', () => {
  const sid = 'S-1-5-21-1-2-3-1001';

  it('the account is that of the process, and an administrator as Windows says', async () => {
    const account = (answers: Partial<Windows>, home?: string) =>
      createAccount('win32', { USERDOMAIN: 'FIRMA' }, home, () => windows(answers));
    const user = account({ userSid: () => sid });
    expect(await user.current(platformId)).toEqual({
      id: `sid:${sid}`,
      name: `FIRMA\\${userInfo().username}`,
    });
    expect(await user.isServiceAccount()).toBe(false);
    expect(await user.isAdministrator()).toBe(false);
    expect(await account({ isAdministrator: () => true }).isAdministrator()).toBe(true);
    expect(await account({}, 'C:\\PC-A').isAdministrator()).toBe(true);
    expect(await account({ userSid: () => 'S-1-5-18' }).isServiceAccount()).toBe(true);
  });

  it('the user principal name is asked for when it is read, and only then', async () => {
    let asked = 0;
    const principalName = (): string => {
      asked += 1;
      return 'anna@contoso.example';
    };
    const account = createAccount('win32', {}, undefined, () => windows({ principalName }));
    const current = await account.current(platformId);
    expect([current.id, current.name, asked]).toEqual([`sid:${sid}`, userInfo().username, 0]);
    expect(isNamed([current.id], current)).toBe(true);
    expect(asked).toBe(0);
    expect(isNamed(['upn:anna@contoso.example'], current)).toBe(true);
    expect(isNamed(['upn:ben@contoso.example'], current)).toBe(false);
    const local = await createAccount('win32', {}, undefined, () => windows({})).current(platformId);
    expect(local.upn).toBeUndefined();
    expect(isNamed(['upn:anna@contoso.example'], local)).toBe(false);
  });

  it('a user principal name has two parts and nothing that cannot be seen', () => {
    expect(principalNameOf('jörg@contoso.example')).toBe('jörg@contoso.example');
    for (const text of ['', 'anna', '@contoso', 'anna@', 'an na@contoso', 'anna@con\u202etoso', 'a@b\n'])
      expect([text, principalNameOf(text)]).toEqual([text, undefined]);
    expect(principalNameOf(`${'a'.repeat(320)}@b`)).toBeUndefined();
  });

  it.each(['linux', 'win32'] as const)('no process on %s has a number that none can have', async (system) => {
    // As Windows and Node answer: they refuse it as no number of a process.
    const refuse = (): never => {
      throw new TypeError('Argument 2 must be a uint32');
    };
    const processes = createProcesses(system, () => windows({ processStart: refuse }));
    for (const pid of [2 ** 31, 9_999_999_999])
      expect(await processes.isAlive({ pid, start: 'a' })).toBe(false);
  });

  it('a process is told from a later one with its number', async () => {
    const starts = new Map([[process.pid, 'abc']]);
    const processes = createProcesses('win32', () =>
      windows({ processStart: (pid) => starts.get(pid) ?? 'hidden' }),
    );
    const own = await processes.self();
    expect(own).toEqual({ pid: process.pid, start: 'abc' });
    expect(await processes.isAlive(own)).toBe(true);
    expect(await processes.isAlive({ ...own, start: 'abd' })).toBe(false);
    starts.set(process.pid, 'ended');
    expect(await processes.isAlive(own)).toBe(false);
    // What hides may be the one that is meant; what does not exist is not.
    starts.delete(process.pid);
    expect(await processes.self()).toEqual({ pid: process.pid, start: 'unknown' });
    expect(await processes.isAlive(own)).toBe(true);
    expect(await processes.isAlive({ pid: 2 ** 31 - 2, start: 'abc' })).toBe(false);
    starts.set(process.pid, 'abc');
    expect(await processes.isAlive({ pid: process.pid, start: 'unknown' })).toBe(true);
  });

  it('service accounts are known by their SIDs', () => {
    for (const service of ['S-1-5-18', 'S-1-5-19', 'S-1-5-20', 'S-1-5-80-1-2'])
      expect(isServiceSid(service)).toBe(true);
    for (const other of [sid, 'S-1-5-180', 'S-1-5-8']) expect(isServiceSid(other)).toBe(false);
  });

  it('a SID reads as everywhere', () => {
    const authorityBytes = [0, 0, 0, 0, 0, 5];
    expect(sidText(Uint8Array.of(1, 1, ...authorityBytes, 18, 0, 0, 0))).toBe('S-1-5-18');
    // Behind it lies whatever the buffer holds.
    const domain = [21, 0, 0, 0, 255, 255, 255, 255, 233, 3, 0, 0, 9, 9];
    expect(sidText(Uint8Array.of(1, 3, ...authorityBytes, ...domain))).toBe('S-1-5-21-4294967295-1001');
    expect(sidText(Uint8Array.of(1, 1, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0))).toBe(
      'S-1-281474976710655-0',
    );
    for (const bytes of [[], [2, 1, ...authorityBytes, 18, 0, 0, 0], [1, 2, ...authorityBytes, 18, 0, 0, 0]])
      expect(sidText(Uint8Array.from(bytes))).toBeUndefined();
  });

  it('texts are UTF-16 up to their first NUL, and numbers have four bytes', () => {
    expect(fromWide(toWide('Jörg 日本 😀'))).toBe('Jörg 日本 😀');
    expect(registryValue(1, toWide('a\0b'))).toBe('a');
    expect(registryValue(1, toWide('abc').subarray(0, 6))).toBe('abc');
    expect(registryValue(4, Uint8Array.of(1, 0, 0, 0x80))).toBe(0x80000001);
    expect(registryValue(4, Uint8Array.of(1, 0))).toBeUndefined();
    for (const type of [0, 2, 3, 5, 7, 11]) expect(registryValue(type, toWide('abc'))).toBeUndefined();
  });
});

/** A Windows that answers as told: by default a user without rights, whose processes hide, on a computer without policy. */
function windows(answers: Partial<Windows>): Windows {
  return {
    userSid: () => 'S-1-5-21-1-2-3-1001',
    principalName: () => undefined,
    isAdministrator: () => false,
    processStart: () => 'hidden',
    machineValues: () => undefined,
    ...answers,
  };
}
