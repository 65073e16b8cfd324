/**
 * A fuzz run under a watchdog: cases run in a thread of their own; one that takes more than two seconds of processor time, or
 * memory beyond the bound, ends the thread and is named like any other that breaks the law. Every case can be made again
 * from the run's seed, the target's name and the case's number.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

export interface FuzzJob {
  readonly seed: number;
  readonly seconds: number;
  /** Only this one; undefined: all. */
  readonly target: string | undefined;
  /** Number of the first case. */
  readonly first: number;
  /** No more than so many in all. */
  readonly cases: number;
  /** Three 32-bit numbers: a count of cases, and target and number of the present one. */
  readonly progress: SharedArrayBuffer;
}

export interface BrokenCase {
  readonly target: string;
  readonly number: number;
  readonly problem: string;
  /** The smallest input that was found; undefined where the case had to be ended. */
  readonly bytes: Uint8Array | undefined;
}

export type FuzzMessage =
  | { readonly kind: 'began'; readonly targets: readonly string[] }
  | ({ readonly kind: 'broken' } & BrokenCase & { readonly bytes: Uint8Array })
  | {
      readonly kind: 'ended';
      readonly cases: number;
      readonly outcomes: readonly (readonly [string, number])[];
    };

export interface FuzzReport {
  readonly cases: number;
  readonly targets: readonly string[];
  readonly broken: readonly BrokenCase[];
  /** `<target>: <code or accepted>` and how often. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly peakBytes: number;
}

const longestCaseMilliseconds = 2000;
const heapMebibytes = 256;
/** Of the process beyond what it had before: the heap, and what lies outside it. */
const memoryBytes = 640 * 1024 * 1024;
const lookMilliseconds = 50;

export async function fuzz(options: {
  readonly seed: number;
  readonly seconds: number;
  readonly target?: string;
  readonly first?: number;
  readonly cases?: number;
}): Promise<FuzzReport> {
  const progress = new SharedArrayBuffer(12);
  const job: FuzzJob = {
    seed: options.seed,
    seconds: options.seconds,
    target: options.target,
    first: options.first ?? 0,
    cases: options.cases ?? Number.MAX_SAFE_INTEGER,
    progress,
  };
  const worker = new Worker(join(import.meta.dirname, 'worker.ts'), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: heapMebibytes },
  });
  return watch(worker, new Int32Array(progress));
}

function watch(worker: Worker, progress: Int32Array): Promise<FuzzReport> {
  return new Promise((resolve, reject) => {
    const broken: BrokenCase[] = [];
    let targets: readonly string[] = [];
    let outcomes: ReadonlyMap<string, number> = new Map();
    let cases = 0;
    let baseline: number | undefined;
    let peakBytes = 0;
    let seen = -1;
    let begun = 0;
    let ended = false;
    const present = (problem: string): BrokenCase => ({
      target: targets[progress[1] ?? 0] ?? '',
      number: progress[2] ?? 0,
      problem,
      bytes: undefined,
    });
    const finish = (): void => {
      if (ended) return;
      ended = true;
      clearInterval(looks);
      void worker.terminate();
      resolve({ cases: Math.max(cases, Atomics.load(progress, 0)), targets, broken, outcomes, peakBytes });
    };
    const look = async (): Promise<void> => {
      if (baseline === undefined || ended) return;
      peakBytes = Math.max(peakBytes, process.memoryUsage.rss() - baseline);
      const used = (await worker.cpuUsage()).user / 1000;
      const count = Atomics.load(progress, 0);
      if (count !== seen) {
        seen = count;
        begun = used;
      } else if (used - begun > longestCaseMilliseconds) {
        broken.push(present('it took more than two seconds'));
        finish();
        return;
      }
      if (peakBytes > memoryBytes) {
        broken.push(present(`it took ${String(peakBytes >> 20)} MiB of memory`));
        finish();
      }
    };
    const looks = setInterval(() => {
      // A thread that ends while it is asked answers nothing; its end is an event of its own.
      look().catch(() => undefined);
    }, lookMilliseconds);
    worker.on('message', (message: FuzzMessage) => {
      switch (message.kind) {
        case 'began':
          targets = message.targets;
          baseline = process.memoryUsage.rss();
          break;
        case 'broken':
          broken.push(message);
          break;
        case 'ended':
          cases = message.cases;
          outcomes = new Map(message.outcomes);
          finish();
      }
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY' || targets.length === 0) {
        clearInterval(looks);
        reject(error);
        return;
      }
      broken.push(present(`it took more than ${String(heapMebibytes)} MiB of heap`));
      finish();
    });
  });
}

/** How a person makes a case again. */
export function replayOf(seed: number, { target, number }: BrokenCase): string {
  return `npm run fuzz -- --seed ${String(seed)} --target ${target} --case ${String(number)}`;
}
