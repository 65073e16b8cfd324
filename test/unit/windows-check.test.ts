/**
 * The checklist for Windows and the script that answers its first part: equal row numbers, rows that are told in full, and a
 * script that Windows PowerShell 5.1 reads and .NET Framework 4.7.2 can run. What the script sees is in test/windows.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cmdlets } from '../../psmodule/schema/cmdlets.ts';
import { haveHost } from '../testkit/powershell.ts';
import { checkScripts } from '../testkit/script-check.ts';
import { checklist, rowsOfChecklist } from '../testkit/windows-checklist.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'scripts/windows-check');
const parts = readdirSync(folder).map((name) => join(folder, name));
const files = [join(root, 'scripts/windows-check.ps1'), ...parts];

describe('docs/windows-checklist.md', () => {
  it('numbers each row once', () => {
    const numbers = [...rowsOfChecklist('first'), ...rowsOfChecklist('second')];
    expect(numbers.length).toBeGreaterThan(60);
    expect(numbers.filter((number, index) => numbers.indexOf(number) !== index)).toEqual([]);
  });

  it('has in its first part exactly the rows that the script answers', () => {
    const answered = parts.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^Add-CheckRow -No '(\w+)'/gm)].map(
        ([, number = '']) => number,
      ),
    );
    expect(answered.sort()).toEqual(rowsOfChecklist('first').sort());
  });

  it('says for each row what to run, what to see, what Wine shows of it, and whether it needs Windows', () => {
    const rows = checklist.split('\n').filter((line) => /^\| [A-Z]\d+ +\|/.test(line));
    for (const row of rows) {
      const cells = row.split(/(?<!\\)\|/).slice(1, -1);
      expect([row, cells.length, cells.filter((cell) => cell.trim() === '')]).toEqual([row, 6, []]);
      expect([row, /^ (yes|no)\b/.test(cells.at(-1) ?? '')]).toEqual([row, true]);
    }
  });

  it('names tests that exist', () => {
    const named = [...checklist.matchAll(/`(test\/[\w./-]+)`/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe.skipIf(!haveHost())('scripts/windows-check.ps1', () => {
  it('is ASCII in the syntax of 5.1, and names only what .NET Framework 4.7.2 and PowerShell 5.1 have', async () => {
    const reports = await checkScripts(files);
    expect(reports).toHaveLength(files.length);
    const own = new Set(reports.flatMap((report) => report.functions.map(({ name }) => name)));
    const known = new Set([...own, ...cmdlets.map(({ name }) => name), ...ofWindowsPowerShell]);
    for (const { file, parseErrors, nonAscii, newerThan51, types, members, commands } of reports) {
      expect([file, parseErrors, nonAscii, newerThan51]).toEqual([file, [], [], []]);
      expect([file, types.filter(({ found }) => !found)]).toEqual([file, []]);
      expect([file, members.filter(({ found }) => !found)]).toEqual([file, []]);
      const others = commands.filter(({ kind, name }) => kind === 'other' && !known.has(name));
      expect([file, others]).toEqual([file, []]);
    }
  });

  it('gives the cmdlets of the module only parameters that they have', () => {
    const common = ['ErrorAction', 'ErrorVariable', 'WhatIf', 'Confirm'];
    const found: string[] = [];
    let calls = 0;
    for (const line of files.flatMap((file) => readFileSync(file, 'utf8').split('\n'))) {
      for (const [call, name] of line.matchAll(/\b([A-Z]\w+-SPMigration\w*)[^|;})]*/g)) {
        const cmdlet = cmdlets.find((one) => one.name === name);
        calls += 1;
        const known = [...common, ...(cmdlet?.parameters.map((parameter) => parameter.name) ?? [])];
        for (const [, used = ''] of call.matchAll(/ -([A-Z]\w+)/g))
          if (!known.includes(used)) found.push(`${name} -${used}`);
      }
    }
    expect(calls).toBeGreaterThan(60);
    expect(found).toEqual([]);
  });

  it('gives the files that it needs to whoever takes it along', () => {
    const [text = ''] = files.map((file) => readFileSync(file, 'utf8'));
    const [, list = ''] = /foreach \(\$part in ([^)]*)\)/.exec(text) ?? [];
    const loaded = [...list.matchAll(/'(\w+)'/g)].map(([, name = '']) => `${name}.ps1`);
    expect(loaded.sort()).toEqual(readdirSync(folder).sort());
  });
});

/** Of Management, Utility, Security and Diagnostics, as every Windows has them. */
const ofWindowsPowerShell = [
  'ConvertFrom-Json',
  'ConvertTo-Json',
  'Get-Acl',
  'Get-AuthenticodeSignature',
  'Get-WinEvent',
  'Out-String',
  'Select-Object',
  'Write-Host',
];
