/**
 * README's quick start on Windows, word by word: the package as it is given to users is checked and unpacked into Program Files, the
 * module is imported by its name, and the rehearsal is typed, in sessions that begin with the execution policy of a fresh Windows.
 * The archive command and the mark of the internet are stand-ins (test/pshost); what Windows says to the files is left out.
 */
import { copyFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../core/src/version.ts';
import { PRODUCT, bundle } from '../../scripts/build/bundle.ts';
import { checksums } from '../../scripts/build/checksums.ts';
import { filesBelow } from '../../scripts/build/files-below.ts';
import { builtPath } from '../../scripts/build/freshness.ts';
import { archiveName, makePackage } from '../../scripts/build/package.ts';
import { WINDOWS_USER } from '../../scripts/windows/lane.ts';
import { runPowerShell, type PowerShellOutcome } from '../testkit/powershell.ts';
import { expectRehearsed, readmeBlock, rehearsalAnswers, rehearsalFolder } from '../testkit/quick-start.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';
import { driveC, haveWindows } from '../testkit/windows/lane.ts';

const modules = (): string => join(driveC(), 'Program Files/WindowsPowerShell/Modules');
const installed = (): string => join(modules(), 'SPMigration');

/** What Windows sets for every account, for PowerShell of either edition. */
const PSModulePath = [
  String.raw`C:\Program Files\WindowsPowerShell\Modules`,
  String.raw`C:\windows\system32\WindowsPowerShell\v1.0\Modules`,
].join(';');

/** Lines that a person types, in a new window of a Windows where nobody has allowed scripts. */
function type(lines: string, cwd: string, answers: readonly string[] = []): Promise<PowerShellOutcome> {
  return runPowerShell({
    stdin: `Set-ExecutionPolicy -ExecutionPolicy Restricted -Scope Process -Force\n${lines}`,
    cwd,
    env: { PSModulePath, SPMIGRATION_HOME: undefined },
    answers,
    timeoutMs: 150_000,
  });
}

describe.skipIf(!haveWindows())("README's quick start on Windows", { timeout: 300_000 }, () => {
  let download: string;
  beforeAll(async () => {
    await rm(installed(), { recursive: true, force: true });
  });
  afterEach(async () => {
    await rm(installed(), { recursive: true, force: true });
  });

  it('installs the package for all users, and rehearses a migration', async () => {
    download = await makeWindowsFolder();
    const made = await makePackage(download, {
      bundle: await bundle(PRODUCT),
      platforms: ['win-x64'],
      placeExecutable: (_, output) => copyFile(builtPath('win-x64'), output),
    });
    const folder = await listing(made.module);
    await rm(join(download, 'SPMigration'), { recursive: true });
    const archive = archiveName(['win-x64']);
    const mark = join(download, `${archive}:Zone.Identifier`);
    await writeFile(mark, '[ZoneTransfer]\r\nZoneId=3\r\n');

    const installing = await type(readmeBlock('quick-start: install on Windows', 'powershell'), download);
    expect([installing.stderr, installing.exitCode]).toEqual(['', 0]);
    expect(installing.stdout).toMatch(/^True\r?\n$/);
    await expect(stat(mark)).rejects.toThrow('ENOENT');
    expect(await readdir(installed())).toEqual([VERSION]);
    expect(await listing(join(installed(), VERSION))).toEqual(folder);

    const home = join(driveC(), 'users', WINDOWS_USER);
    const lines = ['quick-start: import on Windows', 'quick-start'].map((name) =>
      readmeBlock(name, 'powershell'),
    );
    const rehearsing = await type(
      `${lines.join('\n')}\n(Get-Module SPMigration).ModuleBase; Get-ExecutionPolicy`,
      download,
      rehearsalAnswers,
    );
    expect([rehearsing.stderr, rehearsing.exitCode]).toEqual(['', 0]);
    const [base, policy] = rehearsing.stdout.trimEnd().split(/\r?\n/).slice(-2);
    expect([base, policy]).toEqual([
      `C:\\Program Files\\WindowsPowerShell\\Modules\\SPMigration\\${VERSION}`,
      'RemoteSigned',
    ]);
    expectRehearsed(rehearsing.stdout);
    expect(await readdir(home)).not.toContain(rehearsalFolder);
  });

  it('installs no archive that is not that of the checksums', async () => {
    download = await makeWindowsFolder();
    await writeFile(join(download, 'SHA256SUMS'), `${'0'.repeat(64)}  ${archiveName(['win-x64'])}\n`);
    await writeFile(join(download, archiveName(['win-x64'])), 'another file');
    await mkdir(modules(), { recursive: true });
    const { stdout, stderr } = await type(
      readmeBlock('quick-start: install on Windows', 'powershell'),
      download,
    );
    expect(stdout).toMatch(/^False\r?\n$/);
    expect(stderr).toContain('is not the archive of these checksums: nothing was installed.');
    await expect(stat(installed())).rejects.toThrow('ENOENT');
  });
});

/** Names and contents. */
async function listing(folder: string): Promise<string> {
  return checksums(folder, await filesBelow(folder));
}
