/**
 * PKCS#12: what is sealed opens again with everything in it; every kind of refusal; shapes that other programs write
 * and that OpenSSL cannot be asked for (BER, PBMAC1, foreign ids); damage. What OpenSSL, Java and .NET make of it is in
 * test/interop.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { concat, equal, plain, toHex, utf8 } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { Asn1View, asn1, type Asn1 } from '../../../core/src/crypto/pkcs12/asn1.ts';
import { pkcs12Oids } from '../../../core/src/crypto/pkcs12/structure.ts';
import { openPkcs12, sealPkcs12, type Pkcs12Entry } from '../../../core/src/crypto/pkcs12.ts';
import { isSPMigrationError } from '../../../core/src/domain/error.ts';
import {
  makeCertificate,
  makeChain,
  type TestCertificate,
  type TestChain,
} from '../../testkit/certificates.ts';

const password = 'pä€ss 🙂';
const secret = (text: string): SecretBytes => new SecretBytes(utf8(text));
const open = (pfx: Uint8Array, text = password): readonly Pkcs12Entry[] =>
  openPkcs12(pfx, secret(text), 'a.pfx');
const seal = (entries: readonly Pkcs12Entry[], text = password): Uint8Array =>
  sealPkcs12(entries, secret(text), counter(), 2);

/** Predictable bytes, different at every call. */
function counter(): (length: number) => Uint8Array {
  let calls = 0;
  return (length) => {
    calls += 1;
    return plain(createHash('sha256').update(String(calls)).digest().subarray(0, length));
  };
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isSPMigrationError(error)) return error.code;
    throw error;
  }
  return 'no error';
}

let ec: TestChain;
let rsa: TestChain;

beforeAll(async () => {
  ec = await makeChain('P-256');
  rsa = await makeChain('RSA-2048');
});

function entryOf({ person, authority, root }: TestChain, friendlyName?: string): Pkcs12Entry {
  return {
    privateKey: person.privateKey(),
    certificate: person.certificate,
    chain: [authority.certificate, root.certificate],
    ...(friendlyName === undefined ? {} : { friendlyName }),
  };
}

/** For comparing: secrets have no equality. */
function shown({ privateKey, certificate, chain, friendlyName }: Pkcs12Entry) {
  return {
    privateKey: toHex(privateKey.reveal),
    certificate: certificate === undefined ? undefined : toHex(certificate),
    chain: chain.map(toHex),
    friendlyName,
  };
}

describe('sealing and opening', () => {
  test.each([
    ['P-256', () => [entryOf(ec, 'Änna ✓')]],
    ['RSA', () => [entryOf(rsa, 'Anna')]],
    ['no name', () => [entryOf(ec)]],
    ['two keys under different authorities', () => [entryOf(rsa, 'signing'), entryOf(ec, 'encrypting')]],
    ['a key alone', () => [{ privateKey: ec.person.privateKey(), chain: [] }]],
    ['many keys of one person', () => [ec, rsa].map((chain) => entryOf(chain, '🙂'))],
  ] as [string, () => Pkcs12Entry[]][])('%s', (_, entries) => {
    expect(open(seal(entries())).map(shown)).toEqual(entries().map(shown));
  });

  test.each(['', 'x', '🙂', 'a'.repeat(255), 'with \u0000 inside'])('password %j', (text) => {
    expect(open(seal([entryOf(ec)], text), text).map(shown)).toEqual([shown(entryOf(ec))]);
  });

  test('equal randomness gives equal files, and a fresh one never the same', () => {
    expect(equal(seal([entryOf(ec)]), seal([entryOf(ec)]))).toBe(true);
    let calls = 100;
    const other = sealPkcs12([entryOf(ec)], secret(password), (n) => new Uint8Array(n).fill(calls++), 2);
    expect(equal(seal([entryOf(ec)]), other)).toBe(false);
  });

  test('shared issuers are written once', () => {
    const one = seal([entryOf(ec)]).length;
    const entries = [entryOf(ec), { ...entryOf(rsa), chain: entryOf(ec).chain }];
    const grown = seal(entries).length - one;
    expect(grown).toBeLessThan(
      rsa.person.certificate.length + rsa.person.privateKey().length + 500 + ec.root.certificate.length,
    );
  });

  test('a password that is not text cannot be sealed with, and opens nothing', () => {
    const bytes = new SecretBytes(Uint8Array.of(0xff, 0xfe));
    expect(() => sealPkcs12([entryOf(ec)], bytes, counter(), 2)).toThrow(RangeError);
    expect(codeOf(() => openPkcs12(seal([entryOf(ec)]), bytes, 'x'))).toBe('PfxPasswordRejected');
  });

  test('neither key nor password can be read in the file', () => {
    const file = Buffer.from(seal([entryOf(rsa)]));
    const key = entryOf(rsa).privateKey.reveal;
    for (let i = 40; i + 16 < key.length; i += 16) expect(file.includes(key.subarray(i, i + 16))).toBe(false);
    expect(file.includes(password)).toBe(false);
  });
});

describe('passwords', () => {
  test('a wrong one, and none at all', () => {
    const pfx = seal([entryOf(ec)]);
    expect(codeOf(() => open(pfx, 'wrong'))).toBe('PfxPasswordRejected');
    expect(codeOf(() => open(pfx, ''))).toBe('PfxPasswordRequired');
    expect(codeOf(() => open(seal([entryOf(ec)], ''), 'some'))).toBe('PfxPasswordRejected');
  });

  test('without a MAC the encryption tells', () => {
    const [version, safe] = Asn1View.parse(seal([entryOf(ec)]), refuse).sequence();
    const pfx = asn1.encode(asn1.sequence(asn1.integer(version!.integer()), raw(safe!.encoded())));
    expect(open(pfx).map(shown)).toEqual([shown(entryOf(ec))]);
    expect(codeOf(() => open(pfx, 'wrong'))).toBe('PfxPasswordRejected');
    expect(codeOf(() => open(pfx, ''))).toBe('PfxPasswordRequired');
  });

  test('what needs none accepts any', () => {
    const pfx = plainPfx([keyBag(ec.person), certificateBag(ec.person)]);
    for (const text of ['', 'any']) {
      expect(open(pfx, text).map(shown)).toEqual([shown({ ...entryOf(ec), chain: [] })]);
    }
  });
});

describe('which certificate is whose', () => {
  test('the keys decide, where there are no ids', () => {
    const bags = [
      certificateBag(rsa.person),
      keyBag(ec.person),
      certificateBag(ec.root),
      certificateBag(ec.person),
      certificateBag(ec.authority),
      keyBag(rsa.person),
    ];
    expect(open(plainPfx(bags)).map(shown)).toEqual([
      shown(entryOf(ec)),
      shown({ ...entryOf(rsa), chain: [] }),
    ]);
  });

  test('an id that points to a foreign certificate is not believed', () => {
    const swapped = [keyBag(ec.person, 'x'), certificateBag(rsa.person, 'x'), certificateBag(ec.person)];
    expect(open(plainPfx(swapped)).map(shown)).toEqual([shown({ ...entryOf(ec), chain: [] })]);
    const foreign = [keyBag(ec.person, 'x'), certificateBag(rsa.person, 'x')];
    expect(codeOf(() => open(plainPfx(foreign)))).toBe('CertificateKeyMismatch');
  });

  test('of several certificates for one key the id chooses, else the one that lasts longest', async () => {
    const { person, authority } = ec;
    const renewed = await makeCertificate(person.subject, { issuer: authority, days: 900, renews: person });
    const certificates = (id?: string): Asn1[] => [certificateBag(person, id), certificateBag(renewed)];
    const chosen = (bags: readonly Asn1[]): string => toHex(open(plainPfx(bags))[0]!.certificate!);
    expect(chosen([keyBag(person, 'x'), ...certificates('x')])).toBe(toHex(person.certificate));
    expect(chosen([keyBag(person), ...certificates()])).toBe(toHex(renewed.certificate));
  });

  test('a key that occurs twice is one; bags within bags and unknown bags are no trouble', () => {
    const unknown = asn1.sequence(asn1.oid('1.2.3.4'), asn1.explicit(0, asn1.octets(utf8('?'))));
    const nested = asn1.sequence(
      asn1.oid(pkcs12Oids.safeContentsBag),
      asn1.explicit(0, asn1.sequence(keyBag(ec.person), certificateBag(ec.person))),
    );
    expect(open(plainPfx([unknown, keyBag(ec.person), nested])).map(shown)).toEqual([
      shown({ ...entryOf(ec), chain: [] }),
    ]);
  });

  test('names are cleaned for display', () => {
    const named = (name: string): string | undefined => open(seal([entryOf(ec, name)]))[0]?.friendlyName;
    expect(named('a\r\nb\u202ec')).toBe('a  b c');
    expect(named('  ')).toBeUndefined();
    expect(named('🙂'.repeat(300))).toBe('🙂'.repeat(256));
  });
});

describe('what is refused', () => {
  test('what is no PKCS#12', () => {
    const der = (value: Asn1): Uint8Array => asn1.encode(value);
    const data = asn1.sequence(asn1.oid(pkcs12Oids.data), asn1.explicit(0, asn1.octets(utf8('hello'))));
    for (const bytes of [
      new Uint8Array(0),
      utf8('hello'),
      ec.person.certificate,
      seal([entryOf(ec)]).subarray(0, 300),
      concat(seal([entryOf(ec)]), Uint8Array.of(0)),
      new Uint8Array(5000).fill(0x30),
      Uint8Array.from({ length: 5000 }, (_, i) => (i % 2 === 0 ? 0x30 : 0x80)),
      der(asn1.sequence(asn1.integer(4), data)),
      der(asn1.sequence(asn1.integer(3), data)),
      der(asn1.sequence(asn1.integer(3))),
      der(
        asn1.sequence(asn1.integer(3), asn1.sequence(asn1.oid('1.2.3'), asn1.explicit(0, asn1.integer(1)))),
      ),
    ]) {
      expect(codeOf(() => open(bytes))).toBe('PfxMalformed');
    }
  });

  test('a file without a key, too many keys, too large a file', async () => {
    expect(codeOf(() => open(plainPfx([certificateBag(ec.person)])))).toBe('PfxWithoutKey');
    expect(codeOf(() => open(plainPfx([])))).toBe('PfxWithoutKey');
    expect(codeOf(() => open(new Uint8Array(8 * 1024 * 1024 + 1)))).toBe('LimitExceeded');
    const many: Asn1[] = [];
    for (let i = 0; i < 101; i++) many.push(keyBag(await makeCertificate(`CN=${i}`)));
    expect(codeOf(() => open(plainPfx(many)))).toBe('LimitExceeded');
  });

  test('a key or certificate that cannot be read', () => {
    const brokenKey = safeBag(pkcs12Oids.keyBag, asn1.sequence(asn1.integer(0)));
    expect(codeOf(() => open(plainPfx([brokenKey])))).toBe('PrivateKeyMalformed');
    const broken = { ...ec.person, certificate: ec.person.certificate.subarray(0, 100) };
    expect(codeOf(() => open(plainPfx([keyBag(ec.person), certificateBag(broken)])))).toBe(
      'CertificateMalformed',
    );
  });

  test('algorithms by name', () => {
    const encrypted = (oid: string): Uint8Array => {
      const algorithm = asn1.sequence(
        asn1.oid(oid),
        asn1.sequence(asn1.octets(new Uint8Array(8)), asn1.integer(1)),
      );
      return plainPfx([
        safeBag(pkcs12Oids.shroudedKeyBag, asn1.sequence(algorithm, asn1.octets(new Uint8Array(16)))),
      ]);
    };
    expect(() => open(encrypted('1.2.840.113549.1.12.1.1'))).toThrow('RC4');
    expect(codeOf(() => open(encrypted('1.2.840.113549.1.12.1.1')))).toBe('AlgorithmUnsupported');
    expect(() => open(encrypted('1.2.3.4'))).toThrow('1.2.3.4');
    const signed = asn1.sequence(asn1.oid(pkcs12Oids.signedData), asn1.explicit(0, asn1.sequence()));
    expect(() => open(asn1.encode(asn1.sequence(asn1.integer(3), signed)))).toThrow(
      'integrity by a public key',
    );
    expect(() => open(macced(concat(), macData('1.2.840.113549.2.5', 1)))).toThrow('MD5');
  });

  test('absurd iteration counts, before anything is computed', () => {
    const started = performance.now();
    const sha1 = '1.3.14.3.2.26';
    expect(codeOf(() => open(macced(concat(), macData(sha1, 10_000_001))))).toBe('LimitExceeded');
    expect(codeOf(() => open(macced(concat(), macData(sha1, 2 ** 31 - 1))))).toBe('LimitExceeded');
    expect(codeOf(() => open(macced(concat(), macData(sha1, 0))))).toBe('PfxMalformed');
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('shapes that other programs write', () => {
  test('BER: indefinite lengths, strings in pieces (Windows, NSS)', () => {
    const pfx = inBer(seal([entryOf(ec, 'Änna')]));
    expect(pfx.subarray(0, 2)).toEqual(Uint8Array.of(0x30, 0x80));
    expect(open(pfx).map(shown)).toEqual([shown(entryOf(ec, 'Änna'))]);
  });

  test.each(['sha256', 'sha512'] as const)('PBMAC1 with %s (RFC 9579)', (digest) => {
    const [version, safe] = Asn1View.parse(seal([entryOf(ec)]), refuse).sequence();
    const content = safe!.sequence()[1]!.explicit(0).octets();
    const build = (text: string): Uint8Array =>
      asn1.encode(
        asn1.sequence(asn1.integer(version!.integer()), raw(safe!.encoded()), pbmac1(content, text, digest)),
      );
    expect(open(build(password)).map(shown)).toEqual([shown(entryOf(ec))]);
    expect(codeOf(() => open(build('another')))).toBe('PfxPasswordRejected');
  });
});

describe('damage', () => {
  test('a changed byte is noticed, or changes nothing that is read', () => {
    const pfx = seal([entryOf(ec, 'Anna')]);
    let unnoticed = 0;
    for (let i = 0; i < pfx.length; i++) {
      const damaged = new Uint8Array(pfx);
      damaged[i]! ^= 1 << (i % 8);
      const code = codeOf(() => {
        expect(open(damaged).map(shown)).toEqual([shown(entryOf(ec, 'Anna'))]);
        unnoticed += 1;
      });
      expect([
        'no error',
        'PfxMalformed',
        'PfxPasswordRejected',
        'AlgorithmUnsupported',
        'LimitExceeded',
      ]).toContain(code);
    }
    // The MAC covers everything but the few bytes that name it.
    expect(unnoticed).toBeLessThan(6);
  });

  test('without MAC and encryption it is noticed, or changes nothing secret; never anything but a catalogue error', () => {
    const pfx = plainPfx([keyBag(ec.person, 'x'), certificateBag(ec.person, 'x')]);
    const key = toHex(entryOf(ec).privateKey.reveal);
    for (let i = 0; i < pfx.length; i++) {
      const damaged = new Uint8Array(pfx);
      damaged[i]! ^= 1 << (i % 8);
      codeOf(() => {
        for (const entry of open(damaged)) expect(toHex(entry.privateKey.reveal)).toBe(key);
      });
    }
  });

  test('every truncation is refused', () => {
    const pfx = seal([entryOf(ec)]);
    for (let length = 0; length < pfx.length; length += 7) {
      expect(codeOf(() => open(pfx.subarray(0, length)))).toBe('PfxMalformed');
    }
  });
});

const refuse = (problem: string): Error => new Error(problem);

/** A finished encoding as a value to put into another. */
function raw(der: Uint8Array): Asn1 {
  return Object.assign(asn1.octets(der.subarray(headerLength(der))), { type: der[0] });
}

function headerLength(der: Uint8Array): number {
  return der[1]! < 0x80 ? 2 : 2 + (der[1]! & 0x7f);
}

function safeBag(type: string, value: Asn1, id?: string): Asn1 {
  const parts = [asn1.oid(type), asn1.explicit(0, value)];
  if (id === undefined) return asn1.sequence(...parts);
  const attribute = asn1.sequence(asn1.oid(pkcs12Oids.localKeyId), asn1.set(asn1.octets(utf8(id))));
  return asn1.sequence(...parts, asn1.set(attribute));
}

function keyBag({ privateKey }: TestCertificate, id?: string): Asn1 {
  return safeBag(pkcs12Oids.keyBag, raw(privateKey().reveal), id);
}

function certificateBag({ certificate }: Pick<TestCertificate, 'certificate'>, id?: string): Asn1 {
  const value = asn1.explicit(0, asn1.octets(certificate));
  return safeBag(pkcs12Oids.certificateBag, asn1.sequence(asn1.oid(pkcs12Oids.x509Certificate), value), id);
}

/** Without encryption and MAC. */
function plainPfx(bags: readonly Asn1[]): Uint8Array {
  const safe = asn1.sequence(contentInfo(asn1.encode(asn1.sequence(...bags))));
  return macced(asn1.encode(safe));
}

function macced(content: Uint8Array, ...mac: Asn1[]): Uint8Array {
  return asn1.encode(asn1.sequence(asn1.integer(3), contentInfo(content), ...mac));
}

function contentInfo(content: Uint8Array): Asn1 {
  return asn1.sequence(asn1.oid(pkcs12Oids.data), asn1.explicit(0, asn1.octets(content)));
}

function macData(digest: string, iterations: number): Asn1 {
  const digestInfo = asn1.sequence(
    asn1.sequence(asn1.oid(digest), asn1.nothing()),
    asn1.octets(new Uint8Array(20)),
  );
  return asn1.sequence(digestInfo, asn1.octets(new Uint8Array(8)), asn1.integer(iterations));
}

/** RFC 9579, section 4, computed with node:crypto. */
function pbmac1(content: Uint8Array, text: string, digest: 'sha256' | 'sha512'): Asn1 {
  const [hmacOid, length] = digest === 'sha256' ? ['1.2.840.113549.2.9', 32] : ['1.2.840.113549.2.11', 64];
  const salt = utf8('salt of the key');
  const key = pbkdf2Sync(text, salt, 3, length, digest);
  const mac = plain(createHmac(digest, key).update(content).digest());
  const hmac = asn1.sequence(asn1.oid(hmacOid), asn1.nothing());
  const kdf = asn1.sequence(asn1.octets(salt), asn1.integer(3), asn1.integer(length), hmac);
  const parameters = asn1.sequence(asn1.sequence(asn1.oid('1.2.840.113549.1.5.12'), kdf), hmac);
  const algorithm = asn1.sequence(asn1.oid('1.2.840.113549.1.5.14'), parameters);
  return asn1.sequence(
    asn1.sequence(algorithm, asn1.octets(mac)),
    asn1.octets(utf8('NOT USED')),
    asn1.integer(1),
  );
}

/** Rewrites DER: lengths of structures become indefinite, octet strings come in pieces of 100 bytes. */
function inBer(der: Uint8Array): Uint8Array {
  const header = headerLength(der);
  const content = der.subarray(header);
  const tag = der[0]!;
  const end = new Uint8Array(2);
  if ((tag & 0x20) !== 0) {
    return concat(Uint8Array.of(tag, 0x80), ...elements(content).map(inBer), end);
  }
  const isString = tag === 0x04 || tag === 0x80;
  if (!isString || content.length <= 100) return der;
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < content.length; i += 100) {
    const piece = content.subarray(i, i + 100);
    pieces.push(concat(Uint8Array.of(0x04, piece.length), piece));
  }
  return concat(Uint8Array.of(tag | 0x20, 0x80), ...pieces, end);
}

function elements(content: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < content.length;) {
    const rest = content.subarray(at);
    const header = headerLength(rest);
    let length = 0;
    for (const byte of rest.subarray(header === 2 ? 1 : 2, header)) length = length * 256 + byte;
    found.push(rest.subarray(0, header + length));
    at += header + length;
  }
  return found;
}
