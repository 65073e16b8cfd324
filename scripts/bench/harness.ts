/**
 * Measuring on a computer that does other things too: the cases of a comparison run in turn, round after round, so that
 * a slow moment hits them alike, and medians of many rounds are compared. Leaves out: what is measured (the files beside
 * this one), and keeping results; a figure is only comparable with its rival of the same run.
 */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { argon2Sync } from 'node:crypto';

/** Something to time. Returns nothing; `prepare` runs before each round, untimed. */
export interface Case {
  readonly name: string;
  readonly prepare?: () => void | Promise<void>;
  readonly run: () => void | Promise<void>;
}

/** Milliseconds. */
export interface Timing {
  readonly median: number;
  readonly best: number;
}

/** A line of the table. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly aim: string;
  /** Undefined for a figure that has no aim. */
  readonly met: boolean | undefined;
}

/** Times each case `rounds` times, interleaved, after one unmeasured round. */
export async function interleaved(cases: readonly Case[], rounds: number): Promise<readonly Timing[]> {
  const samples = cases.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, { prepare, run }] of cases.entries()) {
      await prepare?.();
      const start = performance.now();
      await run();
      if (round >= 0) samples[index]?.push(performance.now() - start);
    }
  }
  return samples.map((times) => ({ median: median(times), best: Math.min(...times) }));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError('no values');
  return (upper + lower) / 2;
}

/** Runs a program to its end; throws unless it exits with 0. Returns its output. */
export function runProgram(program: string, args: readonly string[], options: SpawnSyncOptions = {}): string {
  const done = spawnSync(program, args, { ...options, encoding: 'utf8' });
  if (done.status === 0) return done.stdout;
  throw new Error(`${program} ${args.join(' ')}: ${done.error?.message ?? done.stderr}`);
}

/** A row about a time that must be at most `aim` times its rival's. */
export function ratioRow(what: string, timing: Timing, rival: Timing, rivalName: string, aim: number): Row {
  const ratio = timing.median / rival.median;
  return {
    what,
    measured: `${ratio.toFixed(2)} × ${rivalName} (${ms(timing.median)} : ${ms(rival.median)}; best ${ms(timing.best)} : ${ms(rival.best)})`,
    aim: `≤ ${aim} ×`,
    met: ratio <= aim,
  };
}

/** A row about a quantity that must be below `aim`. */
export function limitRow(what: string, value: number, unit: string, aim: number, note = ''): Row {
  return {
    what,
    measured: `${value.toFixed(1)} ${unit}${note === '' ? '' : ` (${note})`}`,
    aim: `< ${aim} ${unit}`,
    met: value < aim,
  };
}

/** A row about how many times faster than its rival something must be at least. */
export function fasterRow(what: string, timing: Timing, rival: Timing, rivalName: string, aim: number): Row {
  const ratio = rival.median / timing.median;
  return {
    what,
    measured: `${ratio.toFixed(0)} × ${rivalName} (${ms(timing.median)} : ${ms(rival.median)}; best ${ms(timing.best)} : ${ms(rival.best)})`,
    aim: `≥ ${aim} ×`,
    met: ratio >= aim,
  };
}

/** A row about counts that must be at most their aims, one by one. */
export function countRow(
  what: string,
  counts: readonly number[],
  unit: string,
  aims: readonly number[],
  note = '',
): Row {
  return {
    what,
    measured: `${counts.join(', ')} ${unit}${note === '' ? '' : ` (${note})`}`,
    aim: `≤ ${aims.join(', ')}`,
    met: counts.length === aims.length && counts.every((count, index) => count <= (aims[index] ?? -1)),
  };
}

/** A row that only tells what one thing costs against another; medians in milliseconds. */
export function comparisonRow(what: string, time: number, rival: number, rivalName: string): Row {
  const ratio = (time / rival).toFixed(2);
  return { what, measured: `${ratio} × ${rivalName} (${ms(time)} : ${ms(rival)})`, aim: '–', met: undefined };
}

/** Milliseconds of one derivation with the product's parameters (docs/spec/keys.md: 64 MiB, three passes, one lane). */
export function timeOfArgon2(): number {
  const parameters = { message: 'x'.repeat(20), nonce: 'y'.repeat(16), parallelism: 1, tagLength: 32 };
  const start = performance.now();
  argon2Sync('argon2id', { ...parameters, memory: 65_536, passes: 3 });
  return performance.now() - start;
}

export function table(rows: readonly Row[]): string {
  const lines = [
    ['measured', 'aim', 'result', 'figure'],
    ...rows.map(({ what, measured, aim, met }) => [what, aim, resultOf(met), measured]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function resultOf(met: boolean | undefined): string {
  if (met === undefined) return '–';
  return met ? 'met' : 'MISSED';
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;
