/**
 * Files that people name, as Windows names them: long paths, \\?\ paths, shares that are not there, drives, names that Windows
 * keeps for itself (refused by the product before the system is asked), read-only files, and what is written being read by
 * another system. Reserved names, access lists and links are no evidence under Wine and are not asked of it.
 */
import { chmod, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ArchiveResult, IdentityResult, StatusResult } from '../../core/src/operations/results.ts';
import { WindowsComputer } from '../testkit/windows/computer.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';
import { haveWindows, windowsPath } from '../testkit/windows/lane.ts';

const owner = 'the owner of this computer';
const password = 'Annas eigenes Passwort';
const initialize = ['platform-initialize', '--owner-password-stdin', '--yes'];

describe.skipIf(!haveWindows())('paths of Windows', { timeout: 120_000 }, () => {
  let folder: string;
  beforeEach(async () => {
    folder = await makeWindowsFolder();
  });

  it('may be longer than 260 characters, for the computer’s own folders and for files', async () => {
    const deep = join(folder, ...Array.from({ length: 6 }, (_, index) => `${'tief '.repeat(11)}${index}`));
    await mkdir(deep, { recursive: true });
    expect(windowsPath(deep).length).toBeGreaterThan(400);
    const a = await WindowsComputer.make(deep, 'PC-A');
    const b = await WindowsComputer.make(deep, 'PC-B');
    for (const computer of [a, b]) {
      const status = await computer.result<StatusResult>(initialize, [owner]);
      expect(status.platformPath).toBe(`${windowsPath(computer.home)}\\platform`);
    }
    await a.result(['user-initialize', '--password-stdin', '--yes'], [password]);
    const identity = await b.result<IdentityResult>(['identity-export', windowsPath(deep)]);
    expect(identity.path).toBe(`${windowsPath(deep)}\\PC-B.spid`);
    const granting = ['access-grant', identity.path, '--owner-password-stdin', '--yes'];
    await a.result([...granting, '--fingerprint', identity.fingerprint], [owner]);
    const exporting = ['export', `${windowsPath(deep)}\\a.sparc`, '--destination', 'PC-B'];
    const archive = await a.result<ArchiveResult>([...exporting, '--password-stdin', '--yes'], [password]);
    const importing = ['import', archive.path, '--password-stdin', '--yes'];
    expect(await b.result(importing, [password])).toMatchObject({ case: 'Install' });
    expect((await b.environment(password)).password).toBe(password);
  });

  it('may have the prefix of the NT name space, and other forms of the same', async () => {
    const computer = await WindowsComputer.make(folder, 'PC-A');
    await computer.result(initialize, [owner]);
    const plain = windowsPath(folder);
    for (const path of [
      `\\\\?\\${plain}`,
      plain.replaceAll('\\', '/'),
      plain.toUpperCase(),
      `${plain}\\PC-A\\..`,
      `${plain}\\`,
    ]) {
      const written = await computer.result<IdentityResult>(['identity-export', path, '--overwrite']);
      expect(written.path.replace('\\\\?\\', '').toLowerCase()).toBe(`${plain}\\PC-A.spid`.toLowerCase());
      const read = await computer.result<IdentityResult>(['identity-read', `\\\\?\\${plain}\\PC-A.spid`]);
      expect(read.fingerprint).toBe(written.fingerprint);
    }
    // Under a working folder on another drive a path without a drive is that drive's.
    const text = await readFile(join(folder, 'PC-A.spid'), 'latin1');
    expect(text.split('\n')[0]).toBe('SPMigration identity v1');
    expect(text).not.toContain('\r');
  });

  it('of shares and drives that are not there are FileNotFound, at once', async () => {
    const computer = await WindowsComputer.make(folder, 'PC-A');
    await computer.result(initialize, [owner]);
    for (const path of ['\\\\no-such-server\\share\\x.spid', 'Q:\\x.spid', '\\\\?\\Q:\\x.spid'])
      expect([path, await computer.refusal(['identity-read', path])]).toEqual([path, 'FileNotFound']);
  });

  it.each(['con', 'NUL.spid', 'com1.spid', 'x.', 'x ', 'a:b.spid', 'a?.spid', 'a|b.spid', 'a"b.spid'])(
    'named %s are refused before anything is written',
    async (name) => {
      const computer = await WindowsComputer.make(folder, 'PC-A');
      await computer.result(initialize, [owner]);
      const before = await readdir(folder);
      const path = `${windowsPath(folder)}\\${name}`;
      expect(await computer.refusal(['identity-export', path])).toBe('PathUnusable');
      expect(await readdir(folder)).toEqual(before);
    },
  );

  it('of a file that is read-only are StorageDenied, and the file stays', async () => {
    const computer = await WindowsComputer.make(folder, 'PC-A');
    await computer.result(initialize, [owner]);
    const path = join(folder, 'kept.spid');
    await writeFile(path, 'something else');
    await chmod(path, 0o444);
    const exporting = ['identity-export', windowsPath(path)];
    expect(await computer.refusal(exporting)).toBe('OutputExists');
    expect(await computer.refusal([...exporting, '--overwrite'])).toBe('StorageDenied');
    expect(await readFile(path, 'utf8')).toBe('something else');
    expect((await stat(path)).mode & 0o777).toBe(0o444);
    expect((await readdir(folder)).sort()).toEqual(['PC-A', 'kept.spid']);
  });
});
