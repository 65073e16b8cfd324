/**
 * `npm run test:windows [-- <arguments for vitest>]`: sets the Windows lane up and runs its tests: the Windows executable and a
 * Windows PowerShell engine, under Wine. Tests run as an ordinary user, also where this is started as root. Where the lane
 * cannot be set up its tests are skipped, and the reasons are told; with `windows` in SPMIGRATION_REQUIRE that is a failure.
 */
import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { chownSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { lock } from '../build/freshness.ts';
import { ROOT } from '../build/platform.ts';
import { countsLine, countTests } from '../test-report.ts';
import { type Account, Lane, LANE_VARIABLE, laneFolder, ordinaryAccount } from './lane.ts';
import { obstacles } from './obstacles.ts';
import { keepWineRunning, stopWine } from './prefix.ts';
import { copyTree, reaches } from './readable-tree.ts';
import { interrupted, interruptible } from './run.ts';
import { setUpLane } from './set-up.ts';

const say = (line: string): void => void process.stdout.write(`windows lane: ${line}\n`);

/** Variables of this process that its tests get; they start from nothing, because what they start gets theirs. */
const inherited = /^(CI|NO_COLOR|FORCE_COLOR|TERM|PATH|LD_LIBRARY_PATH|WINEDEBUG|SPMIGRATION_.*)$/;

/** `--set-up`: no tests. `--counts FILE`: where to write what the tests came to, as JSON. All else is vitest's. */
interface Wanted {
  readonly setUpOnly: boolean;
  readonly counts: string | undefined;
  readonly vitest: readonly string[];
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  // Others than whoever starts this are to read what it makes.
  process.umask(0o022);
  const wanted = parse(args);
  const reasons = obstacles();
  for (const reason of reasons) say(`skipped, because ${reason}`);
  if (reasons.length > 0 && wanted.setUpOnly) return 1;
  // They say by themselves that they are skipped, or that they must not be.
  if (reasons.length > 0) return await runTests(undefined, undefined, wanted);

  const account = ordinaryAccount();
  const folder = laneFolder();
  await mkdir(folder, { recursive: true });
  interruptible();
  if (account === undefined || wanted.setUpOnly || reaches(account))
    return await runLane(folder, account, wanted);
  return await runInCopy(folder, args);
}

function parse(args: readonly string[]): Wanted {
  const [first, second, ...others] = args;
  if (first === '--counts') return { setUpOnly: false, counts: second, vitest: others };
  return { setUpOnly: first === '--set-up', counts: undefined, vitest: args };
}

/** The same from a copy that the tests' account may read. */
async function runInCopy(folder: string, args: readonly string[]): Promise<number> {
  const copy = await copyTree(folder);
  const there = (path: string): string => join(copy, relative(ROOT, path));
  try {
    say(`tests run as nobody, who may not read ${ROOT}: from a copy`);
    const own = !relative(ROOT, process.execPath).startsWith('..');
    const node = own ? there(process.execPath) : process.execPath;
    const child = spawn(node, [there(import.meta.filename), ...args], {
      cwd: copy,
      env: { ...process.env, [LANE_VARIABLE]: folder },
      stdio: 'inherit',
    });
    // It puts its things in order by itself.
    interrupted.addEventListener('abort', () => child.kill('SIGTERM'));
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    await rm(copy, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function runLane(folder: string, account: Account | undefined, wanted: Wanted): Promise<number> {
  const began = performance.now();
  // Another run would end this one's Windows.
  const unlock = await lock(join(folder, 'run.lock'));
  try {
    const lane = await setUpLane({ folder, account, say });
    say(`set-up: ${seconds(began)}`);
    if (wanted.setUpOnly) return 0;
    const testing = performance.now();
    await keepWineRunning(lane, account);
    const code = await runTests(lane, account, wanted);
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
  wanted: Wanted,
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
    const command = [vitest, 'run', ...config, ...reporters, ...wanted.vitest];
    const code = await runGroup(command, { ...account, cwd: ROOT, env });
    interrupted.throwIfAborted();
    const counts = await countTests(report, code);
    if (wanted.counts !== undefined) await writeFile(wanted.counts, JSON.stringify(counts));
    say(countsLine(counts));
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
