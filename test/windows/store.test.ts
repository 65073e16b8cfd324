/**
 * The environment store on Windows: real processes that race for it, readers that hold its files open as no reader on Linux can
 * (a file that is open without FILE_SHARE_DELETE cannot be replaced), and two programs of one person at once.
 */
import { spawnSync } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CredentialResult, StatusResult } from '../../core/src/operations/results.ts';
import type { Contention } from '../testkit/contention.ts';
import { startPowerShell, type RunningPowerShell } from '../testkit/powershell.ts';
import { WindowsComputer } from '../testkit/windows/computer.ts';
import { driveC, haveWindows, windowsPath, windowsProgram } from '../testkit/windows/lane.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';

const owner = 'the owner of this computer';
const password = 'Annas eigenes Passwort';
const rounds = 15;
const adding = (subject: string): readonly string[] => [
  ...['credential-new', subject, '--algorithm', 'P-256'],
  ...['--password-stdin', '--yes'],
];

interface Outcome extends Contention {
  readonly current: number;
  readonly kept: readonly (readonly [number, string])[];
  readonly names: readonly string[];
}

describe.skipIf(!haveWindows())('the store on Windows', { timeout: 300_000 }, () => {
  it.each([
    ['do not wait', 0],
    ['wait for each other', 5000],
  ])('has one winner where processes %s, and loses nothing', async (_, wait) => {
    const folder = windowsPath(await makeWindowsFolder());
    const program = windowsPath(join(import.meta.dirname, '../testkit/windows/contention.ts'));
    const args = ['--no-warnings', program, folder, String(rounds), String(wait)];
    const done = spawnSync(windowsProgram('node'), args, { encoding: 'utf8' });
    expect([done.stderr, done.status]).toEqual(['', 0]);
    const { said, looks, faults, current, kept, names } = JSON.parse(done.stdout) as Outcome;
    expect([faults, said.length, looks > 3]).toEqual([[], 2 * rounds, true]);

    const won = said.filter((round) => round.won !== undefined);
    const codes = new Set(said.flatMap(({ code }) => code ?? []));
    expect([...codes].every((code) => ['EnvironmentBusy', 'PlanOutdated'].includes(code))).toBe(true);
    const numbers = won.map((round) => round.won?.generation ?? 0).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: won.length }, (_, index) => index + 1));
    expect(current).toBe(won.length);
    const written = new Map(won.map((round) => [round.won?.generation, round.text]));
    for (const [number, content] of kept) expect(content).toBe(written.get(number));
    expect(names).toEqual(['current', 'epochs']);
  });

  it('waits for a reader that holds what is to be replaced, and gives up in time, with the old state', async () => {
    const computer = await initialized('PC-A');
    const before = await computer.result<StatusResult>(['status']);
    const current = join(linuxPath(String(before.environmentPath)), 'current');
    const old = await readFile(current);

    const shortly = await hold(current, 400);
    const added = await computer.result<CredentialResult>(adding('Anna'), [password]);
    expect(added).toMatchObject({ label: 'Anna', change: 'Added' });
    await shortly.finished;
    const now = await readFile(current);
    expect(now).not.toEqual(old);

    const long = await hold(current, 60_000);
    expect(await computer.refusal(adding('Ben'), [password])).toBe('StorageDenied');
    expect(await readFile(current)).toEqual(now);
    long.interrupt();
    await long.finished;
    expect((await computer.result<StatusResult>(['status'])).credentials).toBe(1);
    await computer.result<CredentialResult>(adding('Ben'), [password]);
    expect((await computer.result<StatusResult>(['status'])).credentials).toBe(2);
    // What was given up has left nothing behind.
    const left = await readdir(dirname(current), { recursive: true });
    expect(left.filter((name) => /tmp|lock/.test(name))).toEqual([]);
  });

  it('takes the changes of two programs at once: each is done, or told to try again', async () => {
    const computer = await initialized('PC-A');
    const subjects = ['One', 'Two', 'Three'];
    const outcomes = await Promise.all(
      subjects.map(async (subject) => {
        const ran = await computer.run([...adding(subject), '--json'], [password]);
        if (ran.code === 0) return subject;
        expect(ran.stderr).toMatch(/"code":"(EnvironmentBusy|PlanOutdated)"/);
        return undefined;
      }),
    );
    const done = outcomes.filter((outcome) => outcome !== undefined);
    expect(done.length).toBeGreaterThan(0);
    const { code, stdout } = await computer.run(['credential-list', '--json']);
    expect(code).toBe(0);
    const labels = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as CredentialResult).label);
    expect(labels.sort()).toEqual(done.sort());
    expect((await computer.environment(password)).publicKeys).toHaveLength(done.length);
  });

  async function initialized(name: string): Promise<WindowsComputer> {
    const computer = await WindowsComputer.make(await makeWindowsFolder(), name);
    await computer.result(['platform-initialize', '--owner-password-stdin', '--yes'], [owner]);
    await computer.result(['user-initialize', '--password-stdin', '--yes'], [password]);
    return computer;
  }
});

/** A path on drive C: as Linux sees it. */
function linuxPath(path: string): string {
  return join(driveC(), ...path.split('\\').slice(1));
}

/** A program that reads a file and lets nobody else but readers have it meanwhile. */
async function hold(path: string, milliseconds: number): Promise<RunningPowerShell> {
  const engine = startPowerShell({
    encodedCommand: `$file = [System.IO.File]::Open('${windowsPath(path)}', 'Open', 'Read', 'Read')
'held'
for ($clock = [System.Diagnostics.Stopwatch]::StartNew(); $clock.ElapsedMilliseconds -lt ${milliseconds};) {
    [System.Threading.Thread]::Sleep(50)
}
$file.Dispose()`,
  });
  await engine.waitFor('held');
  return engine;
}
