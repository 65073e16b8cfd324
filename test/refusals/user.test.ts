/** Refusals of a person's own operations: environment, credentials, features. Each has its own code, and changes nothing. */
import { generateKeyPairSync } from 'node:crypto';
import { cp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { sealPkcs12 } from '../../core/src/crypto/pkcs12.ts';
import { findOperation, type OperationName } from '../../core/src/operations/registry.ts';
import type { CredentialResult, StatusResult } from '../../core/src/operations/results.ts';
import { makeCertificate, makeChain, type TestCertificate } from '../testkit/certificates.ts';
import { createSeededRandom, createTestAccount } from '../testkit/surroundings.ts';
import {
  copyWorld,
  fingerprintOf,
  makeWorld,
  password,
  refused,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).memoizedKdf(original),
);

const pfxPassword = 'PFX-Paßwort 3';
const wrong = { password: 'not the password' };

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

describe('an environment', () => {
  it('is made once, with a password that is one', async () => {
    const world = await copyWorld(made);
    await refused(world, 'UserAlreadyInitialized', () => world.a.run('user-initialize', {}, { password }));
    await refused(world, 'PasswordRequired', () => world.b.run('user-initialize'));
    await refused(world, 'PasswordUnacceptable', () =>
      world.b.run('user-initialize', {}, { password: '1234567' }),
    );
  });

  it('is needed by everything that works on one', async () => {
    const world = await copyWorld(made);
    const parameters = {
      path: made.archive.path,
      credential: 'x',
      feature: 'Efs',
      subject: 'x',
      thumbprint: '',
    };
    const needing: readonly OperationName[] = [
      'user-remove',
      'credential-list',
      'credential-new',
      'credential-add',
      'credential-complete',
      'credential-remove',
      'credential-install',
      'credential-installed',
      'feature-list',
      'feature-enable',
      'feature-disable',
      'export',
    ];
    for (const name of needing)
      await refused(world, 'UserNotInitialized', () => world.b.run(name, parameters, { password }));
  });

  it('is a person’s, not a service’s', async () => {
    const world = await copyWorld(made);
    const account = createTestAccount({ uid: 0, name: 'SYSTEM' }, { service: true });
    world.a.ports = { ...world.a.ports, account };
    world.b.ports = { ...world.b.ports, account };
    await refused(world, 'ServiceAccount', () => world.b.run('user-initialize', {}, { password }));
    await refused(world, 'ServiceAccount', () =>
      world.a.run('export', { path: world.share, overwrite: true }, { password }),
    );
    await refused(world, 'ServiceAccount', () =>
      world.b.run('import', { path: inShare(world) }, { password }),
    );
    await refused(world, 'ServiceAccount', () => world.a.run('user-remove'));
  });

  it('opens only with its password, and after five wrong ones not for a while', async () => {
    const world = await copyWorld(made);
    const disabling = (secrets: object) => () =>
      world.a.run('feature-disable', { feature: 'SecureEmail' }, secrets);
    await refused(world, 'PasswordRequired', disabling({}));
    // As a terminal of another character set would send it.
    await refused(world, 'ParameterInvalid', disabling({ password: Uint8Array.of(0xe4, 0xf6, 0xfc) }));
    for (let attempt = 0; attempt < 5; attempt++) await refused(world, 'PasswordRejected', disabling(wrong));
    const error = await refused(world, 'LockedOut', disabling({ password }));
    expect(error.details.seconds).toBeGreaterThan(0);
    const { clock } = world.a.ports;
    world.a.ports = { ...world.a.ports, clock: () => clock() + 31 };
    await world.a.run('feature-disable', { feature: 'SecureEmail' }, { password });
  });

  it('is not used by two at once', async () => {
    const world = await copyWorld(made);
    const { environment } = world.a.ports;
    const { platformId } = await world.a.one<StatusResult>('status');
    const before = await fingerprintOf(world.a.home);
    let busy: unknown;
    const store = environment(platformId as never, (await storageKeyName(world)) as never);
    await store.withLock(async () => {
      busy = await world.a.run('feature-disable', { feature: 'SecureEmail' }, { password }).then(
        () => undefined,
        (error: unknown) => error,
      );
    });
    expect(busy).toMatchObject({ code: 'EnvironmentBusy', details: { pid: process.pid } });
    expect(await fingerprintOf(world.a.home)).toEqual(before);
  });

  it('is not read where it was damaged, is newer, or was copied from another computer', async () => {
    const world = await copyWorld(made);
    const folder = await environmentFolder(world.a.home);
    const epoch = join(folder, 'epochs', '1');
    const [newest = ''] = (await readdir(epoch)).sort().reverse();
    const file = join(epoch, newest);
    const whole = await readFile(file);
    const opening = () => world.a.run('feature-disable', { feature: 'SecureEmail' }, { password });
    await writeFile(file, whole.subarray(0, whole.length - 1));
    await refused(world, 'EnvironmentDamaged', opening);
    await writeFile(file, whole.with(whole.length - 1, (whole.at(-1) ?? 0) ^ 1));
    await refused(world, 'EnvironmentDamaged', opening);
    await writeFile(
      file,
      Buffer.from(whole.toString('latin1').replace('generation v1', 'generation v2'), 'latin1'),
    );
    await refused(world, 'StoreNewer', opening);
    await rm(file);
    await refused(world, 'EnvironmentDamaged', opening);
    // All of another computer's folder, under this platform's id: its pointer names the other storage key.
    const { platformId } = await world.b.one<StatusResult>('status');
    const account = basename(dirname(folder));
    const copied = join(world.b.home, 'users', account, String(platformId));
    await cp(await environmentFolder(made.world.a.home), copied, { recursive: true });
    for (const name of ['status', 'credential-list', 'feature-list'] as const)
      await refused(world, 'EnvironmentOfOtherPlatform', () => world.b.run(name));
    await refused(world, 'EnvironmentOfOtherPlatform', () =>
      world.b.run('import', { path: inShare(world) }, { password }),
    );
  });
});

describe('a credential', () => {
  it('is named so that only one is meant', async () => {
    const world = await copyWorld(made);
    const enabling = (credential: string) => () =>
      world.a.run('feature-enable', { feature: 'Efs', credential }, { password });
    await refused(world, 'CredentialNotFound', enabling('nobody'));
    await world.a.run('credential-new', { subject: 'Anna Müller', algorithm: 'P-256' }, { password });
    await refused(world, 'CredentialAmbiguous', enabling('anna müller'));
    await refused(world, 'CredentialAmbiguous', () =>
      world.a.run('credential-remove', { credential: 'Anna Müller' }, { password }),
    );
    await refused(world, 'ParameterInvalid', () =>
      world.a.run('feature-enable', { feature: 'Efs' }, { password }),
    );
  });

  it('is not removed while a feature uses it', async () => {
    const world = await copyWorld(made);
    const error = await refused(world, 'CredentialInUse', () =>
      world.a.run('credential-remove', { credential: 'Anna Müller' }, { password }),
    );
    expect(error.message).toContain('SecureEmail');
  });

  it('has a subject, a lifetime and addresses that a certificate can carry', async () => {
    const world = await copyWorld(made);
    const making = (parameters: object) => () =>
      world.a.run('credential-new', { subject: 'Anna', algorithm: 'P-256', ...parameters }, { password });
    await refused(world, 'ParameterInvalid', making({ subject: '' }));
    await refused(world, 'ParameterInvalid', making({ validityDays: 0 }));
    await refused(world, 'ParameterInvalid', making({ validityDays: 4000 }));
    await refused(world, 'ParameterInvalid', making({ emailAddress: ['keine Adresse'] }));
  });

  it('of a request is of no use before its certificate comes, and takes no other', async () => {
    const world = await copyWorld(made);
    const other = join(world.share, 'other.cer');
    await writeFile(other, (await makeCertificate('CN=Somebody')).certificate);
    const completing =
      (path: string, more: object = {}) =>
      () =>
        world.a.run('credential-complete', { path, ...more }, { password });
    await refused(world, 'CredentialNotFound', completing(other));
    const request = join(world.share, 'anna.csr');
    const pending = await world.a.one<CredentialResult>(
      'credential-new',
      { subject: 'Pending', algorithm: 'P-256', requestPath: request },
      { password },
    );
    const credential = pending.credential;
    await refused(world, 'CredentialPending', () =>
      world.a.run('feature-enable', { feature: 'Efs', credential }, { password }),
    );
    await refused(world, 'CredentialPending', () =>
      world.a.run('credential-install', { credential, allowUnprotectedStore: true }, { password }),
    );
    await refused(world, 'CertificateKeyMismatch', completing(other));
    await refused(world, 'CertificateKeyMismatch', completing(other, { credential }));
    await writeFile(other, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    await refused(world, 'CertificateMalformed', completing(other));
    await refused(world, 'OutputExists', () =>
      world.a.run('credential-new', { subject: 'Again', requestPath: request }, { password }),
    );
  });

  it('leaves the environment only for a store that protects it, or where that was allowed', async () => {
    const world = await copyWorld(made);
    const { credential } = made.credential;
    const oneTimeSecret = new Uint8Array(32).fill(7);
    await refused(world, 'StoreUnprotected', () =>
      world.a.run('credential-install', { credential }, { password, oneTimeSecret }),
    );
    const allowed = { credential, allowUnprotectedStore: true };
    await refused(world, 'RequestMalformed', () => world.a.run('credential-install', allowed, { password }));
    await refused(world, 'RequestMalformed', () =>
      world.a.run('credential-install', allowed, { password, oneTimeSecret: new Uint8Array(31) }),
    );
    await refused(world, 'RequestMalformed', () =>
      world.a.run('credential-install', allowed, { password, oneTimeSecret: new Uint8Array(32).fill(0xff) }),
    );
    await refused(world, 'PasswordRejected', () =>
      world.a.run('credential-install', allowed, { ...wrong, oneTimeSecret }),
    );
    await refused(world, 'ParameterInvalid', () =>
      world.a.run('credential-installed', { credential, thumbprint: '0'.repeat(40) }),
    );
  });
});

describe('a PKCS#12 file', () => {
  let person: TestCertificate;
  let second: TestCertificate;
  beforeAll(async () => {
    ({ person } = await makeChain());
    second = await makeCertificate('CN=Second');
  });

  const adding =
    (world: World, path: string, secrets: object = { pfxPassword }) =>
    () =>
      world.a.run('credential-add', { path }, { password, ...secrets });

  const pfxOf = (world: World, pkcs8: Uint8Array): Promise<string> =>
    pfxAt(world, [{ ...entryOf(person), privateKey: SecretBytes.copyOf(pkcs8) }]);

  it('with several keys becomes several credentials', async () => {
    const world = await copyWorld(made);
    const path = await pfxAt(world, [entryOf(person), entryOf(second)]);
    const added = await world.a.run<CredentialResult>('credential-add', { path }, { password, pfxPassword });
    expect(added.map(({ label, change }) => `${label} ${String(change)}`).sort()).toEqual([
      'Anna Müller Added',
      'Second Added',
    ]);
    const again = await world.a.run<CredentialResult>('credential-add', { path }, { password, pfxPassword });
    expect(again.map(({ change }) => change)).toEqual(['Unchanged', 'Unchanged']);
  });

  it('is refused without its password, with a wrong one, damaged or without a key', async () => {
    const world = await copyWorld(made);
    const path = await pfxAt(world, [entryOf(person)]);
    await refused(world, 'PfxPasswordRequired', adding(world, path, {}));
    await refused(world, 'PfxPasswordRejected', adding(world, path, { pfxPassword: 'wrong' }));
    await refused(world, 'PasswordRejected', adding(world, path, { pfxPassword, ...wrong }));
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, whole.length - 20));
    await refused(world, 'PfxMalformed', adding(world, path));
    await writeFile(path, person.certificate);
    const error = await refused(world, 'WrongFileKind', adding(world, path));
    expect(error.message).toContain('certificate');
  });

  it('is refused when its certificate belongs to another key', async () => {
    const world = await copyWorld(made);
    const path = await pfxAt(world, [{ ...entryOf(person), privateKey: second.privateKey() }]);
    await refused(world, 'CertificateKeyMismatch', adding(world, path));
  });

  it('is refused when its key is none, or of a kind that nothing here uses', async () => {
    const world = await copyWorld(made);
    const edwards = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' });
    await refused(world, 'AlgorithmUnsupported', adding(world, await pfxOf(world, edwards)));
    // The public half inside of the PKCS#8 is another one's: its last byte lies on no curve.
    const halves = new Uint8Array(person.privateKey().reveal);
    halves[halves.length - 1] = (halves.at(-1) ?? 0) ^ 1;
    await refused(world, 'PrivateKeyMalformed', adding(world, await pfxOf(world, halves)));
  });

  it('is refused when the environment would grow too large', async () => {
    const world = await copyWorld(made);
    await writeFile(join(world.share, 'large.pfx'), new Uint8Array(10 * 1024 * 1024 + 1));
    await refused(world, 'LimitExceeded', adding(world, join(world.share, 'large.pfx')));
  });
});

describe('a folder, name or medium that cannot be written', () => {
  it('is said before any work', async () => {
    const world = await copyWorld(made);
    const exporting = (path: string) => () => world.a.run('export', { path }, { password });
    await refused(world, 'OutputExists', exporting(world.share));
    await refused(world, 'PathUnusable', exporting(join(world.share, 'x'.repeat(256))));
    await refused(world, 'FileNotFound', exporting(join(world.share, 'none', 'x.sparc')));
    await refused(world, 'PathUnusable', exporting(join(world.share, 'PC-B.spid', 'x.sparc')));
    await refused(world, 'PathUnusable', () => world.a.run('archive-read', { path: world.share }));
  });
});

it('declares every secret that it takes', () => {
  // What the tests above put into an operation's ring could not arrive through a front door otherwise.
  expect(findOperation('credential-add')?.secrets).toEqual(['password', 'pfxPassword', 'pfx']);
  expect(findOperation('credential-install')?.secrets).toEqual(['password', 'oneTimeSecret']);
});

function inShare(world: World): string {
  return join(world.share, made.archive.path.slice(made.world.share.length + 1));
}

function entryOf(certificate: TestCertificate) {
  return {
    privateKey: certificate.privateKey(),
    certificate: certificate.certificate,
    chain: [],
    friendlyName: certificate.subject.slice('CN='.length),
  };
}

async function pfxAt(world: World, entries: Parameters<typeof sealPkcs12>[0]): Promise<string> {
  const path = join(world.share, 'keys.pfx');
  const random = createSeededRandom('pfx');
  await writeFile(path, sealPkcs12(entries, new SecretBytes(utf8(pfxPassword)), random));
  return path;
}

/** The one environment folder below a computer's `users/`. */
async function environmentFolder(home: string): Promise<string> {
  const users = join(home, 'users');
  const [account = ''] = await readdir(users);
  const [platform = ''] = await readdir(join(users, account));
  return join(users, account, platform);
}

async function storageKeyName(world: World): Promise<string> {
  const current = await readFile(join(await environmentFolder(world.a.home), 'current'), 'utf8');
  return /^storage-key: (.+)$/m.exec(current)?.[1] ?? '';
}
