/**
 * Fit before travel: `archive-test` and the plan of an export find out beforehand, without any secret, what an import or
 * export would meet. For every situation here `archive-test` names the check and the code, and the import that is tried all
 * the same is refused with that very code, having changed nothing. What is worth knowing and no obstacle is a note.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sha256 } from '../../core/src/crypto/hash.ts';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import type { ErrorCode } from '../../core/src/domain/error-catalogue.ts';
import { secondsPerDay } from '../../core/src/domain/time.ts';
import { encodeSums } from '../../core/src/format/sums-v1.ts';
import type {
  AccessResult,
  ArchiveResult,
  ArchiveTestResult,
  CheckResult,
  IdentityResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import type { ParameterValues } from '../../core/src/operations/registry.ts';
import type { Computer } from '../testkit/computer.ts';
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

/** The computer with a disk that says it has this much space. */
function withFreeBytes(computer: Computer, free: number | undefined): Computer {
  const { files } = computer.ports;
  computer.ports = { ...computer.ports, files: { ...files, freeBytes: () => Promise.resolve(free) } };
  return computer;
}

/** Asks, and makes sure that asking changed nothing. */
async function ask(
  world: World,
  computer: Computer,
  parameters: ParameterValues = {},
): Promise<ArchiveTestResult> {
  const before = await fingerprintOf(world.folder);
  const answer = await computer.one<ArchiveTestResult>('archive-test', {
    path: archiveIn(world),
    forThisComputer: true,
    ...parameters,
  });
  expect(await fingerprintOf(world.folder)).toEqual(before);
  for (const { message, hint } of answer.checks) {
    if (hint === null) expect(message).not.toMatch(/unknown\)|undefined|\{\w+\}/);
    else expectComplete({ message, hint });
  }
  expect(answer.fits).toBe(answer.checks.every(({ passed }) => passed));
  return answer;
}

const failures = ({
  checks,
}: Pick<ArchiveTestResult, 'checks'>): readonly (readonly [string, string | null])[] =>
  checks.filter(({ passed }) => !passed).map(({ name, code }) => [name, code]);
const notes = ({ checks }: Pick<ArchiveTestResult, 'checks'>): readonly CheckResult[] =>
  checks.filter(({ passed, hint }) => passed && hint !== null);
const check = ({ checks }: ArchiveTestResult, wanted: string): CheckResult | undefined =>
  checks.find(({ name }) => name === wanted);

/** Changes bytes inside entries of the archive, and makes CRC and everything around it fit again. */
async function repack(
  world: World,
  change: (parts: Record<string, Uint8Array>) => Record<string, Uint8Array>,
): Promise<void> {
  const { archives } = world.b.ports;
  const parts = await archives.unpack(await readFile(archiveIn(world)), 'archive');
  const changed = { ...parts, ...change({ ...parts }) } as typeof parts;
  await writeFile(archiveIn(world), await archives.pack(changed));
}

const flip = (bytes: Uint8Array = new Uint8Array()): Uint8Array =>
  bytes.map((byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte));

interface Situation {
  /** Makes it so; answers where the test is run. */
  readonly arrange: (world: World) => Promise<{ computer: Computer; parameters?: ParameterValues }>;
  readonly failed: readonly (readonly [check: string, code: ErrorCode])[];
  /** What the import ends with; by default the first of `failed`. */
  readonly importCode?: ErrorCode;
}

const situations: Readonly<Record<string, Situation>> = {
  'another kind of file': {
    arrange: async (world) => {
      await writeFile(archiveIn(world), await readFile(join(world.share, 'PC-B.spid')));
      return { computer: world.b };
    },
    failed: [['File', 'WrongFileKind']],
  },
  'an archive cut off on its way': {
    arrange: async (world) => {
      const whole = await readFile(archiveIn(world));
      await writeFile(archiveIn(world), whole.subarray(0, whole.length - 40));
      return { computer: world.b };
    },
    failed: [['Whole', 'ArchiveDamaged']],
  },
  'an archive damaged in three places': {
    arrange: async (world) => {
      await repack(world, (parts) => ({
        grants: flip(parts.grants),
        'buk.seed': flip(parts['buk.seed']),
        environment: flip(parts.environment),
      }));
      return { computer: world.b };
    },
    failed: [['Whole', 'ArchiveDamaged']],
  },
  'an archive of a later version of the format': {
    arrange: async (world) => {
      await repack(world, ({ manifest = new Uint8Array(), environment = new Uint8Array() }) => {
        const text = new TextDecoder()
          .decode(manifest)
          .replace('SPMigration manifest v1', 'SPMigration manifest v2');
        const newer = utf8(text);
        return {
          manifest: newer,
          sums: encodeSums({ manifest: sha256(newer), environment: sha256(environment) }),
        };
      });
      return { computer: world.b };
    },
    failed: [['Whole', 'VersionUnsupported']],
  },
  'an archive for another computer': {
    arrange: (world) => Promise.resolve({ computer: world.c }),
    failed: [
      ['Destination', 'ArchiveNotForThisPlatform'],
      ['Permission', 'DestinationNotAuthorized'],
    ],
  },
  'this computer after its chip was cleared and it was initialized again': {
    arrange: async (world) => {
      await rm(join(world.b.home, 'platform'), { recursive: true });
      return { computer: await makeComputer(world.folder, 'PC-B') };
    },
    failed: [
      ['Destination', 'IdentityStale'],
      ['Permission', 'DestinationNotAuthorized'],
    ],
  },
  'this computer after its chip was cleared': {
    arrange: async (world) => {
      const other = await makeComputer(join(world.folder, 'other'), 'PC-B');
      world.b.ports = { ...world.b.ports, chip: other.ports.chip };
      return { computer: world.b };
    },
    failed: [['Platform', 'StorageKeyChanged']],
  },
  'a computer that is not initialized': {
    arrange: async (world) => {
      await rm(join(world.b.home, 'platform'), { recursive: true });
      return { computer: world.b };
    },
    failed: [['Platform', 'PlatformNotInitialized']],
  },
  'a grant that has ended': {
    arrange: (world) => Promise.resolve({ computer: at(world.b, 31 * secondsPerDay) }),
    failed: [['Time', 'GrantExpired']],
  },
  'a grant that has not begun': {
    arrange: (world) => Promise.resolve({ computer: at(world.b, -secondsPerDay) }),
    failed: [['Time', 'GrantNotYetValid']],
  },
  'a grant that a list beside it revokes, and that has ended too': {
    arrange: async (world) => {
      const { path } = await world.a.one<{ path: string }>(
        'access-revoke',
        { serial: made.access.serial, reason: 'left the company' },
        { ownerPassword },
      );
      return { computer: at(world.b, 31 * secondsPerDay), parameters: { grantPath: [path] } };
    },
    failed: [
      ['Revocation', 'GrantRevoked'],
      ['Time', 'GrantExpired'],
    ],
  },
  'a policy that trusts other authorities': {
    arrange: async (world) => {
      await writeFile(
        join(world.b.home, 'policy'),
        `SPMigration policy v1\nTrustedAuthorities: ${'0'.repeat(40)}\n`,
      );
      return { computer: world.b };
    },
    failed: [['Trust', 'AuthorityNotTrusted']],
  },
  'a policy that cannot be read': {
    arrange: async (world) => {
      await writeFile(join(world.b.home, 'policy'), 'nonsense\n');
      return { computer: world.b };
    },
    failed: [['Platform', 'PolicyMalformed']],
  },
  'a damaged revocation list of this computer': {
    arrange: async (world) => {
      await writeFile(
        join(world.b.home, 'platform', 'public', 'revocations', `${'0'.repeat(40)}.sprevoked`),
        'SPMigration revocation-list v1\nhalf a li',
      );
      return { computer: world.b };
    },
    failed: [['Revocation lists', 'RevocationListMalformed']],
  },
  'an environment of a later version of the program': {
    arrange: async (world) => {
      await world.b.run('user-initialize', {}, { password });
      await editCurrent(world.b, (text) => text.replace(/ v1\n/, ' v2\n'));
      return { computer: world.b };
    },
    failed: [['Environment', 'StoreNewer']],
  },
  'an environment of another platform': {
    arrange: async (world) => {
      await world.b.run('user-initialize', {}, { password });
      await editCurrent(world.b, (text) =>
        text.replace(/^(.*: )(000b[0-9a-f]{64})$/m, (_, name: string) => `${name}000b${'7'.repeat(64)}`),
      );
      return { computer: world.b };
    },
    failed: [['Environment', 'EnvironmentOfOtherPlatform']],
  },
  'a disk without space for the environment': {
    arrange: (world) => Promise.resolve({ computer: withFreeBytes(world.b, 100_000) }),
    failed: [['Space', 'StorageFull']],
  },
};

/** Changes the pointer of the calling user's store. */
async function editCurrent(computer: Computer, edit: (text: string) => string): Promise<void> {
  const [status] = await computer.run<{ environmentPath: string }>('status');
  const path = join(status?.environmentPath ?? '', 'current');
  const before = await readFile(path, 'utf8');
  const after = edit(before);
  expect(after).not.toBe(before);
  await writeFile(path, after);
}

describe('an archive is tested, and does not fit', () => {
  it.each(Object.entries(situations))('%s', async (_, { arrange, failed, importCode }) => {
    const world = await copyWorld(made);
    const { computer, parameters = {} } = await arrange(world);
    const answer = await ask(world, computer, parameters);
    expect(failures(answer)).toEqual(failed);
    expect(answer.fits).toBe(false);
    expect(answer.reasons.slice(0, failed.length)).toEqual(
      answer.checks.filter(({ passed }) => !passed).map(({ message }) => message),
    );
    // The import that is tried all the same meets just that.
    const [[, first] = ['', 'InternalError']] = failed;
    await refused(world, importCode ?? (first as ErrorCode), () =>
      computer.run('import', { path: archiveIn(world), ...parameters }, { password }),
    );
  });

  it('names all that is damaged, not only the first', async () => {
    const world = await copyWorld(made);
    await situations['an archive damaged in three places']?.arrange(world);
    const { reasons } = await ask(world, world.b);
    expect(reasons.join()).toMatch(/"grants".*"buk\.seed".*"environment"/);
  });

  it('says what else can be said where this computer is not ready', async () => {
    const world = await copyWorld(made);
    await rm(join(world.b.home, 'platform'), { recursive: true });
    const answer = await ask(world, at(world.b, 31 * secondsPerDay));
    expect(failures(answer)).toEqual([
      ['Platform', 'PlatformNotInitialized'],
      ['Time', 'GrantExpired'],
    ]);
    expect(check(answer, 'Grants')).toMatchObject({ passed: true });
    expect(answer).toMatchObject({ case: 'NotKnown', destination: 'PC-B', daysLeft: 0 });
  });
});

describe('who and where an archive is from', () => {
  /** Lets the manifest claim something else, with sums to fit: everyone can do that. */
  const claiming = (world: World, from: RegExp, to: string): Promise<void> =>
    repack(world, ({ manifest = new Uint8Array(), environment = new Uint8Array() }) => {
      const text = new TextDecoder().decode(manifest);
      expect(text).toMatch(from);
      const changed = utf8(text.replace(from, to));
      const sums = encodeSums({ manifest: sha256(changed), environment: sha256(environment) });
      return { manifest: changed, sums };
    });

  it('row-098: is in it, and both a test and an import compare it with the grant', async () => {
    const world = await copyWorld(made);
    const { account, accountName } = await world.a.one<StatusResult>('status');
    const { storageKeyName } = await world.a.one<IdentityResult>('identity-export', { path: world.share });
    await grant(world, world.a, world.b, { user: [account], source: [storageKeyName] });
    const named = (await world.a.run<AccessResult>('access-list')).find(({ user }) => user[0] === account);
    const parameters = { path: archiveIn(world), serial: named?.serial ?? '', overwrite: true };
    await world.a.run('export', parameters, { password });
    const archive = await world.b.one<ArchiveResult>('archive-read', { path: archiveIn(world) });
    expect(archive).toMatchObject({ account, accountName, sourceComputer: 'PC-A', destination: 'PC-B' });
    expect((await ask(world, world.b)).fits).toBe(true);
    const importing = () => world.b.run('import', { path: archiveIn(world) }, { password });

    const whole = await readFile(archiveIn(world));
    await claiming(world, new RegExp(`^account: ${account}$`, 'm'), 'account: uid:4711@00000000000000000000');
    expect(failures(await ask(world, world.b))).toEqual([['Permission', 'GrantUserMismatch']]);
    await refused(world, 'GrantUserMismatch', importing);
    await writeFile(archiveIn(world), whole);
    await claiming(world, /^source-key: .*$/m, `source-key: 000b${'5'.repeat(64)}`);
    expect(failures(await ask(world, world.b))).toEqual([['Permission', 'GrantSourceMismatch']]);
    await refused(world, 'GrantSourceMismatch', importing);
    // A false name of the computer fits, without a secret; the password finds it out.
    await writeFile(archiveIn(world), whole);
    await claiming(world, /^source-computer: PC-A$/m, 'source-computer: PC-X');
    expect((await ask(world, world.b)).fits).toBe(true);
    await refused(world, 'ArchiveChanged', importing);
  });

  it('row-099: a file of another kind is named for what it is', async () => {
    const world = await copyWorld(made);
    const { path } = await world.a.one<{ path: string }>(
      'access-revoke',
      { serial: made.access.serial },
      { ownerPassword },
    );
    for (const [file, said] of [
      [join(world.share, 'PC-B.spid'), /is an identity; an archive is needed/],
      [path, /is a revocation list; an archive is needed/],
    ] as const) {
      await writeFile(archiveIn(world), await readFile(file));
      const { checks, reasons } = await ask(world, world.b);
      expect(checks).toHaveLength(1);
      expect(reasons).toEqual([expect.stringMatching(said)]);
    }
  });
});

describe('an archive is tested, and fits', () => {
  it('on the computer it was made for, with every check passed and days left', async () => {
    const world = await copyWorld(made);
    const answer = await ask(world, at(world.b, 3600));
    expect(answer).toMatchObject({
      fits: true,
      case: 'Install',
      destination: 'PC-B',
      daysLeft: 29,
      reasons: [],
    });
    expect(answer.checks.map(({ name }) => name)).toEqual([
      'File',
      'Whole',
      'Platform',
      'Revocation lists',
      'Kind',
      'Destination',
      'Grants',
      'Permission',
      'Revocation',
      'Time',
      'Trust',
      'Environment',
      'Space',
    ]);
    expect(check(answer, 'Trust')?.message).toContain('any is accepted');
    expect(check(answer, 'Environment')?.message).toContain('Install');
  });

  it('and only the archive where nobody asks about this computer', async () => {
    const world = await copyWorld(made);
    const answer = await ask(world, world.c, { forThisComputer: false });
    expect(answer).toMatchObject({ fits: true, case: 'NotKnown', account: '' });
    expect(answer.checks.map(({ name }) => name)).toEqual(['File', 'Whole', 'Grants']);
  });

  it('with a note where the grant ends within a few days', async () => {
    const world = await copyWorld(made);
    const answer = await ask(world, at(world.b, 28 * secondsPerDay + 3600));
    expect(answer).toMatchObject({ fits: true, daysLeft: 1 });
    expect(notes(answer)).toMatchObject([{ name: 'Time', code: null }]);
    expect(answer.reasons).toEqual([expect.stringContaining('1 day left')]);
    const last = await ask(world, at(world.b, 86_000));
    expect(last.reasons).toEqual([expect.stringContaining('less than a day left')]);
  });

  it('with a note where it needs a transfer code', async () => {
    const world = await copyWorld(made);
    const parameters = { path: archiveIn(world), destination: 'PC-B', overwrite: true };
    await world.a.run('export', parameters, { password, transferCode: '0000-0000-0000-0000' });
    const answer = await ask(world, world.b);
    expect(answer.fits).toBe(true);
    expect(notes(answer)).toMatchObject([{ name: 'Transfer code' }]);
  });

  it('says whether it will be a merge, and when two passwords may be needed', async () => {
    const world = await copyWorld(made);
    await world.b.run('import', { path: archiveIn(world) }, { password });
    const same = await ask(world, world.b);
    expect(same).toMatchObject({ fits: true, case: 'Merge', reasons: [] });
    await world.b.run('user-password', {}, { password, newPassword: 'another password' });
    const changed = await ask(world, world.b);
    expect(changed).toMatchObject({ fits: true, case: 'Merge' });
    expect(notes(changed)).toMatchObject([
      { name: 'Environment', hint: expect.stringContaining('-CurrentPassword') as string },
    ]);
  });

  it('says that it would replace another key, and what that needs', async () => {
    const world = await copyWorld(made);
    await world.b.run('user-initialize', {}, { password: 'another password' });
    const answer = await ask(world, world.b);
    expect(answer).toMatchObject({ fits: true, case: 'Replace' });
    expect(answer.reasons).toEqual([expect.stringContaining('needs -AllowReplace and a confirmation')]);
  });

  it('says that it claims to continue the key that is here', async () => {
    const world = await copyWorld(made);
    await world.b.run('import', { path: archiveIn(world) }, { password });
    await world.a.run('user-new-key', {}, { password, newPassword: 'another password' });
    await grant(world, world.a, world.b);
    await world.a.run(
      'export',
      { path: archiveIn(world), destination: 'PC-B', overwrite: true },
      { password: 'another password' },
    );
    const answer = await ask(world, world.b);
    expect(answer).toMatchObject({ fits: true, case: 'Replace' });
    expect(notes(answer)).toMatchObject([
      {
        name: 'Environment',
        message: expect.stringContaining('claims to continue it') as string,
        hint: expect.stringContaining('-CurrentPassword') as string,
      },
    ]);
    // Every kept generation would be written anew: that needs more space than a merge.
    const { message = '' } = check(await ask(world, withFreeBytes(world.b, 1000)), 'Space') ?? {};
    expect(message).toMatch(/0\.\d MB are needed/);
  });

  it('does not know the case under a service account, and fits all the same', async () => {
    const world = await copyWorld(made);
    const { account } = world.b.ports;
    world.b.ports = {
      ...world.b.ports,
      account: { ...account, isServiceAccount: () => Promise.resolve(true) },
    };
    const answer = await ask(world, world.b);
    expect(answer).toMatchObject({ fits: true, case: 'NotKnown' });
    expect(notes(answer)).toMatchObject([{ name: 'Environment' }]);
  });

  it('where the disk does not say how much space it has', async () => {
    const world = await copyWorld(made);
    expect(await ask(world, withFreeBytes(world.b, undefined))).toMatchObject({ fits: true });
  });
});
