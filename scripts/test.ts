/**
 * `npm test`: everything that must hold before a change lands. The checks of the sources run first, two at a time, then
 * the tests alone, because some of them measure time, and, where SPMIGRATION_REQUIRE names `windows`, those of the Windows
 * lane. All of it runs even if something fails, and a summary ends it.
 * `npm test -- <arguments>` runs vitest only, with those arguments. Leaves out the benchmark (`npm run bench`).
 */
import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ROOT } from './build/platform.ts';
import { type TestCounts, addCounts, countsLine, countTests, readCounts } from './test-report.ts';

/** Whether the Windows lane belongs to this run; it has a run of its own (`npm run test:windows`). */
const WINDOWS = (process.env.SPMIGRATION_REQUIRE ?? '').split(',').includes('windows');

/** A script of package.json, with arguments. */
type Check = readonly [script: string, ...args: string[]];

/** Each list runs in order, the lists beside each other. */
const LANES: readonly (readonly Check[])[] = [
  [['lint']],
  [['format:check'], ['types'], ['rooms'], ['build:run']],
  ...(WINDOWS ? [[['test:windows:run', '--set-up'] as const]] : []),
];

const REPORT = join(ROOT, '.cache/vitest.json');
const WINDOWS_COUNTS = join(ROOT, '.cache/windows.json');

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
}

const args = process.argv.slice(2);
process.exitCode = args.length > 0 ? await runScript('tests', args, 'inherit') : await runAll();

async function runAll(): Promise<number> {
  const checks = (await Promise.all(LANES.map(runLane))).flat();
  await mkdir(dirname(REPORT), { recursive: true });
  await rm(REPORT, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const exitCode = await runScript('tests', reporters, 'inherit');
  const here = await countTests(REPORT, exitCode);
  const tests = WINDOWS ? addCounts(here, await runWindows()) : here;
  const failedChecks = checks.filter((check) => !check.passed);
  const lines = checks.map(
    ({ name, passed, seconds }) => `  ${passed ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)`,
  );
  const failed = tests.failed + failedChecks.length;
  process.stdout.write(`\nChecks:\n${lines.join('\n')}\nTests, and checks that failed:\n`);
  process.stdout.write(`${countsLine({ ...tests, failed })}\n`);
  return failed === 0 ? 0 : 1;
}

async function runWindows(): Promise<TestCounts> {
  await rm(WINDOWS_COUNTS, { force: true });
  await runScript('test:windows:run', ['--counts', WINDOWS_COUNTS], 'inherit');
  return await readCounts(WINDOWS_COUNTS);
}

async function runLane(checks: readonly Check[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [script, ...scriptArgs] of checks) {
    const name = [script, ...scriptArgs].join(' ');
    const start = performance.now();
    const passed = (await runScript(script, scriptArgs, 'pipe')) === 0;
    const seconds = (performance.now() - start) / 1000;
    process.stdout.write(`${passed ? 'ok' : 'FAILED'}: ${name} (${seconds.toFixed(1)} s)\n`);
    outcomes.push({ name, passed, seconds });
  }
  return outcomes;
}

/** Runs a script of package.json. With `pipe` its output is shown only if it fails. Returns its exit code. */
async function runScript(
  name: string,
  scriptArgs: readonly string[],
  output: 'inherit' | 'pipe',
): Promise<number> {
  const windows = process.platform === 'win32';
  const child = spawn(windows ? 'npm.cmd' : 'npm', ['run', '--silent', name, '--', ...scriptArgs], {
    cwd: ROOT,
    stdio: ['ignore', output, output],
    shell: windows,
  });
  const chunks: Uint8Array[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
  if (exitCode !== 0) process.stdout.write(Buffer.concat(chunks));
  return exitCode;
}
