/**
 * Features and what is kept for them: a retained credential becomes active again at any time, for each feature by itself;
 * certificates out of their time, or issued for another use, are used all the same, and a warning says why programs may
 * refuse them.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { sealPkcs12 } from '../../core/src/crypto/pkcs12.ts';
import type { KeyUsage } from '../../core/src/crypto/x509.ts';
import type { Feature } from '../../core/src/domain/environment.ts';
import { misfitOfUse } from '../../core/src/operations/certificate-use.ts';
import type { CredentialResult, FeatureResult } from '../../core/src/operations/results.ts';
import { makeCertificate, testNotBefore, type TestCertificate } from '../testkit/certificates.ts';
import type { Computer } from '../testkit/computer.ts';
import { createSeededRandom } from '../testkit/surroundings.ts';
import { copyWorld, makeWorld, password, removeWorld, type MadeWorld } from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const day = 86_400;

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

const enable = (computer: Computer, feature: string, credential: string) =>
  computer.one<FeatureResult>('feature-enable', { feature, credential }, { password });

async function used(computer: Computer): Promise<Record<string, string | null>> {
  const list = await computer.run<FeatureResult>('feature-list');
  return Object.fromEntries(list.map(({ feature, label }) => [feature, label]));
}

async function states(computer: Computer): Promise<Record<string, string>> {
  const list = await computer.run<CredentialResult>('credential-list');
  return Object.fromEntries(
    list.map(({ label, state, features }) => [label, [state, ...features].join(' ')]),
  );
}

async function addFrom(
  computer: Computer,
  { privateKey, certificate }: TestCertificate,
  friendlyName: string,
) {
  const entry = { privateKey: privateKey(), certificate, chain: [], friendlyName };
  const pfx = sealPkcs12([entry], new SecretBytes(utf8('of the file')), createSeededRandom(friendlyName));
  await computer.run('credential-add', {}, { password, pfx, pfxPassword: 'of the file' });
}

const codes = (computer: Computer): readonly (string | undefined)[] =>
  computer.warnings.map(({ code }) => code);

describe('a retained credential', () => {
  it('row-034, row-035: becomes active again at any time, for each feature by itself', async () => {
    const { a } = await copyWorld(made);
    for (const friendlyName of ['Old', 'New'])
      await a.run('credential-new', { subject: 'Anna', friendlyName, algorithm: 'P-256' }, { password });
    for (const feature of ['SecureEmail', 'Efs', 'SecureDrive'])
      for (const credential of ['Old', 'New']) await enable(a, feature, credential);
    expect(await states(a)).toEqual({
      'Anna Müller': 'Retained',
      Old: 'Retained',
      New: 'Active SecureEmail Efs SecureDrive',
    });
    await enable(a, 'Efs', 'Old');
    expect(await used(a)).toEqual({ SecureEmail: 'New', Efs: 'Old', SecureDrive: 'New' });
    await enable(a, 'SecureEmail', 'Anna Müller');
    await a.run('feature-disable', { feature: 'SecureDrive' }, { password });
    expect(await states(a)).toEqual({
      'Anna Müller': 'Active SecureEmail',
      Old: 'Active Efs',
      New: 'Retained',
    });
    await enable(a, 'SecureDrive', 'New');
    expect(await used(a)).toEqual({ SecureEmail: 'Anna Müller', Efs: 'Old', SecureDrive: 'New' });
  });
});

describe('a certificate that is enabled', () => {
  it('may be over or not begin yet: it is used, with a warning that says so', async () => {
    const { a } = await copyWorld(made);
    const certificate = await makeCertificate('CN=Anna', { days: 10 });
    await addFrom(a, certificate, 'Short');
    for (const [now, said] of [
      [testNotBefore + 20 * day, 'ended on 2026-01-11T00:00:00Z'],
      [testNotBefore - day, 'begins on 2026-01-01T00:00:00Z'],
    ] as const) {
      a.ports = { ...a.ports, clock: () => now };
      expect(await enable(a, 'SecureEmail', 'Short')).toMatchObject({ label: 'Short', enabled: true });
      expect(a.warnings).toMatchObject([{ code: 'CertificateExpired' }]);
      expect(a.warnings[0]?.message).toContain(said);
      await enable(a, 'SecureEmail', 'Anna Müller');
    }
    a.ports = { ...a.ports, clock: () => testNotBefore + day };
    await enable(a, 'SecureEmail', 'Short');
    expect(a.warnings).toEqual([]);
  });

  it('may sign only: it is used for what needs encryption, with a warning', async () => {
    const { a } = await copyWorld(made);
    const certificate = await makeCertificate('CN=Anna');
    await addFrom(a, certificate, 'Signing');
    a.ports = { ...a.ports, clock: () => testNotBefore + day };
    await enable(a, 'Efs', 'Signing');
    expect(codes(a)).toEqual(['CertificateUnsuitable']);
    expect(a.warnings[0]?.message).toContain('sign only');
    expect(await used(a)).toMatchObject({ Efs: 'Signing' });
    await enable(a, 'SecureEmail', 'Signing');
    expect(codes(a)).toEqual([]);
  });

  it('that this program makes fits every feature', async () => {
    const { a } = await copyWorld(made);
    await a.run(
      'credential-new',
      { subject: 'Anna', friendlyName: 'RSA', algorithm: 'RSA-3072' },
      { password },
    );
    for (const credential of ['RSA', 'Anna Müller']) {
      for (const feature of ['SecureEmail', 'Efs', 'SecureDrive']) {
        await enable(a, feature, credential);
        expect([credential, feature, codes(a)]).toEqual([credential, feature, []]);
      }
    }
  });

  const email = '1.3.6.1.5.5.7.3.4';
  const efs = '1.3.6.1.4.1.311.10.3.4';
  const clientLogon = '1.3.6.1.5.5.7.3.2';
  const any = '2.5.29.37.0';
  const cases: readonly (readonly [
    Feature,
    readonly KeyUsage[] | undefined,
    readonly string[] | undefined,
    string | undefined,
  ])[] = [
    ['Efs', undefined, undefined, undefined],
    ['Efs', ['keyEncipherment'], [efs, clientLogon], undefined],
    ['Efs', ['keyAgreement'], [any], undefined],
    ['Efs', ['keyEncipherment'], [email], 'not issued for file encryption'],
    ['Efs', ['digitalSignature', 'contentCommitment'], [efs], 'sign only'],
    ['SecureEmail', ['digitalSignature'], [email], undefined],
    ['SecureEmail', ['keyEncipherment'], undefined, undefined],
    ['SecureEmail', ['keyCertSign'], undefined, 'neither sign nor encrypt'],
    ['SecureEmail', ['digitalSignature'], [clientLogon], 'not issued for e-mail protection'],
    ['SecureDrive', ['dataEncipherment'], [clientLogon], undefined],
    ['SecureDrive', ['digitalSignature'], undefined, 'sign only'],
  ];
  it.each(cases)(
    'for %s with key usage %j and purposes %j',
    (feature, keyUsage, extendedKeyUsages, misfit) => {
      const found = misfitOfUse(feature, { keyUsage, extendedKeyUsages });
      if (misfit === undefined) expect(found).toBeUndefined();
      else expect(found).toContain(misfit);
    },
  );
});
