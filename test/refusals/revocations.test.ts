/**
 * Revocation lists that are missing, damaged or put back: each time the decision falls on the safe side, and what an
 * administrator must do to repair it still works.
 */
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type {
  AccessResult,
  AuthorityResult,
  RevocationResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import type { ParameterValues } from '../../core/src/operations/registry.ts';
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
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
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

describe('a list that was lost', () => {
  const listsOf = (world: World): string => join(world.a.home, 'platform', 'public', 'revocations');
  const revoking =
    (world: World, serial: string, more: ParameterValues = {}) =>
    () =>
      world.a.one<RevocationResult>('access-revoke', { serial, ...more }, { ownerPassword });

  it('of the platform itself is made again from its history, with every grant that it named', async () => {
    const world = await copyWorld(made);
    const first = await grant(world, world.a, world.c);
    const second = await grant(world, world.a, world.c);
    const third = await grant(world, world.a, world.c);
    await revoking(world, first.serial, { reason: 'lost' })();
    await revoking(world, second.serial)();
    await rm(listsOf(world), { recursive: true });
    await mkdir(listsOf(world));
    const { plan } = await world.a.plan('access-revoke', { serial: third.serial }, { ownerPassword });
    expect(plan.lines[0]).toContain('2 grants that the history names are revoked again');
    expect(await revoking(world, third.serial)()).toMatchObject({ number: 3, revoked: 3 });
    const states = await world.a.run<AccessResult>('access-list', { destination: 'PC-C' });
    expect(states.map(({ state, reason }) => `${state} ${reason ?? ''}`).sort()).toEqual([
      'Revoked lost',
      'Revoked withdrawn by the owner',
      'Revoked withdrawn by the owner',
    ]);
    // Once more for one that is revoked already: only what was lost is made again.
    await rm(listsOf(world), { recursive: true });
    await mkdir(listsOf(world));
    expect(await revoking(world, first.serial)()).toMatchObject({ number: 4, revoked: 3 });
    expect(await revoking(world, first.serial)()).toMatchObject({ number: 4, revoked: 3 });
  });

  it('and of which the history does not tell all is not begun anew', async () => {
    const world = await copyWorld(made);
    const first = await grant(world, world.a, world.c);
    const second = await grant(world, world.a, world.c);
    const fork = await copyWorld({ ...made, world });
    // Number 2 was made elsewhere, and came here as a file.
    for (const { serial } of [first, second]) await revoking(fork, serial)();
    const [name = ''] = await readdir(listsOf(fork));
    await world.a.run('revocation-add', { path: join(listsOf(fork), name) });
    await rm(join(listsOf(world), name));
    const error = await refused(world, 'RevocationListOutdated', revoking(world, made.access.serial));
    expect(error.details).toMatchObject({ number: 0, known: 2 });
    // With the list it came by it goes on.
    await world.a.run('revocation-add', { path: join(listsOf(fork), name) });
    expect(await revoking(world, made.access.serial)()).toMatchObject({ number: 3, revoked: 3 });
  });

  it('of a fleet is not begun anew where its number is known, and told of where it is not', async () => {
    const world = await copyWorld(made);
    const fleet = await world.a.one<AuthorityResult>(
      'authority-new',
      { path: world.share },
      { ownerPassword },
    );
    const outputPath = join(world.share, 'lists');
    await mkdir(outputPath);
    const more = { authorityPath: fleet.path, outputPath };
    const { path } = await revoking(world, 'aa'.repeat(16), more)();
    expect(world.a.warnings).toMatchObject([{ message: expect.stringContaining('at number 1') as string }]);
    await revoking(world, 'bb'.repeat(16), more)();
    expect(world.a.warnings).toEqual([]);
    const kept = join(world.share, 'kept.sprevoked');
    await copyFile(path, kept);
    await rm(path);
    const error = await refused(world, 'RevocationListOutdated', revoking(world, 'cc'.repeat(16), more));
    expect(error.details).toMatchObject({ number: 0, known: 2 });
    // Another computer knows nothing of it: it can only say so.
    await world.c.one('access-revoke', { serial: 'cc'.repeat(16), ...more }, { ownerPassword });
    expect(world.c.warnings).toMatchObject([{ message: expect.stringContaining('at number 1') as string }]);
    // Not by a lower one that somebody put there, but by the right one.
    await refused(world, 'RevocationListOutdated', revoking(world, 'dd'.repeat(16), more));
    await copyFile(kept, path);
    expect(await revoking(world, 'dd'.repeat(16), more)()).toMatchObject({ number: 3, revoked: 3 });
  });

  it('is no reason against revoking where only the history is broken', async () => {
    const world = await copyWorld(made);
    const history = join(world.a.home, 'platform', 'private', 'history');
    await writeFile(history, (await readFile(history, 'utf8')).replace('"ok"', '"no"'));
    expect(await revoking(world, made.access.serial)()).toMatchObject({ number: 1 });
    expect(world.a.warnings.map(({ code }) => code)).toContain('HistoryBroken');
  });
});

describe('a list from elsewhere', () => {
  it('is honoured by every platform that takes it over, and an older one takes no place of a newer', async () => {
    const world = await copyWorld(made);
    const lists: string[] = [];
    for (const number of [1, 2]) {
      const { serial } = await grant(world, world.a, world.c);
      const { path } = await world.a.one<RevocationResult>('access-revoke', { serial }, { ownerPassword });
      lists.push(join(world.share, `${number}.sprevoked`));
      await copyFile(path, join(world.share, `${number}.sprevoked`));
    }
    const [older = '', newer = ''] = lists;
    const added = await world.b.one<RevocationResult>('revocation-add', { path: newer });
    expect(added).toMatchObject({ number: 2, revoked: 2 });
    await refused(world, 'RevocationListOutdated', () => world.b.run('revocation-add', { path: older }));
    // The same one again is no harm.
    expect(await world.b.one('revocation-add', { path: newer })).toMatchObject({ number: 2 });
  });

  it('counts only with the signature of the authority that it names', async () => {
    const world = await copyWorld(made);
    const { serial } = await grant(world, world.a, world.c);
    const { path } = await world.a.one<RevocationResult>('access-revoke', { serial }, { ownerPassword });
    const forged = join(world.share, 'forged.sprevoked');
    const text = await readFile(path, 'utf8');
    await writeFile(forged, text.replace(serial, made.access.serial));
    await refused(world, 'SignatureInvalid', () => world.b.run('revocation-add', { path: forged }));
    // Beside the grants it is reported and stops nobody.
    const [archive = ''] = (await readdir(world.share)).filter((name) => name.endsWith('.sparc'));
    const parameters = { path: join(world.share, archive), grantPath: [world.share] };
    expect(await world.b.one('import', parameters, { password })).toMatchObject({ case: 'Install' });
    expect(world.b.warnings.map(({ code }) => code)).toContain('SignatureInvalid');
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
