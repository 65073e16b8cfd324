/**
 * The executable as it is given to users, signed: it runs on Windows, and Windows itself tells its version resource. Whether anybody
 * trusts the signature is left out: Wine does not look at it (docs/windows-checklist.md).
 */
import { spawnSync } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { VERSION } from '../../core/src/version.ts';
import { builtPath } from '../../scripts/build/freshness.ts';
import { signModule } from '../../scripts/build/sign.ts';
import { runPowerShell } from '../testkit/powershell.ts';
import { makePublisher, signingProgram, verifySignature } from '../testkit/publisher.ts';
import { has } from '../testkit/requirement.ts';
import { makeTemporaryFolder } from '../testkit/temporary-folder.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';
import { haveWindows, windowsPath, windowsProgram } from '../testkit/windows/lane.ts';

describe.skipIf(!haveWindows())('the executable of the package', { timeout: 120_000 }, () => {
  it.skipIf(!has('openssl') || !has('osslsigncode'))('runs when it is signed', async () => {
    const publisher = await makePublisher(await makeTemporaryFolder());
    for (const [name, value] of Object.entries(publisher.env)) vi.stubEnv(name, value);
    const folder = await makeWindowsFolder();
    await mkdir(join(folder, 'bin'));
    const signed = join(folder, 'bin/spmigration.exe');
    await copyFile(builtPath('win-x64'), signed);
    expect(await signModule(folder, signingProgram)).toEqual([]);
    expect(verifySignature(signed, publisher)).toMatchObject({ isGood: true });
    expect(run(windowsPath(signed), '--version')).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: '' });
    const { stdout } = run(windowsPath(signed), 'status', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ version: VERSION });
  });

  it('tells Windows what it is', async () => {
    const folder = await makeWindowsFolder();
    const executable = join(folder, 'renamed.exe');
    await copyFile(builtPath('win-x64'), executable);
    const { stdout, stderr } = await runPowerShell({
      command: `$info = [System.Diagnostics.FileVersionInfo]::GetVersionInfo($env:EXECUTABLE)
        foreach ($name in 'ProductName', 'ProductVersion', 'FileVersion', 'CompanyName', 'FileDescription', 'OriginalFilename', 'InternalName', 'LegalCopyright') { "$name" + ': ' + $info.$name }
        "numbers: $($info.FileMajorPart).$($info.FileMinorPart).$($info.FileBuildPart).$($info.FilePrivatePart)"`,
      env: { EXECUTABLE: windowsPath(executable) },
    });
    const numbers = `${VERSION.split('-')[0]}.0`;
    expect([stderr, stdout.trimEnd().split(/\r?\n/)]).toEqual([
      '',
      [
        'ProductName: SPMigration',
        `ProductVersion: ${numbers}`,
        `FileVersion: ${numbers}`,
        'CompanyName: SPMigration contributors',
        'FileDescription: SPMigration: moves a security environment to another computer',
        'OriginalFilename: spmigration.exe',
        'InternalName: spmigration',
        'LegalCopyright: MIT License, SPMigration contributors. Contains Node.js, copyright Node.js contributors.',
        `numbers: ${numbers}`,
      ],
    ]);
  });
});

/** Runs a program of Windows by its path there. */
function run(program: string, ...args: readonly string[]) {
  const script = `const { status, stdout, stderr, error } = require('node:child_process').spawnSync(${JSON.stringify(program)}, ${JSON.stringify(args)}, { encoding: 'utf8' });
    process.stdout.write(JSON.stringify({ status, stdout, stderr, error: error?.message }));`;
  const { stdout, stderr } = spawnSync(windowsProgram('node'), ['-e', script], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { readonly status: number; readonly stdout: string; readonly stderr: string };
}
