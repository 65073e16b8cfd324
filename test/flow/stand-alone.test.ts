/**
 * The product's main job, through the operations: a person's environment moves from A to B and on to C, each time with
 * the grant that it needs, and is refused where there is none.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type {
  AccessResult,
  ArchiveResult,
  CredentialResult,
  IdentityResult,
  ImportResult,
} from '../../core/src/operations/results.ts';
import { Computer } from '../testkit/computer.ts';
import { makeTemporaryFolder } from '../testkit/temporary-folder.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).memoizedKdf(original),
);

const password = 'Basic User Passwort äöü 1';
const owner = (name: string): string => `Owner Password of ${name}`;

async function computer(folder: string, name: string): Promise<Computer> {
  const home = join(folder, name);
  await mkdir(home, { mode: 0o700 });
  const made = await Computer.at(home);
  await made.run('platform-initialize', {}, { ownerPassword: owner(name) });
  return made;
}

/** The grant that an owner on `source` signs for `destination`. */
async function grant(
  folder: string,
  source: Computer,
  sourceName: string,
  destination: Computer,
): Promise<AccessResult> {
  const identity = await destination.one<IdentityResult>('identity-export', {
    path: folder,
    overwrite: true,
  });
  return source.one<AccessResult>(
    'access-grant',
    { path: identity.path, fingerprint: identity.fingerprint },
    { ownerPassword: owner(sourceName) },
  );
}

describe('a stand-alone migration', () => {
  let folder: string;
  let a: Computer;
  let b: Computer;
  let credential: CredentialResult;

  beforeEach(async () => {
    folder = await makeTemporaryFolder();
    a = await computer(folder, 'PC-A');
    b = await computer(folder, 'PC-B');
    await a.run('user-initialize', {}, { password });
    credential = await a.one<CredentialResult>(
      'credential-new',
      { subject: 'Anna Müller', emailAddress: ['anna@example.org'], algorithm: 'P-256' },
      { password },
    );
    await a.run(
      'feature-enable',
      { feature: 'SecureEmail', credential: credential.credential },
      { password },
    );
  });

  it('moves from A to B, and on to C with the grant of B', async () => {
    const access = await grant(folder, a, 'PC-A', b);
    const archive = await a.one<ArchiveResult>('export', { path: folder, destination: 'pc-b' }, { password });
    expect(archive).toMatchObject({ destination: 'PC-B', credentials: 1, serial: access.serial });
    const imported = await b.one<ImportResult>(
      'import',
      { path: archive.path, enableFeature: true },
      { password },
    );
    expect(imported).toMatchObject({ case: 'Install', featuresActive: ['SecureEmail'], quarantine: null });

    const c = await computer(folder, 'PC-C');
    await grant(folder, b, 'PC-B', c);
    const onward = await b.one<ArchiveResult>('export', { path: folder, destination: 'PC-C' }, { password });
    const arrived = await c.one<ImportResult>('import', { path: onward.path }, { password });
    expect(arrived).toMatchObject({ case: 'Install', featuresActive: [], featuresProposed: ['SecureEmail'] });
    const [there] = await c.run<CredentialResult>('credential-list');
    expect(there).toMatchObject({
      credential: credential.credential,
      thumbprint: credential.thumbprint,
      origin: 'migration',
    });
  });

  it('reports Unchanged for everything the second time, and writes nothing', async () => {
    await grant(folder, a, 'PC-A', b);
    const { path } = await a.one<ArchiveResult>(
      'export',
      { path: folder, destination: 'PC-B' },
      { password },
    );
    const first = await b.one<ImportResult>('import', { path, enableFeature: true }, { password });
    const second = await b.one<ImportResult>('import', { path, enableFeature: true }, { password });
    expect(second).toMatchObject({ case: 'Merge', unchanged: true, generation: first.generation });
    expect(second.items.map(({ action }) => action)).toEqual(['Unchanged']);
  });

  it('refuses without a grant, on another computer, with a wrong password, and after revocation', async () => {
    await expect(a.run('export', { path: folder, destination: 'PC-B' }, { password })).rejects.toMatchObject({
      code: 'DestinationNotAuthorized',
    });
    const access = await grant(folder, a, 'PC-A', b);
    const wrong = { password: 'not the password' };
    await expect(a.run('export', { path: folder, destination: 'PC-B' }, wrong)).rejects.toMatchObject({
      code: 'PasswordRejected',
    });
    const { path } = await a.one<ArchiveResult>(
      'export',
      { path: folder, destination: 'PC-B' },
      { password },
    );
    const c = await computer(folder, 'PC-C');
    await expect(c.run('import', { path }, { password })).rejects.toMatchObject({
      code: 'ArchiveNotForThisPlatform',
    });
    await expect(b.run('import', { path }, wrong)).rejects.toMatchObject({ code: 'PasswordRejected' });
    await a.run('access-revoke', { serial: access.serial }, { ownerPassword: owner('PC-A') });
    await expect(
      a.run('export', { path: folder, destination: 'PC-B', overwrite: true }, { password }),
    ).rejects.toMatchObject({
      code: 'GrantRevoked',
    });
  });

  it('sets another key aside only where that was allowed', async () => {
    await grant(folder, a, 'PC-A', b);
    const { path } = await a.one<ArchiveResult>(
      'export',
      { path: folder, destination: 'PC-B' },
      { password },
    );
    await b.run('user-initialize', {}, { password: 'another password' });
    const shown = await b.plan('import', { path }, { password });
    expect(shown.plan.refused?.code).toBe('ImportWouldReplace');
    await expect(b.run('import', { path }, { password })).rejects.toMatchObject({
      code: 'ImportWouldReplace',
    });
    const replaced = await b.one<ImportResult>('import', { path, allowReplace: true }, { password });
    expect(replaced.case).toBe('Replace');
    expect(replaced.quarantine).not.toBeNull();
  });

  it('goes back to A as a merge that loses nothing', async () => {
    await grant(folder, a, 'PC-A', b);
    const there = await a.one<ArchiveResult>('export', { path: folder, destination: 'PC-B' }, { password });
    await b.run('import', { path: there.path, enableFeature: true }, { password });
    const second = await b.one<CredentialResult>(
      'credential-new',
      { subject: 'Second', algorithm: 'P-256' },
      { password },
    );
    await b.run('feature-enable', { feature: 'SecureEmail', credential: second.credential }, { password });
    await grant(folder, b, 'PC-B', a);
    const back = await b.one<ArchiveResult>('export', { path: folder, destination: 'PC-A' }, { password });
    const merged = await a.one<ImportResult>('import', { path: back.path }, { password });
    expect(merged).toMatchObject({ case: 'Merge', unchanged: false });
    const list = await a.run<CredentialResult>('credential-list');
    expect(list.map(({ credential: id, state }) => [id, state]).sort()).toEqual(
      [
        [credential.credential, 'Retained'],
        [second.credential, 'Active'],
      ].sort(),
    );
  });
});
