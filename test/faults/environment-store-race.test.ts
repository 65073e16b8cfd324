/**
 * Real processes change one store at the same time, many times over: of two that planned on the same state one wins, and the
 * other is told `EnvironmentBusy` or `PlanOutdated`. No change that was reported is lost or overwritten, and whoever reads
 * meanwhile finds a whole state.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createEnvironmentStore } from '../../core/src/adapters/store-file/environment-store.ts';
import { createFileSystem } from '../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../core/src/adapters/system/processes.ts';
import { platformId, storageKey } from '../contract/environment-store.ts';
import { contend } from '../testkit/contention.ts';
import { stateOf } from '../testkit/store-state.ts';
import { makeTemporaryFolder } from '../testkit/temporary-folder.ts';

const rounds = process.env.SLOW === '1' ? 300 : 40;

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
    const { said, looks, faults } = await contend(store, folder, names, rounds, waitMilliseconds);
    expect(faults).toEqual([]);
    expect(looks).toBeGreaterThan(3);

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
