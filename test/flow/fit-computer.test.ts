/**
 * `Test-SPMigration` before a journey, and the plan of an export: for every situation the check that fails, its code, or the
 * note; always without a secret, and without changing anything. Fit of an archive: fit.test.ts.
 */
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../../core/src/domain/error-catalogue.ts';
import { secondsPerDay } from '../../core/src/domain/time.ts';
import type {
  CheckResult,
  CredentialResult,
  IdentityResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import type { ParameterValues } from '../../core/src/operations/registry.ts';
import type { Computer } from '../testkit/computer.ts';
import { createTestAccount } from '../testkit/surroundings.ts';
import {
  copyWorld,
  expectComplete,
  fingerprintOf,
  grant,
  makeComputer,
  makeWorld,
  ownerPassword,
  password,
  refused,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const wrong = { password: 'not the password' };

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

const archiveIn = (world: World): string => join(world.share, basename(made.archive.path));

/** The computer at another time. */
function at(computer: Computer, seconds: number): Computer {
  const { clock } = computer.ports;
  computer.ports = { ...computer.ports, clock: () => clock() + seconds };
  return computer;
}

function withFreeBytes(computer: Computer, free: number): void {
  const { files } = computer.ports;
  computer.ports = { ...computer.ports, files: { ...files, freeBytes: () => Promise.resolve(free) } };
}

/** Asks, and makes sure that asking changed nothing and every text is complete. */
async function ask(
  world: World,
  computer: Computer,
  parameters: ParameterValues = {},
): Promise<readonly CheckResult[]> {
  const before = await fingerprintOf(world.folder);
  const checks = await computer.run<CheckResult>('platform-test', parameters);
  expect(await fingerprintOf(world.folder)).toEqual(before);
  for (const { message, hint } of checks) {
    if (hint === null) expect(message).not.toMatch(/unknown\)|undefined|\{\w+\}/);
    else expectComplete({ message, hint });
  }
  return checks;
}

const failures = (checks: readonly CheckResult[]) =>
  checks.filter(({ passed }) => !passed).map(({ name, code }) => [name, code]);
const notes = (checks: readonly CheckResult[]) =>
  checks.filter(({ passed, hint }) => passed && hint !== null).map(({ name, message }) => [name, message]);
const named = (checks: readonly CheckResult[], wanted: string) => checks.find(({ name }) => name === wanted);
const text = (part: string): string => expect.stringContaining(part) as string;

/** The computer's own file in `platform/public/<collection>`. */
async function ownFile(computer: Computer, collection: string): Promise<string> {
  const folder = join(computer.home, 'platform', 'public', collection);
  const [name = ''] = await readdir(folder);
  return join(folder, name);
}

interface Situation {
  readonly arrange: (world: World) => Promise<unknown>;
  readonly parameters?: ParameterValues;
  readonly failed: readonly (readonly [check: string, code: ErrorCode])[];
}

/** All on PC-A, which is the source of this world. */
const situations: Readonly<Record<string, Situation>> = {
  'a policy that cannot be read': {
    arrange: ({ a }) => writeFile(join(a.home, 'policy'), 'nonsense\n'),
    failed: [['Policy', 'PolicyMalformed']],
  },
  'a policy that forbids rehearsals': {
    arrange: ({ a }) => writeFile(join(a.home, 'policy'), 'SPMigration policy v1\nAllowRehearsal: no\n'),
    failed: [['Policy', 'RehearsalForbidden']],
  },
  'folders that others may write or look into, each': {
    arrange: async ({ a }) => {
      await chmod(join(a.home, 'platform', 'public', 'grants'), 0o777);
      await chmod(join(a.home, 'platform', 'private'), 0o755);
    },
    failed: [
      ['Folder', 'PlatformFolderUntrusted'],
      ['Folder', 'PlatformFolderUntrusted'],
    ],
  },
  'no initialized platform': {
    arrange: ({ a }) => rm(join(a.home, 'platform'), { recursive: true }),
    failed: [['Platform', 'PlatformNotInitialized']],
  },
  'damaged settings': {
    arrange: ({ a }) =>
      writeFile(join(a.home, 'platform', 'public', 'platform'), 'SPMigration platform v1\n'),
    failed: [['Platform', 'PlatformDamaged']],
  },
  'a chip that was cleared': {
    arrange: async (world) => {
      const other = await makeComputer(join(world.folder, 'other'), 'PC-A');
      world.a.ports = { ...world.a.ports, chip: other.ports.chip };
    },
    failed: [['Chip', 'StorageKeyChanged']],
  },
  'an authority key that is missing': {
    arrange: ({ a }) => rm(join(a.home, 'platform', 'private', 'authority')),
    failed: [['Authority', 'PlatformDamaged']],
  },
  'an authority key of another platform': {
    arrange: async ({ a, b }) =>
      writeFile(
        join(a.home, 'platform', 'private', 'authority'),
        await readFile(join(b.home, 'platform', 'private', 'authority')),
      ),
    failed: [['Authority', 'PlatformDamaged']],
  },
  'a revocation list that is damaged': {
    arrange: async ({ a }) => {
      await a.run('access-revoke', { serial: made.access.serial }, { ownerPassword });
      const path = await ownFile(a, 'revocations');
      await writeFile(path, (await readFile(path, 'utf8')).replace('number: 1', 'number: 2'));
    },
    // The grants cannot be judged without it: the same failure, said once.
    failed: [['Revocation list', 'SignatureInvalid']],
  },
  'a history that was changed': {
    arrange: async ({ a }) => {
      const path = join(a.home, 'platform', 'private', 'history');
      await writeFile(path, (await readFile(path, 'utf8')).replace('"ok"', '"no"'));
    },
    failed: [['History (platform)', 'HistoryBroken']],
  },
  'no environment of this account': {
    arrange: ({ a }) => a.run('user-remove'),
    parameters: { role: 'Source' },
    failed: [['Environment', 'UserNotInitialized']],
  },
  'an environment that is damaged': {
    arrange: async ({ a }) => {
      const [status] = await a.run<StatusResult>('status');
      const epoch = join(status?.environmentPath ?? '', 'epochs', '1');
      const [newest = ''] = (await readdir(epoch)).sort().reverse();
      await writeFile(join(epoch, newest), 'SPMigration generation v1\nhalf');
    },
    failed: [['Environment', 'EnvironmentDamaged']],
  },
  'no space for another generation': {
    arrange: ({ a }) => {
      withFreeBytes(a, 1000);
      return Promise.resolve();
    },
    failed: [['Space', 'StorageFull']],
  },
  'too many wrong passwords': {
    arrange: async ({ a }) => {
      for (let attempt = 0; attempt < 5; attempt++)
        await expect(a.run('feature-disable', { feature: 'SecureEmail' }, wrong)).rejects.toThrow();
    },
    failed: [['Password tries', 'LockedOut']],
  },
  'a password that is too old': {
    arrange: ({ a }) => Promise.resolve(at(a, 20 * secondsPerDay)),
    parameters: { maximumPasswordAgeDays: 19 },
    failed: [['Password age', 'PasswordTooOld']],
  },
  'no credential': {
    arrange: async ({ a }) => {
      await a.run('feature-disable', { feature: 'SecureEmail' }, { password });
      await a.run('credential-remove', { credential: made.credential.credential }, { password });
    },
    failed: [['Credentials', 'CredentialNotFound']],
  },
  'no grant': {
    arrange: async ({ a }) => rm(await ownFile(a, 'grants')),
    failed: [['Grants', 'DestinationNotAuthorized']],
  },
  'only a grant that has ended': {
    arrange: ({ a }) => Promise.resolve(at(a, 31 * secondsPerDay)),
    failed: [['Grants', 'GrantExpired']],
  },
  'only a grant that was revoked': {
    arrange: ({ a }) => a.run('access-revoke', { serial: made.access.serial }, { ownerPassword }),
    failed: [['Grants', 'GrantRevoked']],
  },
  'only a grant for others': {
    arrange: async (world) => {
      await rm(await ownFile(world.a, 'grants'));
      await grant(world, world.a, world.b, { user: ['upn:otto@example.org'] });
    },
    failed: [['Grants', 'GrantUserMismatch']],
  },
};

describe('a computer is tested, and lacks something', () => {
  it.each(Object.entries(situations))('%s', async (_, { arrange, parameters, failed }) => {
    const world = await copyWorld(made);
    await arrange(world);
    expect(failures(await ask(world, world.a, parameters))).toEqual(failed);
  });

  it('row-043: a platform or an environment, which export and import then refuse with the same code', async () => {
    const world = await copyWorld(made);
    const exporting = () =>
      world.a.run('export', { path: join(world.share, 'x.sparc'), destination: 'PC-B' }, { password });
    await world.a.run('user-remove');
    expect(failures(await ask(world, world.a))).toEqual([['Environment', 'UserNotInitialized']]);
    await refused(world, 'UserNotInitialized', exporting);
    for (const computer of [world.a, world.b]) {
      await rm(join(computer.home, 'platform'), { recursive: true });
      expect(failures(await ask(world, computer))).toEqual([['Platform', 'PlatformNotInitialized']]);
    }
    await refused(world, 'PlatformNotInitialized', exporting);
    await refused(world, 'PlatformNotInitialized', () =>
      world.b.run('import', { path: archiveIn(world) }, { password }),
    );
  });

  it('a clock that was not set back: what is here is from later, and grants have not begun', async () => {
    const world = await copyWorld(made);
    expect(failures(await ask(world, at(world.a, -2 * secondsPerDay)))).toEqual([
      ['Clock', 'ClockImplausible'],
      ['Clock', 'ClockImplausible'],
      ['Grants', 'GrantNotYetValid'],
    ]);
    // Two clocks are never quite the same: minutes are no reason.
    const near = await copyWorld(made);
    expect(failures(await ask(near, at(near.a, -240), { role: 'Destination' }))).toEqual([]);
  });

  it('only what its role needs', async () => {
    const world = await copyWorld(made);
    expect(failures(await ask(world, world.b, { role: 'Destination' }))).toEqual([]);
    expect(failures(await ask(world, world.b, { role: 'Source' }))).toEqual([
      ['Environment', 'UserNotInitialized'],
    ]);
  });

  it.each([0, -1])('and is asked for a password age of %i days', async (maximumPasswordAgeDays) => {
    const world = await copyWorld(made);
    await refused(world, 'ParameterInvalid', () => world.a.run('platform-test', { maximumPasswordAgeDays }));
  });
});

describe('a computer is tested, and is fit', () => {
  it('with every check passed and nothing to note', async () => {
    const world = await copyWorld(made);
    const checks = await ask(world, world.a);
    expect([failures(checks), notes(checks)]).toEqual([[], []]);
    expect(checks.map(({ name }) => name)).toEqual([
      'Policy',
      'Folder',
      'Platform',
      'Chip',
      'Authority',
      'Revocation lists',
      'History (platform)',
      'History (user)',
      'Clock',
      'Environment',
      'Space',
      'Password tries',
      'Password age',
      'Kept generations',
      'Credentials',
      'Features',
      'Grants',
      'Authority over the key',
      'Registration',
    ]);
    expect(named(checks, 'Grants')?.message).toMatch(/PC-B until .* \(\d+ days left\)/);
  });

  it('says to who is no administrator what was not looked at', async () => {
    const world = await copyWorld(made);
    const { account } = world.a.ports;
    world.a.ports = {
      ...world.a.ports,
      account: { ...account, isAdministrator: () => Promise.resolve(false) },
    };
    const checks = await ask(world, world.a);
    expect(failures(checks)).toEqual([]);
    expect(named(checks, 'Authority')?.message).toContain('Not looked at');
  });

  it('notes a service account', async () => {
    const world = await copyWorld(made);
    const account = createTestAccount({ uid: 0, name: 'SYSTEM' }, { service: true, administrator: true });
    world.b.ports = { ...world.b.ports, account };
    expect(notes(await ask(world, world.b, { role: 'Destination' }))).toEqual([
      ['Account', text('SYSTEM is a service account')],
    ]);
  });

  it('notes a grant that ends within a few days', async () => {
    const world = await copyWorld(made);
    const checks = await ask(world, at(world.a, 29 * secondsPerDay + 60));
    expect(notes(checks)).toEqual([['Grants', text('less than a day left')]]);
  });

  it('notes wrong passwords since the last right one', async () => {
    const world = await copyWorld(made);
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(world.a.run('feature-disable', { feature: 'SecureEmail' }, wrong)).rejects.toThrow();
    expect(notes(await ask(world, world.a))).toEqual([['Password tries', text('there were 2 wrong ones')]]);
  });

  it('notes a password that will be too old soon, and counts from its last change', async () => {
    const world = await copyWorld(made);
    at(world.a, 20 * secondsPerDay);
    const parameters = { maximumPasswordAgeDays: 25 };
    expect(notes(await ask(world, world.a, parameters))).toEqual([
      ['Password age', text('It is too old in 6 days')],
    ]);
    await world.a.run('user-password', {}, { password, newPassword: 'another password' });
    expect(notes(await ask(world, world.a, parameters))).toEqual([]);
    const later = await ask(world, at(world.a, 26 * secondsPerDay), parameters);
    expect(failures(later)).toEqual([
      ['Password age', 'PasswordTooOld'],
      ['Grants', 'GrantExpired'],
    ]);
  });

  it('notes that the history does not tell the age, where someone asks for it', async () => {
    const world = await copyWorld(made);
    const { environmentPath } = await world.a.one<StatusResult>('status');
    await rm(join(environmentPath ?? '', 'history'));
    expect(notes(await ask(world, world.a, { maximumPasswordAgeDays: 90 }))).toEqual([
      ['Password age', text('does not tell')],
    ]);
    expect(notes(await ask(world, world.a))).toEqual([]);
  });

  it('notes certificates that have ended, and features without a credential', async () => {
    const world = await copyWorld(made);
    // Beyond every certificate: grants have ended then, too.
    const ended = await ask(world, at(world.a, 20 * 365 * secondsPerDay));
    expect(failures(ended)).toEqual([['Grants', 'GrantExpired']]);
    expect(notes(ended)).toEqual([
      ['Credentials', text('Every certificate has ended')],
      ['Features', text('Anna Müller')],
    ]);
    const unused = await copyWorld(made);
    await unused.a.run('feature-disable', { feature: 'SecureEmail' }, { password });
    expect(notes(await ask(unused, unused.a))).toEqual([['Features', text('No feature uses a credential')]]);
    await unused.b.run('import', { path: archiveIn(unused) }, { password });
    expect(notes(await ask(unused, unused.b, { role: 'Destination' }))).toEqual([]);
    const source = await ask(unused, unused.b, { role: 'Source' });
    expect(notes(source)).toEqual([['Features', text('Not enabled here yet: SecureEmail')]]);
  });

  it('says how a key that came from elsewhere may move on', async () => {
    const world = await copyWorld(made);
    const path = join(world.share, 'closed.sparc');
    const importing = async (parameters: ParameterValues): Promise<string> => {
      const { serial } = await grant(world, world.a, world.b, parameters);
      await world.a.run('export', { path, serial, overwrite: true }, { password });
      await world.b.run('import', { path }, { password });
      const found = named(await ask(world, world.b, { role: 'Source' }), 'Authority over the key');
      return `${found?.message ?? ''} ${found?.hint ?? ''}`;
    };
    expect(await importing({ noOnward: true })).toContain('may not let these keys move on');
    // Granted again with onward, and imported once more: now it may.
    expect(await importing({})).toContain('delegated to the authority of this platform by 1 grant.');
    expect(named(await ask(world, world.a), 'Authority over the key')?.message).toContain(
      'the authority of this platform',
    );
  });

  it('notes a registration that is missing, which Initialize-SPMigrationUser leaves again', async () => {
    const world = await copyWorld(made);
    const users = join(world.a.home, 'platform', 'users');
    const [name = ''] = (await readdir(users)).filter((one) => one.endsWith('.spuser'));
    const before = await readFile(join(users, name));
    await rm(join(users, name));
    expect(notes(await ask(world, world.a))).toEqual([['Registration', text('does not know this key')]]);
    const environment = async () =>
      (await fingerprintOf(world.a.home)).filter(
        (line) => line.startsWith('users') && !line.includes('history'),
      );
    const kept = await environment();
    // Nobody needs a password for what is public.
    await world.a.run('user-initialize');
    expect(await readFile(join(users, name))).toEqual(before);
    expect(await environment()).toEqual(kept);
    expect(notes(await ask(world, world.a))).toEqual([]);
    await refused(world, 'UserAlreadyInitialized', () => world.a.run('user-initialize', {}, { password }));
  });

  it('notes a registration of another account, or of one that nobody can tell, in its place', async () => {
    const world = await copyWorld(made);
    const { platform } = world.a.ports;
    const ownedBy = (ownerId: string): void => {
      const registration: typeof platform.registration = async (name) => {
        const file = await platform.registration(name);
        return file && { ...file, ownerId };
      };
      const answering = new Proxy(platform, {
        get: (target, name: keyof typeof platform) => {
          if (name === 'registration') return registration;
          const value = target[name];
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      world.a.ports = { ...world.a.ports, platform: answering };
    };
    for (const owner of ['uid:4711@00000000000000000000', '']) {
      ownedBy(owner);
      expect(notes(await ask(world, world.a))).toEqual([['Registration', text('does not know this key')]]);
    }
  });
});

describe('the plan of an export', () => {
  const planned = async (world: World, parameters: ParameterValues = {}): Promise<readonly string[]> => {
    const before = await fingerprintOf(world.folder);
    const target = { path: join(world.share, 'new.sparc'), destination: 'PC-B', ...parameters };
    const { plan } = await world.a.plan('export', target);
    expect(await fingerprintOf(world.folder)).toEqual(before);
    return plan.lines;
  };

  it('says without a secret what travels, until when, and whether the keys can go on', async () => {
    const world = await copyWorld(made);
    expect(await planned(world)).toEqual([
      text('can be opened on PC-B only'),
      'Anna Müller is in it, active for SecureEmail.',
      text('days left); by then it must be imported.'),
      'From PC-B the keys may be moved on by the authority of that computer.',
    ]);
    expect(world.a.warnings).toEqual([]);
  });

  it('says of each credential whether it still waits for a certificate, or its certificate has ended', async () => {
    const world = await copyWorld(made);
    await world.a.run(
      'credential-new',
      {
        subject: 'Waiting',
        algorithm: 'P-256',
        request: true,
        requestPath: join(world.share, 'request.csr'),
      },
      { password },
    );
    const short = { subject: 'Short', algorithm: 'P-256', validityDays: 1 };
    await world.a.one<CredentialResult>('credential-new', short, { password });
    at(world.a, 3 * secondsPerDay);
    const lines = await planned(world);
    expect(lines).toContainEqual(
      text('Waiting is in it. It still waits for its certificate; the key travels'),
    );
    expect(lines).toContainEqual(text('Short is in it. Its certificate ended on'));
    expect(lines).toContainEqual('Anna Müller is in it, active for SecureEmail.');
  });

  it('warns where the grant ends within a few days', async () => {
    const world = await copyWorld(made);
    at(world.a, 28 * secondsPerDay + 60);
    expect(await planned(world)).toContainEqual(text('(1 day left)'));
    expect(world.a.warnings).toMatchObject([{ message: text('nobody can import this archive') }]);
  });

  it('says where the keys may not, or cannot, go on from the destination', async () => {
    const world = await copyWorld(made);
    const closed = await grant(world, world.a, world.b, { noOnward: true });
    expect(await planned(world, { serial: closed.serial })).toContainEqual(
      'From PC-B the keys may not be moved on: the grant says so.',
    );
    // Signed before this user was registered.
    await rm(join(world.a.home, 'platform', 'users'), { recursive: true });
    const early = await grant(world, world.a, world.b);
    expect(await planned(world, { serial: early.serial })).toContainEqual(text('cannot be moved on'));
    expect(world.a.warnings).toMatchObject([{ code: 'OnwardNotDelegated' }]);
  });

  it('says that a key on its way back may be going home, and warns of nothing', async () => {
    const world = await copyWorld(made);
    await world.b.run('import', { path: archiveIn(world) }, { password });
    await grant(world, world.b, world.a);
    const { plan } = await world.b.plan('export', {
      path: join(world.share, 'back.sparc'),
      destination: 'PC-A',
    });
    expect(plan.lines).toContainEqual(text('only if its authority is the one that they come from'));
    expect(world.b.warnings).toEqual([]);
  });

  it('refuses at once where the target has no space for the archive', async () => {
    const world = await copyWorld(made);
    withFreeBytes(world.a, 1000);
    const target = { path: join(world.share, 'new.sparc'), destination: 'PC-B' };
    await refused(world, 'StorageFull', () => world.a.plan('export', target));
  });
});

describe('an identity of a computer whose chip was cleared', () => {
  it('row-106: is stale at the import, and a grant for it at the export leads to the old key only', async () => {
    const world = await copyWorld(made);
    const old = await world.b.one<IdentityResult>('identity-export', { path: world.share, overwrite: true });
    await rm(join(world.b.home, 'platform'), { recursive: true });
    const again = await makeComputer(world.folder, 'PC-B');
    const now = await again.one<IdentityResult>('identity-export', { path: world.share, overwrite: true });
    expect(now.fingerprint).not.toBe(old.fingerprint);
    // Two computers of one name, as far as the source can see: it must be told which.
    await world.a.run('access-grant', { path: now.path, fingerprint: now.fingerprint }, { ownerPassword });
    const target = { path: join(world.share, 'new.sparc') };
    await refused(world, 'DestinationAmbiguous', () =>
      world.a.run('export', { ...target, destination: 'PC-B' }, { password }),
    );
    await world.a.run('export', { ...target, destination: old.fingerprint }, { password });
    await refused(world, 'IdentityStale', () => again.run('import', target, { password }));
    await world.a.run('export', { ...target, destination: now.fingerprint, overwrite: true }, { password });
    expect(await again.one('import', target, { password })).toMatchObject({ case: 'Install' });
  });
});
