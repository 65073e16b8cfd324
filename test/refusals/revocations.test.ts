/**
 * Revocation lists that are missing, damaged or put back: each time the decision falls on the safe side, and what an
 * administrator must do to repair it still works.
 */
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type {
  AccessResult,
  AuthorityResult,
  RevocationResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import {
  copyWorld,
  grant,
  makeWorld,
  ownerPassword,
  password,
  refused,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).memoizedKdf(original),
);

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

describe('a revocation list', () => {
  it('that an environment has met is missed when it is gone', async () => {
    const world = await copyWorld(made);
    const { serial } = await grant(world, world.a, world.c);
    const revoked = await world.a.one<RevocationResult>('access-revoke', { serial }, { ownerPassword });
    const list = join(world.share, 'list.sprevoked');
    await copyFile(revoked.path, list);
    const [archive = ''] = (await readdir(world.share)).filter((name) => name.endsWith('.sparc'));
    const path = join(world.share, archive);
    await world.b.run('import', { path, grantPath: [list] }, { password });
    await refused(world, 'RevocationListOutdated', () => world.b.run('import', { path }, { password }));
  });

  it('of the platform itself that is damaged permits nothing, until a good one takes its place', async () => {
    const world = await copyWorld(made);
    const { serial } = await grant(world, world.a, world.c);
    const { path } = await world.a.one<RevocationResult>('access-revoke', { serial }, { ownerPassword });
    const good = join(world.share, 'good.sprevoked');
    await copyFile(path, good);
    await writeFile(path, 'SPMigration revocation-list v1\nhalf a li');
    const attempt = () =>
      world.a.run('export', { path: join(world.share, 'x.sparc'), destination: 'PC-B' }, { password });
    await refused(world, 'RevocationListMalformed', attempt);
    await world.a.run('revocation-add', { path: good });
    await expect(attempt()).resolves.toHaveLength(1);
  });

  it('of a fleet that is damaged is never replaced by one with a lower number', async () => {
    const world = await copyWorld(made);
    const fleet = await world.a.one<AuthorityResult>(
      'authority-new',
      { path: world.share },
      { ownerPassword },
    );
    const lists = join(world.share, 'lists');
    await mkdir(lists);
    const revoke = (serial: string) =>
      world.a.one<RevocationResult>(
        'access-revoke',
        { serial: serial.repeat(16), authorityPath: fleet.path, outputPath: lists },
        { ownerPassword },
      );
    const { path } = await revoke('aa');
    await writeFile(path, 'SPMigration revocation-list v1\nhalf a li');
    await refused(world, 'RevocationListMalformed', () => revoke('bb'));
  });

  it('that another one with the same number overtook still revokes what it names', async () => {
    const world = await copyWorld(made);
    const fork = await copyWorld(made);
    const list = async (from: World, name: string): Promise<string> => {
      const [access] = await from.a.run<AccessResult>('access-list', { destination: 'PC-B' });
      const { serial } = name === 'real' && access !== undefined ? access : await grant(from, from.a, from.c);
      const { path } = await from.a.one<RevocationResult>('access-revoke', { serial }, { ownerPassword });
      await copyFile(path, join(world.share, `${name}.sprevoked`));
      return join(world.share, `${name}.sprevoked`);
    };
    const grantPath = [await list(fork, 'other'), await list(world, 'real')];
    const [archive = ''] = (await readdir(world.share)).filter((name) => name.endsWith('.sparc'));
    await refused(world, 'GrantRevoked', () =>
      world.b.run('import', { path: join(world.share, archive), grantPath }, { password }),
    );
  });
});

describe('a platform whose settings were lost', () => {
  it('keeps its authority key, and only its Owner Password initializes it again', async () => {
    const world = await copyWorld(made);
    const before = await world.a.one<StatusResult>('status');
    await rm(join(world.a.home, 'platform', 'public', 'platform'));
    await refused(world, 'OwnerPasswordRejected', () =>
      world.a.run('platform-initialize', {}, { ownerPassword: 'another Owner Password' }),
    );
    const after = await world.a.one<StatusResult>('platform-initialize', {}, { ownerPassword });
    expect(after.authorityFingerprint).toBe(before.authorityFingerprint);
    expect(after.userInitialized).toBe(true);
  });
});
