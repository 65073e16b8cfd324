/**
 * Consoles of other code pages: what goes between engine and executable is UTF-8 both ways, whatever code page the console has, and so
 * is what the executable writes to a file or a pipe. Each code page is set at the console itself and read back there. The byte
 * order mark that .NET Framework writes where it is 65001 is test/cli/byte-order-mark.test.ts's.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtModule } from '../testkit/executable.ts';
import { runPowerShell } from '../testkit/powershell.ts';
import { haveWindows, windowsPath, windowsProgram } from '../testkit/windows/lane.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';

/** Letters that no code page but Unicode has all of. */
const names = 'Jörg Ünïcode £ Ωμέγα Жук 日本 😀';

/** Run as a file: whoever sets the encoding of the console takes its input away from a session. */
const SCRIPT = String.raw`
param([string] $Module, [string] $Text)
[System.Text.Encoding]::RegisterProvider([System.Text.CodePagesEncodingProvider]::Instance)
Import-Module -Name $Module
$data = ConvertFrom-Json -InputObject ([System.Text.Encoding]::UTF8.GetString([System.Convert]::FromBase64String($Text)))
# A program in this very console says which code page that has.
function Get-CodePage {
    $start = [System.Diagnostics.ProcessStartInfo]::new('cmd.exe', '/c chcp')
    $start.UseShellExecute = $false
    $start.RedirectStandardOutput = $true
    $process = [System.Diagnostics.Process]::Start($start)
    [int]($process.StandardOutput.ReadToEnd() -replace '[^0-9]')
}
$password = ConvertTo-SecureString -String $data.password -AsPlainText -Force
function Set-CodePage([int] $page) {
    [System.Console]::InputEncoding = [System.Text.Encoding]::GetEncoding($page)
    [System.Console]::OutputEncoding = [System.Text.Encoding]::GetEncoding($page)
}
# The password is set under one code page and used under another.
Set-CodePage $data.pages[0]
$null = Initialize-SPMigrationPlatform -OwnerPassword $password
$null = Initialize-SPMigrationUser -Password $password
Set-CodePage $data.pages[-1]
$null = New-SPMigrationCredential -Subject $data.name -FriendlyName $data.name -Algorithm P-256 -Password $password
$answers = foreach ($page in $data.pages) {
    Set-CodePage $page
    $identity = Export-SPMigrationIdentity -Path "$($data.place)\\$($data.name) $page.spid"
    try {
        $missing = Get-SPMigrationIdentity -LiteralPath "$($data.place)\\no $($data.name)" -ErrorAction Stop
    } catch {
        $missing = [string]$_.TargetObject
    }
    $credential = Get-SPMigrationCredential -Credential $data.name
    @{ page = Get-CodePage; encoding = [System.Console]::InputEncoding.CodePage; label = $credential.Label
       subject = $credential.Subject; path = $identity.Path; missing = $missing }
}
[System.Convert]::ToBase64String([System.Text.Encoding]::UTF8.GetBytes((ConvertTo-Json -InputObject @($answers))))`;

describe.skipIf(!haveWindows())('consoles', { timeout: 120_000 }, () => {
  it('of any code page change no name, no path and no password', async () => {
    const home = join(await makeWindowsFolder(), 'PC-A');
    await mkdir(home);
    const file = join(home, 'script.ps1');
    await writeFile(file, SCRIPT);
    const pages = [437, 850, 1252, 65001];
    const data = { pages, place: windowsPath(home), name: names, password: `Passwort ${names}` };
    const { stdout, stderr, exitCode } = await runPowerShell({
      file: windowsPath(file),
      args: [
        windowsPath(join(await builtModule(), 'SPMigration.psd1')),
        Buffer.from(JSON.stringify(data)).toString('base64'),
      ],
      env: { SPMIGRATION_HOME: windowsPath(home) },
      timeoutMs: 110_000,
    });
    expect([stderr, exitCode]).toEqual(['', 0]);
    const answers = JSON.parse(Buffer.from(stdout.trim(), 'base64').toString('utf8')) as unknown;
    expect(answers).toEqual(
      pages.map((page) => ({
        ...{ page, encoding: page, label: names, subject: `CN=${names}` },
        path: windowsPath(join(home, `${names} ${String(page)}.spid`)),
        missing: windowsPath(join(home, `no ${names}`)),
      })),
    );
    for (const page of pages) expect(existsSync(join(home, `${names} ${String(page)}.spid`))).toBe(true);
  });

  it.each([437, 65001])('of code page %s let the executable write UTF-8 where nobody looks', async (page) => {
    const home = join(await makeWindowsFolder(), 'Büro 日本');
    await mkdir(home);
    // chcp and the program share the console of cmd.exe; its output goes to a file of Windows' own.
    const script = `const { spawnSync } = require('node:child_process');
      const line = 'chcp ${String(page)} >nul & chcp & "' + process.argv[1] + '" status > out.txt 2> err.txt';
      const done = spawnSync('cmd.exe', ['/d', '/s', '/c', '"' + line + '"'], { cwd: process.argv[2], windowsVerbatimArguments: true, encoding: 'latin1' });
      const read = (name) => require('node:fs').readFileSync(process.argv[2] + '/' + name).toString('base64');
      console.log(JSON.stringify([done.status, done.stdout.replace(/[^0-9]/g, ''), read('out.txt'), read('err.txt')]));`;
    const program = windowsPath(join(await builtModule(), 'bin/win-x64/spmigration.exe'));
    const { stdout } = spawnSync(windowsProgram('node'), ['-e', script, program, windowsPath(home)], {
      env: { SPMIGRATION_HOME: windowsPath(home) },
      encoding: 'utf8',
    });
    const [status, shown, out, err] = JSON.parse(stdout) as [number, string, string, string];
    expect([status, shown, err]).toEqual([0, String(page), '']);
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(out, 'base64'),
    );
    expect(text).toContain(windowsPath(home));
    expect(text.startsWith('\ufeff')).toBe(false);
  });
});
