/**
 * Refusals of export and import: no grant, another grant, another time, another computer, another password, changed bytes.
 * Each condition has its own code, and changes nothing on any of the computers.
 */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../../core/src/domain/error-catalogue.ts';
import type {
  AccessResult,
  ArchiveResult,
  ArchiveTestResult,
  AuthorityResult,
} from '../../core/src/operations/results.ts';
import type { ParameterValues } from '../../core/src/operations/registry.ts';
import { secondsPerDay } from '../../core/src/domain/time.ts';
import type { Computer } from '../testkit/computer.ts';
import {
  copyWorld,
  fingerprintOf,
  grant,
  makeComputer,
  makeWorld,
  ownerPassword,
  password,
  refused,
  rejection,
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

const exporting =
  (computer: Computer, world: World, parameters: ParameterValues = {}) =>
  () =>
    computer.run(
      'export',
      { path: join(world.share, 'new.sparc'), destination: 'PC-B', ...parameters },
      { password },
    );

const importing =
  (computer: Computer, world: World, secrets: object = { password }) =>
  () =>
    computer.run('import', { path: archiveIn(world) }, secrets);

function archiveIn(world: World): string {
  return join(world.share, basename(made.archive.path));
}

/** The computer at another time. */
function at(computer: Computer, seconds: number): Computer {
  const { clock } = computer.ports;
  computer.ports = { ...computer.ports, clock: () => clock() + seconds };
  return computer;
}

/** A world in which PC-A holds only the grant that these parameters make. */
async function worldWithGrant(parameters: ParameterValues): Promise<{ world: World; access: AccessResult }> {
  const world = await copyWorld(made);
  await rm(join(world.a.home, 'platform', 'public', 'grants', `${made.access.serial}.spgrant`));
  return { world, access: await grant(world, world.a, world.b, parameters) };
}

describe('an export is refused', () => {
  it('to where no grant leads', async () => {
    const world = await copyWorld(made);
    await refused(world, 'DestinationNotAuthorized', exporting(world.a, world, { destination: 'PC-C' }));
    await refused(world, 'GrantNotFound', exporting(world.a, world, { serial: '0'.repeat(32) }));
    await refused(world, 'PasswordRequired', () =>
      world.a.run('export', { path: world.share, destination: 'PC-B', overwrite: true }),
    );
  });

  it('before and after the time of its grant', async () => {
    const world = await copyWorld(made);
    await refused(world, 'GrantNotYetValid', exporting(at(world.a, -secondsPerDay), world));
    await refused(world, 'GrantExpired', exporting(at(world.a, 32 * secondsPerDay), world));
  });

  it('for another source, account or key than the grant names', async () => {
    const name = `000b${'0'.repeat(64)}`;
    const source = await worldWithGrant({ source: [name] });
    await refused(source.world, 'GrantSourceMismatch', exporting(source.world.a, source.world));
    const user = await worldWithGrant({ user: [`uid:4711@${'0'.repeat(20)}`] });
    await refused(user.world, 'GrantUserMismatch', exporting(user.world.a, user.world));
    const key = await worldWithGrant({ basicUserKey: [name] });
    await refused(key.world, 'DestinationNotAuthorized', exporting(key.world.a, key.world));
  });

  it('after its revocation, also where only the list beside the grants says so', async () => {
    const world = await copyWorld(made);
    await world.a.run('access-revoke', { serial: made.access.serial, reason: 'lost' }, { ownerPassword });
    const error = await refused(world, 'GrantRevoked', exporting(world.a, world));
    expect(error.message).toContain('lost');
  });

  it('to a name that two destinations have', async () => {
    const world = await copyWorld(made);
    const twin = await makeComputer(join(world.folder, 'elsewhere'), 'PC-B');
    await grant(world, world.a, twin);
    const error = await refused(world, 'DestinationAmbiguous', exporting(world.a, world));
    expect(error.hint).toMatch(/([0-9a-f]{4} ){9}[0-9a-f]{4}; ([0-9a-f]{4} ){9}/);
  });

  it('with the grant of an authority that the key does not know', async () => {
    const world = await copyWorld(made);
    const authority = await world.c.one<AuthorityResult>(
      'authority-new',
      { path: world.share },
      { ownerPassword },
    );
    const foreign = join(world.share, 'foreign');
    await mkdir(foreign);
    await rm(join(world.a.home, 'platform', 'public', 'grants', `${made.access.serial}.spgrant`));
    await world.c.run(
      'access-grant',
      { path: join(world.share, 'PC-B.spid'), authorityPath: authority.path, outputPath: foreign },
      { ownerPassword },
    );
    await refused(world, 'GrantChainInvalid', exporting(world.a, world, { grantPath: [foreign] }));
  });

  it('onward where the grant by which the keys came does not allow it', async () => {
    const { world, access } = await worldWithGrant({ noOnward: true });
    const { path } = await world.a.one<ArchiveResult>(
      'export',
      { path: join(world.share, 'closed.sparc'), serial: access.serial },
      { password },
    );
    await world.b.run('import', { path }, { password });
    await grant(world, world.b, world.c);
    await refused(world, 'OnwardNotDelegated', exporting(world.b, world, { destination: 'PC-C' }));
  });

  it('with a grant whose bytes were changed: it is passed over, and then there is none', async () => {
    const world = await copyWorld(made);
    const path = join(world.a.home, 'platform', 'public', 'grants', `${made.access.serial}.spgrant`);
    const text = await readFile(path, 'utf8');
    await writeFile(
      path,
      text.replace(/^not-after: 20(..)/m, (_, year: string) => `not-after: 20${Number(year) + 9}`),
    );
    await refused(world, 'DestinationNotAuthorized', exporting(world.a, world));
    expect(world.a.warnings).toMatchObject([{ code: 'SignatureInvalid' }]);
  });
});

describe('an import is refused', () => {
  it('on another computer, and on this one after its storage key changed', async () => {
    const world = await copyWorld(made);
    await refused(world, 'ArchiveNotForThisPlatform', importing(world.c, world));
    await rm(join(world.b.home, 'platform'), { recursive: true });
    const again = await makeComputer(world.folder, 'PC-B');
    await refused(world, 'IdentityStale', importing(again, world));
  });

  it('without the password, with a wrong one, and after five wrong ones', async () => {
    const world = await copyWorld(made);
    await refused(world, 'PasswordRequired', importing(world.b, world, {}));
    for (let attempt = 0; attempt < 5; attempt++) {
      const error = await refused(
        world,
        'PasswordRejected',
        importing(world.b, world, { password: 'wrong one' }),
      );
      expect(error.hint).toContain('PC-A');
    }
    await refused(world, 'LockedOut', importing(world.b, world));
  });

  it('outside of the time of its grant, and after its revocation', async () => {
    const world = await copyWorld(made);
    await refused(world, 'GrantExpired', importing(at(world.b, 32 * secondsPerDay), world));
    await refused(world, 'GrantNotYetValid', importing(at(world.b, -33 * secondsPerDay), world));
    at(world.b, secondsPerDay);
    const { path } = await world.a.one<{ path: string }>(
      'access-revoke',
      { serial: made.access.serial },
      { ownerPassword },
    );
    const list = join(world.share, 'list.sprevoked');
    await copyFile(path, list);
    await refused(world, 'GrantRevoked', () =>
      world.b.run('import', { path: archiveIn(world), grantPath: [list] }, { password }),
    );
    await world.b.run('revocation-add', { path: list });
    await refused(world, 'GrantRevoked', importing(world.b, world));
  });

  it('with an older revocation list than this environment has met, which export refuses too', async () => {
    const world = await copyWorld(made);
    const lists: string[] = [];
    for (const name of ['first', 'second']) {
      const { serial } = await grant(world, world.a, world.c);
      const { path } = await world.a.one<{ path: string }>('access-revoke', { serial }, { ownerPassword });
      lists.push(join(world.share, `${name}.sprevoked`));
      await copyFile(path, join(world.share, `${name}.sprevoked`));
    }
    const [older = '', newer = ''] = lists;
    const path = archiveIn(world);
    await world.b.run('import', { path, grantPath: [newer] }, { password });
    await refused(world, 'RevocationListOutdated', () =>
      world.b.run('import', { path, grantPath: [older] }, { password }),
    );
    await grant(world, world.b, world.c);
    await refused(world, 'RevocationListOutdated', () =>
      world.b.run('export', { path: world.share, destination: 'PC-C', grantPath: [older] }, { password }),
    );
    await world.b.run('export', { path: world.share, destination: 'PC-C', grantPath: [newer] }, { password });
  });

  it('where it would replace another key, until that is allowed', async () => {
    const world = await copyWorld(made);
    await world.b.run('user-initialize', {}, { password: 'another password' });
    await refused(world, 'ImportWouldReplace', importing(world.b, world));
  });

  it('of an archive that was cut, changed or put together anew', async () => {
    const world = await copyWorld(made);
    const path = archiveIn(world);
    const whole = await readFile(path);
    const write = (bytes: Uint8Array) => writeFile(path, bytes);
    await write(whole.subarray(0, whole.length - 1));
    await refused(world, 'ArchiveDamaged', importing(world.b, world));
    await write(Buffer.concat([whole, Buffer.from('more')]));
    await refused(world, 'ArchiveMalformed', importing(world.b, world));
    // A flip in each 32nd byte, wherever it falls: never accepted, never InternalError, and nothing changes.
    const before = await fingerprintOf(world.b.home);
    const codes = new Set<ErrorCode>();
    for (let position = 0; position < whole.length; position += 32) {
      await write(whole.with(position, (whole[position] ?? 0) ^ 0x10));
      codes.add((await rejection(() => world.b.plan('import', { path }, { password }))).code);
    }
    expect(await fingerprintOf(world.b.home)).toEqual(before);
    expect([...codes].filter((code) => !/^Archive|^ManifestMalformed$|^WrongFileKind$/.test(code))).toEqual(
      [],
    );
  });

  it('and Test-SPMigrationArchive says beforehand why, without any secret', async () => {
    const world = await copyWorld(made);
    const testing = (computer: Computer) =>
      computer.one<ArchiveTestResult>('archive-test', { path: archiveIn(world), forThisComputer: true });
    expect(await testing(world.b)).toMatchObject({ fits: true, case: 'Install', reasons: [] });
    const elsewhere = await testing(world.c);
    expect(elsewhere.fits).toBe(false);
    expect(elsewhere.checks.filter(({ passed }) => !passed).map(({ code }) => code)).toContain(
      'ArchiveNotForThisPlatform',
    );
    expect((await testing(at(world.b, 32 * secondsPerDay))).checks.find(({ passed }) => !passed)?.code).toBe(
      'GrantExpired',
    );
  });
});
