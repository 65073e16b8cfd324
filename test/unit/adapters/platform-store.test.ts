/** The platform's folder: who may write what, whom it trusts, and what a drop folder may contain. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  link,
  mkdir,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPlatformStore } from '../../../core/src/adapters/store-file/platform-store.ts';
import { callerUid, personOf } from '../../../core/src/adapters/system/account.ts';
import { createFileSystem } from '../../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../../core/src/adapters/system/processes.ts';
import { utf8 } from '../../../core/src/bytes/bytes.ts';
import type { FileStatus, FileSystem } from '../../../core/src/ports/file-system.ts';
import type { PlatformStore } from '../../../core/src/ports/platform-store.ts';
import { platformId } from '../../contract/environment-store.ts';
import { makeTemporaryFolder } from '../../testkit/temporary-folder.ts';

const uid = callerUid() ?? -1;
const asRoot = uid === 0;
const nobody = 65534;
const untrusted = { code: 'PlatformFolderUntrusted' };

function open(
  folder: string,
  administratorUid = uid,
  disk: FileSystem = createFileSystem('linux'),
): PlatformStore {
  return createPlatformStore({
    disk,
    processes: createProcesses('linux'),
    folder,
    owners: [`uid:${administratorUid}`],
    platformIdOf: () => platformId,
    personOf,
  });
}

async function initialized(): Promise<{ readonly folder: string; readonly store: PlatformStore }> {
  const folder = join(await makeTemporaryFolder(), 'home', 'platform');
  const store = open(folder);
  await store.prepare();
  await store.putSettings(utf8('settings'));
  return { folder, store };
}

describe.runIf(process.platform === 'linux')('platform store', () => {
  it('is not initialized until the settings are written', async () => {
    const folder = join(await makeTemporaryFolder(), 'platform');
    expect(await open(folder).settings()).toBeUndefined();
    await open(folder).prepare();
    expect(await open(folder).settings()).toBeUndefined();
    expect(await open(folder).registrations()).toEqual({ files: [], passedOver: [] });
    expect(await open(folder).registration('a.spuser')).toBeUndefined();
    expect(await open(folder).folderProblems()).toEqual([]);
    await open(folder).putSettings(utf8('settings'));
    expect(await open(folder).settings()).toEqual({
      name: 'platform',
      path: join(folder, 'public', 'platform'),
      bytes: utf8('settings'),
    });
  });

  it('reads only so much of what one account left', async () => {
    const { folder, store } = await initialized();
    for (const name of ['a', 'b', 'c']) {
      const path = join(folder, 'users', `${name}.spuser`);
      await writeFile(path, '');
      // A hole: it takes no space on the disk.
      await truncate(path, 30 * 1024 * 1024);
    }
    const sizes = (await store.registrations()).files.map(({ bytes }) => bytes.length);
    expect(sizes).toEqual([30 * 1024 * 1024, 30 * 1024 * 1024, 0]);
  });

  it('sets the modes, whatever the umask', async () => {
    const before = process.umask(0o077);
    try {
      const { folder, store } = await initialized();
      await store.putAuthorityKey(utf8('key'));
      await store.put('grants', 'a.spgrant', utf8('grant'));
      await store.setOwnerAttempts({ failed: 1, last: 1 });
      await store.register('name.spuser', utf8('registration'));
      const modes: Record<string, string> = {};
      for (const name of await readdir(folder, { recursive: true })) {
        modes[name] = ((await stat(join(folder, name))).mode & 0o7777).toString(8);
      }
      expect(modes).toEqual({
        public: '755',
        'public/grants': '755',
        'public/grants/a.spgrant': '644',
        'public/platform': '644',
        'public/revocations': '755',
        private: '700',
        'private/authority': '600',
        'private/owner-attempts': '600',
        users: '1733',
        'users/name.spuser': '600',
      });
      expect((await stat(folder)).mode & 0o7777).toBe(0o755);
    } finally {
      process.umask(before);
    }
  });

  it('keeps grants and revocation lists by name, and nothing else', async () => {
    const { folder, store } = await initialized();
    expect(await store.list('grants')).toEqual([]);
    await store.put('grants', 'b.spgrant', utf8('b'));
    await store.put('grants', 'a.spgrant', utf8('a'));
    await store.put('revocations', 'r.sprevoked', utf8('1'));
    const replaced = await store.put('revocations', 'r.sprevoked', utf8('2'));
    await writeFile(join(folder, 'public', 'grants', 'README'), 'no grant');
    await writeFile(join(folder, 'public', 'grants', '.hidden.spgrant'), 'no grant');
    expect((await store.list('grants')).map(({ name }) => name)).toEqual(['a.spgrant', 'b.spgrant']);
    expect(await store.list('revocations')).toEqual([replaced]);
    for (const name of [
      '../x.spgrant',
      'a/b.spgrant',
      '.x.spgrant',
      'x.tmp',
      'x.sprevoked',
      '',
      'x\0.spgrant',
    ]) {
      await expect(store.put('grants', name, utf8('x'))).rejects.toMatchObject({ code: 'PathUnusable' });
    }
  });

  it('keeps the authority’s key and the owner’s counter', async () => {
    const { folder, store } = await initialized();
    expect(await store.authorityKey()).toBeUndefined();
    expect(await store.ownerAttempts()).toEqual({ failed: 0, last: 0 });
    await store.putAuthorityKey(utf8('key'));
    await store.setOwnerAttempts({ failed: 2, last: 99 });
    expect(await store.authorityKey()).toMatchObject({ bytes: utf8('key') });
    expect(await store.ownerAttempts()).toEqual({ failed: 2, last: 99 });
    await writeFile(join(folder, 'private', 'owner-attempts'), 'nonsense');
    await expect(store.ownerAttempts()).rejects.toMatchObject({ code: 'PlatformDamaged' });
  });

  it('counts what several programs count at once', async () => {
    const { store } = await initialized();
    const many = Array.from({ length: 8 }, () =>
      store.updateOwnerAttempts(({ failed, last }) => ({ failed: failed + 1, last: Math.max(last, 99) })),
    );
    await Promise.all(many);
    expect(await store.ownerAttempts()).toEqual({ failed: 8, last: 99 });
  });

  it('says that settings are damaged', async () => {
    const { folder, store } = await initialized();
    await writeFile(join(folder, 'public', 'platform'), new Uint8Array(20_000));
    await expect(store.settings()).rejects.toMatchObject({ code: 'PlatformDamaged' });
  });

  describe('trust', () => {
    it('is refused to a folder of another account', async () => {
      const { folder } = await initialized();
      const other = open(folder, uid + 1);
      await expect(other.settings()).rejects.toMatchObject(untrusted);
      await expect(other.prepare()).rejects.toMatchObject(untrusted);
      await expect(other.registrations()).rejects.toMatchObject(untrusted);
    });

    it.each(['', 'public', 'public/platform'])('is refused where others may write (%s)', async (name) => {
      const { folder, store } = await initialized();
      await chmod(join(folder, name), 0o777);
      await expect(store.settings()).rejects.toMatchObject(untrusted);
    });

    it('is refused to links and files in place of folders', async () => {
      const { folder, store } = await initialized();
      const elsewhere = await makeTemporaryFolder();
      await rm(join(folder, 'public'), { recursive: true });
      await symlink(elsewhere, join(folder, 'public'));
      await expect(store.settings()).rejects.toMatchObject(untrusted);
      await expect(store.prepare()).rejects.toMatchObject(untrusted);
      await rm(join(folder, 'public'));
      await writeFile(join(folder, 'public'), '');
      await expect(store.prepare()).rejects.toMatchObject(untrusted);
      expect(await readdir(elsewhere)).toEqual([]);
    });

    it('is not given to what was there before, open to others, at initialisation', async () => {
      const folder = join(await makeTemporaryFolder(), 'platform');
      await mkdir(folder);
      await chmod(folder, 0o777);
      await expect(open(folder).prepare()).rejects.toMatchObject(untrusted);
      await chmod(folder, 0o700);
      await open(folder).prepare();
      expect((await stat(folder)).mode & 0o777).toBe(0o755);
      await open(folder).prepare();
    });

    it.runIf(asRoot)('is refused to what another account made beforehand', async () => {
      const folder = join(await makeTemporaryFolder(), 'platform');
      await mkdir(join(folder, 'private'), { recursive: true });
      await chown(join(folder, 'private'), nobody, nobody);
      await expect(open(folder).prepare()).rejects.toMatchObject(untrusted);
    });
  });

  describe('problems of its folders', () => {
    const problems = async (store: PlatformStore): Promise<readonly unknown[]> =>
      (await store.folderProblems()).map(({ code, details }) => [code, details.path, details.problem]);

    it('are none after initialization', async () => {
      const { store } = await initialized();
      expect(await problems(store)).toEqual([]);
    });

    it('are all found, not only the first', async () => {
      const { folder, store } = await initialized();
      const at = (...names: string[]): string => join(folder, ...names);
      await chmod(at('public', 'revocations'), 0o777);
      await chmod(at('private'), 0o750);
      await chmod(at('users'), 0o777);
      await rm(at('public', 'grants'), { recursive: true });
      expect(await problems(store)).toEqual([
        ['PlatformFolderUntrusted', at('public', 'grants'), 'it is missing'],
        ['PlatformFolderUntrusted', at('public', 'revocations'), expect.stringContaining('may write')],
        ['PlatformFolderUntrusted', at('private'), expect.stringContaining('look into it')],
        ['PlatformFolderUntrusted', at('users'), expect.stringContaining('permissions')],
      ]);
    });

    it('are those of an owner who is no administrator', async () => {
      const { folder } = await initialized();
      const found = await problems(open(folder, uid + 1));
      expect(found).toHaveLength(6);
      expect(found[0]).toEqual([
        'PlatformFolderUntrusted',
        folder,
        expect.stringContaining(`belongs to the user id ${uid}`),
      ]);
    });
  });

  describe('registrations', () => {
    it('come with the owner of their file', async () => {
      const { store } = await initialized();
      await store.register('first.spuser', utf8('1'));
      await store.register('first.spuser', utf8('2'));
      await store.register('second.spuser', utf8('3'));
      const ownerId = `uid:${uid}@${platformId}`;
      expect(await store.registrations()).toMatchObject({
        files: [
          { name: 'first.spuser', bytes: utf8('2'), ownerId },
          { name: 'second.spuser', bytes: utf8('3'), ownerId },
        ],
        passedOver: [],
      });
      expect(await store.registration('second.spuser')).toMatchObject({ bytes: utf8('3'), ownerId });
      expect(await store.registration('third.spuser')).toBeUndefined();
    });

    it('of one account are not hidden by any number of files of another', async () => {
      const { folder, store } = await initialized();
      await store.register('real.spuser', utf8('1'));
      const flood = Array.from({ length: 10_001 }, (_, index) => `a${index}.spuser`);
      const real = createFileSystem('linux');
      let opened = 0;
      const isFlood = (path: string): boolean => basename(path).startsWith('a') && path.endsWith('.spuser');
      const status: FileStatus = {
        kind: 'file',
        sizeBytes: 1,
        owner: 'uid:4711',
        mode: 0o600,
        names: 1,
        modified: 0,
      };
      const flooded = open(folder, uid, {
        ...real,
        list: async (path) => [...flood, ...(await real.list(path))],
        status: (path) => (isFlood(path) ? Promise.resolve(status) : real.status(path)),
        read: (path, maximum) => {
          if (!isFlood(path)) return real.read(path, maximum);
          opened += 1;
          return Promise.resolve({ bytes: utf8('x'), status });
        },
      });
      const { files, passedOver } = await flooded.registrations();
      expect(files.find(({ name }) => name === 'real.spuser')).toMatchObject({ bytes: utf8('1') });
      expect(passedOver).toEqual([{ ownerId: `uid:4711@${platformId}`, files: 10_001, maximum: 100 }]);
      expect(opened).toBe(100);
    });

    it('are empty where they are not one plain file', async () => {
      const { folder, store } = await initialized();
      const secret = join(folder, 'private', 'secret');
      await writeFile(secret, 'of the administrator');
      await symlink(secret, join(folder, 'users', 'link.spuser'));
      await link(secret, join(folder, 'users', 'name.spuser'));
      await mkdir(join(folder, 'users', 'folder.spuser'));
      await writeFile(join(folder, 'users', '.hidden'), 'left over');
      const { files: dropped } = await store.registrations();
      expect(dropped.map(({ name }) => name)).toEqual(['folder.spuser', 'link.spuser', 'name.spuser']);
      for (const { bytes } of dropped) expect(bytes).toEqual(new Uint8Array());
    });

    it('are empty where others than their owner may write them', async () => {
      const { folder, store } = await initialized();
      // Who may change another's file elsewhere can move it here with whatever is in it, and it stays the other's.
      for (const mode of [0o600, 0o644, 0o620, 0o602]) {
        const path = join(folder, 'users', `${mode.toString(8)}.spuser`);
        await writeFile(path, 'x');
        await chmod(path, mode);
      }
      const { files: dropped } = await store.registrations();
      expect(dropped.map(({ name, bytes }) => [name, bytes.length])).toEqual([
        ['600.spuser', 1],
        ['602.spuser', 0],
        ['620.spuser', 0],
        ['644.spuser', 1],
      ]);
    });

    it('are left although somebody planted a left-over of a process that cannot be', async () => {
      const { folder, store } = await initialized();
      const planted = join(folder, 'users', '.9999999999.a.1.tmp');
      await writeFile(planted, '');
      await store.register('a.spuser', utf8('1'));
      expect(await readdir(join(folder, 'users'))).toEqual(['a.spuser']);
    });

    it('need an initialized platform', async () => {
      const folder = join(await makeTemporaryFolder(), 'platform');
      await expect(open(folder).register('a.spuser', utf8('1'))).rejects.toMatchObject({
        code: 'PlatformNotInitialized',
      });
    });

    it('have names that stay in the folder', async () => {
      const { store } = await initialized();
      for (const name of ['../a', '.a', 'a/b', 'a.tmp', '']) {
        await expect(store.register(name, utf8('1'))).rejects.toMatchObject({ code: 'PathUnusable' });
      }
    });

    it.runIf(asRoot)(
      'of another account are written, named by their owner, and nobody else’s to touch',
      async () => {
        const { folder, store } = await initialized();
        await chmod(join(folder, '..', '..'), 0o755);
        await chmod(join(folder, '..'), 0o755);
        await store.register('taken.spuser', utf8('root was first'));
        const told = await runAs(nobody, folder);
        expect(told).toEqual({
          settings: 'settings',
          registered: 'done',
          again: 'done',
          taken: 'done',
          list: 'StorageDenied',
          authority: 'StorageDenied',
          attempts: 'StorageDenied',
          put: 'StorageDenied',
          removeOther: 'EPERM',
          readOther: 'EACCES',
        });
        const { files: dropped } = await store.registrations();
        expect(dropped.map(({ ownerId }) => ownerId).sort()).toEqual([
          `uid:0@${platformId}`,
          `uid:${nobody}@${platformId}`,
          `uid:${nobody}@${platformId}`,
        ]);
        expect(await readFile(join(folder, 'users', 'taken.spuser'), 'utf8')).toBe('root was first');
        const own = dropped.find(({ name }) => name === 'mine.spuser');
        expect(own).toMatchObject({ bytes: utf8('second'), ownerId: `uid:${nobody}@${platformId}` });
      },
    );
  });
});

/** What an ordinary account can and cannot do with the folder, tried by a process of that account. */
async function runAs(account: number, folder: string): Promise<unknown> {
  const core = new URL('../../../core/src/', import.meta.url).href;
  const program = `
    import { readFile, unlink } from 'node:fs/promises';
    import { createPlatformStore } from '${core}adapters/store-file/platform-store.ts';
    import { createFileSystem } from '${core}adapters/system/node-file-system.ts';
    import { createProcesses } from '${core}adapters/system/processes.ts';
    const folder = process.argv[1];
    const store = createPlatformStore({
      disk: createFileSystem('linux'), processes: createProcesses('linux'), folder, owners: ['uid:0'],
      platformIdOf: () => '${platformId}', personOf: (owner) => owner,
    });
    const bytes = (text) => new TextEncoder().encode(text);
    const attempt = (work) => work.then(() => 'done', (error) => error.code);
    console.log(JSON.stringify({
      settings: new TextDecoder().decode((await store.settings()).bytes),
      registered: await attempt(store.register('mine.spuser', bytes('first'))),
      again: await attempt(store.register('mine.spuser', bytes('second'))),
      taken: await attempt(store.register('taken.spuser', bytes('mine all the same'))),
      list: await attempt(store.registrations()),
      authority: await attempt(store.authorityKey()),
      attempts: await attempt(store.setOwnerAttempts({ failed: 0, last: 0 })),
      put: await attempt(store.put('grants', 'x.spgrant', bytes('x'))),
      removeOther: await attempt(unlink(folder + '/users/taken.spuser')),
      readOther: await attempt(readFile(folder + '/users/taken.spuser')),
    }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, folder], {
    uid: account,
    gid: account,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(0);
  return JSON.parse(output);
}
