/**
 * Two real processes that change one store at the same time, again and again (`contender.ts`), and what a reader sees meanwhile.
 * Run by a test here, and in the Windows lane by a program of that Windows (`windows/contention.ts`).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { EnvironmentStore } from '../../core/src/ports/environment-store.ts';
import type { Round } from './contender.ts';

const program = fileURLToPath(new URL('contender.ts', import.meta.url));

export interface Contention {
  /** What the contenders said of their rounds. */
  readonly said: readonly Round[];
  /** How often the store was looked at meanwhile. */
  readonly looks: number;
  /** What was wrong in what the reader saw. */
  readonly faults: readonly string[];
}

/** Lets contenders of these names go for so many rounds; each waits so long for the lock. */
export async function contend(
  store: EnvironmentStore,
  folder: string,
  names: readonly string[],
  rounds: number,
  waitMilliseconds: number,
): Promise<Contention> {
  const begin = await Promise.all(
    names.map((name) => startContender([folder, name, String(rounds), String(waitMilliseconds)])),
  );
  const all = Promise.all(begin.map((one) => one()));
  const seen = await readUntil(all, store);
  return { said: (await all).flat(), ...seen };
}

/** Starts one; it begins when what is answered is called, and then answers what it said. */
async function startContender(args: readonly string[]): Promise<() => Promise<readonly Round[]>> {
  const child = spawn(process.execPath, ['--no-warnings', program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const { stdout } = child;
  if (stdout === null) throw new Error('a contender says nothing');
  await once(child, 'message');
  return async () => {
    child.send('begin');
    const [said, [code]] = await Promise.all([text(stdout), once(child, 'exit') as Promise<[number | null]>]);
    if (code !== 0) throw new Error(`a contender ended with exit code ${code}`);
    return said
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Round);
  };
}

/** Reads until `end`: whatever happens meanwhile, what is found must be whole. */
async function readUntil(
  end: Promise<unknown>,
  store: EnvironmentStore,
): Promise<Pick<Contention, 'looks' | 'faults'>> {
  const faults: string[] = [];
  let [looks, newest] = [0, 0];
  for (let ended = false; !ended; looks++) {
    const current = await store.current();
    const generations = await store.generations();
    const first = generations[0]?.generation ?? 0;
    const present = current?.generation ?? 0;
    if (new Set(generations.map(({ epoch }) => epoch)).size > 1) faults.push('two epochs');
    if (present < newest) faults.push(`${present} behind ${newest}`);
    if (first < present) faults.push(`the newest file is ${first}, the present one ${present}`);
    newest = first;
    const pause = new Promise<boolean>((resolve) => setTimeout(resolve, 5, false));
    ended = await Promise.race([end.then(() => true), pause]);
  }
  return { looks, faults };
}
