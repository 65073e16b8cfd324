/** The script check finds what it is for: each kind of finding once, and nothing in a script that is fit for 5.1. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haveHost } from '../testkit/powershell.ts';
import { checkScripts, type ScriptReport } from '../testkit/script-check.ts';

const NEWER = String.raw`
using namespace System.IO
class A { [int]$x }
$a = $true ? 1 : 2
$b = $null ?? 3
$b ??= 4
$c = ${'$'}{a}?.Length
'x' && 'y'
function f { end { 1 } clean { 2 } }
"${'`'}e[0m ${'`'}u{e4}"
0b11; 1us
if ($IsWindows) { }
1..3 | ForEach-Object -Parallel { $_ }
`;

const FIT = String.raw`
function Get-Thing {
    <#
    .SYNOPSIS
        Gets it.
    .DESCRIPTION
        All of it.
    .PARAMETER Name
        Which.
    .EXAMPLE
        Get-Thing -Name x
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory, ValueFromPipelineByPropertyName)]
        [ValidateSet('x', 'y')]
        [string]
        $Name
    )
    process {
        $start = New-Object -TypeName System.Diagnostics.ProcessStartInfo
        $start.FileName = $Name
        $table = @{ key = 1 }
        $table.key
        $list = [System.Collections.Generic.List[string]]::new()
        $list.Add($Name.Trim())
        [datetime]::UtcNow.ToString('o') | Where-Object { $_ }
        $PSCmdlet.WriteVerbose([System.Text.Encoding]::UTF8.GetString([byte[]]@(65)))
        Get-Inner
    }
}
function Get-Inner { }
`;

const LACKING = String.raw`
[System.Convert]::ToHexString(@(1))
[System.Security.Cryptography.AesGcm]::new(1)
$psi = [System.Diagnostics.ProcessStartInfo]::new()
$psi.ArgumentList.Add('a')
$p = [System.Diagnostics.Process]::new()
$p.Kill($true)
$p.StandardInput.BaseStream.Nope()
'a'.Contains('A', [System.StringComparison]::Ordinal)
[System.Runtime.Serialization.Json.JsonReaderWriterFactory]
Write-Verbose ü
& $psi
function f { param([ValidateScript({ $true }, ErrorMessage = 'x')] $y) }
`;

describe.skipIf(!haveHost())('script check', () => {
  let folder = '';
  let [newer, fit, lacking, broken]: ScriptReport[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'check-'));
    const files = Object.entries({ NEWER, FIT, LACKING, BROKEN: 'if (1 {\n' }).map(([name, text]) => {
      const path = join(folder, `${name}.ps1`);
      writeFileSync(path, text);
      return path;
    });
    [newer, fit, lacking, broken] = (await checkScripts(files)) as ScriptReport[];
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('names every construct newer than 5.1', () => {
    expect(newer!.parseErrors).toEqual([]);
    expect(newer!.newerThan51.map((place) => place.name).sort()).toEqual(
      [
        'ForEach-Object -Parallel',
        'class',
        'clean block',
        'escape `e or `u{}',
        'null-coalescing ??',
        'null-coalescing assignment ??=',
        'null-conditional ?.',
        'number literal 0b11',
        'number literal 1us',
        'pipeline chain && ||',
        'ternary operator',
        'using',
        'variable $IsWindows',
      ].sort(),
    );
  });

  it('finds nothing in a fit script, and describes it', () => {
    expect(fit!.parseErrors).toEqual([]);
    expect(fit!.nonAscii).toEqual([]);
    expect(fit!.newerThan51).toEqual([]);
    expect(fit!.types.filter((type) => !type.found)).toEqual([]);
    expect(fit!.members.filter((member) => !member.found)).toEqual([]);
    expect(fit!.commands.map(({ name, kind }) => `${name}:${kind}`)).toEqual([
      'New-Object:other',
      'Where-Object:core',
      'Get-Inner:local',
    ]);
    expect(fit!.functions[0]).toMatchObject({
      name: 'Get-Thing',
      cmdletBinding: true,
      parameters: ['Name'],
      synopsis: 'Gets it.',
      description: 'All of it.',
      helpParameters: ['NAME'],
      examples: 1,
    });
  });

  it('finds types and members that Framework 4.7.2 lacks', () => {
    expect(lacking!.types.filter((type) => !type.found).map((type) => type.name)).toEqual([
      'System.Security.Cryptography.AesGcm',
    ]);
    expect(
      lacking!.members
        .filter((use) => !use.found)
        .map((use) => `${use.type}.${use.member}`)
        .sort(),
    ).toEqual([
      'System.Convert.ToHexString',
      'System.Diagnostics.Process.Kill',
      'System.Diagnostics.ProcessStartInfo.ArgumentList',
      'System.IO.Stream.Nope',
      'System.Management.Automation.ValidateScriptAttribute.ErrorMessage',
      'System.String.Contains',
    ]);
    const json = lacking!.types.find((type) => type.name.endsWith('JsonReaderWriterFactory'));
    expect(json).toMatchObject({ found: true, assembly: 'System.Runtime.Serialization' });
    expect(lacking!.nonAscii).toMatchObject([{ name: 'U+00FC' }]);
    expect(lacking!.commands).toMatchObject([{ name: 'Write-Verbose', kind: 'other' }]);
    expect(lacking!.dynamicCommands).toMatchObject([{ name: '$psi' }]);
  });

  it('reports what does not parse', () => {
    expect(broken!.parseErrors.length).toBeGreaterThan(0);
    expect(broken!.parseErrors[0]).toMatchObject({ line: 1 });
  });
});
