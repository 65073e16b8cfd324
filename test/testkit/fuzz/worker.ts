/** The thread in which cases run, so that a watchdog can end one that does not end by itself (`campaign.ts`). */
import { parentPort, workerData } from 'node:worker_threads';
import type { FuzzJob, FuzzMessage } from './campaign.ts';
import { caseOf, judge, smallest } from './law.ts';
import { brokenTargets, fuzzTargets } from './targets.ts';

const job = workerData as FuzzJob;
const progress = new Int32Array(job.progress);
const targets =
  job.target === undefined
    ? fuzzTargets
    : [...fuzzTargets, ...brokenTargets].filter(({ name }) => name === job.target);

function say(message: FuzzMessage): void {
  parentPort?.postMessage(message);
}

/** Round about, one case of each target after the other, so that a short run has seen all of them. */
async function run(): Promise<void> {
  const failed = new Set<string>();
  const outcomes = new Map<string, number>();
  let cases = 0;
  say({ kind: 'began', targets: targets.map(({ name }) => name) });
  const end = performance.now() + job.seconds * 1000;
  for (let number = job.first; cases < job.cases && performance.now() < end; number++) {
    for (const [index, target] of targets.entries()) {
      if (failed.has(target.name)) continue;
      progress[1] = index;
      progress[2] = number;
      Atomics.add(progress, 0, 1);
      cases += 1;
      const bytes = caseOf(target, job.seed, number);
      try {
        const outcome = `${target.name}: ${await judge(target, bytes)}`;
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      } catch (error) {
        failed.add(target.name);
        const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
        say({ kind: 'broken', target: target.name, number, problem, bytes: await smallest(target, bytes) });
      }
    }
    if (failed.size === targets.length) break;
  }
  say({ kind: 'ended', cases, outcomes: [...outcomes] });
}

await run();
