/**
 * What only the built host does: playing a person at the prompt, its own switches, its start-up time, and keeping its doubles
 * out when asked for nothing but Core.
 */
import { spawnSync } from 'node:child_process';
import { EOL } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  engineEnvironment,
  haveHost,
  hostEngine,
  requireEngine,
  runPowerShell,
} from '../testkit/powershell.ts';

describe.skipIf(!haveHost())('engine host', () => {
  it('answers prompts from the file of answers', async () => {
    const outcome = await runPowerShell({
      command:
        "$n = Read-Host Name; $p = Read-Host Password -AsSecureString; $c = $Host.UI.PromptForChoice('Sure?', 'Really', @('&Yes', '&No'), 1); \"$n|$($p.Length)|$c\"",
      answers: ['Ada', 'geheim', 'y'],
    });
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    expect(outcome.stdout.trimEnd().split('\n').at(-1)).toBe('Ada|6|0');
    expect(outcome.stdout).not.toContain('geheim');
  });

  it('confirms and declines for a person', async () => {
    const command =
      "function Set-It { [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param() if ($PSCmdlet.ShouldProcess('it', 'set')) { 'done' } else { 'left' } }; Set-It";
    expect((await runPowerShell({ command, answers: ['Y'] })).stdout).toMatch(/Are you sure[\s\S]*done/);
    expect((await runPowerShell({ command, answers: ['n'] })).stdout).toMatch(/left/);
  });

  it('refuses the question after the last answer', async () => {
    const outcome = await runPowerShell({ command: 'Read-Host a; Read-Host b', answers: ['one'] });
    expect(outcome.stdout).toContain('one');
    expect(outcome.stderr.replaceAll(/[\s|]+/g, ' ')).toContain('NonInteractive mode');
  });

  it('asks whoever is at standard input with its own switch alone', () => {
    const done = spawnSync(requireEngine(hostEngine()).path, ['-Interactive'], {
      encoding: 'utf8',
      env: engineEnvironment(),
      input: '$n = Read-Host Name\nAda\n$s = Read-Host Secret -AsSecureString\nxyz\n"$n $($s.Length)"\n',
    });
    expect(done.stderr).toBe('');
    expect(done.stdout).toBe('Name: Secret: Ada 3\n'.replaceAll('\n', EOL));
  });

  it('names an option that it does not know', () => {
    const done = spawnSync(requireEngine(hostEngine()).path, ['-Nonsense'], { encoding: 'utf8' });
    expect(done.status).toBe(64);
    expect(done.stderr).toContain('-Nonsense');
  });

  it('knows nothing but Core without its doubles', async () => {
    const outcome = await runPowerShell({
      command: "1 | ForEach-Object { 'core' }; gci; Microsoft.PowerShell.Utility\\Get-Date; Write-Output x",
      env: { PSHOST_CORE_ONLY: '1' },
    });
    expect(outcome.stdout.trim()).toBe('core');
    expect(outcome.stderr.match(/is not recognized as a name/g)).toHaveLength(3);
  });
});
