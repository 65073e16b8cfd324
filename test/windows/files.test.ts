/**
 * Files that people name, as Windows names them: long paths, \\?\ paths, shares that are not there, drives, names that Windows
 * keeps for itself (refused by the product before the system is asked), read-only files, and what is written being read by
 * another system. Reserved names, access lists and links are no evidence under Wine and are not asked of it.
 */
import { chmod, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type {
  AccessResult,
  ArchiveResult,
  IdentityResult,
  ImportResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import { WindowsComputer } from '../testkit/windows/computer.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';
import { haveWindows, windowsPath } from '../testkit/windows/lane.ts';

const password = 'Annas eigenes Passwort';
const initialize = {
  cmd: 'platform-initialize',
  secrets: { ownerPassword: 'the owner of this computer' },
} as const;
const reading = (path: string) => ({ cmd: 'identity-read', params: { path } });
const exporting = (path: string, overwrite = false) => ({
  cmd: 'identity-export',
  params: { path, ...(overwrite && { overwrite }) },
});

/** Names that Windows keeps for itself or cannot hold. */
const unusable = ['con', 'NUL.spid', 'com1.spid', 'x.', 'x ', 'a:b.spid', 'a?.spid', 'a|b.spid', 'a"b.spid'];

describe.skipIf(!haveWindows())('paths of Windows', { timeout: 300_000 }, () => {
  async function makeComputer(name = 'PC-A'): Promise<readonly [folder: string, computer: WindowsComputer]> {
    const folder = await makeWindowsFolder();
    return [folder, await WindowsComputer.make(folder, name)];
  }

  it('may be longer than 260 characters, for the computer’s own folders and for files', async () => {
    const deep = join(
      await makeWindowsFolder(),
      ...Array.from({ length: 6 }, (_, index) => `${'tief '.repeat(11)}${index}`),
    );
    await mkdir(deep, { recursive: true });
    const path = windowsPath(deep);
    expect(path.length).toBeGreaterThan(400);
    const a = await WindowsComputer.make(deep, 'PC-A');
    const b = await WindowsComputer.make(deep, 'PC-B');
    const [status, identity] = await b.results<[StatusResult, IdentityResult]>(initialize, exporting(path));
    expect([status.platformPath, identity.path]).toEqual([`${path}\\PC-B\\platform`, `${path}\\PC-B.spid`]);
    const [, , , archive] = await a.results<[StatusResult, StatusResult, AccessResult, ArchiveResult]>(
      initialize,
      { cmd: 'user-initialize', secrets: { password } },
      {
        cmd: 'access-grant',
        params: { path: identity.path, fingerprint: identity.fingerprint },
        secrets: initialize.secrets,
      },
      {
        cmd: 'export',
        params: { path: `${path}\\a.sparc`, destination: 'PC-B' },
        secrets: { password },
      },
    );
    const importing = { cmd: 'import', params: { path: archive.path }, secrets: { password } };
    const [imported] = await b.results<[ImportResult]>(importing);
    expect(imported).toMatchObject({ case: 'Install' });
    expect((await b.environment(password)).password).toBe(password);
  });

  it('may have the prefix of the NT name space, and other forms of the same', async () => {
    const [folder, computer] = await makeComputer();
    const plain = windowsPath(folder);
    const conversation = computer.converse();
    await conversation.result(initialize);
    for (const path of [
      `\\\\?\\${plain}`,
      plain.replaceAll('\\', '/'),
      plain.toUpperCase(),
      `${plain}\\PC-A\\..`,
      `${plain}\\`,
    ]) {
      const written = await conversation.result<IdentityResult>(exporting(path, true));
      expect(written.path.replace('\\\\?\\', '').toLowerCase()).toBe(`${plain}\\PC-A.spid`.toLowerCase());
      const read = await conversation.result<IdentityResult>(reading(`\\\\?\\${plain}\\PC-A.spid`));
      expect([read.computer, read.fingerprint]).toEqual(['PC-A', written.fingerprint]);
    }
    await conversation.end();
    const text = await readFile(join(folder, 'PC-A.spid'), 'latin1');
    expect(text.split('\n')[0]).toBe('SPMigration identity v1');
    expect(text).not.toContain('\r');
  });

  it('of shares and drives that are not there are FileNotFound, at once', async () => {
    const [, computer] = await makeComputer();
    await computer.results(initialize);
    const paths = ['\\\\no-such-server\\share\\x.spid', 'Q:\\x.spid', '\\\\?\\Q:\\x.spid'];
    expect(await computer.refusals(paths.map(reading))).toEqual(paths.map(() => 'FileNotFound'));
  });

  it('that Windows keeps for itself are refused before anything is written', async () => {
    const [folder, computer] = await makeComputer();
    await computer.results(initialize);
    const before = await readdir(folder);
    const codes = await computer.refusals(
      unusable.map((name) => exporting(`${windowsPath(folder)}\\${name}`)),
    );
    expect(unusable.map((name, index) => [name, codes[index]])).toEqual(
      unusable.map((name) => [name, 'PathUnusable']),
    );
    expect(await readdir(folder)).toEqual(before);
  });

  it('of a file that is read-only are StorageDenied, and the file stays', async () => {
    const [folder, computer] = await makeComputer();
    const path = join(folder, 'kept.spid');
    await writeFile(path, 'something else');
    await chmod(path, 0o444);
    await computer.results(initialize);
    const there = windowsPath(path);
    const codes = await computer.refusals([exporting(there), exporting(there, true)]);
    expect(codes).toEqual(['OutputExists', 'StorageDenied']);
    expect(await readFile(path, 'utf8')).toBe('something else');
    expect((await stat(path)).mode & 0o777).toBe(0o444);
    expect((await readdir(folder)).sort()).toEqual(['PC-A', 'kept.spid']);
  });
});
