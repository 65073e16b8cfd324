/**
 * What a store takes away and what it leaves (docs/spec/environment-store.md, "Left-overs"): only what an interrupted change can
 * have left, nothing where `current` is older than the files beside it, and never a name that is not the store's. Also what
 * holds while something cannot be taken away, as on Windows while somebody reads it.
 */
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureFolder } from '../../../core/src/adapters/store-file/durable.ts';
import { createEnvironmentStore } from '../../../core/src/adapters/store-file/environment-store.ts';
import { utf8 } from '../../../core/src/bytes/bytes.ts';
import { fail } from '../../../core/src/domain/error.ts';
import type { EnvironmentStore, GenerationFile } from '../../../core/src/ports/environment-store.ts';
import type { FileSystem } from '../../../core/src/ports/file-system.ts';
import { platformId, storageKey } from '../../contract/environment-store.ts';
import { createFailingDisk, type FailingDisk } from '../../testkit/failing-disk.ts';
import { meaninglessFiles, stateOf } from '../../testkit/store-state.ts';
import { createTestProcesses } from '../../testkit/surroundings.ts';

const folder = '/data/store';

function open(disk: FileSystem): EnvironmentStore {
  const processes = createTestProcesses().start(41);
  return createEnvironmentStore({
    disk,
    processes,
    folder,
    platform: platformId,
    storageKey,
    lockWaitMilliseconds: 0,
  });
}

const append = (disk: FileSystem, number: number) =>
  open(disk).withLock((writer) => writer.append(number, utf8(`${number}`)));
const replace = (disk: FileSystem, text: string) =>
  open(disk).withLock((writer) => writer.replace(1, utf8(text)));
const exchange = (disk: FileSystem, id: string) => open(disk).withLock((writer) => writer.exchange(id));
const rewrite = (disk: FileSystem, ...numbers: readonly number[]) =>
  open(disk).withLock((writer) => writer.rewrite(anew(numbers)));
const onlyOpen = (disk: FileSystem) => open(disk).withLock(() => Promise.resolve());

async function* anew(numbers: readonly number[]): AsyncGenerator<GenerationFile> {
  for (const generation of numbers)
    yield await Promise.resolve({ generation, bytes: utf8(`new ${generation}`) });
}

/** A disk with generations 1 to 3 in epoch 1. */
async function three(): Promise<FailingDisk> {
  const disk = createFailingDisk();
  for (const number of [1, 2, 3]) await append(disk, number);
  return disk;
}

async function put(disk: FailingDisk, path: string, text: string): Promise<void> {
  await ensureFolder(disk, dirname(path), 0o700);
  if ((await disk.status(path)) !== undefined) await disk.remove(path);
  await disk.create(path, utf8(text), 0o600);
}

const pointer = (epoch: number, generation: number, more = ''): string =>
  `SPMigration environment-pointer v1\nstorage-key: ${storageKey}\nepoch: ${epoch}\ngeneration: ${generation}\n${more}`;

describe('what an interrupted change can have left', () => {
  it.each([
    ['a generation that never took effect', `${folder}/epochs/1/000004.spenv`],
    ['an epoch that never took effect', `${folder}/epochs/2/000001.spenv`],
    ['a copy that never took effect', `${folder}/quarantine/1/000003.spenv`],
    ['a temporary file', `${folder}/current.99.s1.7.tmp`],
    ['the lock of a record', `${folder}/records-lock.${platformId}.99.s1.7`],
    ['the lock of the history', `${folder}/history-lock.user.99.s1.7`],
  ])('is taken away: %s', async (_, path) => {
    const disk = await three();
    const before = await stateOf(open(disk));
    await put(disk, path, 'left over');
    expect(await stateOf(open(disk))).toEqual(before);
    await onlyOpen(disk);
    expect(disk.files()).not.toContain(path);
    expect(await stateOf(open(disk))).toEqual(before);
  });

  it('is taken away by what never came to its switch, without another opening', async () => {
    const disk = await three();
    await replace(disk, 'another');
    const before = disk.files();
    disk.failAt(12, fail('StorageFull', { path: folder }));
    await expect(exchange(disk, '1')).rejects.toMatchObject({ code: 'StorageFull' });
    expect(disk.files()).toEqual(before);
  });
});

describe('a current that is older than the files beside it', () => {
  it.each([
    ['names a generation long gone', `${folder}/current`, pointer(1, 9)],
    ['names a generation before several', `${folder}/current`, pointer(1, 1)],
    ['stands before an epoch after the next', `${folder}/epochs/3/000001.spenv`, 'environment'],
    ['stands before an environment set aside later', `${folder}/quarantine/2/000001.spenv`, 'environment'],
  ])('is damage, and nothing is removed: it %s', async (_, path, text) => {
    const disk = await three();
    await put(disk, path, text);
    const before = disk.files();
    await expect(append(disk, 4)).rejects.toMatchObject({ code: 'EnvironmentDamaged' });
    await expect(onlyOpen(disk)).rejects.toMatchObject({ code: 'EnvironmentDamaged' });
    expect(disk.files()).toEqual(before);
  });

  it('is damage also where it names the epoch that came back last and has not its place', async () => {
    for (const returned of ['returned: 1\n', 'returned: 2\n', 'returned: 0\n', 'returned: 01\n']) {
      const disk = await three();
      await put(disk, `${folder}/current`, pointer(1, 3, returned));
      await expect(open(disk).current()).rejects.toMatchObject({ code: 'EnvironmentDamaged' });
    }
  });
});

describe('a name that is not the store’s', () => {
  it('stays, also in an epoch that is taken away, and stands in nobody’s way', async () => {
    const disk = await three();
    await put(disk, `${folder}/epochs/1/notes.txt`, 'mine');
    await put(disk, `${folder}/epochs/2/000001.spenv.bak`, 'mine');
    await put(disk, `${folder}/quarantine/mine/000001.spenv`, 'mine');
    await put(disk, `${folder}/notes.99.s1.7`, 'mine');
    await rewrite(disk, 1, 2, 3);
    await replace(disk, 'another');
    await exchange(disk, '2');
    expect(disk.files().filter((path) => !/\/current$|\/0+[123]\.spenv$/.test(path))).toEqual([
      `${folder}/epochs/1/notes.txt`,
      `${folder}/epochs/2/000001.spenv.bak`,
      `${folder}/notes.99.s1.7`,
    ]);
    expect(disk.files()).toContain(`${folder}/quarantine/mine/000001.spenv`);
    expect(await stateOf(open(disk))).toMatchObject({ epoch: 4, current: 3, quarantine: [{ id: '3' }] });
  });
});

describe('while nothing can be taken away', () => {
  const held = (disk: FailingDisk): FileSystem => ({
    ...disk,
    remove: (path) =>
      path.includes('.spenv') ? Promise.reject(fail('StorageDenied', { path })) : disk.remove(path),
  });

  it('a change is done all the same, and what lost its meaning has none', async () => {
    const disk = await three();
    await replace(disk, 'another');
    const done = await exchange(held(disk), '1');
    expect(done.now).toEqual({ epoch: 3, generation: 3 });
    const state = await stateOf(open(disk));
    expect(state).toMatchObject({ epoch: 3, current: 3, quarantine: [{ id: '2' }] });
    expect(disk.files()).toContain(`${folder}/quarantine/1/000003.spenv`);
    // Not even after the environment that came back changed in every way.
    await append(held(disk), 4);
    await rewrite(held(disk), 3, 4);
    expect((await stateOf(open(disk))).quarantine).toEqual(state.quarantine);
    await onlyOpen(disk);
    const now = await stateOf(open(disk));
    expect(now.quarantine).toEqual(state.quarantine);
    expect(meaninglessFiles(disk, folder, now)).toEqual([]);
  });

  it('a change that would take it for its own is refused with the disk’s reason', async () => {
    const refusal = { code: 'StorageDenied' };
    // What came back last still lies in quarantine: `current` can name only one.
    const returned = await three();
    await replace(returned, 'another');
    await exchange(held(returned), '1');
    const before = await stateOf(open(returned));
    await expect(exchange(held(returned), '2')).rejects.toMatchObject(refusal);
    expect(await stateOf(open(returned))).toEqual(before);
    await exchange(returned, '2');

    // A copy that never took effect would be an environment set aside once the epoch is over.
    const copied = await three();
    await put(copied, `${folder}/quarantine/1/000002.spenv`, 'half a copy');
    await expect(rewrite(held(copied), 1, 2, 3)).rejects.toMatchObject(refusal);
    await expect(replace(held(copied), 'another')).rejects.toMatchObject(refusal);
    expect((await stateOf(open(copied))).quarantine).toEqual([]);

    // Generations of an epoch that never took effect would be among the new ones.
    const begun = await three();
    await put(begun, `${folder}/epochs/2/000001.spenv`, 'never in effect');
    await expect(rewrite(held(begun), 2, 3)).rejects.toMatchObject(refusal);
    await expect(open(held(begun)).withLock((writer) => writer.setAside())).rejects.toMatchObject(refusal);
    expect(await stateOf(open(begun))).toMatchObject({ epoch: 1, current: 3, quarantine: [] });
  });
});

describe('quarantine without a pointer', () => {
  it('gives back an environment', async () => {
    const disk = await three();
    await replace(disk, 'another');
    await disk.remove(`${folder}/current`);
    await disk.remove(`${folder}/epochs/2/000001.spenv`);
    await disk.removeFolder(`${folder}/epochs/2`);
    expect(await exchange(disk, '1')).toEqual({ now: { epoch: 3, generation: 3 }, setAside: undefined });
    expect(await stateOf(open(disk))).toMatchObject({ epoch: 3, current: 3, quarantine: [] });
  });

  it('is not begun for an environment that is not there', async () => {
    const disk = createFailingDisk();
    await expect(exchange(disk, '1')).rejects.toMatchObject({ code: 'InternalError' });
    expect(disk.files()).toEqual([]);
  });
});

describe('readers', () => {
  it('find one state, whole, whatever changes under them', async () => {
    const disk = await three();
    // One generation after each replace, three after each exchange; an environment more in quarantine with each round.
    const changes = (async () => {
      for (let round = 0; round < 60; round++) {
        await replace(disk, `round ${round}`);
        const [newest] = await open(disk).quarantine();
        await exchange(disk, newest?.id ?? '');
        await rewrite(disk, 1, 2, 3);
      }
      return 'done';
    })();
    // A reader so slow that a whole change may happen between two of its looks.
    const slow = (looks: number): FileSystem => ({
      ...disk,
      list: async (path) => {
        for (let look = 0; look < looks; look++) await Promise.resolve();
        return disk.list(path);
      },
    });
    const lengths = new Set<number>();
    let aside = 0;
    let looks = 0;
    for (let done = ''; done === ''; done = await Promise.race([changes, Promise.resolve('')])) {
      looks = (looks + 37) % 500;
      const store = open(slow(looks));
      expect(await store.current()).toBeDefined();
      const generations = await store.generations();
      expect([[1], [3, 2, 1]]).toContainEqual(generations.map(({ generation }) => generation));
      expect(new Set(generations.map(({ epoch }) => epoch)).size).toBe(1);
      lengths.add(generations.length);
      const quarantine = await store.quarantine();
      expect(quarantine.length).toBeGreaterThanOrEqual(aside);
      aside = quarantine.length;
      for (const { id, generation } of quarantine)
        expect([[], [generation], [3, 2, 1]]).toContainEqual(await store.quarantinedGenerations(id));
    }
    expect(lengths).toEqual(new Set([1, 3]));
    expect(aside).toBeGreaterThan(10);
  });
});
