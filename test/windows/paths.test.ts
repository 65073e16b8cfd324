/**
 * Forms that paths have on Windows, as the module hands them to the core: always absolute, in Windows' own form, and never with
 * wildcards or PowerShell's drives in them (`psmodule/src/private/Resolve-SPPath.ps1`). Shares of other computers are only names
 * here; that files on them are read and written stands in docs/windows-checklist.md.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeFakeModule } from '../testkit/fake-module.ts';
import { openSession } from '../testkit/powershell-session.ts';
import { haveWindows, pathThere } from '../testkit/windows/lane.ts';

const RESOLVE = String.raw`
Import-Module -Name $data.manifest
$root = $data.root
# The process works elsewhere than PowerShell does.
[System.IO.Directory]::SetCurrentDirectory('C:\windows')
$fileSystem = $ExecutionContext.SessionState.Provider.GetOne('FileSystem')
$null = $ExecutionContext.SessionState.Drive.New([System.Management.Automation.PSDriveInfo]::new('Data', $fileSystem, $root, '', $null), 'Global')
function Resolve-Test {
    [CmdletBinding()]
    param([string] $Kind, [string] $Path)
    & (Get-Module SPMigration) {
        $conversation = New-SPConversation -Cmdlet $args[0]
        if ($args[1] -eq 'output') { Resolve-SPPath -Conversation $conversation -Path $args[2] }
        elseif ($args[1] -eq 'literal') { Resolve-SPInput -Conversation $conversation -LiteralPath $args[2] }
        else { Resolve-SPInput -Conversation $conversation -Path $args[2] }
    } $PSCmdlet $Kind $Path
}
foreach ($case in $data.cases) {
    Set-Location -LiteralPath $case.location
    $all = @(try { Resolve-Test -Kind $case.kind -Path $case.path 2>&1 } catch { $_ })
    $failed = @($all | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] })
    @{ full = @($all | Where-Object { $_ -is [string] }); codes = @($failed | ForEach-Object { ($_.FullyQualifiedErrorId -split ',')[0] }) }
}`;

/** Kind, path, and what it means; `{root}` is a folder `C:\…\` with a blank and letters beyond ASCII, where PowerShell is. */
const output = [
  [String.raw`{root}\new.sparc`, String.raw`{root}\new.sparc`],
  ['new.sparc', String.raw`{root}\new.sparc`],
  [String.raw`.\sub\..\new.sparc`, String.raw`{root}\new.sparc`],
  ['sub/new.sparc', String.raw`{root}\sub\new.sparc`],
  [String.raw`Data:\new.sparc`, String.raw`{root}\new.sparc`],
  ['data:sub/new.sparc', String.raw`{root}\sub\new.sparc`],
  [String.raw`Microsoft.PowerShell.Core\FileSystem::{root}\new.sparc`, String.raw`{root}\new.sparc`],
  [String.raw`FileSystem::{root}\new.sparc`, String.raw`{root}\new.sparc`],
  ['[*?].sparc', String.raw`{root}\[*?].sparc`],
  ['a`[1`].sparc', '{root}\\a`[1`].sparc'],
  // Without a folder behind the drive: PowerShell's location on it.
  ['{drive}new.sparc', String.raw`{root}\new.sparc`],
  [String.raw`\new.sparc`, String.raw`{drive}\new.sparc`],
  [String.raw`\\server\share\Büro\new.sparc`, String.raw`\\server\share\Büro\new.sparc`],
  ['//server/share/new.sparc', String.raw`\\server\share\new.sparc`],
  [String.raw`\\localhost\C$\Büro\new.sparc`, String.raw`\\localhost\C$\Büro\new.sparc`],
  [String.raw`\\?\{root}\new.sparc`, String.raw`\\?\{root}\new.sparc`],
  [String.raw`\\?\UNC\server\share\new.sparc`, String.raw`\\?\UNC\server\share\new.sparc`],
  ['C:/windows/new.sparc', String.raw`C:\windows\new.sparc`],
  [String.raw`Z:\etc`, String.raw`Z:\etc`],
] as const;

const input = [
  ['a.sparc', [String.raw`{root}\a.sparc`]],
  ['[ab].sparc', [String.raw`{root}\a.sparc`, String.raw`{root}\b.sparc`]],
  [String.raw`Data:\[ab].sparc`, [String.raw`{root}\a.sparc`, String.raw`{root}\b.sparc`]],
  [String.raw`Data:\sub\*.sparc`, [String.raw`{root}\sub\c.sparc`]],
  [String.raw`FileSystem::{root}\?.sparc`, [String.raw`{root}\a.sparc`, String.raw`{root}\b.sparc`]],
  // As it is written, where there is such a file; and escaped.
  ['x[1].sparc', [String.raw`{root}\x[1].sparc`]],
  ['x`[1`].sparc', [String.raw`{root}\x[1].sparc`]],
  ['x[[]1].sparc', [String.raw`{root}\x[1].sparc`]],
  ['no`[1`].sparc', [String.raw`{root}\no[1].sparc`]],
  [String.raw`\\?\{root}\a.sparc`, [String.raw`\\?\{root}\a.sparc`]],
  [String.raw`\\server\share\a.sparc`, [String.raw`\\server\share\a.sparc`]],
] as const;

const literal = [
  ['x[1].sparc', String.raw`{root}\x[1].sparc`],
  ['[ab].sparc', String.raw`{root}\[ab].sparc`],
  ['x`[1`].sparc', '{root}\\x`[1`].sparc'],
  [String.raw`\\?\{root}\no.sparc`, String.raw`\\?\{root}\no.sparc`],
] as const;

const nowhere = [
  ['no*.sparc', 'FileNotFound'],
  [String.raw`\\?\{root}\no.sparc`, 'FileNotFound'],
  [String.raw`\\server\no share\*.sparc`, 'FileNotFound'],
  [String.raw`No:\a.sparc`, 'ParameterInvalid'],
  [String.raw`Env:\PATH`, 'ParameterInvalid'],
  [String.raw`HKCU:\Software`, 'ParameterInvalid'],
] as const;

/** From a location that is no folder. */
const elsewhere = [
  [String.raw`{root}\new.sparc`, String.raw`{root}\new.sparc`, 'Env:'],
  [String.raw`\\server\share\new.sparc`, String.raw`\\server\share\new.sparc`, 'Env:'],
  [String.raw`Data:\new.sparc`, String.raw`{root}\new.sparc`, 'HKCU:'],
] as const;

interface Case {
  readonly kind: 'output' | 'input' | 'literal';
  readonly path: string;
  readonly location: string;
}

interface Answer {
  readonly full: readonly string[];
  readonly codes: readonly string[];
}

const cases: readonly Case[] = [
  ...output.map(([path]) => ({ kind: 'output', path, location: '{root}' }) as const),
  ...input.map(([path]) => ({ kind: 'input', path, location: '{root}' }) as const),
  ...literal.map(([path]) => ({ kind: 'literal', path, location: '{root}' }) as const),
  ...nowhere.map(([path]) => ({ kind: 'input', path, location: '{root}' }) as const),
  ...elsewhere.map(([path, , location]) => ({ kind: 'output', path, location }) as const),
  { kind: 'output', path: 'new.sparc', location: 'Env:' },
];

describe.skipIf(!haveWindows())('paths', { timeout: 120_000 }, () => {
  const answers = new Map<string, Answer>();
  const answerTo = (kind: Case['kind'], path: string, location = '{root}'): Answer | undefined =>
    answers.get([kind, path, location].join());

  // All in one call: the engine takes a second for each, and the answers are looked at one by one.
  beforeAll(async () => {
    const fake = await makeFakeModule();
    const folder = join(fake.folder, 'Büro 日本');
    await mkdir(join(folder, 'sub'), { recursive: true });
    for (const name of ['a.sparc', 'b.sparc', 'x[1].sparc', 'x1.sparc', 'sub/c.sparc'])
      await writeFile(join(folder, name), '');
    const root = pathThere(folder);
    const filled = (text: string): string =>
      text.replace('{root}', root).replace('{drive}', root.slice(0, 2));
    const session = await openSession();
    try {
      const { output: found, errors } = await session.invoke<Answer>(RESOLVE, {
        ...{ manifest: fake.manifest, root },
        cases: cases.map((one) => ({ ...one, path: filled(one.path), location: filled(one.location) })),
      });
      expect(errors).toEqual([]);
      expect(found).toHaveLength(cases.length);
      for (const [index, { full, codes }] of found.entries()) {
        const { kind, path, location } = cases[index] ?? expect.fail('more answers than questions');
        const shown = full.map((one) => one.replace(root, '{root}').replace(/^([A-Z]:)(?=\\new)/, '{drive}'));
        answers.set([kind, path, location].join(), { full: shown, codes });
      }
    } finally {
      await session.close();
      fake.remove();
    }
  });

  it.each(output)('to be written: %s', (path, expected) => {
    expect(answerTo('output', path)).toEqual({ full: [expected], codes: [] });
  });

  it.each(input)('to be read: %s', (path, expected) => {
    expect(answerTo('input', path)).toEqual({ full: expected, codes: [] });
  });

  it.each(literal)('to be read as they are written: %s', (path, expected) => {
    expect(answerTo('literal', path)).toEqual({ full: [expected], codes: [] });
  });

  it.each(nowhere)('that lead nowhere: %s', (path, code) => {
    expect(answerTo('input', path)).toEqual({ full: [], codes: [code] });
  });

  it.each(elsewhere)('are found from a location that is no folder: %s', (path, expected, location) => {
    expect(answerTo('output', path, location)).toEqual({ full: [expected], codes: [] });
    expect(answerTo('output', 'new.sparc', 'Env:')).toEqual({ full: [], codes: ['ParameterInvalid'] });
  });
});
