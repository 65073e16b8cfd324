/**
 * Grants in full, through the operations: whom, from where, which keys and when a grant permits, what it says about itself in
 * plain words, many of them with one Owner Password, and which history they carry. Chains of grants: chains.test.ts; lists
 * that take grants back: refusals/revocations.test.ts.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { toHex, utf8 } from '../../core/src/bytes/bytes.ts';
import { decodeGrant } from '../../core/src/format/grant-v1.ts';
import type { SignedGrant } from '../../core/src/domain/grant.ts';
import { secondsPerDay } from '../../core/src/domain/time.ts';
import { findOperation, type ParameterValues } from '../../core/src/operations/registry.ts';
import type {
  AccessResult,
  AuthorityResult,
  HistoryEventResult,
  IdentityResult,
  ImportResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import { applyChange } from '../../core/src/operations/run.ts';
import { Secrets } from '../../core/src/operations/secrets.ts';
import { basicUserKeyPolicy } from '../../core/src/sealing/basic-user-key.ts';
import { chainFor } from '../../core/src/sealing/grants.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import { bukBranches } from '../../core/src/tpm2/policy.ts';
import type { ErrorCode } from '../../core/src/domain/error-catalogue.ts';
import { requirePlatform } from '../../core/src/operations/platform-context.ts';
import { findUser } from '../../core/src/operations/user-context.ts';
import { Computer } from '../testkit/computer.ts';
import {
  copyWorld,
  grant,
  makeWorld,
  ownerPassword,
  password,
  refused,
  rejection,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

const derived = vi.hoisted(() => ({ count: 0 }));
vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) => {
  const kdf = await (await import('../testkit/memo-kdf.ts')).cheapKdf(original);
  return {
    ...kdf,
    deriveRoot: (...secrets) => {
      derived.count += 1;
      return kdf.deriveRoot(...secrets);
    },
  };
});

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

/** The computer at another time. */
function at(computer: Computer, seconds: number): Computer {
  const { clock } = computer.ports;
  computer.ports = { ...computer.ports, clock: () => clock() + seconds };
  return computer;
}

/** The person of this computer has a user principal name, as in a domain. */
function withUpn(computer: Computer, upn: string): void {
  const { account } = computer.ports;
  const current: typeof account.current = async (platform) => ({ ...(await account.current(platform)), upn });
  computer.ports = { ...computer.ports, account: { ...account, current } };
}

/** A world in which PC-A holds only the grant for PC-B that these parameters make. */
async function worldWithGrant(
  parameters: ParameterValues,
  arrange: (world: World) => void = () => undefined,
): Promise<{ world: World; access: AccessResult }> {
  const world = await copyWorld(made);
  arrange(world);
  await rm(join(world.a.home, 'platform', 'public', 'grants', `${made.access.serial}.spgrant`));
  return { world, access: await grant(world, world.a, world.b, parameters) };
}

/** Moves the keys from PC-A to PC-B: nothing less shows that a grant permits it. */
async function move(world: World): Promise<ImportResult> {
  const path = join(world.share, 'moved.sparc');
  await world.a.run('export', { path, destination: 'PC-B', overwrite: true }, { password });
  return world.b.one<ImportResult>('import', { path }, { password });
}

async function decoded(access: AccessResult): Promise<SignedGrant> {
  return decodeGrant(await readFile(access.path), access.path);
}

describe('a grant for named accounts', () => {
  const account = async (world: World): Promise<StatusResult> => world.a.one<StatusResult>('status');

  it('permits the account with this id, from its key on', async () => {
    const { account: id } = await account(made.world);
    const { world, access } = await worldWithGrant({ user: [id, 'sid:S-1-5-21-1-2-3-1001'] });
    expect(access.user).toEqual(['sid:S-1-5-21-1-2-3-1001', id]);
    expect((await move(world)).case).toBe('Install');
  });

  it('row-082: permits the account with exactly this user principal name', async () => {
    const { world } = await worldWithGrant({ user: ['upn:anna@example.org'] });
    const exporting = () =>
      world.a.run('export', { path: join(world.share, 'x.sparc'), destination: 'PC-B' }, { password });
    await refused(world, 'GrantUserMismatch', exporting);
    withUpn(world.a, 'Anna@example.org');
    await refused(world, 'GrantUserMismatch', exporting);
    const exact = await copyWorld({ ...made, world });
    withUpn(exact.a, 'anna@example.org');
    expect((await move(exact)).case).toBe('Install');
  });

  it('takes the name of a registered account, and signs for its id', async () => {
    const { account: id, accountName } = await account(made.world);
    const { world, access } = await worldWithGrant({ user: [accountName.toUpperCase()] });
    expect(access.user).toEqual([id]);
    expect((await move(world)).case).toBe('Install');
  });

  it.each(['otto', 'uid:0', 'sid:1001', 'upn:no sign', '../x'])(
    'refuses %s, which is neither an account nor the name of a registered one',
    async (user) => {
      const world = await copyWorld(made);
      const { message } = await refused(world, 'ParameterInvalid', () =>
        world.a.run(
          'access-grant',
          { path: join(world.share, 'PC-B.spid'), user: [user] },
          { ownerPassword },
        ),
      );
      expect(message).toContain(user);
    },
  );

  it('refuses a name that two registered accounts have', async () => {
    const world = await copyWorld(made);
    const { accountName } = await account(world);
    const users = join(world.c.home, 'platform', 'users');
    await world.c.run('user-initialize', {}, { password });
    const registrationPath = [users, join(world.a.home, 'platform', 'users')];
    const parameters = { path: join(world.share, 'PC-B.spid'), user: [accountName], registrationPath };
    // The same person on two computers is two accounts to Linux: the owner must say which one.
    await refused(world, 'ParameterInvalid', () =>
      world.a.run('access-grant', parameters, { ownerPassword }),
    );
  });

  it('is the grant of every account where * is among them', async () => {
    const { world, access } = await worldWithGrant({ user: ['*', 'upn:otto@example.org'] });
    expect(access.user).toEqual(['*']);
    expect((await move(world)).case).toBe('Install');
  });
});

describe('a destination', () => {
  it('row-012: whose grant was withdrawn gets no archive any more, and the others are as they were', async () => {
    const world = await copyWorld(made);
    await grant(world, world.a, world.c);
    const exporting = (destination: string) => () =>
      world.a.run('export', { path: join(world.share, `${destination}.sparc`), destination }, { password });
    await world.a.run('access-revoke', { serial: made.access.serial }, { ownerPassword });
    await refused(world, 'GrantRevoked', exporting('PC-B'));
    await exporting('PC-C')();
    const list = await world.a.run<AccessResult>('access-list');
    expect(list.map(({ destination, state }) => [destination, state]).sort()).toEqual([
      ['PC-B', 'Revoked'],
      ['PC-C', 'Valid'],
    ]);
    // Granted again, it is a destination like any other.
    await grant(world, world.a, world.b);
    expect((await move(world)).case).toBe('Install');
  });
});

describe('a grant for named sources', () => {
  it('permits the move from the platform with this storage key, and from no other of the same authority', async () => {
    const world = await copyWorld(made);
    const fleet = await world.c.one<AuthorityResult>(
      'authority-new',
      { path: world.share },
      { ownerPassword },
    );
    const names: string[] = [];
    const computers: Computer[] = [];
    for (const name of ['PC-D', 'PC-E']) {
      const home = join(world.folder, name);
      await mkdir(home, { mode: 0o700 });
      const computer = await Computer.at(home);
      await computer.run('platform-initialize', { authorityPath: fleet.publicPath });
      await computer.run('user-initialize', {}, { password });
      const identity = await computer.one<IdentityResult>('identity-export', { path: world.share });
      names.push(identity.storageKeyName);
      computers.push(computer);
    }
    const outputPath = join(world.share, 'fleet-grants');
    await mkdir(outputPath);
    const [first = '', second = ''] = names;
    const access = await world.c.one<AccessResult>(
      'access-grant',
      {
        path: join(world.share, 'PC-B.spid'),
        authorityPath: fleet.path,
        outputPath,
        source: [first.toUpperCase()],
      },
      { ownerPassword },
    );
    expect(access.source).toEqual([first]);
    const [d, e] = computers;
    const exporting = (computer: Computer | undefined) => () =>
      computer?.run(
        'export',
        { path: join(world.share, 'fleet.sparc'), destination: 'PC-B', grantPath: [outputPath] },
        { password },
      ) ?? Promise.reject(new Error(second));
    const { path = '' } = ((await exporting(d)())[0] ?? {}) as { path?: string };
    await refused(world, 'GrantSourceMismatch', exporting(e));
    expect((await world.b.one<ImportResult>('import', { path }, { password })).case).toBe('Install');
  });

  it.each(['PC-A', '000b', '0'.repeat(68)])('refuses %s, which is no Name', async (source) => {
    const world = await copyWorld(made);
    await refused(world, 'ParameterInvalid', () =>
      world.a.run(
        'access-grant',
        { path: join(world.share, 'PC-B.spid'), source: [source] },
        { ownerPassword },
      ),
    );
  });
});

describe('a grant for named Basic User Keys', () => {
  it('permits the move of this key, and the chip itself refuses any other under it', async () => {
    const { basicUserKey } = await made.world.a.one<StatusResult>('status');
    const { world, access } = await worldWithGrant({ basicUserKey: [basicUserKey ?? ''] });
    expect(access.basicUserKey).toEqual([basicUserKey]);
    const signed = await decoded(access);
    expect(signed.grant.approval.map((approval) => approval.basicUserKey)).toEqual([basicUserKey]);
    expect((await move(world)).case).toBe('Install');

    // Past all checks of this program: another key of the same root, handed to the chip with this very grant.
    const platform = await requirePlatform(world.a.ports);
    const { random } = world.a.ports;
    const { chip } = platform;
    const rootAuthority = platform.settings.authorityKey;
    const nonce = random(16);
    using authValue = new SecretBytes(random(32));
    using innerKey = new SecretBytes(random(16));
    const other = await chip.createBasicUserKey(basicUserKeyPolicy(rootAuthority, nonce), authValue);
    const loaded = await chip.loadBasicUserKey(other, authValue);
    const handOver = async (access_: AccessResult) => {
      const present = (await findUser({ ports: world.a.ports } as never, platform)).present;
      if (present === undefined) throw new Error('no environment');
      const { header } = present.decoded;
      const { steps } = chainFor({
        held: [],
        candidate: await decoded(access_),
        basicUserKey: header.basicUserKey,
        nonce: header.nonce,
        rootAuthority,
      });
      return loaded.duplicate({
        newParent: signed.grant.destinationKey,
        steps,
        branches: bukBranches(nameOf(rootAuthority), nonce),
        innerKey,
      });
    };
    expect((await rejection(() => handOver(access))).code).toBe('DestinationNotAuthorized');
    // A grant for every key is one for this key, too: what refused was the approval, not the test.
    expect((await handOver(await grant(world, world.a, world.b))).duplicate.length).toBeGreaterThan(0);
    await loaded.dispose();
  });

  it('permits no other key, whatever else it names', async () => {
    const { world } = await worldWithGrant({ basicUserKey: [`000b${'1'.repeat(64)}`] });
    await refused(world, 'DestinationNotAuthorized', () => move(world));
  });
});

describe('the time of a grant', () => {
  const exporting = (world: World) => () =>
    world.a.run(
      'export',
      { path: join(world.share, 'x.sparc'), destination: 'PC-B', overwrite: true },
      { password },
    );

  it('begins when it says and ends when it says, both seconds included', async () => {
    const now = made.world.a.ports.clock();
    const [validFrom, validUntil] = [now + 10_000, now + 20_000];
    const { world } = await worldWithGrant({ validFrom, validUntil });
    const setClock = (time: number): void => {
      world.a.ports = { ...world.a.ports, clock: () => time };
    };
    setClock(validFrom - 1);
    await refused(world, 'GrantNotYetValid', exporting(world));
    setClock(validFrom);
    await exporting(world)();
    setClock(validUntil);
    await exporting(world)();
    setClock(validUntil + 1);
    await refused(world, 'GrantExpired', exporting(world));
  });

  it('is 30 days where none is given', async () => {
    const world = await copyWorld(made);
    const { validFrom, validUntil } = await grant(world, world.a, world.b);
    expect(validUntil - validFrom).toBe(30 * secondsPerDay);
  });

  it.each([
    ['a past end', { validUntil: -1 }],
    ['an end before its beginning', { validFrom: 200, validUntil: 100 }],
    ['an end at its beginning', { validFrom: 200, validUntil: 200 }],
  ])('is refused with %s', async (_, times: Readonly<Record<string, number>>) => {
    const world = await copyWorld(made);
    const now = world.a.ports.clock();
    const parameters = Object.fromEntries(
      Object.entries(times).map(([name, offset]) => [name, now + offset]),
    );
    await refused(world, 'ParameterInvalid', () =>
      world.a.run('access-grant', { path: join(world.share, 'PC-B.spid'), ...parameters }, { ownerPassword }),
    );
  });

  it('of the longest valid one counts, where several permit the move', async () => {
    const world = await copyWorld(made);
    const now = world.a.ports.clock();
    const longer = await grant(world, world.a, world.b, { validUntil: now + 90 * secondsPerDay });
    at(world.a, 40 * secondsPerDay);
    expect((await move(world)).case).toBe('Install');
    const [event] = (await world.a.run<HistoryEventResult>('history'))
      .filter(({ operation }) => operation === 'export')
      .slice(-1);
    expect(event?.summary).toContain(longer.serial);
  });
});

describe('what a grant says of itself in plain words', () => {
  const meaning = async (
    parameters: ParameterValues,
    seconds = 60,
    then: (world: World, access: AccessResult) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<Pick<AccessResult, 'state' | 'meaning'>> => {
    const { world, access } = await worldWithGrant(parameters);
    await then(world, access);
    const [found] = await at(world.a, seconds).run<AccessResult>('access-list', { serial: access.serial });
    return { state: found?.state ?? 'Expired', meaning: found?.meaning ?? '' };
  };
  const key = `000b${'1234567890ab'.repeat(6).slice(0, 64)}`;
  const other = `000b${'ab1234567890'.repeat(6).slice(0, 64)}`;
  const onward = 'From PC-B the authority there may let one key be moved on that the owner knew.';

  it('everyone, from everywhere, any key', async () => {
    expect(await meaning({})).toEqual({
      state: 'Valid',
      meaning: expect.stringMatching(
        new RegExp(
          `^Every user may move their keys from any computer to PC-B, until \\d{4}-\\d\\d-\\d\\dT[\\d:]+Z \\(29 days left\\)\\. ${onward}$`,
        ),
      ) as string,
    });
  });

  it.each<[string, ParameterValues, string]>([
    [
      'one account',
      { user: ['upn:anna@example.org'] },
      'Only the account upn:anna@example.org may move their keys',
    ],
    [
      'two accounts',
      { user: ['upn:otto@example.org', 'upn:anna@example.org'] },
      'Only the accounts upn:anna@example.org, upn:otto@example.org may move their keys',
    ],
    ['one source', { source: [key] }, 'from the computer with the storage key 1234567890ab to PC-B'],
    [
      'two sources',
      { source: [key, other] },
      'from the computers with the storage keys 1234567890ab, ab1234567890 to PC-B',
    ],
    [
      'one key',
      { basicUserKey: [key] },
      'keys under the Basic User Key 1234567890ab, which the chip checks too,',
    ],
    ['no onward move', { noOnward: true }, 'From PC-B the keys may not be moved on.'],
    [
      'no key that its authority could let move on',
      { user: ['upn:otto@example.org'] },
      'From PC-B keys may be moved on only by the authority that signed this, or the one they come from.',
    ],
  ])('%s', async (_, parameters, text) => {
    const said = await meaning(parameters);
    expect(said.meaning).toContain(text);
  });

  it.each([
    [29 * secondsPerDay - 60, '1 day left'],
    [30 * secondsPerDay - 60, 'less than a day left'],
  ])('after %i seconds: %s', async (seconds, text) => {
    expect(await meaning({}, seconds)).toEqual({
      state: 'Valid',
      meaning: expect.stringContaining(text) as string,
    });
  });

  it('not yet, ended, revoked', async () => {
    const now = made.world.a.ports.clock();
    const later = await meaning({ validFrom: now + 10 * secondsPerDay }, 0);
    expect(later).toEqual({
      state: 'NotYetValid',
      meaning: expect.stringMatching(
        /to PC-B, but only from 20\S+Z \(in (9|10) days\) until 20\S+Z\. From/,
      ) as string,
    });
    const ended = await meaning({}, 33 * secondsPerDay);
    expect(ended).toEqual({
      state: 'Expired',
      meaning: expect.stringMatching(
        /^It ended on 20\S+Z, [23] days ago, and permits no move any more\. Keys that came to PC-B by it can still be moved on/,
      ) as string,
    });
    const revoked = await meaning({}, 60, (world, { serial }) =>
      world.a.run('access-revoke', { serial, reason: 'The notebook was stolen.' }, { ownerPassword }),
    );
    expect(revoked).toEqual({
      state: 'Revoked',
      meaning: 'It was revoked and permits nothing any more: The notebook was stolen.',
    });
  });
});

describe('many grants', () => {
  it('need one Owner Password and one derivation, each for exactly its destination', async () => {
    const world = await copyWorld(made);
    const entry = findOperation('access-grant');
    if (entry?.kind !== 'changer') throw new Error('access-grant changes something');
    const outputPath = join(world.share, 'bulk');
    await mkdir(outputPath);
    const fleet = await world.a.one<AuthorityResult>(
      'authority-new',
      { path: world.share },
      { ownerPassword },
    );
    const paths: string[] = [];
    for (let index = 0; index < 20; index++) {
      const path = join(world.share, `PC-${String(index)}.spid`);
      const [from, to] = ['PC-B', `PC-${String(index)}`];
      const text = (await readFile(join(world.share, 'PC-B.spid'), 'utf8')).replace(
        `: ${from}\n`,
        `: ${to}\n`,
      );
      await writeFile(path, text);
      paths.push(path);
    }
    // As one conversation of the process protocol: the password comes with every request, its root is kept.
    const secrets = new Secrets(world.a.ports.random);
    const serials = new Set<string>();
    derived.count = 0;
    for (const path of paths) {
      secrets.put('ownerPassword', new SecretBytes(utf8(ownerPassword)));
      const report = { progress: () => undefined, verbose: () => undefined, warning: () => undefined };
      const call = { ports: world.a.ports, secrets, signal: new AbortController().signal, report };
      const parameters = { path, authorityPath: fleet.path, outputPath };
      const [access] = (await applyChange(
        'access-grant',
        entry,
        call,
        parameters,
        undefined,
      )) as AccessResult[];
      secrets.dropPasswords();
      expect(path).toContain(`${access?.destination ?? 'none'}.spid`);
      serials.add(access?.serial ?? '');
    }
    secrets.dispose();
    expect(serials.size).toBe(20);
    expect(derived.count).toBe(1);
  });
});

describe('the history that a grant carries', () => {
  it('is the head of the platform’s chain at that time, and another one for the next grant', async () => {
    const world = await copyWorld(made);
    const { ids } = await requirePlatform(world.a.ports);
    const history = world.a.ports.history(ids.platformId);
    const before = [await history.head('platform')];
    const first = await decoded(await grant(world, world.a, world.c));
    before.push(await history.head('platform'));
    const second = await decoded(await grant(world, world.a, world.c));
    expect([first, second].map(({ grant: { historyHead } }) => toHex(historyHead))).toEqual(
      before.map(toHex),
    );
    expect(toHex(first.grant.historyHead)).not.toBe(toHex(second.grant.historyHead));
    const lines = await history.read('platform');
    expect(lines.map(({ hash }) => hash)).toContain(toHex(first.grant.historyHead));
  });

  it('of a fleet authority is that of the chain in which the grant stands, and none without a platform', async () => {
    const world = await copyWorld(made);
    const fleet = await world.a.one<AuthorityResult>(
      'authority-new',
      { path: world.share },
      { ownerPassword },
    );
    const parameters = {
      path: join(world.share, 'PC-B.spid'),
      authorityPath: fleet.path,
      outputPath: world.share,
    };
    const { ids } = await requirePlatform(world.a.ports);
    const history = world.a.ports.history(ids.platformId);
    const head = toHex(await history.head('user'));
    const signed = await decoded(
      await world.a.one<AccessResult>('access-grant', parameters, { ownerPassword }),
    );
    expect(toHex(signed.grant.historyHead)).toBe(head);
    const [newest] = (await history.read('user')).slice(-1);
    expect(newest).toMatchObject({ operation: 'access-grant', previous: head });

    const home = join(world.folder, 'PC-D');
    await mkdir(home, { mode: 0o700 });
    const d = await Computer.at(home);
    const elsewhere = await decoded(await d.one<AccessResult>('access-grant', parameters, { ownerPassword }));
    expect(elsewhere.grant.historyHead).toHaveLength(0);
  });
});

describe('what users left for the owner', () => {
  it('stops no grant, however much it is: the surplus is reported', async () => {
    const world = await copyWorld(made);
    const users = join(world.a.home, 'platform', 'users');
    for (let index = 0; index < 150; index++)
      await writeFile(join(users, `z${String(index)}.spuser`), 'not a registration', { mode: 0o600 });
    const access = await grant(world, world.a, world.c);
    expect((await decoded(access)).grant.onward).toHaveLength(1);
    const codes = new Map<string, number>();
    for (const { code = '' } of world.a.warnings) codes.set(code, (codes.get(code) ?? 0) + 1);
    const expected: readonly (readonly [ErrorCode, number])[] = [
      ['LimitExceeded', 1],
      ['WrongFileKind', 99],
    ];
    expect([...codes]).toEqual(expected);
  });
});
