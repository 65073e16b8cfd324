/** Which private keys are kept, that their form is canonical, and what is said about the others. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { concat, equal, plain, toHex } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { asn1, type Asn1 } from '../../../core/src/crypto/pkcs12/asn1.ts';
import {
  algorithmOfPublicKey,
  generatePrivateKey,
  nameOfAlgorithm,
  readPrivateKey,
  type PrivateKey,
} from '../../../core/src/crypto/private-key.ts';
import { isSPMigrationError, type SPMigrationError } from '../../../core/src/domain/error.ts';

const pkcs8 = (key: KeyObject): Uint8Array => plain(key.export({ type: 'pkcs8', format: 'der' }));
const read = (der: Uint8Array): PrivateKey => readPrivateKey(SecretBytes.copyOf(der), 'a.pfx');

function refusal(der: Uint8Array): SPMigrationError {
  try {
    read(der);
  } catch (error) {
    if (isSPMigrationError(error)) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('reading', () => {
  test.each(['P-256', 'P-384', 'P-521'])('%s', (namedCurve) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    const key = read(pkcs8(privateKey));
    expect(nameOfAlgorithm(key.algorithm)).toBe(namedCurve);
    expect(equal(key.pkcs8.reveal, pkcs8(privateKey))).toBe(true);
    expect(equal(key.publicKey, publicKey.export({ type: 'spki', format: 'der' }))).toBe(true);
    expect(algorithmOfPublicKey(key.publicKey)).toEqual(key.algorithm);
  });

  test.each([2048, 3072])('RSA-%i', (modulusLength) => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength });
    const key = read(pkcs8(privateKey));
    expect(nameOfAlgorithm(key.algorithm)).toBe(`RSA-${modulusLength}`);
    expect(algorithmOfPublicKey(key.publicKey)).toEqual({ kind: 'RSA', bits: modulusLength });
  });

  test('another encoding of the same key is rewritten into the canonical one', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const canonical = pkcs8(privateKey);
    const { d = '' } = privateKey.export({ format: 'jwk' });
    const scalar = plain(Buffer.from(d, 'base64url'));
    const withoutPublic = asn1.encode(
      asn1.sequence(
        asn1.integer(0),
        asn1.sequence(asn1.oid('1.2.840.10045.2.1'), asn1.oid('1.2.840.10045.3.1.7')),
        asn1.octets(asn1.encode(asn1.sequence(asn1.integer(1), asn1.octets(scalar)))),
      ),
    );
    expect(equal(withoutPublic, canonical)).toBe(false);
    expect(equal(read(withoutPublic).pkcs8.reveal, canonical)).toBe(true);

    const explicit = generateKeyPairSync('ec', { namedCurve: 'P-384', paramEncoding: 'explicit' });
    const key = read(pkcs8(explicit.privateKey));
    expect(nameOfAlgorithm(key.algorithm)).toBe('P-384');
    expect(key.publicKey).toHaveLength(120);
  });

  test('reading does not use up what it was given', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const secret = new SecretBytes(pkcs8(privateKey));
    readPrivateKey(secret, 'x').pkcs8.dispose();
    expect(equal(secret.reveal, pkcs8(privateKey))).toBe(true);
  });
});

describe('refusing', () => {
  test.each<[string, string, () => KeyObject]>([
    ['RSA below 2048 bits', 'RSA key of 1024 bits', () => rsaKey(1024)],
    ['RSA-PSS', 'rsa-pss', () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey],
    ['Ed25519', 'ed25519', () => generateKeyPairSync('ed25519').privateKey],
    ['another curve', 'secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey],
  ])('%s', (_, named, make) => {
    const error = refusal(pkcs8(make()));
    expect(error.code).toBe('AlgorithmUnsupported');
    expect(error.message).toContain(named);
  });

  test('RSA above 4096 bits, and a public exponent that encrypts nothing', () => {
    // Numbers of the right sizes, no primes: making a real key takes seconds.
    const number = (bytes: number, last: number): Uint8Array => {
      const value = new Uint8Array(bytes).fill(0x55);
      value[bytes - 1] = last;
      return value;
    };
    const key = (bytes: number, exponent: number): Uint8Array => {
      const sizes = [bytes, bytes / 2, bytes / 2, bytes / 2, bytes / 2, bytes / 2];
      const [n, ...others] = sizes.map((size) => integer(number(size, 0x55)));
      const [d, p, q, dp, dq, qi] = [integer(number(bytes, 0x55)), ...others];
      const rsa = asn1.sequence(asn1.integer(0), n!, asn1.integer(exponent), d, p!, q!, dp!, dq!, qi!);
      const algorithm = asn1.sequence(asn1.oid('1.2.840.113549.1.1.1'), asn1.nothing());
      return asn1.encode(asn1.sequence(asn1.integer(0), algorithm, asn1.octets(asn1.encode(rsa))));
    };
    expect(refusal(key(514, 65_537)).message).toContain('RSA key of 4111 bits');
    expect(refusal(key(258, 1)).message).toContain('exponent');
    expect(refusal(key(258, 65_537)).code).toBe('PrivateKeyMalformed');
  });

  test('halves that do not belong together', () => {
    const [a, b] = [0, 1].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    const mixed = concat(pkcs8(a!).subarray(0, -65), pkcs8(b!).subarray(-65));
    expect(refusal(mixed).code).toBe('PrivateKeyMalformed');
  });

  test('an RSA key with a damaged number, anywhere', () => {
    const der = pkcs8(rsaKey(2048));
    for (let i = 40; i < der.length; i += 97) {
      const damaged = new Uint8Array(der);
      damaged[i]! ^= 0x10;
      let key;
      try {
        key = read(damaged);
      } catch (error) {
        expect(isSPMigrationError(error)).toBe(true);
        continue;
      }
      // some numbers only make signing faster: OpenSSL notices and does without them
      expect(
        createPrivateKey({ key: Buffer.from(key.pkcs8.reveal), type: 'pkcs8', format: 'der' })
          .asymmetricKeyType,
      ).toBe('rsa');
    }
  });

  test('what is no key, and what is too large, without quoting it', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const truncated = pkcs8(privateKey).subarray(0, 100);
    const error = refusal(truncated);
    expect(error.code).toBe('PrivateKeyMalformed');
    expect(inspect(error, { depth: 9 })).not.toContain(toHex(truncated).slice(72, 104));
    expect(refusal(new Uint8Array(0)).code).toBe('PrivateKeyMalformed');
    expect(refusal(new Uint8Array(16 * 1024 + 1)).code).toBe('LimitExceeded');
    expect(algorithmOfPublicKey(new Uint8Array(3))).toBeUndefined();
  });
});

describe('making', () => {
  test.each(['RSA-3072', 'P-256'] as const)('%s', async (kind) => {
    const [key, other] = [await generatePrivateKey(kind), await generatePrivateKey(kind)];
    expect(nameOfAlgorithm(key.algorithm)).toBe(kind);
    expect(equal(read(key.pkcs8.reveal).publicKey, key.publicKey)).toBe(true);
    expect(equal(key.publicKey, other.publicKey)).toBe(false);
  });
});

/** An INTEGER of many bytes. */
function integer(bytes: Uint8Array): Asn1 {
  return Object.assign(asn1.octets(bytes), { type: 2 });
}

function rsaKey(modulusLength: number): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength }).privateKey;
}
