/**
 * Revocation lists that are missing, damaged or put back: each time the decision falls on the safe side, and what an
 * administrator must do to repair it still works.
 */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuthorityResult, RevocationResult } from '../../core/src/operations/results.ts';
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
});
