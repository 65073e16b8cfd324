/**
 * What the PowerShell module costs: importing it, and testing 100 archives in one pipeline, timed inside the engine with
 * its own stopwatch, so that the engine's start does not count. Without an engine there is nothing to measure.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engine, runPowerShell } from '../../test/testkit/powershell.ts';
import { type Row, limitRow, median } from './harness.ts';
import { exportArchive, prepareComputers } from './migration.ts';

const ROUNDS = 7;
const ARCHIVES = 100;

const IMPORT = `
$watch = [System.Diagnostics.Stopwatch]::StartNew()
Import-Module $env:BENCH_MODULE
$watch.Elapsed.TotalMilliseconds.ToString([cultureinfo]::InvariantCulture)`;

const TEST_ARCHIVES = `
Import-Module $env:BENCH_MODULE
$files = Get-ChildItem ([System.IO.Path]::Combine($env:BENCH_ARCHIVES, '*.sparc'))
$watch = [System.Diagnostics.Stopwatch]::StartNew()
$results = @($files | Test-SPMigrationArchive -ForThisComputer)
$elapsed = $watch.Elapsed.TotalMilliseconds
if ($results.Count -ne ${ARCHIVES} -or $results -contains $false) { throw "$($results.Count) results: $results" }
$elapsed.ToString([cultureinfo]::InvariantCulture)`;

export async function moduleRows(module: string, executable: string): Promise<readonly Row[]> {
  if (engine() === undefined) return [];
  const manifest = join(module, 'SPMigration.psd1');
  const folder = mkdtempSync(join(tmpdir(), 'spmigration-bench-'));
  try {
    const computers = await prepareComputers(executable, folder, 3);
    const { path } = await exportArchive(executable, computers, folder);
    const archives = join(folder, 'archives');
    mkdirSync(archives);
    for (let number = 1; number <= ARCHIVES; number++) copyFileSync(path, join(archives, `${number}.sparc`));
    const env = { SPMIGRATION_HOME: computers.destination, BENCH_MODULE: manifest, BENCH_ARCHIVES: archives };
    const importing = await figures(IMPORT, env);
    const testing = await figures(TEST_ARCHIVES, env);
    const note = `median of ${ROUNDS}`;
    return [
      limitRow('import of the module', median(importing), 'ms', 100, note),
      limitRow(
        `Test-SPMigrationArchive, ${ARCHIVES} in a pipeline, each`,
        median(testing) / ARCHIVES,
        'ms',
        5,
        note,
      ),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs a script in fresh engines and answers the number that each writes. */
async function figures(script: string, env: Readonly<Record<string, string>>): Promise<number[]> {
  const values: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { stdout, stderr, exitCode } = await runPowerShell({ encodedCommand: script, env });
    const value = Number(stdout.trim());
    if (exitCode !== 0 || stderr !== '' || Number.isNaN(value))
      throw new Error(`the engine said: ${stdout}${stderr}`);
    values.push(value);
  }
  return values;
}
