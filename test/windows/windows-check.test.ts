/**
 * `scripts/windows-check.ps1`, which a person runs on a real Windows, in the lane's: what can be seen here passes, with what it
 * measured, and what Wine lacks or pretends is never said to have passed. What a real Windows answers is left out.
 */
import { cp, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checksums } from '../../scripts/build/checksums.ts';
import { filesBelow } from '../../scripts/build/files-below.ts';
import { ROOT } from '../../scripts/build/platform.ts';
import { builtModule } from '../testkit/executable.ts';
import { runPowerShell } from '../testkit/powershell.ts';
import { makeWindowsFolder, temporaryFolder } from '../testkit/windows/folder.ts';
import { haveWindows, windowsPath } from '../testkit/windows/lane.ts';
import { reg } from '../testkit/windows/store.ts';
import { rowsOfChecklist } from '../testkit/windows-checklist.ts';

interface Report {
  readonly Head: Readonly<Record<string, string>>;
  readonly Counts: Readonly<Record<string, number>>;
  readonly Rows: readonly {
    readonly No: string;
    readonly Result: 'passed' | 'failed' | 'not done';
    readonly Why: string;
    readonly Measured: readonly string[];
  }[];
}

/** What must not be said to have been seen, and why it was not. */
const notSeen: Readonly<Record<string, RegExp>> = {
  A2: /knows no signatures/,
  A7: /not Windows PowerShell 5.1/,
  A9: /this account may write/,
  B2: /no mandatory level/,
  C3: /there is no \\\\localhost/,
  C6: /lets write where icacls denied it/,
  E3: /windows of consoles cannot be found/,
  F1: /makes no certificates in the store/,
  H1: /reads no access lists/,
  H2: /reads no access lists/,
  I1: /there is no TPM/,
  I2: /Plan/,
  I3: /Platform/,
  I4: /Platform/,
  I5: /Platform/,
  I6: /User/,
  I7: /Platform/,
  I8: /User/,
  S1: /reads no event log/,
};

/** Ended by Wine, where a key in the certificate store is asked for or a certificate made. */
const cannot = ['F2', 'F4', 'G1'];

/** They take long. The lane has tests of its own for them (demo, files, paths, store, consoles, children); F3 begins as F2. */
const left = ['A6', 'C1', 'C2', 'C4', 'C5', 'C7', 'D1', 'D2', 'E1', 'E2', 'F3'];

/** The module as a package has it: the lane's executable is laid out for Wine, which its checksums know nothing of. */
async function packaged(folder: string): Promise<string> {
  const module = join(folder, 'SPMigration');
  await cp(await builtModule(), module, { recursive: true });
  const names = (await filesBelow(module)).filter((name) => name !== 'SHA256SUMS');
  await writeFile(join(module, 'SHA256SUMS'), await checksums(module, names));
  return `${windowsPath(module)}\\SPMigration.psd1`;
}

async function check(...args: readonly string[]) {
  const folder = await makeWindowsFolder();
  const report = join(folder, 'report.txt');
  const outcome = await runPowerShell({
    file: windowsPath(join(ROOT, 'scripts/windows-check.ps1')),
    args: [...['-ReportPath', windowsPath(report), '-Module', await packaged(folder)], ...args],
    env: { SPMIGRATION_HOME: 'C:\\not used' },
    timeoutMs: 400_000,
  });
  const data = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as Report;
  const text = await readFile(report, 'utf8');
  return { ...outcome, data, text, rows: new Map(data.Rows.map((row) => [row.No, row] as const)) };
}

// It takes minutes; the rows and names of the script are compared on every system (unit/windows-check.test.ts).
const wanted = process.env.SPMIGRATION_FULL === '1';

describe.skipIf(!haveWindows() || !wanted)('scripts/windows-check.ps1', { timeout: 420_000 }, () => {
  it('sees what is there, and says of nothing that it was seen where Wine pretends it', async () => {
    const before = await readdir(temporaryFolder());
    const asked = rowsOfChecklist('first').filter((no) => !left.includes(no));
    const { stderr, data, text, rows } = await check('-Row', asked.join(','));
    expect(stderr).toBe('');
    expect([...rows.keys()].sort()).toEqual(asked.sort());
    for (const [no, why] of Object.entries(notSeen))
      expect([no, rows.get(no)]).toEqual([
        no,
        expect.objectContaining({ Result: 'not done', Why: expect.stringMatching(why) as string }),
      ]);
    for (const no of cannot) expect([no, rows.get(no)?.Result]).not.toEqual([no, 'passed']);
    for (const { No, Result, Why, Measured } of data.Rows)
      if (!(No in notSeen) && !cannot.includes(No)) {
        expect([No, Result, Why]).toEqual([No, 'passed', '']);
        expect(Measured.length).toBeGreaterThan(0);
      }
    expect(data.Head).toMatchObject({ Wine: expect.stringContaining('no evidence') as string });
    expect(text).toContain('This is Wine. It is no evidence for Windows.');
    for (const no of rows.keys()) expect(text).toMatch(new RegExp(`^${no} +(passed|failed|not done) `, 'm'));
    const counts = Object.entries(data.Counts).map(([name, count]) => `${count} ${name}`);
    expect(text.trimEnd().split(/\r?\n/).at(-1)).toBe(counts.join(', '));
    expect(await readdir(temporaryFolder())).toEqual(expect.arrayContaining(before));
    expect(
      (await readdir(temporaryFolder())).filter((name) => name.startsWith('spmigration-check-')),
    ).toEqual([]);
    expect(reg('query', String.raw`HKLM\Software\Policies\SPMigration`)).toBe(1);
  });

  it('with -WhatIf changes nothing outside of its folders, and runs the rows that are asked for', async () => {
    const { stderr, exitCode, rows } = await check('-WhatIf', '-Row', 'J*');
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect([...rows.values()].map(({ No, Result, Why }) => [No, Result, Why])).toEqual([
      ['J1', 'passed', ''],
      ['J2', 'not done', 'with -WhatIf it leaves alone: the policy of this computer'],
      ['J3', 'not done', 'with -WhatIf it leaves alone: the policy of this computer'],
    ]);
  });
});
