/** Certificates: names, what is read from them, chains, the files they come in, and the ones this product makes. */
import fc from 'fast-check';
import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { concat, toHex, utf8 } from '../../../core/src/bytes/bytes.ts';
import type { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { decodeCertificateFile } from '../../../core/src/crypto/certificate-file.ts';
import { readChildren, readElement, readOid } from '../../../core/src/crypto/der.ts';
import { formatName, parseSubject } from '../../../core/src/crypto/distinguished-name.ts';
import { decodePem, encodePem } from '../../../core/src/crypto/pem.ts';
import { asn1 } from '../../../core/src/crypto/pkcs12/asn1.ts';
import { generatePrivateKey, type PrivateKey } from '../../../core/src/crypto/private-key.ts';
import {
  certificateMatchesKey,
  describeCertificate,
  orderChain,
  parseCertificate,
  validityOf,
} from '../../../core/src/crypto/x509.ts';
import {
  buildCertificationRequest,
  buildSelfSigned,
  type SelfSignedCertificate,
} from '../../../core/src/crypto/x509-making.ts';
import { isSPMigrationError } from '../../../core/src/domain/error.ts';
import { makeCertificate, makeChain, testNotBefore, type TestChain } from '../../testkit/certificates.ts';

const refuse = (problem: string): Error => new Error(problem);

/** The code of what `action` throws; anything but an error of the catalogue fails the test. */
async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (isSPMigrationError(error)) return error.code;
    throw error;
  }
  return 'no error';
}

let ec: PrivateKey;
let rsa: PrivateKey;
let chain: TestChain;

beforeAll(async () => {
  ec = await generatePrivateKey('P-256');
  rsa = await generatePrivateKey('RSA-3072');
  chain = await makeChain();
});

function wanted(
  privateKey: SecretBytes,
  changes: Partial<SelfSignedCertificate> = {},
): SelfSignedCertificate {
  return {
    privateKey,
    subject: 'Anna Müller',
    emailAddresses: ['anna@example.org'],
    purposes: ['emailProtection', 'clientAuthentication', 'fileEncryption'],
    notBefore: testNotBefore,
    notAfter: testNotBefore + 86_400,
    serialNumber: new Uint8Array(16).fill(0xff),
    ...changes,
  };
}

describe('subjects', () => {
  test.each([
    ['Anna Müller', ['CN=Anna Müller']],
    ['  Anna  ', ['CN=Anna']],
    ['Anna, née Schmidt', ['CN=Anna, née Schmidt']],
    ['李雷 🙂', ['CN=李雷 🙂']],
    ['CN=Anna Müller, O=Example, C=de', ['C=DE', 'O=Example', 'CN=Anna Müller']],
    ['cn = Anna , o = Example', ['O=Example', 'CN=Anna']],
    ['CN=Anna+UID=anna,DC=example,DC=org', ['DC=org', 'DC=example', 'CN=Anna+UID=anna']],
    ['CN="Müller, Anna",OU=a\\,b\\+c\\"', ['OU=a,b+c"', 'CN=Müller, Anna']],
    ['CN=\\4D\\C3\\BCller', ['CN=Müller']],
    ['CN=a=b', ['CN=a=b']],
    ['CN=Anna\\ ', ['CN=Anna ']],
    ['2.5.4.3=Anna', ['CN=Anna']],
    ['E=anna@example.org, CN=Anna', ['CN=Anna', 'E=anna@example.org']],
  ])('%s', (text, expected) => {
    const keywords: Record<string, string> = {
      '2.5.4.3': 'CN',
      '2.5.4.6': 'C',
      '2.5.4.10': 'O',
      '2.5.4.11': 'OU',
      '0.9.2342.19200300.100.1.1': 'UID',
      '0.9.2342.19200300.100.1.25': 'DC',
      '1.2.840.113549.1.9.1': 'E',
    };
    const read = parseSubject(text).map((rdn) =>
      rdn.map(({ type, value }) => `${keywords[type] ?? type}=${value}`).join('+'),
    );
    expect(read).toEqual(expected);
  });

  test.each([
    ['', 'empty'],
    ['   ', 'empty'],
    ['a\nb', 'control character'],
    ['CN=', 'CN is empty'],
    ['CN=a,', 'attribute=value'],
    ['CN=a,Müller', 'attribute=value'],
    ['CN="a', 'quotation mark'],
    ['CN="a"b', 'follows a quoted value'],
    ['CN=a\\', 'escapes nothing'],
    ['CN=a\\z', 'escapes nothing'],
    ['CN=\\FF', 'not a character'],
    ['CN=\\0A', 'not a character'],
    ['CN=a<b', 'must be written'],
    ['CN=#0c0161', 'hexadecimal'],
    ['X9=a, CN=b', undefined],
    ['FOO=a, CN=b', 'FOO is not known'],
    ['1.2.3=a', '1.2.3 is not known'],
    ['C=Germany', 'more than 2'],
    ['C=D1', 'two letters'],
    ['E=änna@example.org', 'ASCII'],
    ['SERIALNUMBER=a_b', 'simple punctuation'],
    ['x'.repeat(65), 'more than 64'],
    ['x'.repeat(1025), 'more than 1024'],
  ])('%j is refused: %s', async (text, problem) => {
    // a first word that is no attribute type makes a plain name
    if (problem === undefined) {
      expect(parseSubject(text)).toHaveLength(1);
      return;
    }
    expect(await codeOf(() => parseSubject(text))).toBe('ParameterInvalid');
    expect(() => parseSubject(text)).toThrow(problem);
  });

  test('a name in a certificate cannot break the line or turn the text', async () => {
    const { certificate } = await makeCertificate('CN=plain');
    const [tbs] = readChildren(readElement(certificate, refuse), refuse);
    expect(tbs).toBeDefined();
    const name = asn1.encode(
      asn1.sequence(
        asn1.set(asn1.sequence(asn1.oid('2.5.4.3'), asn1.bmpString('a\r\nb\u202ec, "d"'))),
        asn1.set(asn1.sequence(asn1.oid('1.2.3.4'), asn1.bmpString(' #'))),
        asn1.set(asn1.sequence(asn1.oid('2.5.4.10'), asn1.octets(Uint8Array.of(1, 2)))),
      ),
    );
    expect(formatName(name, refuse)).toBe('O=#04020102, 1.2.3.4=\\ #, CN=a\\0d\\0ab\\e2\\80\\aec\\, \\"d\\"');
  });

  test('whatever subject is accepted is read back from the certificate as the same name', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), async (text) => {
        let parts;
        try {
          parts = parseSubject(text);
        } catch (error) {
          expect(isSPMigrationError(error)).toBe(true);
          return;
        }
        const certificate = await buildSelfSigned(wanted(ec.pkcs8, { subject: text }));
        expect(parseSubject(describeCertificate(certificate, 'x').subject)).toEqual(parts);
      }),
      { numRuns: 60 },
    );
  });
});

describe('self-signed certificates', () => {
  test.each(['RSA-3072', 'P-256'] as const)('%s: everything that was asked for is in it', async (kind) => {
    const key = kind === 'P-256' ? ec : rsa;
    const certificate = await buildSelfSigned(wanted(key.pkcs8));
    expect(describeCertificate(certificate, 'x')).toEqual({
      subject: 'CN=Anna Müller',
      issuer: 'CN=Anna Müller',
      serialNumber: `7F${'FF'.repeat(15)}`,
      notBefore: testNotBefore,
      notAfter: testNotBefore + 86_400,
      thumbprint: new X509Certificate(certificate).fingerprint.replaceAll(':', ''),
      sha256: new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase(),
      publicKey: key.publicKey,
      keyUsage: ['digitalSignature', kind === 'P-256' ? 'keyAgreement' : 'keyEncipherment'],
      extendedKeyUsages: ['1.3.6.1.5.5.7.3.4', '1.3.6.1.5.5.7.3.2', '1.3.6.1.4.1.311.10.3.4'],
      emailAddresses: ['anna@example.org'],
      isCertificateAuthority: false,
      selfSigned: true,
    });
    expect(certificateMatchesKey(certificate, key.publicKey, 'x')).toBe(true);
    expect(certificateMatchesKey(certificate, (key === ec ? rsa : ec).publicKey, 'x')).toBe(false);
    expect(new X509Certificate(certificate).verify(spki(key.publicKey))).toBe(true);
  });

  test('validity beyond 2050, no addresses, no purposes', async () => {
    const notAfter = Date.UTC(2051, 5, 1) / 1000;
    const certificate = await buildSelfSigned(
      wanted(ec.pkcs8, { notAfter, emailAddresses: [], purposes: [] }),
    );
    expect(describeCertificate(certificate, 'x')).toMatchObject({
      notAfter,
      emailAddresses: [],
      extendedKeyUsages: undefined,
    });
  });

  test.each([
    [{ notAfter: testNotBefore }, 'before it begins'],
    [{ emailAddresses: ['anna'] }, 'name@domain'],
    [{ emailAddresses: ['änna@example.org'] }, 'name@domain'],
    [{ emailAddresses: ['a b@example.org'] }, 'name@domain'],
    [{ emailAddresses: [`${'a'.repeat(250)}@example.org`] }, 'name@domain'],
    [{ emailAddresses: Array.from({ length: 21 }, (_, i) => `a${i}@example.org`) }, 'more than 20'],
    [{ subject: 'CN=' }, 'empty'],
  ])('%j is refused', async (changes, problem) => {
    const made = buildSelfSigned(wanted(ec.pkcs8, changes));
    await expect(made).rejects.toThrow(problem);
    await expect(made).rejects.toMatchObject({ code: 'ParameterInvalid' });
  });

  test('a serial number of the wrong length is a fault of the caller', async () => {
    await expect(buildSelfSigned(wanted(ec.pkcs8, { serialNumber: new Uint8Array(8) }))).rejects.toThrow(
      RangeError,
    );
  });
});

describe('certification requests', () => {
  test.each(['RSA-3072', 'P-256'] as const)(
    '%s: names the subject and is signed by the key',
    async (kind) => {
      const key = kind === 'P-256' ? ec : rsa;
      const request = await buildCertificationRequest(wanted(key.pkcs8, { subject: 'CN=Anna, O=Example' }));
      const [info, algorithm, signature] = readChildren(readElement(request, refuse), refuse);
      const [, subject, publicKey] = readChildren(info!, refuse);
      expect(formatName(subject!.encoded, refuse)).toBe('CN=Anna, O=Example');
      expect(toHex(publicKey!.encoded)).toBe(toHex(key.publicKey));
      expect(readOid(readChildren(algorithm!, refuse)[0], refuse)).toBe(
        kind === 'P-256' ? '1.2.840.10045.4.3.2' : '1.2.840.113549.1.1.11',
      );
      expect(verify('sha256', info!.encoded, spki(key.publicKey), signature!.content.subarray(1))).toBe(true);
    },
  );
});

describe('reading certificates', () => {
  test('their validity alone is the same as with everything else', () => {
    for (const { certificate } of [chain.root, chain.authority, chain.person]) {
      const { notBefore, notAfter } = describeCertificate(certificate, 'x');
      expect(validityOf(certificate, 'x')).toEqual({ notBefore, notAfter });
    }
    expect(() => validityOf(chain.person.certificate.subarray(1), 'x')).toThrow(/x is not a certificate/);
  });

  test('what is no certificate is refused by its own code', async () => {
    const { certificate } = chain.person;
    const big = new Uint8Array(64 * 1024 + 1);
    const pem = utf8(encodePem('CERTIFICATE', certificate));
    for (const bytes of [
      new Uint8Array(0),
      utf8('hello'),
      certificate.subarray(0, certificate.length - 1),
      concat(certificate, Uint8Array.of(0)),
      pem,
      Uint8Array.of(0x30, 0x00),
      Uint8Array.of(0x30, 0x80),
      Uint8Array.of(0x30, 0x88, 255, 255, 255, 255, 255, 255, 255, 255),
      new Uint8Array(2000).fill(0x30),
      Uint8Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? 0x30 : 0x80)),
    ]) {
      expect(await codeOf(() => describeCertificate(bytes, 'x'))).toBe('CertificateMalformed');
    }
    expect(await codeOf(() => describeCertificate(big, 'x'))).toBe('LimitExceeded');
  });

  test('a time that cannot be read is refused each time, never taken for some date', async () => {
    const { certificate } = chain.person;
    const at = Buffer.from(certificate).indexOf('260101000000Z');
    expect(at).toBeGreaterThan(0);
    const damaged = certificate.slice();
    damaged.set(utf8('26CI'), at);
    for (let i = 0; i < 20; i++) {
      for (const read of [describeCertificate, validityOf, parseCertificate])
        expect(await codeOf(() => read(damaged, 'x'))).toBe('CertificateMalformed');
    }
  });

  test('a damaged certificate is either read or refused by the catalogue', async () => {
    const { certificate } = chain.person;
    for (let i = 0; i < certificate.length; i++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const damaged = new Uint8Array(certificate);
        damaged[i]! ^= mask;
        const code = await codeOf(() => {
          describeCertificate(damaged, 'x');
          decodeCertificateFile(damaged, 'x');
        });
        expect(['no error', 'CertificateMalformed']).toContain(code);
      }
    }
  });

  test('authorities are told from people', () => {
    expect(describeCertificate(chain.root.certificate, 'x')).toMatchObject({
      isCertificateAuthority: true,
      selfSigned: true,
      keyUsage: ['keyCertSign'],
    });
    expect(describeCertificate(chain.person.certificate, 'x')).toMatchObject({
      isCertificateAuthority: false,
      selfSigned: false,
      issuer: 'CN=Test Authority',
    });
  });
});

describe('chains', () => {
  test('are ordered from the nearest issuer to the root, without strangers', async () => {
    const stranger = await makeChain();
    const others = [chain.root, stranger.authority, chain.person, stranger.root, chain.authority];
    const ordered = orderChain(
      chain.person.certificate,
      others.map(({ certificate }) => certificate),
      'x',
    );
    expect(ordered.map(toHex)).toEqual([chain.authority, chain.root].map((c) => toHex(c.certificate)));
  });

  test('an issuer of the right name and the wrong key is no issuer', async () => {
    const impostor = await makeCertificate('CN=Test Authority', { issuer: chain.root, authority: true });
    expect(orderChain(chain.person.certificate, [impostor.certificate, chain.root.certificate], 'x')).toEqual(
      [],
    );
  });

  test('of two certificates of the same issuer the one that lasts longer is taken', async () => {
    const renewed = await makeCertificate('CN=Test Authority', {
      issuer: chain.root,
      authority: true,
      days: 800,
      renews: chain.authority,
    });
    const ordered = orderChain(
      chain.person.certificate,
      [chain.authority.certificate, renewed.certificate, chain.root.certificate],
      'x',
    );
    expect(ordered.map(toHex)).toEqual([renewed, chain.root].map((c) => toHex(c.certificate)));
  });

  test('a self-signed certificate has none, and a circle ends', async () => {
    expect(orderChain(chain.root.certificate, [chain.root.certificate], 'x')).toEqual([]);
    const a = await makeCertificate('CN=A', { authority: true });
    const b = await makeCertificate('CN=B', { authority: true, issuer: a });
    const aUnderB = await makeCertificate('CN=A', { authority: true, issuer: b, renews: a });
    const person = await makeCertificate('CN=P', { issuer: b });
    const others = [b.certificate, aUnderB.certificate];
    expect(orderChain(person.certificate, others, 'x').map(toHex)).toEqual(others.map(toHex));
  });
});

describe('certificate files', () => {
  const all = (): readonly Uint8Array[] =>
    [chain.root, chain.person, chain.authority].map(({ certificate }) => certificate);
  const expected = () => ({
    certificate: chain.person.certificate,
    chain: [chain.authority.certificate, chain.root.certificate],
  });

  test('DER, PEM, PEM with text, a BOM and CRLF', () => {
    const { certificate } = chain.person;
    const pem = encodePem('CERTIFICATE', certificate);
    for (const bytes of [
      certificate,
      utf8(pem),
      utf8(`\uFEFFsubject=…\r\n${pem.replaceAll('\n', '\r\n')}trailing text`),
    ]) {
      expect(decodeCertificateFile(bytes, 'x')).toEqual({ certificate, chain: [] });
    }
  });

  test('several in PEM, in any order', () => {
    const text = all().map((der) => encodePem('CERTIFICATE', der));
    expect(decodeCertificateFile(utf8(text.join('')), 'x')).toEqual(expected());
    expect(decodeCertificateFile(utf8(text.toReversed().join('\n')), 'x')).toEqual(expected());
  });

  test('PKCS#7 in DER, BER and PEM', () => {
    const der = pkcs7(all());
    expect(decodeCertificateFile(der, 'x')).toEqual(expected());
    expect(decodeCertificateFile(indefinite(der), 'x')).toEqual(expected());
    expect(decodeCertificateFile(utf8(encodePem('PKCS7', der)), 'x')).toEqual(expected());
  });

  test('what holds no certificate says so', async () => {
    const wrong = asn1.encode(
      asn1.sequence(asn1.oid('1.2.840.113549.1.7.1'), asn1.explicit(0, asn1.octets(utf8('x')))),
    );
    for (const bytes of [
      utf8(''),
      utf8('hello'),
      utf8(encodePem('PRIVATE KEY', Uint8Array.of(1))),
      utf8('-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n'),
      pkcs7([]),
      wrong,
    ]) {
      expect(await codeOf(() => decodeCertificateFile(bytes, 'x'))).toBe('CertificateMalformed');
    }
    expect(await codeOf(() => decodeCertificateFile(new Uint8Array(1024 * 1024 + 1), 'x'))).toBe(
      'LimitExceeded',
    );
  });

  test('PEM is written in lines of 64 and read back', () => {
    const pem = encodePem('X', new Uint8Array(100));
    expect(pem.split('\n').map((line) => line.length)).toEqual([19 - 2, 64, 64, 8, 17 - 2, 0]);
    expect(decodePem(pem)).toEqual([{ label: 'X', bytes: new Uint8Array(100) }]);
  });
});

function spki(publicKey: Uint8Array) {
  return createPublicKey({ key: Buffer.from(publicKey), type: 'spki', format: 'der' });
}

/** SignedData without signers: RFC 5652, 5.1. */
function pkcs7(certificates: readonly Uint8Array[]): Uint8Array {
  const nothing = asn1.set();
  const content = asn1.sequence(asn1.oid('1.2.840.113549.1.7.1'));
  const head = asn1.encode(asn1.sequence(asn1.integer(1), nothing, content)).subarray(2);
  const list = tagged(0xa0, concat(...certificates));
  const signed = tagged(0x30, concat(head, certificates.length === 0 ? new Uint8Array(0) : list));
  const oid = asn1.encode(asn1.oid('1.2.840.113549.1.7.2'));
  return tagged(0x30, concat(oid, tagged(0xa0, signed)));
}

function tagged(tag: number, content: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(tag, 0x82, content.length >> 8, content.length & 0xff), content);
}

/** The outermost SEQUENCE with indefinite length. */
function indefinite(der: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(0x30, 0x80), der.subarray(4), new Uint8Array(2));
}
