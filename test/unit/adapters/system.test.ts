/** Folders, accounts, policy and the reading of what Windows programs print. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { callerUid, createAccount } from '../../../core/src/adapters/system/account.ts';
import { findFolders, requireOwnHome } from '../../../core/src/adapters/system/folders.ts';
import { createFileSystem } from '../../../core/src/adapters/system/node-file-system.ts';
import { createPolicy, policyOfRegistry, strictest } from '../../../core/src/adapters/system/policy.ts';
import {
  isElevated,
  isServiceSid,
  registryValues,
  sidOf,
  systemProgram,
} from '../../../core/src/adapters/system/windows.ts';
import { toId } from '../../../core/src/domain/ids.ts';
import { defaultPolicy } from '../../../core/src/domain/policy.ts';
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

  it('must be the caller’s own', async () => {
    const home = await makeTemporaryFolder();
    await requireOwnHome(home, callerUid());
    await requireOwnHome(join(home, 'not-made-yet'), callerUid());
    await expect(requireOwnHome(home, (callerUid() ?? 0) + 1)).rejects.toMatchObject(untrusted);
  });

  it.each([0o770, 0o702, 0o777])('must not be open to others (%o)', async (mode) => {
    const home = await makeTemporaryFolder();
    await chmod(home, mode);
    await expect(requireOwnHome(home, callerUid())).rejects.toMatchObject(untrusted);
  });

  it('must be a folder', async () => {
    const path = join(await makeTemporaryFolder(), 'file');
    await writeFile(path, '');
    await expect(requireOwnHome(path, callerUid())).rejects.toMatchObject(untrusted);
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
    expect(await createPolicy('linux', {}, paths, disk, decodePolicy).read()).toEqual(defaultPolicy);
  });

  it('is read from its file, and refused where it cannot be', async () => {
    const folder = await makeTemporaryFolder();
    const path = join(folder, 'policy');
    const policy = createPolicy('linux', {}, [path], disk, decodePolicy);
    const strict = { trustedAuthorities: [authority], allowRehearsal: false };
    await writeFile(path, encodePolicy(strict));
    expect(await policy.read()).toEqual(strict);
    await writeFile(path, 'AllowRehearsal=no');
    await expect(policy.read()).rejects.toMatchObject({ code: 'PolicyMalformed' });
    await mkdir(join(folder, 'd'));
    const unreadable = createPolicy('linux', {}, [join(folder, 'd')], disk, decodePolicy);
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

  it('is read from the registry', () => {
    const output = [
      '',
      String.raw`HKEY_LOCAL_MACHINE\Software\Policies\SPMigration`,
      '    AllowRehearsal    REG_DWORD    0x0',
      '    A name    REG_SZ    with  blanks',
      '    Binary    REG_BINARY    00',
      '',
    ].join('\r\n');
    const values = registryValues(output);
    expect([...values]).toEqual([
      ['AllowRehearsal', '0x0'],
      ['A name', 'with  blanks'],
    ]);
    const spaced = `${'5A5A '.repeat(9)}5A5A`;
    expect(policyOfRegistry(values, new Map([['1', spaced]]))).toEqual({
      trustedAuthorities: [authority],
      allowRehearsal: false,
    });
    expect(policyOfRegistry(new Map(), new Map())).toEqual(defaultPolicy);
    const malformed = expect.objectContaining({ code: 'PolicyMalformed' }) as Error;
    expect(() => policyOfRegistry(new Map(), new Map([['1', 'nonsense']]))).toThrow(malformed);
    expect(() => policyOfRegistry(new Map([['AllowRehearsal', '0x2']]), new Map())).toThrow(malformed);
  });
});

describe('what Windows programs print', () => {
  it('names the SID whatever the account is called', () => {
    expect(sidOf('"firma\\jörg","S-1-5-21-1-2-3-1001"\r\n')).toBe('S-1-5-21-1-2-3-1001');
    expect(sidOf('"a\\S-1-5-18","S-1-5-21-1-2-3-1001"')).toBe('S-1-5-21-1-2-3-1001');
    expect(sidOf('\r\nUser Name SID\r\n=========\r\nPC\\jörg S-1-5-18 S-1-5-21-0-0-0-1000\r\n\r\n')).toBe(
      'S-1-5-21-0-0-0-1000',
    );
    expect(sidOf('ERROR: Unable to get user claims')).toBeUndefined();
  });

  it('tells an elevated administrator from a filtered token', () => {
    const line = (name: string, sid: string): string => `"${name}","Alias","${sid}","Gruppe"\r\n`;
    const member = line('VORDEFINIERT\\Administratoren', 'S-1-5-32-544');
    expect(isElevated(member + line('Verbindlich\\Hohe Stufe', 'S-1-16-12288'))).toBe(true);
    expect(isElevated(member + line('Verbindlich\\Systemstufe', 'S-1-16-16384'))).toBe(true);
    expect(isElevated(member + line('Verbindlich\\Mittlere Stufe', 'S-1-16-8192'))).toBe(false);
    expect(isElevated(line('Verbindlich\\Hohe Stufe', 'S-1-16-12288'))).toBe(false);
  });

  it('tells service accounts', () => {
    for (const sid of ['S-1-5-18', 'S-1-5-19', 'S-1-5-20', 'S-1-5-80-1-2'])
      expect(isServiceSid(sid)).toBe(true);
    for (const sid of ['S-1-5-21-1-2-3-500', 'S-1-5-180', 'S-1-5-8']) expect(isServiceSid(sid)).toBe(false);
  });

  it('comes from System32, never from the working folder', () => {
    expect(systemProgram({ SystemRoot: 'D:\\Win' }, 'whoami.exe').replaceAll('/', '\\')).toBe(
      'D:\\Win\\System32\\whoami.exe',
    );
  });
});
