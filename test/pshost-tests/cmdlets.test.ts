/**
 * The stock commands that examples, demo and tests use, in the engine for tests: one session, one call per behaviour that
 * something in this repository relies on. Where a real pwsh runs these, they say what the doubles must do.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { havePowerShell } from '../testkit/powershell.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';

describe.skipIf(!havePowerShell())('stock commands', () => {
  let session: PowerShellSession;
  let folder = '';
  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'stock-')));
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'a.sparc'), 'aa');
    writeFileSync(join(folder, 'b.sparc'), 'b');
    writeFileSync(join(folder, 'sub', 'c.txt'), 'c');
    session = await openSession({ cwd: folder });
  });
  afterAll(async () => {
    await session.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const cases: readonly (readonly [string, readonly unknown[]])[] = [
    ['Get-ChildItem *.sparc | ForEach-Object Name', ['a.sparc', 'b.sparc']],
    ['Get-ChildItem -Recurse -File | ForEach-Object Name', ['a.sparc', 'b.sparc', 'c.txt']],
    ['(Get-ChildItem -Directory).Name', ['sub']],
    ['Get-ChildItem -Filter *.txt -Recurse -Name', [join('sub', 'c.txt')]],
    ['(Get-Item a.sparc).Length', [2]],
    [
      'Test-Path a.sparc; Test-Path nope; Test-Path sub -PathType Leaf; Test-Path sub -PathType Container',
      [true, false, false, true],
    ],
    [
      'Join-Path a b c; Split-Path (Join-Path x y.txt) -Leaf; Split-Path (Join-Path x y.txt)',
      [join('a', 'b', 'c'), 'y.txt', 'x'],
    ],
    [
      '$null = New-Item new -ItemType Directory; Set-Content new/f.txt one, two; Get-Content new/f.txt',
      ['one', 'two'],
    ],
    [
      'Add-Content new/f.txt three; (Get-Content new/f.txt).Count; Get-Content new/f.txt -Tail 1',
      [3, 'three'],
    ],
    [
      'Copy-Item new/f.txt new/g.txt; Move-Item new/g.txt new/h.txt; (Get-ChildItem new).Name',
      ['f.txt', 'h.txt'],
    ],
    [
      `Add-Type -AssemblyName System.IO.Compression.FileSystem
       [System.IO.Compression.ZipFile]::CreateFromDirectory("$data/new", "$data/n.zip", 'Optimal', $true)
       Expand-Archive n.zip -DestinationPath out/deep; Get-Content out/deep/new/f.txt -Tail 1
       Expand-Archive -LiteralPath n.zip -DestinationPath out/deep -ErrorVariable bad -ErrorAction SilentlyContinue
       $bad.Count; Expand-Archive n.zip out/deep -Force; (Get-ChildItem out -Recurse -File).Count; Remove-Item out, n.zip -Recurse`,
      ['three', 2, 2],
    ],
    ['Remove-Item new -Recurse; Test-Path new', [false]],
    [
      'Push-Location sub; Split-Path -Leaf (Get-Location); Pop-Location; (Get-Location).Path -eq $data',
      ['sub', true],
    ],
    [
      '(Resolve-Path a.*).Path | Split-Path -Leaf; (Resolve-Path a.sparc -Relative) -replace "\\\\", "/"',
      ['a.sparc', './a.sparc'],
    ],
    [
      '"a,b`n1,`"x,`"`"y`"`"`n2`"`n,z" | ConvertFrom-Csv | ForEach-Object { "$($_.a)/$($_.b)" }',
      ['1/x,"y"\n2', '/z'],
    ],
    [
      'Set-Content i.csv "Path;User", "p;u"; Import-Csv i.csv -Delimiter ";" | ForEach-Object { $_.Path + $_.User }',
      ['pu'],
    ],
    ['[pscustomobject]@{ a = 1; b = "x`"y" } | ConvertTo-Csv', ['"a","b"', '"1","x""y"']],
    ['3, 1, 2 | Sort-Object -Descending; "b", "A" | Sort-Object', [3, 2, 1, 'A', 'b']],
    [
      '1..10 | Select-Object -Skip 2 -First 2; 1..5 | Select-Object -Last 2; 1..5 | Select-Object -Index 0, 4',
      [3, 4, 4, 5, 1, 5],
    ],
    ['1, 1, 2 | Select-Object -Unique; @{ k = "v" } | Select-Object -ExpandProperty k', [1, 2, 'v']],
    ['[pscustomobject]@{ a = 1; b = 2 } | Select-Object a, @{ n = "c"; e = { $_.b * 2 } }', [{ a: 1, c: 4 }]],
    [
      '(1..4 | Measure-Object -Sum -Average).Average; (Get-ChildItem *.sparc | Measure-Object).Count',
      [2.5, 2],
    ],
    ['"a", "b", "a" | Group-Object | ForEach-Object { "$($_.Name)=$($_.Count)" }', ['a=2', 'b=1']],
    [
      '(Get-Date -Year 2026 -Month 2 -Day 3).AddDays(14).ToString("yyyy-MM-dd"); Get-Date -Date 2026-02-03 -Format yyyyMMdd',
      ['2026-02-17', '20260203'],
    ],
    [
      '(ConvertTo-SecureString "secret" -AsPlainText -Force).Length; (New-TimeSpan -Minutes 2).TotalSeconds',
      [6, 120],
    ],
    [
      '$e = New-Object System.Text.UTF8Encoding $false; $e.GetPreamble().Length; (New-Object psobject -Property @{ x = 5 }).x',
      [0, 5],
    ],
    ['(\'{"a":[1,{"b":null}],"d":"2026-01-02T03:04:05Z"}\' | ConvertFrom-Json).a.Count', [2]],
    ['@{ a = @(1, "x", $true, $null) } | ConvertTo-Json -Compress', ['{"a":[1,"x",true,null]}']],
    ['ConvertTo-Json @() -Compress; , 1 | ConvertTo-Json -AsArray -Compress', ['[]', '[1]']],
    [
      '[pscustomobject]@{ Name = "n"; Value = 1 } | Format-List | Out-String -Stream | Where-Object { $_ }',
      ['Name  : n', 'Value : 1'],
    ],
    ['"to a file" > o.txt; Get-Content o.txt -Raw', [expect.stringMatching(/^to a file\r?\n$/)]],
    [
      '(Get-Command Get-ChildItem).Source; (Get-Command Select-Object).Source; (Get-Command ConvertTo-SecureString).Source',
      ['Microsoft.PowerShell.Management', 'Microsoft.PowerShell.Utility', 'Microsoft.PowerShell.Security'],
    ],
    ['(Get-FileHash a.sparc).Hash', ['961B6DD3EDE3CB8ECBAACBD68DE040CD78EB2ED5889130CCEB4C49268EA4D506']],
  ];
  it.each(cases)('%s', async (script, expected) => {
    const { output, errors } = await session.invoke(script, folder);
    expect(errors).toEqual([]);
    expect(output).toEqual(expected);
  });

  it('Select-Object -First stops the commands before it', async () => {
    const { output, information } = await session.invoke(
      '1..5 | ForEach-Object { Write-Information "made $_"; $_ } | Select-Object -First 2',
    );
    expect(output).toEqual([1, 2]);
    expect(information).toEqual(['made 1', 'made 2']);
  });

  it.each([
    ['Get-Item nope', 'PathNotFound,Microsoft.PowerShell.Commands.GetItemCommand', 'ObjectNotFound'],
    [
      'Get-ChildItem nope',
      'PathNotFound,Microsoft.PowerShell.Commands.GetChildItemCommand',
      'ObjectNotFound',
    ],
    ['Get-Content nope', 'PathNotFound,Microsoft.PowerShell.Commands.GetContentCommand', 'ObjectNotFound'],
    ['Remove-Item nope', 'PathNotFound,Microsoft.PowerShell.Commands.RemoveItemCommand', 'ObjectNotFound'],
    ['Set-Location nope', 'PathNotFound,Microsoft.PowerShell.Commands.SetLocationCommand', 'ObjectNotFound'],
    [
      '1 | Select-Object -ExpandProperty nope',
      'ExpandPropertyNotFound,Microsoft.PowerShell.Commands.SelectObjectCommand',
      'InvalidArgument',
    ],
    ['function f { Write-Error no -ErrorId Mine -Category InvalidData }; f', 'Mine,f', 'InvalidData'],
    ['Get-Nothing', 'CommandNotFoundException', 'ObjectNotFound'],
  ])('%s reports %s', async (script, id, category) => {
    const { errors } = await session.invoke(script);
    expect(errors).toMatchObject([{ id, category }]);
  });
});
