/**
 * Owners and access lists of Windows: how descriptors read, what they allow whom, and which platform's folders are trusted, on a
 * double of Windows (test/windows/access.test.ts asks the functions of a real one; what lists do is seen on Windows only).
 */
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPlatformStore } from '../../../core/src/adapters/store-file/platform-store.ts';
import { createAccessLists } from '../../../core/src/adapters/system/access-lists.ts';
import { findFileOwners, personOf } from '../../../core/src/adapters/system/account.ts';
import { requireOwnHome } from '../../../core/src/adapters/system/folders.ts';
import { createFileSystem } from '../../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../../core/src/adapters/system/processes.ts';
import {
  accessOf,
  administratorsList,
  decodeSecurity,
  personsList,
} from '../../../core/src/adapters/system/security-descriptor.ts';
import type { Windows } from '../../../core/src/adapters/system/windows.ts';
import { utf8 } from '../../../core/src/bytes/bytes.ts';
import type { FileAccess } from '../../../core/src/ports/file-system.ts';
import type { PlatformStore } from '../../../core/src/ports/platform-store.ts';
import { platformId } from '../../contract/environment-store.ts';
import { makeTemporaryFolder } from '../../testkit/temporary-folder.ts';
import {
  anna,
  ben,
  descriptor,
  fromText,
  users,
  WindowsFilesDouble,
  type MadeEntry,
} from '../../testkit/windows/security.ts';

const administrators = 'S-1-5-32-544';
const system = 'S-1-5-18';
const nobody: FileAccess = { read: undefined, write: undefined, leave: undefined };
const full = 0x1f01ff;
const ours: readonly MadeEntry[] = [
  { rights: full, sid: system, flags: 3 },
  { rights: full, sid: administrators, flags: 3 },
];

function folderAccess(...entries: readonly MadeEntry[]): FileAccess | undefined {
  const security = decodeSecurity(descriptor(administrators, [...ours, ...entries]));
  return security && accessOf(security, true);
}

describe('a security descriptor', () => {
  it('as Windows writes one is read', () => {
    // As GetKernelObjectSecurity answered it under Wine: owner, then the list of three.
    const bytes = Buffer.from(
      '0100048014000000000000000000000030000000010500000000000515000000000000000000000000000000e8030000' +
        '020054000300000000001400ff011f0001010000000000051200000000002400ff011f000105000000000005150000000000' +
        '00000000000000000000e803000000001400a9001200010100000000000100000000',
      'hex',
    );
    expect(decodeSecurity(bytes)).toEqual({
      owner: 'S-1-5-21-0-0-0-1000',
      entries: [
        { account: system, rights: full, inherited: false },
        { account: 'S-1-5-21-0-0-0-1000', rights: full, inherited: false },
        { account: 'S-1-1-0', rights: 0x1200a9, inherited: false },
      ],
    });
  });

  it('that is cut, or contradicts itself, is none', () => {
    const whole = descriptor(anna, [{ rights: 1, sid: users }]);
    expect(decodeSecurity(whole)).toBeDefined();
    for (let length = 0; length < whole.length; length++)
      expect([length, decodeSecurity(whole.subarray(0, length))]).toEqual([length, undefined]);
    const list = 20 + 8 + 4 * 5;
    const changes: readonly (readonly [string, number, number])[] = [
      ['revision', 0, 2],
      ['not self-relative', 3, 0],
      ['owner within the header', 4, 8],
      ['no owner', 4, 0],
      ['list behind the end', 16, 250],
      ['revision of the list', list, 3],
      ['size of the list', list + 2, 255],
      ['more entries than there are', list + 4, 2],
      ['an entry longer than the list', list + 8 + 2, 60],
      ['an entry without a SID', list + 8 + 2, 4],
      ['a SID that is longer than its entry', list + 16 + 1, 9],
    ];
    for (const [what, offset, value] of changes) {
      const changed = whole.slice();
      changed[offset] = value;
      expect([what, decodeSecurity(changed)]).toEqual([what, undefined]);
    }
  });
});

describe('an access list', () => {
  it('that is missing allows everybody everything, and an empty one nobody anything', () => {
    const access = (entries: readonly MadeEntry[] | undefined): unknown => {
      const security = decodeSecurity(descriptor(administrators, entries));
      return security && accessOf(security, true);
    };
    const everyone = 'Everyone (S-1-1-0)';
    expect(access(undefined)).toEqual({ read: everyone, write: everyone, leave: undefined });
    expect(access([])).toEqual(nobody);
  });

  it('lets administrators, the system and the owner do what they like', () => {
    const makers = ['S-1-3-0', 'S-1-3-4'].map((sid) => ({ rights: full, sid, flags: 0xb }));
    expect(folderAccess(...makers)).toEqual(nobody);
    const owned = decodeSecurity(descriptor(anna, [{ rights: full, sid: anna }]));
    expect(owned && accessOf(owned, true)).toEqual(nobody);
    expect(folderAccess({ rights: full, sid: anna })).toMatchObject({ read: anna, write: anna });
    const trusted = decodeSecurity(descriptor(administrators, [{ rights: full, sid: anna }]));
    expect(trusted && accessOf(trusted, true, [anna])).toEqual(nobody);
  });

  const named = `Users (${users})`;
  it.each<readonly [string, number, Partial<FileAccess>]>([
    ['reads', 0x120089, { read: named }],
    ['executes, looks at attributes and list, waits', 0x1200a8, {}],
    ['adds files', 0x2, { leave: named }],
    ['adds files and reads', 0x3, { read: named, leave: named }],
    ['adds folders', 0x4, { write: named }],
    ['writes extended attributes', 0x10, { write: named }],
    ['takes out what others made', 0x40, { write: named }],
    ['writes attributes, and so makes a junction of it', 0x100, { write: named }],
    ['removes it', 0x1_0000, { write: named }],
    ['changes the list', 0x4_0000, { write: named }],
    ['takes it', 0x8_0000, { write: named }],
    ['modifies', 0x1301bf, { read: named, write: named, leave: named }],
    ['does what is not known', 0x80_0000, { write: named }],
    ['has all generic rights', 0x1000_0000, { read: named, write: named }],
    ['has the generic right to write', 0x4000_0000, { write: named }],
    ['has the generic right to read', 0x8000_0000, { read: named }],
    ['has the generic right to execute', 0x2000_0000, {}],
  ])('says of a folder who %s', (_, rights, expected) => {
    expect(folderAccess({ rights, sid: users })).toEqual({ ...nobody, ...expected });
  });

  it('says of a file that adding is writing', () => {
    const security = decodeSecurity(descriptor(administrators, [{ rights: 2, sid: users }]));
    expect(security && accessOf(security, false)).toEqual({ ...nobody, write: named });
  });

  it.each([
    ['also for files', 0x1],
    ['also for folders', 0x2],
    ['only for what is made in it', 0xb],
  ])('counts what it allows %s', (_, flags) => {
    expect(folderAccess({ rights: 2, sid: users, flags })).toEqual({ ...nobody, write: named });
    expect(folderAccess({ rights: 1, sid: users, flags })).toEqual({ ...nobody, read: named });
  });

  it('takes no refusal into account', () => {
    for (const type of [1, 6, 10, 12]) {
      expect(folderAccess({ type, rights: full, sid: users })).toEqual(nobody);
      const both = folderAccess({ type, rights: full, sid: users }, { rights: full, sid: users });
      expect(both).toMatchObject({ write: named });
    }
  });

  it('of conditions, and of types that nobody knows, allows', () => {
    expect(folderAccess({ type: 9, rights: 1, sid: users })).toEqual({ ...nobody, read: named });
    for (const type of [4, 5, 11, 77]) {
      const who = `whom an entry of type ${type} means`;
      expect(folderAccess({ type, rights: 0, sid: system })).toMatchObject({ read: who, write: who });
    }
  });
});

describe('the lists that are set', () => {
  const access = (list: string, folder: boolean): unknown => {
    const security = decodeSecurity(fromText(list));
    return security && [security.owner, accessOf(security, folder)];
  };
  const named = `Users (${users})`;

  it('allow what the modes of Unix allow', () => {
    const folder = (mode: number): unknown => access(administratorsList('folder', mode), true);
    expect(folder(0o755)).toEqual([administrators, { ...nobody, read: named }]);
    expect(folder(0o700)).toEqual([administrators, nobody]);
    expect(folder(0o1733)).toEqual([administrators, { ...nobody, leave: named }]);
    const file = (mode: number): unknown => access(administratorsList('file', mode), false);
    expect(file(0o644)).toEqual([administrators, { ...nobody, read: named }]);
    expect(file(0o600)).toEqual([administrators, nobody]);
    expect(access(personsList(anna), false)).toEqual([anna, nobody]);
    expect(() => administratorsList('file', 0o666)).toThrow(RangeError);
  });
});

describe('whose a platform’s folder may be on Windows', () => {
  const windows = (administrator: boolean): Windows => ({
    userSid: () => anna,
    principalName: () => undefined,
    isAdministrator: () => administrator,
    processStart: () => 'hidden',
    machineValues: () => undefined,
  });

  it('is the administrators’, and an elevated caller’s own', () => {
    const owners = (rehearsal: boolean, administrator: boolean): readonly string[] =>
      findFileOwners('win32', rehearsal, () => windows(administrator)).ofPlatform;
    const always = [`sid:${administrators}`, `sid:${system}`];
    expect(owners(false, false)).toEqual(always);
    expect(owners(false, true)).toEqual([...always, `sid:${anna}`]);
    expect(owners(true, false)).toEqual([...always, `sid:${anna}`]);
  });
});

interface Place {
  readonly folder: string;
  readonly files: WindowsFilesDouble;
  readonly as: (caller: string, administrator?: boolean) => PlatformStore;
}

describe.runIf(process.platform === 'linux')('a platform’s folder on Windows', () => {
  const untrusted = { code: 'PlatformFolderUntrusted' };

  async function place(): Promise<Place> {
    const folder = join(await makeTemporaryFolder(), 'SPMigration');
    const files = new WindowsFilesDouble();
    const as = (caller: string, administrator = caller !== ben): PlatformStore => {
      files.maker = caller;
      const lists = createAccessLists({ platform: folder, home: undefined, caller, windows: () => files });
      const own = administrator ? [`sid:${caller}`] : [];
      return createPlatformStore({
        disk: createFileSystem('win32', lists),
        processes: createProcesses('linux'),
        folder,
        owners: [`sid:${administrators}`, `sid:${system}`, ...own],
        platformIdOf: () => platformId,
        personOf,
      });
    };
    return { folder, files, as };
  }

  async function initialized(): Promise<Place> {
    const here = await place();
    await here.as(anna).prepare();
    await here.as(anna).putSettings(utf8('settings'));
    return here;
  }

  it('is made with lists of its own, and then is in order for everybody', async () => {
    const { folder, as } = await initialized();
    expect((await readdir(folder)).sort()).toEqual(['private', 'public', 'users']);
    for (const store of [as(anna), as(ben)]) {
      expect(await store.folderProblems()).toEqual([]);
      expect(await store.settings()).toMatchObject({ bytes: utf8('settings') });
    }
    await as(anna).prepare();
    expect(await as(ben).folderProblems()).toEqual([]);
    // Nobody can put a junction in the place of a folder that is not empty.
    expect(await readdir(join(folder, 'users'))).toEqual(['.keep']);
  });

  it('holds the administrators’ files, whoever of them made them', async () => {
    const { folder, files, as } = await initialized();
    await as(anna).putAuthorityKey(utf8('key'));
    await as(anna).put('grants', 'a.spgrant', utf8('grant'));
    for (const name of ['', 'public', 'public/grants/a.spgrant', 'public/platform', 'private/authority'])
      expect(decodeSecurity(files.descriptorOf(join(folder, name)))?.owner).toBe(administrators);
    expect(await as(ben).list('grants')).toMatchObject([{ bytes: utf8('grant') }]);
  });

  const hostile: readonly (readonly [string, string, readonly MadeEntry[] | undefined, string])[] = [
    ['a user made it first', ben, ours, ben],
    ['its list was inherited', administrators, [...ours, { rights: 0x116, sid: users, flags: 2 }], users],
    ['users may modify it', administrators, [...ours, { rights: 0x1301bf, sid: users }], users],
    [
      'users may modify what is made in it',
      administrators,
      [...ours, { rights: 0x1301bf, sid: users, flags: 0xb }],
      users,
    ],
    ['a user may make files in it', administrators, [...ours, { rights: 2, sid: ben }], ben],
    ['it has no list', administrators, undefined, 'S-1-1-0'],
    [
      'a refusal stands before what is allowed',
      administrators,
      [{ type: 1, rights: full, sid: users }, ...ours, { rights: full, sid: users }],
      users,
    ],
    [
      'an entry is of a type that is not known',
      administrators,
      [...ours, { type: 5, rights: 1, sid: users }],
      'type 5',
    ],
  ];
  it.each(hostile)('is not taken over where %s', async (_, owner, entries, names) => {
    const { folder, files, as } = await place();
    await mkdir(folder);
    files.set(folder, descriptor(owner, entries));
    const refusal = await as(anna)
      .prepare()
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(refusal).toMatchObject(untrusted);
    expect((refusal as Error).message).toContain(names);
    expect(await readdir(folder)).toEqual([]);
    expect(files.descriptorOf(folder)).toEqual(descriptor(owner, entries));
  });

  it.each(['public', 'private', 'users', 'public/grants'])(
    'is not taken over with a folder of a user in it: %s',
    async (name) => {
      const { folder, files, as } = await place();
      await mkdir(join(folder, 'public'), { recursive: true });
      await mkdir(join(folder, name), { recursive: true });
      files.set(folder, fromText(administratorsList('folder', 0o755)));
      files.set(join(folder, 'public'), fromText(administratorsList('folder', 0o755)));
      files.set(join(folder, name), descriptor(ben, ours));
      await expect(as(anna).prepare()).rejects.toMatchObject(untrusted);
    },
  );

  it('is taken over from administrators, and gets its lists', async () => {
    for (const [owner, entries] of [
      [administrators, ours],
      [system, []],
      [anna, [{ rights: full, sid: anna }]],
    ] as const) {
      const { folder, files, as } = await place();
      await mkdir(folder);
      files.set(folder, descriptor(owner, entries));
      await as(anna).prepare();
      expect(files.descriptorOf(folder)).toEqual(fromText(administratorsList('folder', 0o755)));
      expect(await as(ben).folderProblems()).toEqual([]);
    }
  });

  it('is not believed by anybody where it, or its settings, came to be a user’s or writable', async () => {
    const { folder, files, as } = await initialized();
    for (const name of ['', 'public', 'public/platform']) {
      const path = join(folder, name);
      const before = files.descriptorOf(path);
      for (const [owner, entries] of [
        [ben, ours],
        [administrators, undefined],
        [administrators, [...ours, { rights: 0x100, sid: users }]],
      ] as const) {
        files.set(path, descriptor(owner, entries));
        for (const store of [as(anna), as(ben)])
          await expect(store.settings()).rejects.toMatchObject(untrusted);
      }
      files.set(path, before);
      expect(await as(ben).settings()).toBeDefined();
    }
    // What belongs to one administrator's own account proves nothing to others: only they know that it is one's.
    files.set(folder, descriptor(anna, ours));
    expect(await as(anna).settings()).toBeDefined();
    await expect(as(ben).settings()).rejects.toMatchObject(untrusted);
  });

  it('is no junction', async () => {
    const { folder, as } = await place();
    const elsewhere = await makeTemporaryFolder();
    await symlink(elsewhere, folder);
    await expect(as(anna).prepare()).rejects.toMatchObject(untrusted);
    await expect(as(anna).settings()).rejects.toMatchObject(untrusted);
    expect(await readdir(elsewhere)).toEqual([]);
  });

  it('has its problems named, with the accounts', async () => {
    const { folder, files, as } = await initialized();
    const at = (name: string): string => join(folder, name);
    files.set(at('public/grants'), descriptor(ben, ours));
    files.set(at('private'), descriptor(administrators, [...ours, { rights: 1, sid: ben }]));
    files.set(at('users'), descriptor(administrators, [...ours, { rights: 0x42, sid: users }]));
    const problems = await as(anna).folderProblems();
    expect(problems.map(({ details }) => [details.path, details.problem])).toEqual([
      [at('public/grants'), `it belongs to the account ${ben}`],
      [at('private'), `accounts that are no administrators may look into it: ${ben}`],
      [at('users'), expect.stringMatching(/^its permissions let .*: Users \(S-1-5-32-545\)$/)],
    ]);
  });

  describe('registrations', () => {
    it('come with the account that owns their file', async () => {
      const { folder, files, as } = await initialized();
      // An elevated administrator's is that person's own, although Windows would give it to all administrators.
      await as(anna).register('anna.spuser', utf8('1'));
      await as(ben, false).register('ben.spuser', utf8('2'));
      await writeFile(join(folder, 'users', 'theirs.spuser'), '3');
      files.set(join(folder, 'users', 'theirs.spuser'), fromText(administratorsList('file', 0o644)));
      expect((await as(anna).registrations()).files).toMatchObject([
        { name: 'anna.spuser', ownerId: `sid:${anna}` },
        { name: 'ben.spuser', ownerId: `sid:${ben}` },
        { name: 'theirs.spuser', ownerId: `sid:${administrators}` },
      ]);
    });

    it('are empty where others than their owner may write them', async () => {
      const { folder, files, as } = await initialized();
      await as(ben, false).register('ben.spuser', utf8('1'));
      // Made by Ben in a folder below C:\, where all may modify everything, changed by another, and moved here.
      const moved = join(folder, 'users', 'moved.spuser');
      await writeFile(moved, '2');
      const modify = { rights: 0x1301bf, sid: 'S-1-5-11', flags: 0x10 };
      files.set(moved, descriptor(ben, [...ours, { rights: full, sid: ben }, modify]));
      expect((await as(anna).registrations()).files).toMatchObject([
        { name: 'ben.spuser', bytes: utf8('1') },
        { name: 'moved.spuser', bytes: new Uint8Array() },
      ]);
    });

    it('whose owner keeps administrators from looking at them stop nothing', async () => {
      const { folder, files, as } = await initialized();
      await as(anna).register('anna.spuser', utf8('1'));
      const closed = join(folder, 'users', 'closed.spuser');
      await writeFile(closed, '2');
      files.close(closed);
      const nobodys = { name: 'closed.spuser', bytes: new Uint8Array(), ownerId: '' };
      expect((await as(anna).registrations()).files).toMatchObject([{ name: 'anna.spuser' }, nobodys]);
      expect(await as(anna).registration('closed.spuser')).toMatchObject(nobodys);
    });

    it('are not looked for behind a junction', async () => {
      const { folder, as } = await initialized();
      await rm(join(folder, 'users'), { recursive: true });
      await symlink(await makeTemporaryFolder(), join(folder, 'users'));
      await expect(as(anna).registrations()).rejects.toMatchObject(untrusted);
    });
  });
});

describe.runIf(process.platform === 'linux')('a rehearsal on Windows', () => {
  const untrusted = { code: 'PlatformFolderUntrusted' };
  const owners = findFileOwners('win32', true, () => ({
    userSid: () => anna,
    principalName: () => undefined,
    isAdministrator: () => false,
    processStart: () => 'hidden',
    machineValues: () => undefined,
  }));

  it('needs a folder of the caller’s, or of the administrators, that nobody else may write', async () => {
    const home = await makeTemporaryFolder();
    const files = new WindowsFilesDouble();
    const lists = createAccessLists({
      platform: join(home, 'platform'),
      home,
      caller: anna,
      windows: () => files,
    });
    const disk = createFileSystem('win32', lists);
    const check = (owner: string, entries: readonly MadeEntry[] | undefined): Promise<void> => {
      files.set(home, descriptor(owner, entries));
      return requireOwnHome(home, owners.ofPlatform, disk);
    };
    const own = { rights: full, sid: anna, flags: 3 };
    await check(anna, [...ours, own]);
    await check(administrators, [...ours, own, { rights: 0x1200a9, sid: users }]);
    await expect(check(ben, [...ours, own])).rejects.toMatchObject(untrusted);
    await expect(check(anna, undefined)).rejects.toMatchObject(untrusted);
    await expect(check(anna, [...ours, { rights: 2, sid: users }])).rejects.toMatchObject(untrusted);
    await expect(check(administrators, [...ours, { rights: full, sid: ben }])).rejects.toMatchObject(
      untrusted,
    );
    // A link is looked through: what counts is where it leads.
    const link = join(await makeTemporaryFolder(), 'link');
    await symlink(home, link);
    const linked = createAccessLists({
      platform: join(link, 'platform'),
      home: link,
      caller: anna,
      windows: () => files,
    });
    files.set(home, descriptor(ben, ours));
    const through = createFileSystem('win32', linked);
    await expect(requireOwnHome(link, owners.ofPlatform, through)).rejects.toMatchObject(untrusted);
    files.set(home, descriptor(anna, ours));
    await requireOwnHome(link, owners.ofPlatform, through);
  });

  it('sets no lists, and takes what lies there for the caller’s', async () => {
    const home = await makeTemporaryFolder();
    const files = new WindowsFilesDouble();
    const platform = join(home, 'platform');
    const lists = createAccessLists({ platform, home, caller: anna, windows: () => files });
    const own = [...ours, { rights: full, sid: anna, flags: 3 }];
    // As where an elevated administrator makes all of it.
    files.set(home, descriptor(administrators, own));
    files.maker = administrators;
    const store = createPlatformStore({
      disk: createFileSystem('win32', lists),
      processes: createProcesses('linux'),
      folder: platform,
      owners: owners.ofPlatform,
      platformIdOf: () => platformId,
      personOf: (owner, id) => personOf(owner, id, owners),
      inherits: true,
    });
    await store.prepare();
    await store.putSettings(utf8('settings'));
    await store.register('a.spuser', utf8('1'));
    expect(await store.folderProblems()).toEqual([]);
    expect((await store.registrations()).files).toMatchObject([{ ownerId: `sid:${anna}` }]);
    expect(await readdir(join(platform, 'users'))).toEqual(['a.spuser']);
    files.set(join(platform, 'users'), descriptor(administrators, [...own, { rights: 2, sid: ben }]));
    expect(await store.folderProblems()).toHaveLength(1);
  });
});
