/**
 * Private areas and their wrappers: round trips, every refusal, and an RSA destination. Duplicates made and taken by a
 * TPM: `test/interop/tpm-duplication.test.ts`.
 */
import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { concat, plain, toHex, utf8 } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { generateAgreementKey } from '../../../core/src/crypto/ecdh.ts';
import { isBoundTo, sealedUnique } from '../../../core/src/tpm2/binding.ts';
import { OBJECT } from '../../../core/src/tpm2/constants.ts';
import { unwrapDuplicate, wrapDuplicate, type StorageKeyPair } from '../../../core/src/tpm2/duplication.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { unwrapChild, unwrapOuter, wrapChild } from '../../../core/src/tpm2/protection.ts';
import { decodeSensitive, encodeSensitive, Sensitive } from '../../../core/src/tpm2/sensitive.ts';
import { encodePublic, type EccPublic, type RsaPublic } from '../../../core/src/tpm2/structures.ts';
import {
  basicUserKeyTemplate,
  softwareStorageKey,
  storageKeyArea,
  vaultKeyTemplate,
} from '../../../core/src/tpm2/templates.ts';

const filled = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte);
const secretOf = (byte: number, length = 32): SecretBytes => new SecretBytes(filled(byte, length));
const innerKey = secretOf(0x49, 16);
const random = (length: number): Uint8Array => filled(0x5d, length);

function makeKey(authValue = secretOf(0x41)): { readonly public: Uint8Array; readonly object: Sensitive } {
  const { privateKey, x, y } = generateAgreementKey();
  const object = new Sensitive('ECC', authValue, secretOf(0x53), privateKey);
  return { public: basicUserKeyTemplate(filled(0x22), { x, y }), object };
}

function makeParent(): { readonly pair: StorageKeyPair; readonly area: EccPublic | RsaPublic } {
  const { privateKey, x, y } = generateAgreementKey();
  const area = storageKeyArea(softwareStorageKey({ x, y }));
  if (area === undefined) throw new Error('a storage key was not recognised');
  return { pair: { point: { x, y }, privateKey }, area };
}

function flipped(original: Uint8Array, index: number): Uint8Array {
  const copy = new Uint8Array(original);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

const contents = (object: Sensitive): readonly string[] => [
  object.sensitiveType,
  toHex(object.seedValue.reveal),
  toHex(object.sensitive.reveal),
];

describe('sensitive areas', () => {
  test('are written with a padded authValue, and read back', () => {
    const object = new Sensitive(
      'KEYEDHASH',
      new SecretBytes(Uint8Array.of(0x41)),
      secretOf(0x53),
      secretOf(1, 3),
    );
    const encoded = encodeSensitive(object).reveal;
    expect(toHex(encoded)).toBe(
      `004b` + `0008` + `002041${'00'.repeat(31)}` + `0020${'53'.repeat(32)}` + `0003010101`,
    );
    const decoded = decodeSensitive(new SecretBytes(encoded));
    expect(decoded && contents(decoded)).toEqual(contents(object));
    expect(decoded?.isAuthorizedBy(new SecretBytes(Uint8Array.of(0x41)))).toBe(true);
  });

  test('authValues are compared without trailing zeros, and whole', () => {
    const { object } = makeKey(new SecretBytes(Uint8Array.of(1, 2, 0)));
    const accepts = (...bytes: number[]): boolean =>
      object.isAuthorizedBy(new SecretBytes(Uint8Array.from(bytes)));
    expect(accepts(1, 2)).toBe(true);
    expect(accepts(1, 2, 0, 0)).toBe(true);
    expect(accepts(1)).toBe(false);
    expect(accepts(1, 2, 3)).toBe(false);
    expect(accepts(0, 1, 2)).toBe(false);
    expect(accepts()).toBe(false);
    expect(object.isAuthorizedBy(secretOf(0, 33))).toBe(false);
  });

  test('nothing else decodes: any cut, anything longer, other types, a short seed', () => {
    const whole = encodeSensitive(makeKey().object).reveal;
    for (let length = 0; length < whole.length; length++) {
      expect(decodeSensitive(SecretBytes.copyOf(whole.subarray(0, length)))).toBeUndefined();
    }
    expect(decodeSensitive(new SecretBytes(concat(whole, filled(0, 1))))).toBeUndefined();
    const rsaType = concat(whole.subarray(0, 2), Uint8Array.of(0, 1), whole.subarray(4));
    expect(decodeSensitive(new SecretBytes(rsaType))).toBeUndefined();
    const shortSeed = encodeSensitive(new Sensitive('ECC', secretOf(1), secretOf(2, 16), secretOf(3)));
    expect(decodeSensitive(shortSeed)).toBeUndefined();
  });

  test('a scalar without its leading zeros is padded', () => {
    const stripped = encodeSensitive(new Sensitive('ECC', secretOf(1), secretOf(2), secretOf(3, 31)));
    expect(toHex(decodeSensitive(stripped)?.sensitive.reveal ?? filled(0))).toBe(`00${'03'.repeat(31)}`);
  });

  test('disposing clears every part', () => {
    const { object } = makeKey();
    const scalar = object.sensitive.reveal;
    object[Symbol.dispose]();
    expect(toHex(scalar)).toBe('00'.repeat(32));
    expect(() => object.seedValue.reveal).toThrow();
  });

  test('private and public area are bound to each other', () => {
    const [one, two] = [makeKey(), makeKey()];
    const area = storageKeyArea(one.public);
    if (area === undefined) throw new Error('a Basic User Key was not recognised');
    expect(isBoundTo(area, one.object)).toBe(true);
    expect(isBoundTo(area, two.object)).toBe(false);
    expect(isBoundTo(area, new Sensitive('ECC', secretOf(1), secretOf(2), secretOf(0)))).toBe(false);
    expect(isBoundTo(area, new Sensitive('ECC', secretOf(1), secretOf(2), secretOf(0xff)))).toBe(false);
    const sealed = new Sensitive('KEYEDHASH', secretOf(1), secretOf(2), secretOf(3));
    expect(isBoundTo(area, sealed)).toBe(false);
    const fields = { type: 'KEYEDHASH', objectAttributes: 0, authPolicy: filled(0, 0) } as const;
    expect(isBoundTo({ ...fields, unique: sealedUnique(sealed) }, sealed)).toBe(true);
    expect(isBoundTo({ ...fields, unique: filled(9) }, sealed)).toBe(false);
  });
});

describe('child blobs', () => {
  const parentSeed = secretOf(0x70);
  const key = makeKey();
  const blob = wrapChild(parentSeed, key.public, key.object, filled(0x1f, 16));

  test('open under the same seed and public area', () => {
    const opened = unwrapChild(parentSeed, key.public, blob);
    expect(opened && contents(opened)).toEqual(contents(key.object));
  });

  test('open under nothing else, and not after any change', () => {
    expect(unwrapChild(secretOf(0x71), key.public, blob)).toBeUndefined();
    expect(unwrapChild(parentSeed, makeKey().public, blob)).toBeUndefined();
    for (let index = 0; index < blob.length; index++) {
      expect(unwrapChild(parentSeed, key.public, flipped(blob, index)), `byte ${index}`).toBeUndefined();
    }
    for (let length = 0; length < blob.length; length++) {
      expect(
        unwrapChild(parentSeed, key.public, blob.subarray(0, length)),
        `${length} bytes`,
      ).toBeUndefined();
    }
  });
});

describe('duplicates', () => {
  const key = makeKey();
  const { pair, area } = makeParent();
  const handedOver = wrapDuplicate(area, key.public, key.object, innerKey, random);

  test('open for the new parent with the inner key', () => {
    const unwrapped = unwrapDuplicate(pair, key.public, handedOver, innerKey);
    expect(unwrapped.kind === 'opened' && contents(unwrapped.object)).toEqual(contents(key.object));
  });

  test('stay closed in their outer wrapper for everyone else', () => {
    const outer = { kind: 'refused', wrapper: 'outer' };
    expect(unwrapDuplicate(makeParent().pair, key.public, handedOver, innerKey)).toEqual(outer);
    expect(unwrapDuplicate(pair, makeKey().public, handedOver, innerKey)).toEqual(outer);
    for (let index = 0; index < handedOver.duplicate.length; index++) {
      const changed = { ...handedOver, duplicate: flipped(handedOver.duplicate, index) };
      expect(unwrapDuplicate(pair, key.public, changed, innerKey), `byte ${index}`).toEqual(outer);
    }
    for (let index = 0; index < handedOver.seed.length; index++) {
      const changed = { ...handedOver, seed: flipped(handedOver.seed, index) };
      expect(unwrapDuplicate(pair, key.public, changed, innerKey), `seed byte ${index}`).toEqual(outer);
    }
    const longer = { ...handedOver, seed: concat(handedOver.seed, filled(0, 1)) };
    expect(unwrapDuplicate(pair, key.public, longer, innerKey)).toEqual(outer);
  });

  test('stay closed in their inner wrapper without the inner key', () => {
    const inner = { kind: 'refused', wrapper: 'inner' };
    expect(unwrapDuplicate(pair, key.public, handedOver, secretOf(0, 16))).toEqual(inner);
    const wrong = new SecretBytes(flipped(innerKey.reveal, 15));
    expect(unwrapDuplicate(pair, key.public, handedOver, wrong)).toEqual(inner);
  });

  test('the same key is wrapped differently each time', () => {
    const again = wrapDuplicate(area, key.public, key.object, innerKey, random);
    expect(toHex(again.seed)).not.toBe(toHex(handedOver.seed));
    expect(toHex(again.duplicate)).not.toBe(toHex(handedOver.duplicate));
  });

  test('for an RSA storage key the seed is under OAEP with the label of the specification', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const modulus = plain(Buffer.from(rsa.publicKey.export({ format: 'jwk' }).n ?? '', 'base64url'));
    const objectAttributes = OBJECT.restricted | OBJECT.decrypt;
    const fields = {
      type: 'RSA',
      objectAttributes,
      authPolicy: filled(0, 0),
      symmetric: 'AES-128-CFB',
    } as const;
    const rsaParent = storageKeyArea(encodePublic({ ...fields, exponent: 0, unique: modulus }));
    if (rsaParent === undefined) throw new Error('an RSA storage key was not recognised');
    const forRsa = wrapDuplicate(rsaParent, key.public, key.object, innerKey, random);
    const seed = privateDecrypt(
      {
        key: rsa.privateKey,
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: 'sha256',
        oaepLabel: utf8('DUPLICATE\0'),
      },
      forRsa.seed,
    );
    expect(toHex(seed)).toBe(toHex(random(32)));
    expect(unwrapOuter(new SecretBytes(plain(seed)), nameOf(key.public), forRsa.duplicate)).toBeDefined();
  });

  test('sealed data travels below the key: its blob opens under the seed that was handed over', () => {
    const sealed = new Sensitive('KEYEDHASH', secretOf(0x56), secretOf(0x57), secretOf(0x77));
    const sealedPublic = vaultKeyTemplate(sealedUnique(sealed));
    const blob = wrapChild(key.object.seedValue, sealedPublic, sealed, filled(3, 16));
    const unwrapped = unwrapDuplicate(pair, key.public, handedOver, innerKey);
    if (unwrapped.kind !== 'opened') throw new Error('a duplicate did not open');
    const opened = unwrapChild(unwrapped.object.seedValue, sealedPublic, blob);
    expect(toHex(opened?.sensitive.reveal ?? filled(0))).toBe('77'.repeat(32));
  });
});
