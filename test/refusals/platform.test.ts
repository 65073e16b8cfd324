/**
 * Refusals of the administrator's and the owner's operations: each condition has its own code, and changes nothing.
 */
import { chmod, copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuthorityResult, RevocationResult } from '../../core/src/operations/results.ts';
import { Computer } from '../testkit/computer.ts';
import { createTestAccount } from '../testkit/surroundings.ts';
import {
  copyWorld,
  grant,
  makeWorld,
  ownerPassword,
  password,
  refused,
  removeWorld,
  type MadeWorld,
} from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

describe('a platform', () => {
  it('is initialized once, by an administrator, with an Owner Password that is one', async () => {
    const world = await copyWorld(made);
    await refused(world, 'PlatformAlreadyInitialized', () =>
      world.a.run('platform-initialize', {}, { ownerPassword }),
    );
    const home = join(world.folder, 'PC-D');
    await mkdir(home, { mode: 0o700 });
    const d = await Computer.at(home);
    await refused(world, 'OwnerPasswordRequired', () => d.run('platform-initialize'));
    await refused(world, 'PasswordUnacceptable', () =>
      d.run('platform-initialize', {}, { ownerPassword: 'short' }),
    );
    await refused(world, 'PasswordUnacceptable', () =>
      d.run('platform-initialize', {}, { ownerPassword: 'x'.repeat(256) }),
    );
    for (const name of ['user-initialize', 'identity-export', 'credential-list', 'export', 'import'] as const)
      await refused(world, 'PlatformNotInitialized', () =>
        d.run(name, { path: made.archive.path }, { password }),
      );
    d.ports = { ...d.ports, account: createTestAccount({ uid: 4711, name: 'anna' }) };
    await refused(world, 'NotAdministrator', () => d.run('platform-initialize', {}, { ownerPassword }));
  });

  it('lets only administrators export its identity, grant, revoke and take over lists', async () => {
    const world = await copyWorld(made);
    const account = createTestAccount({ uid: 4711, name: 'anna' });
    world.a.ports = { ...world.a.ports, account };
    const path = join(world.share, 'PC-B.spid');
    await refused(world, 'NotAdministrator', () => world.a.run('identity-export', { path: world.share }));
    await refused(world, 'NotAdministrator', () => world.a.run('access-grant', { path }, { ownerPassword }));
    await refused(world, 'NotAdministrator', () =>
      world.a.run('access-revoke', { serial: made.access.serial }, { ownerPassword }),
    );
    await refused(world, 'NotAdministrator', () => world.a.run('revocation-add', { path }));
  });

  it('is not used where its folder could have been filled by others', async () => {
    const world = await copyWorld(made);
    await chmod(join(world.a.home, 'platform'), 0o777);
    await refused(world, 'PlatformFolderUntrusted', () => world.a.run('status'));
    await refused(world, 'PlatformFolderUntrusted', () =>
      world.a.run('export', { path: world.share }, { password }),
    );
  });

  it('is not used without its own storage key, settings or authority key', async () => {
    const world = await copyWorld(made);
    const settings = join(world.a.home, 'platform', 'public', 'platform');
    const before = await readFile(settings);
    await writeFile(settings, before.subarray(0, 40));
    await refused(world, 'PlatformDamaged', () => world.a.run('status'));
    await writeFile(settings, before.toString('latin1').replace('platform v1', 'platform v2'), 'latin1');
    await refused(world, 'StoreNewer', () => world.a.run('status'));
    await writeFile(settings, before);
    const storageKey = join(world.a.home, 'platform', 'public', 'storage-key');
    await copyFile(join(world.b.home, 'platform', 'public', 'storage-key'), storageKey);
    await refused(world, 'StorageKeyChanged', () =>
      world.a.run('export', { path: world.share, overwrite: true }, { password }),
    );
    await copyFile(join(made.world.a.home, 'platform', 'public', 'storage-key'), storageKey);
    await rm(join(world.a.home, 'platform', 'private', 'authority'));
    await refused(world, 'PlatformDamaged', () =>
      world.a.run('access-revoke', { serial: made.access.serial }, { ownerPassword }),
    );
  });

  it('obeys its policy, also one that cannot be read', async () => {
    const world = await copyWorld(made);
    const policy = join(world.b.home, 'policy');
    const importing = () =>
      world.b.run('import', { path: join(world.share, base(made.archive.path)) }, { password });
    await writeFile(policy, 'SPMigration policy v1\nAllowRehearsal: no\n');
    await refused(world, 'RehearsalForbidden', importing);
    await writeFile(policy, 'SPMigration policy v1\nAllowRehearsals: no\n');
    await refused(world, 'PolicyMalformed', importing);
    await writeFile(policy, `SPMigration policy v1\nTrustedAuthorities: ${'0'.repeat(40)}\n`);
    await refused(world, 'AuthorityNotTrusted', importing);
  });

  it('shows that its history was changed', async () => {
    const world = await copyWorld(made);
    const history = join(world.a.home, 'platform', 'private', 'history');
    const text = await readFile(history, 'utf8');
    await writeFile(history, text.replace('PC-A', 'PC-X'));
    await refused(world, 'HistoryBroken', () => world.a.run('history'));
  });
});

describe('a grant is refused', () => {
  it('for an identity that is not the compared one, this computer itself, or of another kind', async () => {
    const world = await copyWorld(made);
    const path = join(world.share, 'PC-B.spid');
    const granting = (parameters: object) => () =>
      world.a.run('access-grant', { path, ...parameters }, { ownerPassword });
    await refused(world, 'FingerprintMismatch', granting({ fingerprint: '0'.repeat(40) }));
    await refused(world, 'ParameterInvalid', granting({ fingerprint: 'not one' }));
    await refused(world, 'ParameterInvalid', granting({ user: ['nobody that is known'] }));
    await refused(world, 'ParameterInvalid', granting({ validUntil: 1000 }));
    await refused(world, 'FileNotFound', granting({ path: join(world.share, 'PC-Z.spid') }));
    await writeFile(path, (await readFile(path, 'utf8')).replace('rehearsal: yes', 'rehearsal: no'));
    await refused(world, 'RehearsalMixed', granting({}));
    await writeFile(path, (await readFile(path, 'utf8')).replace('chip:', 'chips:'));
    await refused(world, 'IdentityMalformed', granting({}));
    const { path: own } = await world.a.one<{ path: string }>('identity-export', { path: world.share });
    await refused(world, 'ParameterInvalid', granting({ path: own }));
  });

  it('with a wrong Owner Password, and after several not even tried', async () => {
    const world = await copyWorld(made);
    const revoking = (owner?: string) => () =>
      world.a.run(
        'access-revoke',
        { serial: made.access.serial },
        owner === undefined ? {} : { ownerPassword: owner },
      );
    await refused(world, 'OwnerPasswordRequired', revoking());
    for (let attempt = 0; attempt < 3; attempt++)
      await refused(world, 'OwnerPasswordRejected', revoking('the wrong Owner Password'));
    const error = await refused(world, 'LockedOut', revoking(ownerPassword));
    expect(error.details.seconds).toBeGreaterThan(0);
  });

  it('to be revoked where it is unknown', async () => {
    const world = await copyWorld(made);
    await refused(world, 'GrantNotFound', () =>
      world.a.run('access-revoke', { serial: '0'.repeat(32) }, { ownerPassword }),
    );
    await refused(world, 'ParameterInvalid', () =>
      world.a.run('access-revoke', { serial: 'x' }, { ownerPassword }),
    );
  });

  it('by a platform that knows a fleet authority only', async () => {
    const world = await copyWorld(made);
    const authority = await world.a.one<AuthorityResult>(
      'authority-new',
      { path: world.share },
      { ownerPassword },
    );
    const home = join(world.folder, 'PC-D');
    await mkdir(home, { mode: 0o700 });
    const d = await Computer.at(home);
    await refused(world, 'WrongFileKind', () =>
      d.run('platform-initialize', { authorityPath: authority.path }),
    );
    await d.run('platform-initialize', { authorityPath: authority.publicPath });
    await refused(world, 'NoLocalAuthority', () =>
      d.run('access-grant', { path: join(world.share, 'PC-B.spid') }, { ownerPassword }),
    );
    const fleet = (path: string) => () =>
      d.run(
        'access-grant',
        { path: join(world.share, 'PC-B.spid'), authorityPath: path, outputPath: world.share },
        { ownerPassword: 'the wrong Owner Password' },
      );
    await refused(world, 'OwnerPasswordRejected', fleet(authority.path));
    const text = await readFile(authority.path, 'latin1');
    await writeFile(authority.path, text.replace('public-key:', 'public-keys:'), 'latin1');
    await refused(world, 'AuthorityMalformed', fleet(authority.path));
  });
});

describe('a revocation list is refused', () => {
  it('when it is older than a known one, changed, or malformed', async () => {
    const world = await copyWorld(made);
    const first = await world.a.one<RevocationResult>(
      'access-revoke',
      { serial: made.access.serial },
      { ownerPassword },
    );
    const older = join(world.share, 'older.sprevoked');
    const newer = join(world.share, 'newer.sprevoked');
    await copyFile(first.path, older);
    const again = await grant(world, world.a, world.b);
    const second = await world.a.one<RevocationResult>(
      'access-revoke',
      { serial: again.serial },
      { ownerPassword },
    );
    await copyFile(second.path, newer);
    await world.b.run('revocation-add', { path: newer });
    await refused(world, 'RevocationListOutdated', () => world.b.run('revocation-add', { path: older }));
    const text = await readFile(newer, 'utf8');
    await writeFile(older, text.replace('number: 2', 'number: 3'));
    await refused(world, 'SignatureInvalid', () => world.b.run('revocation-add', { path: older }));
    await writeFile(older, text.replace('number: 2', 'number: two'));
    await refused(world, 'RevocationListMalformed', () => world.b.run('revocation-add', { path: older }));
  });
});

describe('what stands in the way of nobody is passed over with its code', () => {
  it('a malformed grant, list or registration', async () => {
    const world = await copyWorld(made);
    const grants = join(world.share, 'grants');
    await mkdir(grants);
    await writeFile(join(grants, 'a.spgrant'), 'SPMigration grant v1\nserial: nothing\n');
    await writeFile(join(grants, 'b.sprevoked'), 'SPMigration revocation-list v1\nnumber: none\n');
    await writeFile(join(grants, 'c.spgrant'), 'SPMigration grant v2\n');
    await writeFile(join(grants, 'd.spgrant'), new Uint8Array(4 * 1024 * 1024 + 1));
    await world.a.run('access-list', { grantPath: [grants] });
    expect(world.a.warnings.map(({ code }) => code).sort()).toEqual([
      'GrantMalformed',
      'LimitExceeded',
      'RevocationListMalformed',
      'VersionUnsupported',
    ]);
    await copyFile(join(grants, 'b.sprevoked'), join(world.share, 'list.txt'));
    const named = [join(world.share, 'PC-B.spid'), join(world.share, 'list.txt')];
    await world.a.run('access-list', { grantPath: named });
    expect(world.a.warnings.map(({ code }) => code)).toEqual(['WrongFileKind', 'RevocationListMalformed']);
    await writeFile(join(world.a.home, 'platform', 'users', 'x.spuser'), 'SPMigration registration v1\n');
    await grant(world, world.a, world.c);
    expect(world.a.warnings.map(({ code }) => code)).toContain('RegistrationMalformed');
    expect(await readdir(join(world.a.home, 'platform', 'public', 'grants'))).toHaveLength(2);
  });
});

function base(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
