/**
 * Power is lost after every single change that a store makes to its disk, and comes back with every kind of damage that
 * POSIX allows: then the environment is the old one or the new one, whole, and the store goes on from there. The same with a
 * program that is killed there, with a disk that is full, and with a loss of power after another program went on.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createEnvironmentStore } from '../../core/src/adapters/store-file/environment-store.ts';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { fail } from '../../core/src/domain/error.ts';
import type {
  EnvironmentStore,
  EnvironmentWriter,
  GenerationFile,
} from '../../core/src/ports/environment-store.ts';
import { platformId, storageKey, tried } from '../contract/environment-store.ts';
import { createFailingDisk, PowerLost, type FailingDisk } from '../testkit/failing-disk.ts';
import { isState, meaninglessFiles, stateOf, type StoreState } from '../testkit/store-state.ts';
import { createTestProcesses } from '../testkit/surroundings.ts';

const folder = '/data/store';

function open(disk: FailingDisk, pid: number): EnvironmentStore {
  // Each program has its own process number, and only it lives: what an earlier one locked is left over.
  const processes = createTestProcesses().start(pid);
  const options = { folder, platform: platformId, storageKey, lockWaitMilliseconds: 0 };
  return createEnvironmentStore({ disk, processes, ...options });
}

const content = (number: number): Uint8Array => utf8(`content of generation ${number}`);
type Change = (writer: EnvironmentWriter) => Promise<unknown>;

const append =
  (number: number, drop: readonly number[] = []): Change =>
  (writer) =>
    writer.append(number, content(number), drop);
const replace =
  (text: string): Change =>
  (writer) =>
    writer.replace(1, utf8(text));
const setAside: Change = (writer) => writer.setAside();
const exchange =
  (id: string): Change =>
  (writer) =>
    writer.exchange(id);
const rewrite =
  (...numbers: readonly number[]): Change =>
  (writer) =>
    writer.rewrite(anew(numbers));
const rewriteQuarantined =
  (id: string, generation: number): Change =>
  (writer) =>
    writer.rewriteQuarantined(id, { generation, bytes: utf8(`generation ${generation} without a key`) });

async function* anew(numbers: readonly number[]): AsyncGenerator<GenerationFile> {
  for (const generation of numbers)
    yield await Promise.resolve({ generation, bytes: utf8(`generation ${generation}, sealed anew`) });
}

const ten = Array.from({ length: 10 }, (_, index) => append(index + 1));
const oneToTen = Array.from({ length: 10 }, (_, index) => index + 1);

interface Scenario {
  readonly name: string;
  readonly before: readonly Change[];
  readonly change: Change;
}

const scenarios: readonly Scenario[] = [
  { name: 'the first generation', before: [], change: append(1) },
  { name: 'another generation', before: [append(1)], change: append(2) },
  { name: 'an eleventh generation, which drops the first', before: ten, change: append(11, [1]) },
  { name: 'a generation that drops several', before: ten, change: append(11, [6, 3, 1]) },
  { name: 'replacing an environment', before: [append(1), append(2)], change: replace('the other') },
  { name: 'setting an environment aside', before: [append(1), append(2)], change: setAside },
  { name: 'the first generation after setting aside', before: [append(5), setAside], change: append(1) },
  { name: 'replacing again', before: [append(1), replace('the second')], change: replace('the third') },
  { name: 'writing two generations anew', before: [append(1), append(2)], change: rewrite(1, 2) },
  { name: 'writing ten generations anew, and a next one', before: ten, change: rewrite(...oneToTen, 11) },
  { name: 'writing anew again', before: [append(1), rewrite(1)], change: rewrite(1, 2) },
  {
    name: 'exchanging environments',
    before: [append(3), append(4), replace('the other')],
    change: exchange('1'),
  },
  {
    name: 'exchanging with the older of two',
    before: [append(3), replace('the second'), replace('the third'), append(2)],
    change: exchange('1'),
  },
  {
    name: 'exchanging back',
    before: [append(3), replace('the other'), exchange('1')],
    change: exchange('2'),
  },
  { name: 'taking back where nothing is', before: [append(3), append(4), setAside], change: exchange('1') },
  {
    name: 'removing something for good from quarantine',
    before: [append(3), append(4), replace('the other')],
    change: rewriteQuarantined('1', 3),
  },
];

type Survival = (folder: string, name: string) => boolean;

/** Which unsynced names come back: all, none, those of some folders, and mixtures of single names. */
const survivals: readonly Survival[] = [
  () => true,
  (path) => path === folder,
  (path) => path !== folder,
  (path) => path.includes('quarantine'),
  mixture('a'),
  mixture('b'),
  () => false,
];

function mixture(seed: string): Survival {
  return (path, name) =>
    ((createHash('sha256').update(`${seed} ${path}/${name}`).digest()[0] ?? 0) & 1) === 1;
}

async function prepare(before: readonly Change[]): Promise<FailingDisk> {
  const disk = createFailingDisk();
  for (const change of before) await open(disk, 1).withLock(change);
  return disk;
}

/** A scenario that was run once without a fault, and its disk before that, as often as wanted. */
interface Prepared {
  readonly old: StoreState;
  readonly now: StoreState;
  /** How many changes of the disk the change makes, its lock included. */
  readonly changes: number;
  readonly fresh: () => FailingDisk;
}

async function run({ before, change }: Scenario): Promise<Prepared> {
  const prepared = await prepare(before);
  const fresh = (): FailingDisk => prepared.restart(() => true);
  const old = await stateOf(open(fresh(), 2));
  const finished = fresh();
  await open(finished, 1).withLock(change);
  return { old, now: await stateOf(open(finished, 2)), changes: finished.changes, fresh };
}

/** What the state is called that a store is in. */
function which(found: StoreState, { old, now }: Prepared): 'old' | 'new' {
  if (isState(found, now, old)) return 'new';
  expect(found).toEqual(old);
  return 'old';
}

/** The next opening with the lock takes every left-over away and changes nothing that counts. */
async function expectTidy(disk: FailingDisk, state: StoreState): Promise<void> {
  await open(disk, 31).withLock(() => Promise.resolve());
  expect(await stateOf(open(disk, 32))).toEqual(state);
  expect(meaninglessFiles(disk, folder, state)).toEqual([]);
}

/** Every change of the disk, with every survival: a second or two alone, much more beside other suites. */
const patient = { timeout: 120_000 };

describe.each(scenarios)('power is lost during $name', (scenario) => {
  it('and the environment is the old or the new one', patient, async () => {
    const prepared = await run(scenario);
    expect(prepared.changes).toBeGreaterThan(4);
    const seen = new Set<string>();
    for (let at = 1; at <= prepared.changes; at++) {
      for (const halfDone of [false, true]) {
        for (const survives of survivals) {
          const disk = prepared.fresh();
          disk.losePowerAt(at, halfDone);
          await expect(open(disk, 1).withLock(scenario.change)).rejects.toThrow(PowerLost);

          const after = disk.restart(survives);
          const state = await stateOf(open(after, 2));
          seen.add(which(state, prepared));
          await expectTidy(after, state);

          // And the interrupted change can be made again.
          if (which(state, prepared) === 'old') {
            await open(after, 5).withLock(scenario.change);
            expect(await stateOf(open(after, 6))).toEqual(prepared.now);
          }
        }
      }
    }
    expect(seen).toEqual(new Set(['old', 'new']));
  });
});

/** What the next program does: each kind of switch gives another folder a meaning. */
const followUps: readonly Change[] = [
  async (writer) => writer.append(1 + ((await writer.current())?.generation ?? 0), utf8('the next one')),
  async (writer) => {
    const numbers = (await writer.generations()).map(({ generation }) => generation).reverse();
    if (numbers.length > 0) await writer.rewrite(anew(numbers));
  },
  async (writer) => {
    if ((await writer.current()) !== undefined) await writer.setAside();
  },
];

describe.each(scenarios)('a program is killed during $name', (scenario) => {
  /** The disk as the next program finds it: names are there, and may not be durable. */
  async function killedAt({ fresh }: Prepared, at: number): Promise<FailingDisk> {
    const disk = fresh();
    disk.losePowerAt(at, true);
    await expect(open(disk, 1).withLock(scenario.change)).rejects.toThrow(PowerLost);
    return disk.resume();
  }

  it(
    'and the next one takes nothing away that a loss of power may bring back into use',
    patient,
    async () => {
      const prepared = await run(scenario);
      for (let at = 1; at <= prepared.changes; at++) {
        for (const survives of survivals) {
          const disk = await killedAt(prepared, at);
          await open(disk, 2).withLock(() => Promise.resolve());
          const after = disk.restart(survives);
          const state = await stateOf(open(after, 3));
          which(state, prepared);
          await expectTidy(after, state);
        }
      }
    },
  );

  it('and what the next one is told that it did outlives a loss of power', patient, async () => {
    const prepared = await run(scenario);
    for (let at = 1; at <= prepared.changes; at++) {
      for (const goOn of followUps) {
        for (const survives of survivals.slice(-3)) {
          const disk = await killedAt(prepared, at);
          await open(disk, 2).withLock(goOn);
          const done = await stateOf(open(disk, 3));
          const after = disk.restart(survives);
          const state = await stateOf(open(after, 4));
          expect(isState(state, done, done)).toBe(true);
          await expectTidy(after, state);
        }
      }
    }
  });
});

describe.each(scenarios)('the disk is full during $name', (scenario) => {
  it('and the old environment stands, or the new one is whole', async () => {
    const prepared = await run(scenario);
    let refused = 0;
    for (let at = 1; at <= prepared.changes; at++) {
      const disk = prepared.fresh();
      disk.failAt(at, fail('StorageFull', { path: folder }));
      const outcome = await open(disk, 1)
        .withLock(scenario.change)
        .then(
          () => 'done',
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'StorageFull' });
            refused += 1;
            return 'refused';
          },
        );
      const state = await stateOf(open(disk, 2));
      const found = which(state, prepared);
      // What is reported as done is done. A refusal after the switch (the sync of its folder) may have happened.
      if (outcome === 'done') expect(found).toBe('new');
      // What was refused leaves nothing behind, not even until the next program comes.
      if (found === 'old') {
        expect(meaninglessFiles(disk, folder, state)).toEqual([]);
        // Once there is space again, what is reported as done outlives a loss of power.
        await open(disk, 3).withLock(scenario.change);
        expect(
          which(
            await stateOf(
              open(
                disk.restart(() => false),
                4,
              ),
            ),
            prepared,
          ),
        ).toBe('new');
      }
      await expectTidy(disk, await stateOf(open(disk, 5)));
      // Nor does the tidying take away what is needed where the switch, refused while it was made durable, gets lost.
      for (const survives of survivals) which(await stateOf(open(disk.restart(survives), 6)), prepared);
    }
    expect(refused).toBeGreaterThan(2);
  });
});

describe('records', () => {
  it('are the old or the new ones after a loss of power', async () => {
    for (let at = 1; ; at++) {
      const disk = await prepare([append(1)]);
      await open(disk, 1).updateAttempts(tried, () => ({ failed: 1, last: 100 }));
      disk.losePowerAt(at, true);
      const outcome = await open(disk, 1)
        .updateAttempts(tried, () => ({ failed: 2, last: 200 }))
        .then(
          () => 'done',
          () => 'lost',
        );
      for (const survives of survivals) {
        const attempts = await open(disk.restart(survives), 2).attempts(tried);
        const either = [
          { failed: 1, last: 100 },
          { failed: 2, last: 200 },
        ];
        expect(outcome === 'done' ? either.slice(1) : either).toContainEqual(attempts);
      }
      if (outcome === 'done') return;
    }
  });
});
