/** What the contract of environment stores does not say: the file store's own files, damage, foreign names, locks. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createEnvironmentStore } from '../../../core/src/adapters/store-file/environment-store.ts';
import {
  generationName,
  parseEpochName,
  parseGenerationName,
} from '../../../core/src/adapters/store-file/layout.ts';
import { createFileSystem } from '../../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../../core/src/adapters/system/processes.ts';
import { fromUtf8, utf8 } from '../../../core/src/bytes/bytes.ts';
import type { EnvironmentStore } from '../../../core/src/ports/environment-store.ts';
import { platformId, storageKey, tried } from '../../contract/environment-store.ts';
import { createFailingDisk } from '../../testkit/failing-disk.ts';
import { createTestProcesses } from '../../testkit/surroundings.ts';
import { makeTemporaryFolder } from '../../testkit/temporary-folder.ts';

const windows = process.platform === 'win32';

async function makeStore(): Promise<{ readonly store: EnvironmentStore; readonly folder: string }> {
  const folder = join(await makeTemporaryFolder(), 'deep', platformId);
  return { folder, store: openStore(folder) };
}

function openStore(folder: string): EnvironmentStore {
  return createEnvironmentStore({
    disk: createFileSystem(process.platform),
    processes: createProcesses(process.platform),
    folder,
    platform: platformId,
    storageKey,
    lockWaitMilliseconds: 50,
  });
}

const append = (store: EnvironmentStore, number: number): Promise<unknown> =>
  store.withLock((writer) => writer.append(number, utf8(`${number}`)));

describe('the folder', () => {
  it('looks as specified', async () => {
    const { store, folder } = await makeStore();
    await append(store, 7);
    await store.withLock((writer) => writer.replace(1, utf8('x')));
    expect((await readdir(folder, { recursive: true })).sort()).toEqual([
      'current',
      'epochs',
      'epochs/2',
      'epochs/2/000001.spenv',
      'quarantine',
      'quarantine/1',
      'quarantine/1/000007.spenv',
    ]);
    expect(await readFile(join(folder, 'current'), 'utf8')).toBe(
      `SPMigration environment-pointer v1\nstorage-key: ${storageKey}\nepoch: 2\ngeneration: 1\n`,
    );
  });

  it.skipIf(windows)('is closed to other accounts, also where it was open before', async () => {
    const { store, folder } = await makeStore();
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o755);
    await append(store, 1);
    await store.updateInstalled(() => new Map());
    for (const name of await readdir(folder, { recursive: true })) {
      const found = await stat(join(folder, name));
      expect([name, found.mode & 0o777]).toEqual([name, found.isDirectory() ? 0o700 : 0o600]);
    }
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('keeps what it does not know', async () => {
    const { store, folder } = await makeStore();
    await append(store, 1);
    await writeFile(join(folder, 'epochs', '1', 'notes.txt'), 'mine');
    await writeFile(join(folder, 'epochs', '1', '9.spenv'), 'not a name of ours');
    await mkdir(join(folder, 'epochs', 'backup'));
    await append(store, 2);
    expect((await readdir(join(folder, 'epochs', '1'))).sort()).toEqual([
      '000001.spenv',
      '000002.spenv',
      '9.spenv',
      'notes.txt',
    ]);
    expect((await readdir(join(folder, 'epochs'))).sort()).toEqual(['1', 'backup']);
  });
});

describe('a counter of wrong passwords of before there was one for each', () => {
  it('holds for every password, until it is written anew', async () => {
    const { store, folder } = await makeStore();
    await append(store, 1);
    await writeFile(
      join(folder, 'attempts'),
      'SPMigration password-attempts v1\nfailed: 4\nlast: 2026-11-24T06:00:00Z\n',
    );
    const password = (byte: number) =>
      ({ of: 'environment', passwordSalt: new Uint8Array(16).fill(byte) }) as const;
    expect(await store.attempts(password(1))).toMatchObject({ failed: 4 });
    expect(await store.attempts(password(2))).toMatchObject({ failed: 4 });
    await store.updateAttempts(password(1), ({ failed, last }) => ({ failed: failed + 1, last }));
    expect(await store.attempts(password(1))).toMatchObject({ failed: 5 });
  });
});

describe('damage', () => {
  it.each([
    ['nothing', ''],
    ['half of it', 'SPMigration environment-pointer v1\nstorage-key: 000b'],
    ['another kind', 'SPMigration grant v1\n'],
    [
      'a path',
      `SPMigration environment-pointer v1\nstorage-key: ${storageKey}\nepoch: ../1\ngeneration: 1\n`,
    ],
    ['a leading zero', `SPMigration environment-pointer v1\nstorage-key: ${storageKey}\nepoch: 01\n`],
    [
      'more than it should',
      `SPMigration environment-pointer v1\nstorage-key: ${storageKey}\nepoch: 1\nx: 1\n`,
    ],
  ])('of the pointer (%s) is said, and nothing is removed', async (_, pointer) => {
    const { store, folder } = await makeStore();
    await append(store, 1);
    await writeFile(join(folder, 'current'), pointer);
    await expect(store.current()).rejects.toMatchObject({ code: 'EnvironmentDamaged' });
    await expect(append(store, 2)).rejects.toMatchObject({ code: 'EnvironmentDamaged' });
    expect(await readdir(join(folder, 'epochs', '1'))).toEqual(['000001.spenv']);
  });

  it('of a missing pointer is said, and nothing is removed', async () => {
    const { store, folder } = await makeStore();
    await append(store, 1);
    await rm(join(folder, 'current'));
    await expect(store.current()).rejects.toMatchObject({ code: 'EnvironmentDamaged' });
    await expect(append(store, 2)).rejects.toMatchObject({ code: 'EnvironmentDamaged' });
    expect(await readdir(join(folder, 'epochs', '1'))).toEqual(['000001.spenv']);
  });

  it('of a missing generation is said', async () => {
    const { store, folder } = await makeStore();
    await append(store, 1);
    await rm(join(folder, 'epochs', '1', '000001.spenv'));
    await expect(store.current()).rejects.toMatchObject({ code: 'EnvironmentDamaged' });
  });

  it('of the records is said', async () => {
    const { store, folder } = await makeStore();
    await append(store, 1);
    await writeFile(join(folder, 'attempts'), 'SPMigration password-attempts v1\nfailed: -1\n');
    await writeFile(join(folder, 'installed'), 'SPMigration installed v1\ninstalled: x y\n');
    await expect(store.attempts(tried)).rejects.toMatchObject({ code: 'EnvironmentDamaged' });
    await expect(store.installed()).rejects.toMatchObject({ code: 'EnvironmentDamaged' });
  });

  it('finds quarantined environments again without a pointer', async () => {
    const { store, folder } = await makeStore();
    await append(store, 3);
    await store.withLock((writer) => writer.setAside());
    await rm(join(folder, 'current'));
    await rm(join(folder, 'epochs'), { recursive: true });
    expect(await store.quarantine()).toMatchObject([{ id: '1', generation: 3 }]);
    expect(await store.withLock((writer) => writer.append(1, utf8('x')))).toEqual({
      epoch: 2,
      generation: 1,
    });
    expect(await store.quarantine()).toMatchObject([{ id: '1', generation: 3 }]);
  });
});

describe('a store of a newer version', () => {
  it('is not touched', async () => {
    const { store, folder } = await makeStore();
    await append(store, 1);
    await writeFile(join(folder, 'current'), 'SPMigration environment-pointer v2\nanything: new\n');
    const before = await readdir(folder, { recursive: true });
    const newer = { code: 'StoreNewer', details: { version: 2 } };
    await expect(store.current()).rejects.toMatchObject(newer);
    await expect(append(store, 2)).rejects.toMatchObject(newer);
    await expect(store.updateAttempts(tried, () => ({ failed: 1, last: 1 }))).rejects.toMatchObject(newer);
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });
});

describe('names', () => {
  it('have one form each', () => {
    expect(generationName(7)).toBe('000007.spenv');
    expect(generationName(12_345_678)).toBe('12345678.spenv');
    for (const number of [1, 7, 999_999, 1_000_000, 999_999_999]) {
      expect(parseGenerationName(generationName(number))).toBe(number);
    }
    for (const name of ['7.spenv', '0000007.spenv', '000000.spenv', '000007.SPENV', '../000007.spenv', 'x']) {
      expect(parseGenerationName(name)).toBeUndefined();
    }
    expect(parseEpochName('12')).toBe(12);
    for (const name of ['0', '01', '-1', '1.5', '..', '1e3', '9999999999']) {
      expect(parseEpochName(name)).toBeUndefined();
    }
  });
});

describe('the lock', () => {
  const open = (
    disk: ReturnType<typeof createFailingDisk>,
    processes: ReturnType<typeof createTestProcesses>,
  ) =>
    ({
      as: (pid: number, start?: string) =>
        createEnvironmentStore({
          disk,
          processes: processes.start(pid, start),
          folder: '/store',
          platform: platformId,
          storageKey,
          lockWaitMilliseconds: 0,
        }),
    }) as const;

  it('names its holder', async () => {
    const disk = createFailingDisk();
    const stores = open(disk, createTestProcesses());
    await stores.as(41).withLock(async () => {
      expect(disk.files()).toContain(
        `/store/lock.${platformId}.41.s1.${/\.(\d+)$/.exec(disk.files().join())?.[1] ?? ''}`,
      );
      await expect(append(stores.as(42), 1)).rejects.toMatchObject({
        code: 'EnvironmentBusy',
        details: { pid: 41, since: '1970-01-01T00:00:00Z' },
      });
    });
  });

  it('of a dead process, or of an earlier one with the same number, is taken away', async () => {
    const disk = createFailingDisk();
    const processes = createTestProcesses();
    const stores = open(disk, processes);
    await append(stores.as(41), 1);
    disk.losePowerAt(2, false);
    await expect(append(stores.as(41), 2)).rejects.toThrow();
    const after = disk.restart(() => true);
    expect(after.files().filter((path) => path.includes('/lock.'))).toHaveLength(1);

    const later = open(after, processes);
    await expect(append(later.as(42), 2)).rejects.toMatchObject({ code: 'EnvironmentBusy' });
    // Another process got the number: the lock is not its own.
    await append(later.as(41, 's2'), 2);
    expect(after.files().filter((path) => path.includes('/lock.'))).toEqual([]);
    expect(fromUtf8((await later.as(43).current())?.bytes ?? new Uint8Array())).toBe('2');
  });

  it.skipIf(windows)('knows a living process from a dead one', async () => {
    const processes = createProcesses(process.platform);
    const self = await processes.self();
    expect(self.pid).toBe(process.pid);
    expect(await processes.isAlive(self)).toBe(true);
    expect(await processes.isAlive({ pid: self.pid, start: '1x00000000' })).toBe(false);
    const child = spawn(process.execPath, ['-e', '0']);
    await once(child, 'exit');
    expect(await processes.isAlive({ pid: child.pid ?? 0, start: 'unknown' })).toBe(false);
    expect(await processes.isAlive({ pid: 1, start: 'unknown' })).toBe(true);
  });

  it.skipIf(windows)('takes a zombie for dead', async () => {
    // The shell starts a child that ends at once, and becomes a program that never asks for its end.
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 20'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void parent.kill());
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    const processes = createProcesses(process.platform);
    await vi.waitFor(async () => {
      expect(await readFile(`/proc/${pid}/stat`, 'utf8')).toContain(') Z ');
    });
    expect(await processes.isAlive({ pid, start: 'unknown' })).toBe(false);
  });
});

describe('several processes', () => {
  it('change one store without losing a generation', async () => {
    const { store, folder } = await makeStore();
    const program = `
      import { createEnvironmentStore } from ${importable('adapters/store-file/environment-store.ts')};
      import { createFileSystem } from ${importable('adapters/system/node-file-system.ts')};
      import { createProcesses } from ${importable('adapters/system/processes.ts')};
      const store = createEnvironmentStore({
        disk: createFileSystem(process.platform), processes: createProcesses(process.platform),
        folder: process.argv[1], platform: ${JSON.stringify(platformId)}, storageKey: ${JSON.stringify(storageKey)},
        lockWaitMilliseconds: 20000,
      });
      for (let i = 0; i < 6; i++) {
        await store.withLock(async (writer) => {
          const next = ((await writer.current())?.generation ?? 0) + 1;
          await writer.append(next, new TextEncoder().encode(String(next)));
        });
      }`;
    const exits = [1, 2, 3].map(async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, folder], {
        stdio: 'inherit',
      });
      const [code] = (await once(child, 'exit')) as [number];
      return code;
    });
    expect(await Promise.all(exits)).toEqual([0, 0, 0]);
    expect(await store.current()).toMatchObject({ epoch: 1, generation: 18, bytes: utf8('18') });
    expect((await readdir(folder)).filter((name) => name.startsWith('lock'))).toEqual([]);
  });
});

function importable(path: string): string {
  return JSON.stringify(new URL(`../../../core/src/${path}`, import.meta.url).href);
}
