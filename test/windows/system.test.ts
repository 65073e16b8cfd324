/**
 * What the adapters ask of Windows itself (`adapters/system/windows-itself.ts`), asked by Node for Windows: the account, the
 * start of processes, the registry and what the executable makes of a policy in it. Under Wine the account is always an
 * administrator; whether others are told from it has to be seen elsewhere (docs/windows-checklist.md).
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';
import { haveWindows, windowsPath, windowsProgram } from '../testkit/windows/lane.ts';
import { reg as runReg } from '../testkit/windows/store.ts';

const policy = String.raw`Software\Policies\SPMigration`;
const program = windowsPathOfSource('../testkit/windows/ask-windows.ts');

interface Answers {
  readonly pid: number;
  readonly sid: string;
  readonly principalName: string | null;
  readonly administrator: boolean;
  readonly starts: readonly string[];
  readonly parentStart: string;
  readonly pastStart: string;
  readonly values: readonly (readonly (readonly unknown[])[])[];
}

function windowsPathOfSource(path: string): string {
  return `Z:${join(import.meta.dirname, path).replaceAll('/', '\\')}`;
}

function ask(...keys: readonly string[]): Answers {
  const done = spawnSync(windowsProgram('node'), ['--no-warnings', program, ...keys], { encoding: 'utf8' });
  expect([done.stderr, done.status]).toEqual(['', 0]);
  return JSON.parse(done.stdout) as Answers;
}

function reg(...args: readonly string[]): void {
  expect(runReg(...args)).toBe(0);
}

/** The code that a failed command shows. */
function errorOf({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): string {
  const { error } = JSON.parse(stdout + stderr) as { readonly error: { readonly code: string } };
  return error.code;
}

describe.skipIf(!haveWindows())('Windows', () => {
  it('tells account and processes', () => {
    const answers = ask();
    expect(answers.sid).toBe('S-1-5-21-0-0-0-1000');
    // A local account has none, which is no failure.
    expect(answers.principalName).toBeNull();
    expect(answers.administrator).toBe(true);
    // 100-nanosecond steps since 1601, in base 36: one value for one process, a later one than its parent's.
    const [start = '', again] = answers.starts;
    expect(start).toMatch(/^[0-9a-z]{11,12}$/);
    expect(again).toBe(start);
    const time = (text: string): number => Number.parseInt(text, 36) / 10_000 - 11_644_473_600_000;
    expect(Math.abs(Date.now() - time(start))).toBeLessThan(60_000);
    expect(time(answers.parentStart)).toBeLessThanOrEqual(time(start));
    expect(['ended', 'hidden']).toContain(answers.pastStart);
  });

  describe('with a policy', () => {
    afterEach(() => {
      reg('delete', `HKLM\\${policy}`, '/f');
    });

    it('tells its values, other types than text and number as present', () => {
      reg('add', `HKLM\\${policy}`, '/v', 'AllowRehearsal', '/t', 'REG_DWORD', '/d', '0');
      reg('add', `HKLM\\${policy}`, '/v', 'Ein Name mit ü', '/d', 'Text 日本');
      reg('add', `HKLM\\${policy}`, '/v', 'List', '/t', 'REG_MULTI_SZ', '/d', 'a');
      const [values, none] = ask(policy, `${policy}\\TrustedAuthorities`).values;
      expect(values).toEqual([
        ['AllowRehearsal', 0],
        ['Ein Name mit ü', 'Text 日本'],
        ['List', null],
      ]);
      expect(none).toEqual([['no such key']]);
    });

    it('the executable obeys it, and refuses one that it cannot read', async () => {
      const home = windowsPath(join(await makeWindowsFolder(), 'PC-A'));
      const initialize = () =>
        spawnSync(
          windowsProgram('spmigration'),
          ['platform-initialize', '--owner-password-stdin', '--yes', '--json'],
          { env: { SPMIGRATION_HOME: home }, input: 'the owner of PC-A\n', encoding: 'utf8' },
        );
      reg('add', `HKLM\\${policy}`, '/v', 'AllowRehearsal', '/t', 'REG_DWORD', '/d', '0');
      expect(errorOf(initialize())).toBe('RehearsalForbidden');
      reg('add', `HKLM\\${policy}`, '/v', 'AllowRehearsal', '/d', 'no', '/f');
      expect(errorOf(initialize())).toBe('PolicyMalformed');
      reg('add', `HKLM\\${policy}`, '/v', 'AllowRehearsal', '/t', 'REG_DWORD', '/d', '1', '/f');
      expect(initialize()).toMatchObject({ status: 0 });
    });
  });
});
