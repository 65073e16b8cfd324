/**
 * What an import does with single credentials that both computers know in their own way: other names and chains, renewed and
 * requested certificates, what was removed here, what came back to where it began (docs/spec/import.md, the numbered table).
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { sealPkcs12 } from '../../core/src/crypto/pkcs12.ts';
import { fail } from '../../core/src/domain/error.ts';
import type {
  ArchiveResult,
  CredentialResult,
  ImportResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import type { ParameterValues } from '../../core/src/operations/registry.ts';
import { createSeededRandom } from '../testkit/surroundings.ts';
import {
  issueCertificate,
  makeCertificate,
  makeChain,
  type TestCertificate,
} from '../testkit/certificates.ts';
import type { Computer } from '../testkit/computer.ts';
import {
  copyWorld,
  grant,
  makeWorld,
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

const pfxPassword = 'the password of the file';
const newPassword = 'ein anderes Passwort 9';
let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
}, 60_000);
afterAll(() => removeWorld(made));

let names = 0;
const exportTo = (world: World, from: Computer, destination: string, secret = password) =>
  from.one<ArchiveResult>(
    'export',
    { path: join(world.share, `detail-${String(++names)}.sparc`), destination },
    { password: secret },
  );
const importHere = (computer: Computer, { path }: ArchiveResult, more: ParameterValues = {}) =>
  computer.one<ImportResult>('import', { path, ...more }, { password });
const add = (computer: Computer, label: string, more: ParameterValues = {}) =>
  computer.one<CredentialResult>(
    'credential-new',
    { subject: 'Anna Müller', friendlyName: label, algorithm: 'P-256', ...more },
    { password },
  );
const enable = (computer: Computer, feature: string, credential: string) =>
  computer.run('feature-enable', { feature, credential }, { password });
const remove = (computer: Computer, credential: string, more: ParameterValues = {}) =>
  computer.run('credential-remove', { credential, ...more }, { password });
const generationOf = async (computer: Computer): Promise<number> =>
  (await computer.one<StatusResult>('status')).generation ?? 0;

async function addFrom(
  computer: Computer,
  { privateKey, certificate }: TestCertificate,
  friendlyName: string,
  chain: readonly Uint8Array[] = [],
): Promise<CredentialResult> {
  const entry = { privateKey: privateKey(), certificate, chain, friendlyName };
  const pfx = sealPkcs12([entry], new SecretBytes(utf8(pfxPassword)), createSeededRandom(friendlyName));
  return computer.one<CredentialResult>('credential-add', {}, { password, pfx, pfxPassword });
}

/** Label, state and features of all that is here. */
const listed = async (computer: Computer): Promise<readonly string[]> =>
  (await computer.run<CredentialResult>('credential-list'))
    .map(({ label, state, features }) => [label, state, ...features].join(' '))
    .sort();
const fate = ({ items }: ImportResult): readonly string[] =>
  items.map(({ label, action }) => `${label}: ${action}`).sort();

/** B has what A had; both go on. */
async function both(): Promise<World> {
  const world = await copyWorld(made);
  await importHere(world.b, made.archive, { enableFeature: true });
  return world;
}

describe('a merge', () => {
  it('keeps the local name of the same certificate, and the chain that is here', async () => {
    const world = await both();
    const { a, b } = world;
    const { person, authority, root } = await makeChain();
    await addFrom(b, person, 'Work mail', [authority.certificate]);
    await addFrom(a, person, 'Büro', [authority.certificate, root.certificate]);
    await enable(a, 'Efs', 'Büro');
    const result = await importHere(b, await exportTo(world, a, 'PC-B'));
    expect(fate(result)).toEqual(['Anna Müller: Unchanged', 'Work mail: Activate']);
    expect(await listed(b)).toEqual(['Anna Müller Active SecureEmail', 'Work mail Active Efs']);
    // Back again: A's own chain is as long as it was, B's as short.
    await grant(world, b, a);
    const back = await importHere(a, await exportTo(world, b, 'PC-A'));
    expect(back).toMatchObject({ unchanged: true });
    expect(await listed(a)).toEqual(['Anna Müller Active SecureEmail', 'Büro Active Efs']);
  });

  it('adds a renewed certificate of a key that is here, and keeps the older one beside it', async () => {
    const world = await both();
    const { a, b } = world;
    const first = await makeCertificate('CN=Anna 2025');
    const renewed = await makeCertificate('CN=Anna 2026', { renews: first });
    const old = await addFrom(b, first, '2025');
    await enable(b, 'Efs', '2025');
    await addFrom(a, renewed, '2026');
    await enable(a, 'Efs', '2026');
    const result = await importHere(b, await exportTo(world, a, 'PC-B'));
    expect(fate(result)).toEqual(['2025: Retain', '2026: Add', 'Anna Müller: Unchanged']);
    // What is encrypted for the older certificate opens with it: it can be used again at any time.
    await enable(b, 'Efs', old.credential);
    expect(await listed(b)).toEqual(['2025 Active Efs', '2026 Retained', 'Anna Müller Active SecureEmail']);
  });

  it('of a request and of its certificate keeps both, whichever was here first, until the request is completed', async () => {
    const world = await both();
    const { a, b, share } = world;
    const [requestPath, path] = [join(share, 'anna.csr'), join(share, 'anna.cer')];
    await add(a, 'Asked', { request: true, requestPath });
    const waiting = await exportTo(world, a, 'PC-B');
    const issuer = await makeCertificate('CN=Issuer', { authority: true });
    await writeFile(path, await issueCertificate(await readFile(requestPath, 'utf8'), issuer));
    const complete = (computer: Computer) =>
      computer.one<CredentialResult>('credential-complete', { path }, { password });
    await complete(a);
    const completed = await exportTo(world, a, 'PC-B');
    const anna = 'Anna Müller Active SecureEmail';

    expect(fate(await importHere(b, waiting))).toContain('Asked: Add');
    expect(await listed(b)).toEqual([anna, 'Asked Pending']);
    expect(fate(await importHere(b, completed))).toEqual([
      'Anna Müller: Unchanged',
      'Asked: Add',
      'Asked: Unchanged',
    ]);
    expect(await listed(b)).toEqual([anna, 'Asked Pending', 'Asked Retained']);
    // Completing the request that is left makes one of the two; the certificate is the same.
    await complete(b);
    expect(await listed(b)).toEqual([anna, 'Asked Retained']);

    // The reverse, and the older archive last: its request waits beside the certificate.
    expect(fate(await importHere(b, waiting))).toContain('Asked: Add');
    expect(await listed(b)).toEqual([anna, 'Asked Pending', 'Asked Retained']);
  });

  it('of a known archive brings back what was removed since, and changes no feature', async () => {
    const world = await both();
    const { a, b } = world;
    await add(a, 'Second');
    await enable(a, 'Efs', 'Second');
    const archive = await exportTo(world, a, 'PC-B');
    await importHere(b, archive);
    await add(b, 'Own');
    await enable(b, 'Efs', 'Own');
    await remove(b, 'Second');
    const again = await importHere(b, archive);
    expect(fate(again)).toEqual(['Anna Müller: Unchanged', 'Own: Unchanged', 'Second: Add']);
    expect(await listed(b)).toEqual(['Anna Müller Active SecureEmail', 'Own Active Efs', 'Second Retained']);
    const generation = await generationOf(b);
    expect(await importHere(b, archive)).toMatchObject({ unchanged: true, generation });
    expect(await generationOf(b)).toBe(generation);
  });

  it('gives no feature to a credential that stays removed', async () => {
    const world = await both();
    const { a, b } = world;
    await add(a, 'Second');
    await importHere(b, await exportTo(world, a, 'PC-B'));
    await remove(b, 'Second', { permanent: true });
    await enable(a, 'SecureEmail', 'Second');
    const archive = await exportTo(world, a, 'PC-B');
    const result = await importHere(b, archive);
    expect(fate(result)).toEqual(['Anna Müller: Unchanged', 'Second: Skip']);
    expect(await listed(b)).toEqual(['Anna Müller Active SecureEmail']);
    // Asked for, it comes back; the archive is known by now, so its features were decided then.
    const revived = await importHere(b, archive, { includeRemoved: true });
    expect(fate(revived)).toEqual(['Anna Müller: Unchanged', 'Second: Add']);
    expect(await listed(b)).toEqual(['Anna Müller Active SecureEmail', 'Second Retained']);
    // And is removed no more: a later archive decides about it like about any other.
    await importHere(b, await exportTo(world, a, 'PC-B'));
    expect(await listed(b)).toEqual(['Anna Müller Retained', 'Second Active SecureEmail']);
  });

  it('of an archive that was not known, and changes nothing, is remembered', async () => {
    const world = await both();
    const { a, b } = world;
    const [older, newer] = [await exportTo(world, a, 'PC-B'), await exportTo(world, a, 'PC-B')];
    const before = await generationOf(b);
    for (const archive of [newer, older, newer])
      expect(await importHere(b, archive)).toMatchObject({ unchanged: true, older: false });
    // The two archives, each once.
    expect(await generationOf(b)).toBe(before + 2);
  });

  it('of another archive of the same state sets its features again: it was exported and imported anew', async () => {
    const world = await both();
    const { a, b } = world;
    await add(b, 'Own');
    await enable(b, 'SecureEmail', 'Own');
    const result = await importHere(b, await exportTo(world, a, 'PC-B'));
    expect(result).toMatchObject({ older: false, unchanged: false });
    expect(fate(result)).toEqual(['Anna Müller: Activate', 'Own: Retain']);
    expect(await listed(b)).toEqual(['Anna Müller Active SecureEmail', 'Own Retained']);
  });

  it('brings back to the first computer what was added on the second', async () => {
    const world = await both();
    const { a, b } = world;
    await add(b, 'At B');
    await enable(b, 'SecureEmail', 'At B');
    await grant(world, b, a);
    const result = await importHere(a, await exportTo(world, b, 'PC-A'));
    expect(result).toMatchObject({ case: 'Merge', older: false });
    expect(fate(result)).toEqual(['Anna Müller: Retain', 'At B: Add']);
    expect(await listed(a)).toEqual(['Anna Müller Retained', 'At B Active SecureEmail']);
    // And there again: nothing is new, whatever the generation numbers of the two are.
    expect(await importHere(b, await exportTo(world, a, 'PC-B'))).toMatchObject({
      unchanged: true,
      older: false,
    });
  });

  it('says which of two passwords does not open, where only the archive’s was given', async () => {
    const world = await both();
    const { a, b } = world;
    await a.run('user-password', {}, { password, newPassword });
    const { path } = await exportTo(world, a, 'PC-B', newPassword);
    const error = await refused(world, 'PasswordRejected', () =>
      b.run('import', { path }, { password: newPassword }),
    );
    expect(error.message).toContain('-CurrentPassword');
    expect(error.hint).toContain('PC-B');
    const wrong = await rejection(() =>
      b.run('import', { path }, { password: 'neither', currentPassword: password }),
    );
    expect(wrong.message).not.toContain('-CurrentPassword');
    expect(wrong.hint).toContain('PC-A');
  });
});

describe('an install', () => {
  it('keeps what was removed for good where it comes from: a later merge does not revive it', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    await add(a, 'Second');
    const before = await exportTo(world, a, 'PC-B');
    await remove(a, 'Second', { permanent: true });
    await importHere(b, await exportTo(world, a, 'PC-B'), { enableFeature: true });
    expect(fate(await importHere(b, before))).toEqual(['Anna Müller: Unchanged', 'Second: Skip']);
    expect(fate(await importHere(b, before, { includeRemoved: true }))).toContain('Second: Add');
  });
});

describe('an archive of a key that was replaced since', () => {
  it('is not merged: it would put the older key back', async () => {
    const world = await both();
    const { a, b } = world;
    const older = await exportTo(world, a, 'PC-B');
    await b.run('user-new-key', {}, { password, newPassword });
    const secrets = { password, currentPassword: newPassword };
    await refused(world, 'ImportWouldReplace', () => b.run('import', { path: older.path }, secrets));
  });
});

describe('a receipt that cannot be written once the import is done', () => {
  it('is a warning with its code; the import stands', async () => {
    const world = await copyWorld(made);
    const { b, share } = world;
    const { files } = b.ports;
    const full = Object.assign(Object.create(files) as typeof files, {
      write: () => Promise.reject(fail('StorageFull', { path: share })),
    });
    b.ports = { ...b.ports, files: full };
    const result = await importHere(b, made.archive, { receiptPath: share });
    expect(result).toMatchObject({ case: 'Install', receiptPath: null });
    expect(b.warnings).toMatchObject([
      { code: 'StorageFull', message: expect.stringContaining('Imported') as string },
    ]);
    expect(await listed(b)).toEqual(['Anna Müller Retained']);
  });
});

describe('an import whose generation the disk gives back otherwise', () => {
  /** B, whose store reads what `read` makes of each generation; all else is real. */
  function reading(b: Computer, read: (number: number) => number | undefined): void {
    const { environment } = b.ports;
    b.ports = {
      ...b.ports,
      environment: (...where) => {
        const store = environment(...where);
        const generation: typeof store.generation = async (id) => {
          const number = read(id.generation);
          return number === undefined ? undefined : store.generation({ ...id, generation: number });
        };
        return new Proxy(store, {
          get: (target, name) => {
            if (name === 'generation') return generation;
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          },
        });
      },
    };
  }

  it.each([
    ['is not there', (): undefined => undefined],
    ['does not hold what was written', (number: number): number => number - 1],
  ])('says no success: it %s', async (problem, read) => {
    const world = await both();
    const { a, b } = world;
    await add(a, 'Second');
    const archive = await exportTo(world, a, 'PC-B');
    reading(b, read);
    const error = await rejection(() => importHere(b, archive));
    expect(error).toMatchObject({ code: 'EnvironmentDamaged' });
    expect(error.message).toContain(problem);
  });
});
