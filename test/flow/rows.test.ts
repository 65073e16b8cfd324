/**
 * Rows of the original product's checklist that no other test shows by itself: default names, the second slot of the
 * owner, two destinations, an untouched source, the same signer, reactivation, roles, waiting times and history. The
 * table of all rows is in test/README.md. Each title begins with its row; nothing here is about the chip of a real TPM.
 */
import { createPrivateKey, sign, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { readdir, readFile, rename } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readStorageKey } from '../../core/src/adapters/chip-software/storage-key-file.ts';
import { createFileSystem } from '../../core/src/adapters/system/node-file-system.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { toHex, utf8 } from '../../core/src/bytes/bytes.ts';
import { openPkcs12 } from '../../core/src/crypto/pkcs12.ts';
import type {
  AccessResult,
  ArchiveResult,
  CredentialResult,
  FeatureResult,
  HistoryEventResult,
  IdentityResult,
  ImportResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import type { Installable } from '../../core/src/operations/install-credential.ts';
import { operations, type OperationEntry } from '../../core/src/operations/registry.ts';
import type { Computer } from '../testkit/computer.ts';
import {
  copyWorld,
  fingerprintOf,
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

const wrong = { password: 'not the password' };

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

const archiveIn = (world: World): string => join(world.share, basename(made.archive.path));

/** Exports from PC-A to PC-B into a file of its own. */
function exportAgain(world: World, name: string): Promise<ArchiveResult> {
  const parameters = { path: join(world.share, name), destination: 'PC-B' };
  return world.a.one<ArchiveResult>('export', parameters, { password });
}

/** Who may not administer, but is the same person. */
function asOrdinaryUser(computer: Computer): void {
  const { account } = computer.ports;
  const ordinary = { ...account, isAdministrator: () => Promise.resolve(false) };
  computer.ports = { ...computer.ports, account: ordinary };
}

interface HandedOver {
  readonly privateKey: KeyObject;
  readonly certificate: X509Certificate;
}

/** The key of a credential, as the certificate store would get it. */
async function handOver(computer: Computer, credential: string): Promise<HandedOver> {
  const oneTimeSecret = toHex(new Uint8Array(32).fill(7));
  const parameters = { credential, allowUnprotectedStore: true };
  const { pfx } = await computer.one<Installable>('credential-install', parameters, {
    password,
    oneTimeSecret,
  });
  const [entry] = openPkcs12(pfx.reveal, new SecretBytes(utf8(oneTimeSecret)), 'handed over');
  if (entry?.certificate === undefined) throw new Error('no key with a certificate was handed over');
  return {
    privateKey: createPrivateKey({ key: Buffer.from(entry.privateKey.reveal), format: 'der', type: 'pkcs8' }),
    certificate: new X509Certificate(entry.certificate),
  };
}

/** Below a computer's folder, everything that an import must leave alone: the platform and its owner, without history. */
async function platformOf({ home }: Computer): Promise<readonly string[]> {
  const lines = await fingerprintOf(home);
  return lines.filter((line) => line.startsWith('platform') && !/\/(history|users)/.test(line));
}

describe('names of files', () => {
  it('row-002, row-019, row-109: have documented defaults, and any other name is accepted', async () => {
    const world = await copyWorld(made);
    const { accountName } = await world.a.one<StatusResult>('status');
    const user = accountName.replace(/^.*\\/, '');
    const names = await readdir(world.share);
    expect(names.sort()).toEqual(['PC-B.spid', `${user}@PC-B.sparc`].sort());
    expect(basename(made.access.path)).toBe(`${made.access.serial}.spgrant`);
    const [identity, archive] = [join(world.share, 'Schlüssel'), join(world.share, 'umzug.bak')];
    await rename(join(world.share, 'PC-B.spid'), identity);
    await rename(archiveIn(world), archive);
    expect(await world.a.one<IdentityResult>('identity-read', { path: identity })).toMatchObject({
      computer: 'PC-B',
    });
    expect(await world.b.one<ImportResult>('import', { path: archive }, { password })).toMatchObject({
      case: 'Install',
    });
  });
});

describe('an owner', () => {
  it('row-007, row-009: grants with the Owner Password only, and a wrong one grants nothing and counts', async () => {
    const world = await copyWorld(made);
    const { path } = await world.c.one<IdentityResult>('identity-export', { path: world.share });
    const granting = (secrets: object) => () => world.a.run('access-grant', { path }, secrets);
    await refused(world, 'OwnerPasswordRequired', granting({}));
    for (let attempt = 0; attempt < 3; attempt++)
      await refused(world, 'OwnerPasswordRejected', granting({ ownerPassword: password }));
    await refused(world, 'LockedOut', granting({ ownerPassword }));
    expect(await world.a.run('access-list')).toHaveLength(1);
  });

  it('row-008: may give the owner-password backup file in place of the Owner Password', async () => {
    const world = await copyWorld(made);
    const backupPath = join(world.share, 'fleet.spownerbackup');
    const authority = await world.a.one<{ path: string }>(
      'authority-new',
      { path: world.share, backupPath },
      { ownerPassword },
    );
    const fleet = { path: join(world.share, 'PC-B.spid'), authorityPath: authority.path };
    const outputPath = world.share;
    await refused(world, 'OwnerPasswordRequired', () =>
      world.a.run('access-grant', { ...fleet, outputPath }),
    );
    const access = await world.a.one<AccessResult>('access-grant', { ...fleet, outputPath, backupPath });
    expect(access).toMatchObject({ destination: 'PC-B', state: 'Valid' });
  });

  it('row-010, row-011: grants each destination for itself, and sees the list', async () => {
    const world = await copyWorld(made);
    const exporting = (destination: string) => () =>
      world.a.run('export', { path: join(world.share, `${destination}.sparc`), destination }, { password });
    await refused(world, 'DestinationNotAuthorized', exporting('PC-C'));
    await grant(world, world.a, world.c);
    await exporting('PC-C')();
    const list = await world.a.run<AccessResult>('access-list');
    expect(list.map(({ destination, state }) => [destination, state]).sort()).toEqual([
      ['PC-B', 'Valid'],
      ['PC-C', 'Valid'],
    ]);
  });

  it('row-081: needs no password of the user, and the user none of the owner', async () => {
    const world = await copyWorld(made);
    // The one gives only the Owner Password, the other, who may not administer, only the Basic User Password.
    await grant(world, world.a, world.c);
    asOrdinaryUser(world.a);
    const archive = await world.a.one<ArchiveResult>(
      'export',
      { path: join(world.share, 'c.sparc'), destination: 'PC-C' },
      { password },
    );
    expect(archive).toMatchObject({ destination: 'PC-C', credentials: 1 });
  });

  it('row-092, row-093: is tried three times, a user five times, and then waits twice as long each time', async () => {
    const world = await copyWorld(made);
    let now = world.a.ports.clock();
    world.a.ports = { ...world.a.ports, clock: () => now };
    const disabling = () => world.a.run('feature-disable', { feature: 'SecureEmail' }, wrong);
    const revoking = () =>
      world.a.run('access-revoke', { serial: made.access.serial }, { ownerPassword: 'not the password' });
    for (const [tries, attempt, code] of [
      [5, disabling, 'PasswordRejected'],
      [3, revoking, 'OwnerPasswordRejected'],
    ] as const) {
      for (let count = 0; count < tries; count++) await refused(world, code, attempt);
      for (const seconds of [30, 60, 120]) {
        expect((await refused(world, 'LockedOut', attempt)).details.seconds).toBe(seconds);
        now += seconds;
        await refused(world, code, attempt);
      }
    }
  });
});

describe('a user', () => {
  it('row-017: exports the own environment only: no operation that needs a password takes another account', async () => {
    const world = await copyWorld(made);
    // Which folder is opened follows from the calling account alone (compose.ts), so there is nothing to be asked for.
    for (const [name, { parameters, secrets }] of Object.entries<OperationEntry>(operations)) {
      if (!secrets.includes('password')) continue;
      const naming = Object.keys(parameters).filter((parameter) => /user|environment|home/i.test(parameter));
      expect(naming, name).toEqual([]);
    }
    const { account } = await world.a.one<StatusResult>('status');
    expect(await exportAgain(world, 'own.sparc')).toMatchObject({ account });
  });

  it('row-020: has on the source what was there before the export, and goes on working with it', async () => {
    const world = await copyWorld(made);
    const state = async (): Promise<readonly string[]> =>
      (await fingerprintOf(world.a.home)).filter((line) => !/^\S*\/history /.test(line));
    const before = await state();
    await exportAgain(world, 'again.sparc');
    expect(await state()).toEqual(before);
    const { credential } = made.credential;
    await world.a.run('feature-enable', { feature: 'Efs', credential }, { password });
    const { certificate, privateKey } = await handOver(world.a, credential);
    expect(certificate.checkPrivateKey(privateKey)).toBe(true);
  });

  it('row-025: learns after an install which features must be enabled, and that no feature is active', async () => {
    const world = await copyWorld(made);
    const imported = await world.b.one<ImportResult>('import', { path: archiveIn(world) }, { password });
    expect(imported).toMatchObject({ featuresActive: [], featuresProposed: ['SecureEmail'] });
    expect(imported.nextStep).toContain('SecureEmail');
    expect(imported.nextStep).toContain('Enable-SPMigrationFeature');
  });

  it('row-028, row-029: is warned what a replace means, before and instead of it', async () => {
    const world = await copyWorld(made);
    await world.b.run('user-initialize', {}, { password: 'another password' });
    const error = await refused(world, 'ImportWouldReplace', () =>
      world.b.run('import', { path: archiveIn(world) }, { password }),
    );
    expect(error.hint).toMatch(/[Dd]ecrypt your encrypted data/);
    expect(error.hint).toMatch(/ask the administrator/);
  });

  it('row-034, row-035, row-036: keeps the previous key after a merge, and makes it active again for one feature', async () => {
    const world = await copyWorld(made);
    const first = made.credential.credential;
    await world.b.run('import', { path: archiveIn(world), enableFeature: true }, { password });
    await world.b.run('feature-enable', { feature: 'Efs', credential: first }, { password });
    const { credential: second } = await world.a.one<CredentialResult>(
      'credential-new',
      { subject: 'Anna Müller', algorithm: 'P-256' },
      { password },
    );
    for (const feature of ['SecureEmail', 'Efs'])
      await world.a.run('feature-enable', { feature, credential: second }, { password });
    const { path } = await exportAgain(world, 'second.sparc');
    await world.b.run('import', { path, enableFeature: true }, { password });
    const active = async (): Promise<Record<string, string | null>> => {
      const list = await world.b.run<FeatureResult>('feature-list');
      return Object.fromEntries(list.map(({ feature, credential }) => [feature, credential]));
    };
    expect(await active()).toMatchObject({ SecureEmail: second, Efs: second });
    // What was encrypted for the first key is readable: it is still there, and its own.
    const kept = await handOver(world.b, first);
    expect(kept.certificate.fingerprint.replaceAll(':', '')).toBe(made.credential.thumbprint);
    expect(kept.certificate.checkPrivateKey(kept.privateKey)).toBe(true);
    await world.b.run('feature-enable', { feature: 'Efs', credential: first }, { password });
    expect(await active()).toMatchObject({ SecureEmail: second, Efs: first });
  });

  it('row-037, row-039: signs on the destination as the same signer as on the source', async () => {
    const world = await copyWorld(made);
    const { credential } = made.credential;
    const { certificate: atSource } = await handOver(world.a, credential);
    await world.b.run('import', { path: archiveIn(world), enableFeature: true }, { password });
    const atDestination = await handOver(world.b, credential);
    expect(Buffer.compare(atDestination.certificate.raw, atSource.raw)).toBe(0);
    const signature = sign('sha256', utf8('a letter'), atDestination.privateKey);
    expect(verify('sha256', utf8('a letter'), atSource.publicKey, signature)).toBe(true);
    const features = (computer: Computer) => computer.run<FeatureResult>('feature-list');
    expect(await features(world.b)).toEqual(await features(world.a));
  });

  it('row-038: changes by a migration neither the platform nor the owner of any computer', async () => {
    const world = await copyWorld(made);
    const before = [await platformOf(world.a), await platformOf(world.b)];
    const { path } = await exportAgain(world, 'again.sparc');
    await world.b.run('import', { path, enableFeature: true }, { password });
    expect([await platformOf(world.a), await platformOf(world.b)]).toEqual(before);
    expect(before.flat().join('\n')).toContain(join('platform', 'private', 'authority'));
    await grant(world, world.b, world.c);
  });

  it('row-049, row-050: needs administrative rights for nothing of a migration but the owner’s part', async () => {
    const world = await copyWorld(made);
    for (const computer of [world.a, world.b]) asOrdinaryUser(computer);
    await refused(world, 'NotAdministrator', () => world.b.run('identity-export', { path: world.share }));
    await refused(world, 'NotAdministrator', () =>
      world.a.run('access-grant', { path: join(world.share, 'PC-B.spid') }, { ownerPassword }),
    );
    const { path } = await exportAgain(world, 'again.sparc');
    const imported = await world.b.one<ImportResult>('import', { path, enableFeature: true }, { password });
    expect(imported).toMatchObject({ case: 'Install', featuresActive: ['SecureEmail'] });
  });
});

describe('the files that travel', () => {
  it('row-003, row-004: hold nothing of the private half of the destination’s storage key', async () => {
    const { world } = made;
    const path = join(world.b.home, 'platform', 'public', 'storage-key');
    using key = await readStorageKey({ disk: createFileSystem('linux'), path });
    const forms = [key.privateKey.reveal, key.seedValue.reveal].flatMap(formsOf);
    const holds = async (file: string): Promise<boolean> => {
      const content = await readFile(file);
      return forms.some((form) => content.includes(form));
    };
    expect(await holds(path)).toBe(true);
    const travelling = (await readdir(world.share)).map((name) => join(world.share, name));
    expect(travelling).toHaveLength(2);
    for (const file of [...travelling, made.access.path])
      expect(await holds(file), relative(world.folder, file)).toBe(false);
  });
});

it('row-107: every action of a migration is in the history, of the platform or of the user', async () => {
  const world = await copyWorld(made);
  await world.a.run('access-revoke', { serial: made.access.serial }, { ownerPassword });
  await world.b.run('import', { path: archiveIn(world), enableFeature: true }, { password });
  const done = async (computer: Computer): Promise<readonly string[]> =>
    (await computer.run<HistoryEventResult>('history'))
      .map(({ scope, operation, outcome }) => `${scope} ${operation} ${outcome}`)
      .sort();
  expect(await done(world.a)).toEqual([
    'platform access-grant ok',
    'platform access-revoke ok',
    'platform platform-initialize ok',
    'user credential-new ok',
    'user export ok',
    'user feature-enable ok',
    'user user-initialize ok',
  ]);
  expect(await done(world.b)).toEqual([
    // The world exported it twice: once for itself, once for the grant.
    'platform identity-export ok',
    'platform identity-export ok',
    'platform platform-initialize ok',
    'user import ok',
  ]);
});

/** How bytes could stand in a file: as they are, as hex, and as Base64 wherever in its groups they begin. */
function formsOf(bytes: Uint8Array): readonly Buffer[] {
  const plain = Buffer.from(bytes);
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), plain])
      .toString('base64')
      .slice(4, 40),
  );
  return [plain, ...[plain.toString('hex'), ...base64].map((text) => Buffer.from(text))];
}
