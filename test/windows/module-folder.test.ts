/**
 * The module where it is installed for everybody and its user may write nothing, as below Program Files: a whole export and import
 * writes nothing there. The paths on the way are those that people have: `\\?\`, a drive of PowerShell's, wildcards. In Constrained
 * Language, where nothing of it runs, it says so.
 */
import { access, chmod, constants, cp, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../core/src/version.ts';
import { builtModule } from '../testkit/executable.ts';
import { openSession } from '../testkit/powershell-session.ts';
import { runPowerShell } from '../testkit/powershell.ts';
import { temporaryFolder } from '../testkit/windows/folder.ts';
import { haveWindows, windowsPath } from '../testkit/windows/lane.ts';
import { makeWorld, password, removeWorld, type MadeWorld } from '../testkit/world.ts';

const MIGRATE = String.raw`
Import-Module -Name $data.manifest
$p = ConvertTo-SecureString -String $data.password -AsPlainText -Force
$fileSystem = $ExecutionContext.SessionState.Provider.GetOne('FileSystem')
$null = $ExecutionContext.SessionState.Drive.New([System.Management.Automation.PSDriveInfo]::new('Share', $fileSystem, $data.share, '', $null), 'Global')
$env:SPMIGRATION_HOME = $data.a
Remove-Item -Path Share:\*.sparc
$archive = Export-SPMigration -Path "\\?\$($data.share)" -Destination PC-B -Password $p
$archive.Path
(Get-SPMigrationArchive -Path Share:\*.sparc).Archive -eq $archive.Archive
$env:SPMIGRATION_HOME = $data.b
Test-SPMigrationArchive -LiteralPath $archive.Path -ForThisComputer
$result = Import-SPMigration -Path 'Share:\[HIJK]*@PC-?.sparc' -Password $p -ReceiptPath Share:\
$result.Case
[System.IO.Path]::GetDirectoryName($result.ReceiptPath)
(Get-SPMigrationCredential).Subject`;

describe.skipIf(!haveWindows())('a module folder that nobody may write', { timeout: 180_000 }, () => {
  let made: MadeWorld;
  let folder: string;
  let module: string;

  beforeAll(async () => {
    made = await makeWorld();
    folder = await mkdtemp(join(temporaryFolder(), 'Program Files '));
    module = join(folder, 'SPMigration', VERSION);
    await cp(await builtModule(), module, { recursive: true });
    for (const path of [...(await everything(folder)), folder]) {
      const { mode } = await stat(path);
      await chmod(path, mode & 0o555);
    }
  });
  afterAll(async () => {
    for (const path of [folder, ...(await everything(folder))]) await chmod(path, 0o755);
    await rm(folder, { recursive: true });
    await removeWorld(made);
  });

  it('is enough for a whole migration, and stays as it is', async () => {
    const before = await snapshot(folder);
    expect(before.length).toBeGreaterThan(4);
    for (const path of [folder, ...(await everything(folder))])
      await expect(access(path, constants.W_OK)).rejects.toThrow('EACCES');
    const { world } = made;
    const session = await openSession({ timeoutMs: 150_000 });
    try {
      const share = windowsPath(world.share);
      const { output, errors } = await session.invoke(MIGRATE, {
        ...{ manifest: windowsPath(join(module, 'SPMigration.psd1')), password, share },
        ...{ a: windowsPath(world.a.home), b: windowsPath(world.b.home) },
      });
      expect(errors).toEqual([]);
      expect(output).toEqual([
        expect.stringMatching(/^\\\\\?\\[A-Z]:\\.*@PC-B\.sparc$/),
        true,
        true,
        'Install',
        share,
        'CN=Anna Müller',
      ]);
    } finally {
      await session.close();
    }
    expect(await snapshot(folder)).toEqual(before);
  });

  it('says in Constrained Language that it cannot run there', async () => {
    const script = join(made.world.folder, 'constrained.ps1');
    await writeFile(
      script,
      `$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'
Import-Module -Name '${windowsPath(join(module, 'SPMigration.psd1'))}'
@(Get-Command -Module SPMigration).Count -gt 20
foreach ($command in 'Get-SPMigrationStatus', 'Export-SPMigrationIdentity', 'Disable-SPMigrationFeature') {
    $arguments = @{}
    if ($command -eq 'Export-SPMigrationIdentity') { $arguments = @{ Path = 'C:\\' } }
    if ($command -eq 'Disable-SPMigrationFeature') { $arguments = @{ Feature = 'Efs' } }
    try { & $command @arguments } catch { $_.FullyQualifiedErrorId; [string]$_.CategoryInfo.Category }
}
`,
    );
    const { stdout, stderr, exitCode } = await runPowerShell({ file: windowsPath(script) });
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(stdout.trim().split(/\r?\n/)).toEqual([
      'True',
      'ConstrainedLanguage,Get-SPMigrationStatus',
      'NotImplemented',
      'ConstrainedLanguage,Export-SPMigrationIdentity',
      'NotImplemented',
      'ConstrainedLanguage,Disable-SPMigrationFeature',
      'NotImplemented',
    ]);
  });
});

/** All that lies below a folder, folders before what is in them. */
async function everything(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.map((entry) => join(entry.parentPath, entry.name)).sort();
}

async function snapshot(folder: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const path of await everything(folder)) {
    const { mode, size, mtimeMs, ctimeMs } = await stat(path);
    lines.push([relative(folder, path), mode.toString(8), size, mtimeMs, ctimeMs].join(' '));
  }
  return lines;
}
