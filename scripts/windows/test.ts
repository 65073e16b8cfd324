/**
 * `npm run test:windows [-- <arguments for vitest>]`: sets the Windows lane up and runs its tests: the Windows executable and a
 * Windows PowerShell engine, under Wine. Tests run as an ordinary user, also where this is started as root. Where the lane
 * cannot be set up its tests are skipped, and the reasons are told; with `windows` in SPMIGRATION_REQUIRE that is a failure.
 */
import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { chownSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { lock } from '../build/freshness.ts';
import { ROOT } from '../build/platform.ts';
import { countsLine, countTests } from '../test-report.ts';
import { type Account, Lane, LANE_VARIABLE, laneFolder, ordinaryAccount } from './lane.ts';
import { obstacles } from './obstacles.ts';
import { keepWineRunning, stopWine } from './prefix.ts';
import { interrupted, interruptible } from './run.ts';
import { setUpLane } from './set-up.ts';

const say = (line: string): void => void process.stdout.write(`windows lane: ${line}\n`);

/** Variables of this process that its tests get; they start from nothing, because what they start gets theirs. */
const inherited = /^(CI|NO_COLOR|FORCE_COLOR|TERM|PATH|LD_LIBRARY_PATH|WINEDEBUG|SPMIGRATION_.*)$/;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const began = performance.now();
  const reasons = obstacles();
  for (const reason of reasons) say(`skipped, because ${reason}`);
  // They say by themselves that they are skipped, or that they must not be.
  if (reasons.length > 0) return await runTests(undefined, undefined, args);

  const account = ordinaryAccount();
  const folder = laneFolder();
  await mkdir(folder, { recursive: true });
  // Another run would end this one's Windows.
  const unlock = await lock(join(folder, 'run.lock'));
  interruptible();
  try {
    const lane = await setUpLane({ folder, account, say });
    say(`set-up: ${seconds(began)}`);
    const testing = performance.now();
    await keepWineRunning(lane, account);
    const code = await runTests(lane, account, args);
    say(`tests: ${seconds(testing)}`);
    return code;
  } catch (error) {
    if (!interrupted.aborted) throw error;
    say((interrupted.reason as Error).message);
    return 1;
  } finally {
    await stopWine(new Lane(folder), account);
    await unlock();
    say(`all together: ${seconds(began)}`);
  }
}

async function runTests(
  lane: Lane | undefined,
  account: Account | undefined,
  args: readonly string[],
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-windows-tests-'));
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  const report = join(folder, 'report.json');
  const kept = Object.entries(process.env).filter(([name]) => inherited.test(name));
  const env = {
    ...Object.fromEntries(kept),
    PATH: [join(ROOT, 'node_modules/.bin'), process.env.PATH ?? ''].join(delimiter),
    HOME: folder,
    LC_ALL: 'C.UTF-8',
    // What tests leave there goes with the folder.
    TMPDIR: folder,
    // Empty: this run has none, whatever somebody has set.
    [LANE_VARIABLE]: lane?.folder ?? '',
  };
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const config = ['--config', join(ROOT, 'vitest.windows.config.ts'), '--configLoader', 'native'];
  try {
    const command = [vitest, 'run', ...config, ...reporters, ...args];
    const code = await runGroup(command, { ...account, cwd: ROOT, env });
    interrupted.throwIfAborted();
    const counts = await countTests(report, code);
    process.stdout.write(`${countsLine(counts)}\n`);
    return counts.failed === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Runs Node with its own group of processes, all of which end with it. Answers the exit code. */
async function runGroup(command: readonly string[], options: SpawnOptions): Promise<number> {
  const child = spawn(process.execPath, command, { ...options, stdio: 'inherit', detached: true });
  const end = (): void => {
    if (child.pid !== undefined) endGroup(child.pid);
  };
  interrupted.addEventListener('abort', end);
  try {
    if (interrupted.aborted) end();
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    interrupted.removeEventListener('abort', end);
    end();
  }
}

function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // nobody is left
  }
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
