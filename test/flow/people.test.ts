/**
 * Several people on one computer: each has an environment of their own, and whatever one does, the others' is as it was. The
 * second person is played by an account and folders of their own, in the same rehearsal.
 */
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEnvironmentStore } from '../../core/src/adapters/store-file/environment-store.ts';
import { createHistory } from '../../core/src/adapters/store-file/history.ts';
import { createFileSystem } from '../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../core/src/adapters/system/processes.ts';
import { sha256 } from '../../core/src/crypto/hash.ts';
import type {
  ArchiveResult,
  CredentialResult,
  ImportResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import { Computer } from '../testkit/computer.ts';
import { createTestAccount } from '../testkit/surroundings.ts';
import {
  copyWorld,
  fingerprintOf,
  grant,
  makeWorld,
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

/** The same computer as another person sees it. */
async function asPerson(computer: Computer, uid: number, name: string): Promise<Computer> {
  const person = await Computer.at(computer.home);
  const disk = createFileSystem(process.platform);
  const processes = createProcesses(process.platform);
  const folder = (platform: string): string => join(computer.home, 'users', `uid-${String(uid)}`, platform);
  person.ports = {
    ...person.ports,
    account: createTestAccount({ uid, name }, { computer: basename(computer.home) }),
    environment: (platform, storageKey) =>
      createEnvironmentStore({
        disk,
        processes,
        folder: folder(platform),
        platform,
        storageKey,
      }),
    history: (platform) =>
      createHistory({
        disk,
        processes,
        sha256,
        platformFile: join(computer.home, 'platform', 'private', 'history'),
        userFile: platform && join(folder(platform), 'history'),
      }),
  };
  return person;
}

describe('two people on one computer', () => {
  it('row-100: bring their environments there one by one, each untouched by the other’s import', async () => {
    const world = await copyWorld(made);
    const otto = await asPerson(world.a, 4711, 'otto');
    const theirs = { password: 'Another Basic User Password' };
    await otto.run('user-initialize', {}, theirs);
    await otto.run('credential-new', { subject: 'Otto', algorithm: 'P-256' }, theirs);
    await grant(world, world.a, world.b);
    const ottos = await otto.one<ArchiveResult>('export', { path: world.share, destination: 'PC-B' }, theirs);
    expect(ottos).toMatchObject({
      accountName: 'otto',
      account: expect.stringContaining('uid:4711@') as string,
    });

    // Only one of the two is imported at first.
    const annas = join(world.share, basename(made.archive.path));
    const first = await world.b.one<ImportResult>('import', { path: annas }, { password });
    expect(first.case).toBe('Install');
    const below = async (part: string): Promise<readonly string[]> =>
      (await fingerprintOf(world.b.home)).filter((line) => line.startsWith(part));
    const [status] = await world.b.run<StatusResult>('status');
    const anna = join('users', basename(join(status?.environmentPath ?? '', '..')));
    const before = await below(anna);
    expect(before.length).toBeGreaterThan(2);

    const there = await asPerson(world.b, 4711, 'otto');
    expect(await there.one<StatusResult>('status')).toMatchObject({ userInitialized: false });
    expect((await there.one<ImportResult>('import', { path: ottos.path }, theirs)).case).toBe('Install');
    expect(await below(anna)).toEqual(before);
    const labels = async (computer: Computer): Promise<readonly string[]> =>
      (await computer.run<CredentialResult>('credential-list')).map(({ label }) => label);
    expect([await labels(world.b), await labels(there)]).toEqual([['Anna Müller'], ['Otto']]);
    // And neither opens with the password of the other.
    await refused(world, 'PasswordRejected', () =>
      there.run('feature-disable', { feature: 'SecureEmail' }, { password }),
    );
  });
});
