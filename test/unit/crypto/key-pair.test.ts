/** Which private key belongs to which public key: by the short way for EC keys in our form, by trying for all others. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { isPrivateKeyOf } from '../../../core/src/crypto/key-pair.ts';

const bytesOf = (key: KeyObject): Uint8Array =>
  new Uint8Array(
    key.type === 'private'
      ? key.export({ type: 'pkcs8', format: 'der' })
      : key.export({ type: 'spki', format: 'der' }),
  );

interface Pair {
  readonly key: Uint8Array;
  readonly publicKey: Uint8Array;
}

const makers: Readonly<Record<string, () => { privateKey: KeyObject; publicKey: KeyObject }>> = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  'RSA-2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

const pairOf = (kind: string): Pair => {
  const made = makers[kind]?.();
  if (made === undefined) throw new Error(`no maker for ${kind}`);
  return { key: bytesOf(made.privateKey), publicKey: bytesOf(made.publicKey) };
};

const belongs = (key: Uint8Array, publicKey: Uint8Array): boolean =>
  isPrivateKeyOf(new SecretBytes(key.slice()), publicKey);

/** `bytes` with everything from `from` on that is as long as `other` replaced by it. */
const replaced = (bytes: Uint8Array, from: number, other: Uint8Array): Uint8Array => {
  const copy = bytes.slice();
  copy.set(other, from);
  return copy;
};

/** Where scalar and point of an EC key in our form begin, and how long a coordinate is. */
const places: Readonly<Record<string, readonly [scalar: number, point: number, bytes: number]>> = {
  'P-256': [36, 73, 32],
  'P-384': [35, 88, 48],
  'P-521': [35, 108, 66],
};

describe.each(Object.keys(makers))('a private key %s', (kind) => {
  const [one, other] = [pairOf(kind), pairOf(kind)];

  it('belongs to its own public key only', () => {
    expect(belongs(one.key, one.publicKey)).toBe(true);
    expect(belongs(one.key, other.publicKey)).toBe(false);
    expect(belongs(other.key, one.publicKey)).toBe(false);
  });

  it('does not belong to a public key with any bit changed', () => {
    for (let at = 0; at < one.publicKey.length; at += 7) {
      const changed = one.publicKey.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(belongs(one.key, changed)).toBe(false);
    }
  });

  it('that is none at all belongs to nothing', () => {
    expect(belongs(new Uint8Array(), one.publicKey)).toBe(false);
    expect(belongs(one.key.slice(0, -1), one.publicKey)).toBe(false);
    expect(belongs(new Uint8Array(one.key.length), one.publicKey)).toBe(false);
  });
});

describe.each(Object.keys(places))('an EC key on %s', (kind) => {
  const [scalar, point, bytes] = places[kind] ?? [0, 0, 0];
  const [one, other] = [pairOf(kind), pairOf(kind)];

  it('whose halves do not belong together belongs to neither', () => {
    const otherPoint = other.key.subarray(point, point + 1 + 2 * bytes);
    const forged = replaced(one.key, point, otherPoint);
    expect(belongs(forged, one.publicKey)).toBe(false);
    expect(belongs(forged, other.publicKey)).toBe(false);
  });

  it('with a scalar of 0, or beyond the order of the curve, belongs to nothing', () => {
    for (const filling of [0, 0xff]) {
      const out = replaced(one.key, scalar, new Uint8Array(bytes).fill(filling));
      expect(belongs(out, one.publicKey)).toBe(false);
    }
  });
});

it('an EC key in another form is read and tried', () => {
  const { key, publicKey } = pairOf('P-256');
  const [scalar, , bytes] = places['P-256'] ?? [0, 0, 0];
  // Without the point, which RFC 5915 leaves optional.
  const short = new Uint8Array([
    ...Buffer.from('3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420', 'hex'),
    ...key.subarray(scalar, scalar + bytes),
  ]);
  expect(belongs(short, publicKey)).toBe(true);
  expect(belongs(short, pairOf('P-256').publicKey)).toBe(false);
});
