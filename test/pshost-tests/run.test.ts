/**
 * The engine for tests behaves like `pwsh -NoProfile -NonInteractive`: what runs, what comes out of which stream, which
 * exit code. These hold for a real pwsh as well and run in it where there is one; what only the host does is in host.test.ts.
 */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { havePowerShell, runPowerShell, startPowerShell } from '../testkit/powershell.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'engine-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function script(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const lines = (text: string) => text.split(/\r?\n/).filter((line) => line !== '');

describe.skipIf(!havePowerShell())('engine: exit codes', () => {
  it.each([
    ['exit 7', 7],
    ['"ok"', 0],
    ['throw "boom"', 1],
    ['[int]::Parse("x")', 0],
    ['$ErrorActionPreference = "Stop"; [int]::Parse("x")', 1],
    ['function f { exit 9 }; f; "never"', 9],
    ['1 +* 2', 1],
  ])('-File %j ends with %i', async (text, expected) => {
    const outcome = await runPowerShell({ file: script('code.ps1', text) });
    expect(outcome.exitCode, outcome.stderr).toBe(expected);
    expect(outcome.stdout).not.toContain('never');
  });

  it.each([
    ['exit 7', 7],
    ['"ok"', 0],
    ['throw "boom"', 1],
    ['Write-Error x', 1],
    ['Write-Error x; "last one succeeds"', 0],
    ['1 +* 2', 1],
  ])('-Command %j ends with %i', async (command, expected) => {
    const outcome = await runPowerShell({ command });
    expect(outcome.exitCode, outcome.stderr).toBe(expected);
  });

  it('refuses a file that is not there', async () => {
    const outcome = await runPowerShell({ file: join(folder, 'absent.ps1') });
    expect(outcome.exitCode).toBe(64);
    expect(outcome.stderr).toContain('is not recognized as the name of a script file');
  });
});

describe.skipIf(!havePowerShell())('engine: arguments', () => {
  it('binds names, values, switches and positions after -File', async () => {
    const file = script(
      'bind.ps1',
      'param([string]$Name, [int]$Count, [switch]$Yes, [switch]$No, [string]$Last) "$Name|$Count|$Yes|$No|$Last"',
    );
    const outcome = await runPowerShell({
      file,
      args: ['-Count', '3', '-Yes', '-No:$false', 'a b', '-Last:x y'],
    });
    expect(outcome.stdout.trim()).toBe('a b|3|True|False|x y');
  });

  it('takes text as base64', async () => {
    const outcome = await runPowerShell({ encodedCommand: 'Write-Output "quotes: \' `" ü"; exit 4' });
    expect({ ...outcome, stdout: outcome.stdout.trimEnd() }).toEqual({
      stdout: 'quotes: \' " ü',
      stderr: '',
      exitCode: 4,
    });
  });

  it('gives $input the lines of standard input', async () => {
    const outcome = await runPowerShell({ command: '$input | ForEach-Object { "<$_>" }', stdin: 'a\nb\n' });
    expect(lines(outcome.stdout)).toEqual(['<a>', '<b>']);
  });
});

describe.skipIf(!havePowerShell())('engine: streams', () => {
  it('writes output, warnings, verbose and debug text to stdout and errors to stderr', async () => {
    const outcome = await runPowerShell({
      command: [
        'Write-Output out',
        'Write-Warning careful',
        'Write-Verbose step -Verbose',
        'Write-Debug frame -Debug',
        'Write-Host seen',
        'Write-Information told -InformationAction Continue',
        'Write-Error bad',
        'Write-Progress -Activity working -PercentComplete 5',
        '$null = 1',
      ].join('; '),
    });
    expect(lines(outcome.stdout)).toEqual([
      'out',
      'WARNING: careful',
      'VERBOSE: step',
      'DEBUG: frame',
      'seen',
      'told',
    ]);
    expect(outcome.stderr).toContain('bad');
    expect(outcome.stderr).not.toContain('\u001B');
    expect(outcome.exitCode).toBe(0);
  });

  it('is UTF-8 without BOM in both directions', async () => {
    const text = 'Grüße 日本語 🔑';
    const outcome = await runPowerShell({
      stdin: `'${text}'; '${text}'.Length\n[Console]::Error.WriteLine('é')\n`,
    });
    expect(outcome.stdout).toMatch(new RegExp(`^${text}\r?\n${text.length}\r?\n$`));
    expect(outcome.stderr.trim()).toBe('é');
  });

  it('shows an error in the classic view with category and id', async () => {
    const outcome = await runPowerShell({
      command: "$ErrorView = 'NormalView'; Get-Item -LiteralPath ./no-such-file",
      cwd: folder,
    });
    expect(outcome.stderr).toMatch(/CategoryInfo\s+: ObjectNotFound: /);
    expect(outcome.stderr).toMatch(
      /FullyQualifiedErrorId : PathNotFound,Microsoft\.PowerShell\.Commands\.GetItemCommand/,
    );
    expect(outcome.exitCode).toBe(1);
  });

  it('keeps the id, category and target of an error record of a function', async () => {
    const outcome = await runPowerShell({
      command: [
        'function Import-Thing { [CmdletBinding()] param()',
        "$PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new([System.Exception]::new('no'), 'ThingMissing', 'ObjectNotFound', 'the target')) }",
        'Import-Thing -ErrorAction SilentlyContinue',
        '$Error[0].FullyQualifiedErrorId; [string]$Error[0].CategoryInfo.Category; $Error[0].TargetObject',
      ].join('\n'),
    });
    expect(lines(outcome.stdout)).toEqual(['ThingMissing,Import-Thing', 'ObjectNotFound', 'the target']);
  });

  it('shows what a -WhatIf would do', async () => {
    const outcome = await runPowerShell({
      command:
        'function Set-It { [CmdletBinding(SupportsShouldProcess)] param() if ($PSCmdlet.ShouldProcess("it", "set")) { "done" } }; Set-It -WhatIf',
    });
    expect(outcome.stdout.trim()).toBe('What if: Performing the operation "set" on target "it".');
  });
});

describe.skipIf(!havePowerShell())('engine: nobody at the prompt', () => {
  it.each([
    'Read-Host name',
    '$null = $Host.UI.ReadLineAsSecureString()',
    "function Set-It { [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param() if ($PSCmdlet.ShouldProcess('it')) { 'done' } }; Set-It",
    'function f { param([Parameter(Mandatory)]$Name) "got $Name" }; f',
  ])('%s fails at once', async (text) => {
    const outcome = await runPowerShell({ command: `${text}; exit 5`, timeoutMs: 20_000 });
    expect(outcome.exitCode).toBe(5);
    expect(outcome.stdout).not.toMatch(/done|got/);
    // Wrapped at the console's width, so blanks may be line breaks.
    expect(outcome.stderr.replaceAll(/[\s|]+/g, ' ')).toMatch(
      /NonInteractive mode|missing mandatory parameters/,
    );
  });
});

describe.skipIf(!havePowerShell())('engine: statements from standard input', () => {
  it('runs a statement as soon as its line has come', async () => {
    const running = startPowerShell({}, { closeStdin: false });
    running.type("'first'\n");
    await running.waitFor('first');
    running.type("'sec' + 'ond'\n");
    await running.waitFor('second');
    running.type('exit 3\n');
    expect((await running.finished).exitCode).toBe(3);
  });

  it('runs a statement of several lines', async () => {
    const outcome = await runPowerShell({
      stdin:
        "function Get-It {\n  'from the function'\n}\n\nGet-It\nif ($true) {\n  'yes'\n}\nelse {\n  'no'\n}\n\n'after'\n",
    });
    expect(lines(outcome.stdout)).toEqual(['from the function', 'yes', 'after']);
  });

  it('reports a statement that does not parse and goes on', async () => {
    const outcome = await runPowerShell({ stdin: "'a'\n1 +* 2\n'b'\n" });
    expect(lines(outcome.stdout)).toEqual(['a', 'b']);
    expect(outcome.stderr).toMatch(/ParserError|You must provide a value expression/);
  });

  it('keeps variables and functions, and goes on after a terminating error', async () => {
    const outcome = await runPowerShell({ stdin: '$x = 5\nthrow \'boom\'\n"x is $x"\n' });
    expect(lines(outcome.stdout)).toEqual(['x is 5']);
    expect(outcome.stderr).toContain('boom');
    expect(outcome.exitCode).toBe(0);
  });
});

describe.skipIf(!havePowerShell() || process.platform === 'win32')('engine: Ctrl+C', () => {
  it('stops the pipeline and runs finally', async () => {
    const file = script(
      'slow.ps1',
      "try { 'started'; Start-Sleep -Seconds 60; 'never' } finally { [Console]::Out.WriteLine('cleaned up') }\n'not this either'",
    );
    const running = startPowerShell({ file, timeoutMs: 20_000 });
    await running.waitFor('started');
    running.interrupt();
    const outcome = await running.finished;
    expect(outcome.stdout).toContain('cleaned up');
    expect(outcome.stdout).not.toMatch(/never|not this/);
  });
});

describe.skipIf(!havePowerShell())('engine: modules', () => {
  it('loads a module on first use and shows its objects in its own view', async () => {
    const modules = join(folder, 'modules');
    const thing = join(modules, 'Thing');
    mkdirSync(thing, { recursive: true });
    writeFileSync(
      join(thing, 'Thing.psd1'),
      "@{ RootModule = 'Thing.psm1'; ModuleVersion = '1.0'; FunctionsToExport = @('Get-Thing'); CmdletsToExport = @(); AliasesToExport = @(); FormatsToProcess = @('Thing.format.ps1xml') }",
    );
    writeFileSync(
      join(thing, 'Thing.psm1'),
      "function Get-Thing { [pscustomobject]@{ PSTypeName = 'Test.Thing'; Name = 'one'; Hidden = 'secret' } }",
    );
    writeFileSync(
      join(thing, 'Thing.format.ps1xml'),
      '<Configuration><ViewDefinitions><View><Name>t</Name><ViewSelectedBy><TypeName>Test.Thing</TypeName></ViewSelectedBy><TableControl><TableHeaders><TableColumnHeader><Label>The name</Label></TableColumnHeader></TableHeaders><TableRowEntries><TableRowEntry><TableColumnItems><TableColumnItem><PropertyName>Name</PropertyName></TableColumnItem></TableColumnItems></TableRowEntry></TableRowEntries></TableControl></View></ViewDefinitions></Configuration>',
    );
    const outcome = await runPowerShell({ command: 'Get-Thing', env: { PSModulePath: modules } });
    expect(outcome.stderr).toBe('');
    expect(lines(outcome.stdout).map((line) => line.trim())).toEqual(['The name', '--------', 'one']);
  });
});
