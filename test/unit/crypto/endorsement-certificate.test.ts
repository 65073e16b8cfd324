/** Whether a certificate vouches for an endorsement key: the good ones, and each reason for which one does not. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../../core/src/bytes/bytes.ts';
import { endorsementCertificateProblem } from '../../../core/src/crypto/endorsement-certificate.ts';
import { endorsementKeyArea } from '../../../core/src/tpm2/endorsement.ts';
import { makeCertificate, testNotBefore } from '../../testkit/certificates.ts';
import {
  certifyEndorsementKey,
  type EndorsementCertificateOptions,
} from '../../testkit/endorsement-certificates.ts';
import {
  makeEccEndorsementKey,
  makeRsaEndorsementKey,
  type EndorsementKey,
} from '../../testkit/tpm-double.ts';

const day = 86_400;
const now = testNotBefore + day;
const root = await makeCertificate('CN=Maker Root', { authority: true });
const maker = await makeCertificate('CN=Maker Intermediate', {
  authority: true,
  issuer: root,
  kind: 'P-384',
});
const rsaMaker = await makeCertificate('CN=Old Maker', { authority: true, kind: 'RSA-2048' });
const key = makeEccEndorsementKey();

function problem(
  certificate: Uint8Array,
  manufacturers: readonly Uint8Array[] = [root.certificate, maker.certificate],
  { of = key, at = now }: { readonly of?: EndorsementKey; readonly at?: number } = {},
): string | undefined {
  const area = endorsementKeyArea(of.public);
  if (area === undefined) throw new Error('no endorsement key');
  return endorsementCertificateProblem(certificate, area, manufacturers, at);
}

const certified = (options: EndorsementCertificateOptions = {}): Promise<Uint8Array> =>
  certifyEndorsementKey(key.spki, maker, options);

describe('a certificate of an endorsement key', () => {
  test('vouches for it where its issuer is given, whether a root or not', async () => {
    expect(problem(await certified())).toBeUndefined();
    expect(problem(await certified(), [maker.certificate])).toBeUndefined();
    expect(problem(await certifyEndorsementKey(key.spki, root))).toBeUndefined();
    const rsa = makeRsaEndorsementKey();
    const usage = ['keyEncipherment'] as const;
    expect(
      problem(await certifyEndorsementKey(rsa.spki, maker, { usage }), undefined, { of: rsa }),
    ).toBeUndefined();
    expect(problem(await certified({ extendedUsage: undefined }))).toBeUndefined();
  });

  test('is no voucher without its issuer, or with another of the same name', async () => {
    const certificate = await certified();
    const impostor = await makeCertificate('CN=Maker Intermediate', { authority: true, kind: 'P-384' });
    const none = 'its certificate was issued by CN=Maker Intermediate, of whom no certificate is given';
    expect(problem(certificate, [])).toBe(none);
    expect(problem(certificate, [root.certificate])).toBe(none);
    expect(problem(certificate, [impostor.certificate])).toBe(none);
    expect(problem(certificate, [impostor.certificate, maker.certificate])).toBeUndefined();
  });

  test('is none for another key', async () => {
    expect(problem(await certified(), undefined, { of: makeEccEndorsementKey() })).toBe(
      'its certificate is for another key',
    );
    expect(problem(await certified(), undefined, { of: makeRsaEndorsementKey() })).toBe(
      'its certificate is for another key',
    );
  });

  test('is none before and after its time, or after its issuer’s', async () => {
    const certificate = await certified({ notBefore: now, notAfter: now + day });
    expect(problem(certificate, undefined, { at: now - 1 })).toMatch(/^its certificate is valid from 2026-/);
    expect(problem(certificate, undefined, { at: now + day + 1 })).toMatch(
      /^its certificate was valid until/,
    );
    expect(problem(certificate, undefined, { at: now + day })).toBeUndefined();
    expect(problem(await certified(), undefined, { at: now + 400 * day })).toMatch(
      /^the certificate of CN=Maker Intermediate, which issued its certificate, was valid until/,
    );
  });

  test('is none where it certifies an authority, a signing key or something else', async () => {
    const unfit = 'its certificate is not one for an endorsement key';
    expect(problem(await certified({ authority: true, usage: ['keyAgreement', 'keyCertSign'] }))).toBe(unfit);
    expect(problem(await certified({ usage: ['digitalSignature'] }))).toBe(unfit);
    // tcg-kp-AIKCertificate
    expect(problem(await certified({ extendedUsage: '2.23.133.8.3' }))).toBe(unfit);
  });

  test('is none where its issuer may not issue certificates', async () => {
    const person = await makeCertificate('CN=No Authority');
    const certificate = await certifyEndorsementKey(key.spki, person);
    expect(problem(certificate, [person.certificate])).toMatch(/of whom no certificate is given$/);
    const almost = await makeCertificate('CN=Almost One', { signsCertificates: true });
    const other = await certifyEndorsementKey(key.spki, almost);
    expect(problem(other, [almost.certificate])).toBe(
      'the certificate of CN=Almost One, which issued its certificate, may not issue any',
    );
  });

  test('is none where it is signed with SHA-1', async () => {
    const certificate = await certifyEndorsementKey(key.spki, rsaMaker, { hash: 'SHA-1' });
    expect(problem(certificate, [rsaMaker.certificate])).toBe(
      'its certificate is signed with a hash that is broken',
    );
    expect(problem(await certifyEndorsementKey(key.spki, rsaMaker), [rsaMaker.certificate])).toBeUndefined();
  });

  test('is none where it cannot be read', async () => {
    const certificate = await certified();
    for (const bytes of [new Uint8Array(), utf8('no certificate'), certificate.slice(0, 90)])
      expect(problem(bytes)).toBe('its certificate cannot be read');
  });
});
