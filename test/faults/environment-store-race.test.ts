/**
 * Real processes change one store at the same time, many times over: of two that planned on the same state one wins, and the
 * other is told `EnvironmentBusy` or `PlanOutdated`. No change that was reported is lost or overwritten, and whoever reads
 * meanwhile finds a whole state.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createEnvironmentStore } from '../../core/src/adapters/store-file/environment-store.ts';
import { createFileSystem } from '../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../core/src/adapters/system/processes.ts';
import type { EnvironmentStore } from '../../core/src/ports/environment-store.ts';
import { platformId, storageKey } from '../contract/environment-store.ts';
import type { Round } from '../testkit/contender.ts';
import { stateOf } from '../testkit/store-state.ts';
import { makeTemporaryFolder } from '../testkit/temporary-folder.ts';

const program = fileURLToPath(new URL('../testkit/contender.ts', import.meta.url));
const rounds = process.env.SLOW === '1' ? 300 : 40;

interface Contender {
  readonly name: string;
  readonly waitMilliseconds: number;
}

/** Starts it; it begins when `begin` is called, and then answers what it said. */
async function startContender(
  folder: string,
  { name, waitMilliseconds }: Contender,
): Promise<{ readonly begin: () => Promise<readonly Round[]> }> {
  const child = spawn(process.execPath, [program, folder, name, String(rounds), String(waitMilliseconds)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const { stdout } = child;
  if (stdout === null) throw new Error('a contender says nothing');
  await once(child, 'message');
  const begin = async (): Promise<readonly Round[]> => {
    child.send('begin');
    const [said, exit] = await Promise.all([text(stdout), once(child, 'exit')]);
    expect([name, exit[0]]).toEqual([name, 0]);
    return said
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Round);
  };
  return { begin };
}

/** Reads until `end`: whatever happens meanwhile, what is found is whole. */
async function readUntil(end: Promise<unknown>, store: EnvironmentStore): Promise<number> {
  let looks = 0;
  let newest = 0;
  for (let ended = false; !ended; looks++) {
    const current = await store.current();
    const generations = await store.generations();
    expect(new Set(generations.map(({ epoch }) => epoch)).size).toBeLessThan(2);
    expect(current?.generation ?? 0).toBeGreaterThanOrEqual(newest);
    expect(generations[0]?.generation ?? 0).toBeGreaterThanOrEqual(current?.generation ?? 0);
    newest = generations[0]?.generation ?? 0;
    const pause = new Promise<boolean>((resolve) => setTimeout(resolve, 5, false));
    ended = await Promise.race([end.then(() => true), pause]);
  }
  return looks;
}

it.each([
  ['do not wait', 0],
  ['wait for each other', 5000],
])(
  'one of several wins, and the others are told so, where they %s',
  { timeout: 240_000 },
  async (_, waitMilliseconds) => {
    const folder = join(await makeTemporaryFolder(), platformId);
    const store = createEnvironmentStore({
      disk: createFileSystem(process.platform),
      processes: createProcesses(process.platform),
      folder,
      platform: platformId,
      storageKey,
    });
    const names = ['Anna', 'Bert'];
    const contenders = await Promise.all(
      names.map((name) => startContender(folder, { name, waitMilliseconds })),
    );
    const all = Promise.all(contenders.map(({ begin }) => begin()));
    expect(await readUntil(all, store)).toBeGreaterThan(3);
    const said = (await all).flat();

    const won = said.filter((round) => round.won !== undefined);
    const refused = said.filter((round) => round.won === undefined);
    expect(said).toHaveLength(names.length * rounds);
    for (const name of names) expect(won.some((round) => round.text.startsWith(name))).toBe(true);
    // They did meet; and whoever lost was told in one of two ways.
    expect(refused.length).toBeGreaterThan(0);
    for (const { code } of refused) expect(['EnvironmentBusy', 'PlanOutdated']).toContain(code);

    // Every number was won once: nobody wrote over what another was told that it had done.
    const numbers = won.map((round) => round.won?.generation ?? 0).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: won.length }, (_, index) => index + 1));
    const { current, kept, quarantine } = await stateOf(store);
    expect([current, quarantine]).toEqual([won.length, []]);
    const byNumber = new Map(won.map((round) => [round.won?.generation, round.text]));
    for (const [number, content] of kept) expect(content).toBe(byNumber.get(number));
    expect((await readdir(folder)).sort()).toEqual(['current', 'epochs']);
    expect(await readdir(join(folder, 'epochs'))).toHaveLength(1);
  },
);
