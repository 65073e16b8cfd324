/**
 * Power is lost after every single change that a store makes to its disk, and comes back with every kind of damage that
 * POSIX allows: then the environment is the old one or the new one, whole, and the store goes on from there.
 */
import { describe, expect, it } from 'vitest';
import { createEnvironmentStore } from '../../core/src/adapters/store-file/environment-store.ts';
import { fromUtf8, utf8 } from '../../core/src/bytes/bytes.ts';
import { fail } from '../../core/src/domain/error.ts';
import type { EnvironmentStore, EnvironmentWriter } from '../../core/src/ports/environment-store.ts';
import { platformId, storageKey } from '../contract/environment-store.ts';
import { createFailingDisk, PowerLost, type FailingDisk } from '../testkit/failing-disk.ts';
import { createTestProcesses } from '../testkit/surroundings.ts';

const folder = '/data/store';

function open(disk: FailingDisk, pid: number): EnvironmentStore {
  // Each program has its own process number, and only it lives: what an earlier one locked is left over.
  const processes = createTestProcesses().start(pid);
  const options = { folder, platform: platformId, storageKey, lockWaitMilliseconds: 0 };
  return createEnvironmentStore({ disk, processes, ...options });
}

/** What a store holds, as one value. Reads everything that it says it has. */
async function stateOf(store: EnvironmentStore): Promise<unknown> {
  const current = await store.current();
  return {
    current: current && {
      epoch: current.epoch,
      generation: current.generation,
      text: fromUtf8(current.bytes),
    },
    generations: await store.generations(),
    quarantine: await store.quarantine(),
  };
}

const content = (number: number): Uint8Array => utf8(`content of generation ${number}`);
const append =
  (number: number) =>
  (writer: EnvironmentWriter): Promise<unknown> =>
    writer.append(number, content(number));

type Change = (writer: EnvironmentWriter) => Promise<unknown>;
const full = Array.from({ length: 10 }, (_, index) => append(index + 1));

const scenarios: readonly { name: string; before: readonly Change[]; change: Change }[] = [
  { name: 'the first generation', before: [], change: append(1) },
  { name: 'another generation', before: [append(1)], change: append(2) },
  { name: 'an eleventh generation, which drops the first', before: full, change: append(11) },
  {
    name: 'replacing an environment',
    before: [append(1), append(2)],
    change: (writer) => writer.replace(1, utf8('the other environment')),
  },
  {
    name: 'setting an environment aside',
    before: [append(1), append(2)],
    change: (writer) => writer.setAside(),
  },
  {
    name: 'the first generation after setting aside',
    before: [append(5), (writer) => writer.setAside()],
    change: append(1),
  },
  {
    name: 'replacing again',
    before: [append(1), (writer) => writer.replace(1, utf8('the second'))],
    change: (writer) => writer.replace(1, utf8('the third')),
  },
];

/** Which folders' unsynced names come back: all, none, and mixtures. */
const survivals: readonly ((path: string) => boolean)[] = [
  () => true,
  () => false,
  (path) => path === folder,
  (path) => path !== folder,
  (path) => path.includes('quarantine'),
];

async function prepare(before: readonly Change[]): Promise<FailingDisk> {
  const disk = createFailingDisk();
  for (const change of before) await open(disk, 1).withLock(change);
  return disk;
}

describe.each(scenarios)('power is lost during $name', ({ before, change }) => {
  it('and the environment is the old or the new one', async () => {
    const old = await stateOf(open(await prepare(before), 2));
    const finished = await prepare(before);
    const changesBefore = finished.changes;
    await open(finished, 1).withLock(change);
    const now = await stateOf(open(finished, 2));
    const changes = finished.changes - changesBefore;
    expect(changes).toBeGreaterThan(6);
    const seen = new Set<string>();

    for (let at = 1; at <= changes; at++) {
      for (const halfDone of [false, true]) {
        for (const survives of survivals) {
          const disk = await prepare(before);
          disk.losePowerAt(at, halfDone);
          await expect(open(disk, 1).withLock(change)).rejects.toThrow(PowerLost);

          const after = disk.restart(survives);
          const state = await stateOf(open(after, 2));
          expect([old, now]).toContainEqual(state);
          seen.add(JSON.stringify(state));

          // The next opening with the lock takes every left-over away and changes nothing that counts.
          await open(after, 3).withLock(() => Promise.resolve());
          expect(await stateOf(open(after, 4))).toEqual(state);
          expect(after.files().filter((path) => /\.tmp$|lock\./.test(path))).toEqual([]);
          expect(await meaningless(after)).toEqual([]);

          // And the interrupted change can be made again.
          if (JSON.stringify(state) === JSON.stringify(old)) {
            await open(after, 5).withLock(change);
            expect(await stateOf(open(after, 6))).toEqual(now);
          }
        }
      }
    }
    expect(seen).toEqual(new Set([JSON.stringify(old), JSON.stringify(now)]));
  });
});

/** Generation files that neither the present environment nor a quarantined one accounts for. */
async function meaningless(disk: FailingDisk): Promise<readonly string[]> {
  const store = open(disk, 9);
  const kept = (await store.generations()).map(
    ({ epoch, generation }) => `${folder}/epochs/${epoch}/${String(generation).padStart(6, '0')}.spenv`,
  );
  const quarantined = (await store.quarantine()).map(({ path }) => `${path}/`);
  return disk
    .files()
    .filter((path) => path.endsWith('.spenv'))
    .filter((path) => !kept.includes(path) && !quarantined.some((start) => path.startsWith(start)));
}

describe.each(scenarios)('the disk is full during $name', ({ before, change }) => {
  it('and the old environment stands, or the new one is whole', async () => {
    const old = await stateOf(open(await prepare(before), 2));
    const finished = await prepare(before);
    const changesBefore = finished.changes;
    await open(finished, 1).withLock(change);
    const now = await stateOf(open(finished, 2));

    let refused = 0;
    for (let at = 1; at <= finished.changes - changesBefore; at++) {
      const disk = await prepare(before);
      disk.failAt(at, fail('StorageFull', { path: folder }));
      const outcome = await open(disk, 1)
        .withLock(change)
        .then(
          () => 'done',
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'StorageFull' });
            refused += 1;
            return 'refused';
          },
        );
      const state = await stateOf(open(disk, 2));
      // What is reported as done is done. A refusal after the switch (the sync of its folder) may have happened.
      expect(outcome === 'done' ? [now] : [old, now]).toContainEqual(state);
      await open(disk, 3).withLock(() => Promise.resolve());
      expect(await stateOf(open(disk, 4))).toEqual(state);
    }
    expect(refused).toBeGreaterThan(3);
  });
});

describe('records', () => {
  it('are the old or the new ones after a loss of power', async () => {
    for (let at = 1; ; at++) {
      const disk = await prepare([append(1)]);
      await open(disk, 1).setAttempts({ failed: 1, last: 100 });
      disk.losePowerAt(at, true);
      const outcome = await open(disk, 1)
        .setAttempts({ failed: 2, last: 200 })
        .then(
          () => 'done',
          () => 'lost',
        );
      for (const survives of survivals) {
        const attempts = await open(disk.restart(survives), 2).attempts();
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
