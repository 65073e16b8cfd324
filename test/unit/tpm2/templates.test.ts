/** Public areas: their exact bytes and Names, what decoding refuses, and that recognisers accept nothing else. */
import { describe, expect, test } from 'vitest';
import { concat, fromHex, toHex } from '../../../core/src/bytes/bytes.ts';
import { OBJECT } from '../../../core/src/tpm2/constants.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { decodePublic, encodePublic, type EccPublic } from '../../../core/src/tpm2/structures.ts';
import {
  authorityTemplate,
  basicUserKeyTemplate,
  isAuthorityKey,
  isBasicUserKey,
  isStorageKey,
  isVaultKey,
  softwareStorageKey,
  storageKeyTemplate,
  vaultKeyTemplate,
} from '../../../core/src/tpm2/templates.ts';

/** A point on the curve (RFC 6979, A.2.5). */
const x = bytes('60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6');
const y = bytes('7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299');
const policy = new Uint8Array(32).fill(0x22);
const digest = new Uint8Array(32).fill(0x33);

const areas = {
  authority: authorityTemplate(x, y),
  basicUserKey: basicUserKeyTemplate(policy, { x, y }),
  vaultKey: vaultKeyTemplate(digest),
  softwareStorageKey: softwareStorageKey({ x, y }),
};

function bytes(hex: string): Uint8Array {
  const decoded = fromHex(hex);
  if (decoded === undefined) throw new Error(`not hex: ${hex}`);
  return decoded;
}

describe('templates', () => {
  const point = `0020${toHex(x)}0020${toHex(y)}`;

  test('an authority key, byte for byte', () => {
    // ECC SHA256 sign|userWithAuth, no policy, symmetric NULL, ECDSA SHA256, P-256, kdf NULL
    expect(toHex(areas.authority)).toBe(`0023000b000400400000` + `00100018000b00030010` + point);
  });

  test('a Basic User Key, byte for byte', () => {
    // restricted|decrypt|userWithAuth|sensitiveDataOrigin|encryptedDuplication, AES-128-CFB, scheme NULL, P-256, kdf NULL
    expect(toHex(areas.basicUserKey)).toBe(
      `0023000b00030860` + `0020${'22'.repeat(32)}` + `000600800043` + `001000030010` + point,
    );
  });

  test('a vault key, byte for byte', () => {
    expect(toHex(areas.vaultKey)).toBe(`0008000b00000850` + `0000` + `0010` + `0020${'33'.repeat(32)}`);
  });

  test('storage keys, byte for byte', () => {
    expect(toHex(storageKeyTemplate())).toBe(
      `0023000b000304720000` + `000600800043` + `001000030010` + `0020${'00'.repeat(32)}`.repeat(2),
    );
    expect(toHex(areas.softwareStorageKey)).toBe(
      `0023000b000304600000` + `000600800043` + `001000030010` + point,
    );
  });

  test('templates for a TPM leave the unique part empty', () => {
    expect(toHex(basicUserKeyTemplate(policy)).endsWith('00000000')).toBe(true);
    expect(toHex(vaultKeyTemplate()).endsWith('00100000')).toBe(true);
  });

  test('a Name is 000b and the hash of the public area', () => {
    expect(toHex(nameOf(areas.authority))).toBe(
      '000b3839c7544673a8235a50bc1825d61413402ac3cb16b33889bd93a5173f085ae9',
    );
  });
});

describe('decoding', () => {
  test('what was encoded comes back, and encodes to the same bytes', () => {
    for (const area of Object.values(areas)) {
      const decoded = decodePublic(area);
      expect(decoded).toBeDefined();
      if (decoded !== undefined) expect(toHex(encodePublic(decoded))).toBe(toHex(area));
    }
  });

  test('a RSA storage key decodes; a modulus with its top bit clear does not', () => {
    const modulus = new Uint8Array(256).fill(0xff);
    const objectAttributes = OBJECT.restricted | OBJECT.decrypt | OBJECT.fixedTPM | OBJECT.fixedParent;
    const rsa = {
      type: 'RSA',
      objectAttributes,
      authPolicy: new Uint8Array(0),
      symmetric: 'AES-128-CFB',
    } as const;
    for (const exponent of [0, 65537] as const) {
      const area = encodePublic({ ...rsa, exponent, unique: modulus });
      expect(decodePublic(area)).toEqual({ ...rsa, exponent, unique: modulus });
      expect(isStorageKey(area)).toBe(true);
    }
    const short = encodePublic({ ...rsa, exponent: 0, unique: new Uint8Array(256).fill(0x7f) });
    expect(decodePublic(short)).toBeUndefined();
  });

  test('every shorter input, any trailing byte and short coordinates are refused', () => {
    for (const area of Object.values(areas)) {
      for (let length = 0; length < area.length; length++)
        expect(decodePublic(area.subarray(0, length))).toBeUndefined();
      expect(decodePublic(concat(area, Uint8Array.of(0)))).toBeUndefined();
    }
    expect(decodePublic(basicUserKeyTemplate(policy))).toBeUndefined();
    const stripped = bytes(`0023000b00040040000000100018000b00030010001f${'11'.repeat(31)}0020${toHex(y)}`);
    expect(decodePublic(stripped)).toBeUndefined();
  });

  test('other algorithms, curves and reserved attributes are refused', () => {
    const hex = toHex(areas.basicUserKey);
    const others = {
      'nameAlg SHA-1': hex.replace('0023000b', '00230004'),
      'reserved attribute': hex.replace('00030860', '00130861'),
      'AES-256': hex.replace('000600800043', '000601000043'),
      'CTR mode': hex.replace('000600800043', '000600800040'),
      'P-384': hex.replace('001000030010', '001000040010'),
      'a kdf': hex.replace('001000030010', '001000030020'),
      'symmetric cipher object': hex.replace('0023000b', '0025000b'),
    };
    for (const [what, changed] of Object.entries(others)) {
      expect(changed, what).not.toBe(hex);
      expect(decodePublic(bytes(changed)), what).toBeUndefined();
    }
  });

  test('a field of another length cannot be encoded', () => {
    expect(() => authorityTemplate(x.subarray(1), y)).toThrow(RangeError);
    expect(() => basicUserKeyTemplate(policy.subarray(1), { x, y })).toThrow(RangeError);
  });
});

describe('recognisers', () => {
  const recognisers: Readonly<Record<keyof typeof areas, (area: Uint8Array) => boolean>> = {
    authority: isAuthorityKey,
    basicUserKey: (area) => isBasicUserKey(area, policy),
    vaultKey: isVaultKey,
    softwareStorageKey: isStorageKey,
  };

  test('each knows its own kind; only a Basic User Key is a storage key, too', () => {
    for (const [kind, recognise] of Object.entries(recognisers)) {
      for (const [other, area] of Object.entries(areas)) {
        const expected = other === kind || (kind === 'softwareStorageKey' && other === 'basicUserKey');
        expect(recognise(area), `${kind} asked about ${other}`).toBe(expected);
      }
    }
  });

  test('no attribute can be added to or taken from an authority, a Basic User Key or a vault key', () => {
    for (const kind of ['authority', 'basicUserKey', 'vaultKey'] as const) {
      const area = decodePublic(areas[kind]);
      if (area === undefined) throw new Error('a template did not decode');
      for (const [attribute, bit] of Object.entries(OBJECT)) {
        const changed = encodePublic({ ...area, objectAttributes: area.objectAttributes ^ bit });
        expect(recognisers[kind](changed), `${kind} with ${attribute} changed`).toBe(false);
      }
    }
  });

  test('another policy, scheme, symmetric algorithm or a point off the curve is not recognised', () => {
    expect(isBasicUserKey(areas.basicUserKey, digest)).toBe(false);
    const decoded = decodePublic(areas.basicUserKey);
    if (decoded?.type !== 'ECC') throw new Error('a template did not decode');
    const changes: readonly Partial<EccPublic>[] = [
      { symmetric: 'NULL' },
      { scheme: 'ECDSA-SHA256' },
      { authPolicy: new Uint8Array(0) },
      { unique: { x, y: x } },
    ];
    for (const change of changes) {
      expect(
        isBasicUserKey(encodePublic({ ...decoded, ...change }), policy),
        Object.keys(change).join(),
      ).toBe(false);
    }
    expect(isAuthorityKey(authorityTemplate(x, x))).toBe(false);
    expect(isStorageKey(softwareStorageKey({ x, y: x }))).toBe(false);
  });

  test('a key that may sign, or is not restricted, is no storage key', () => {
    const decoded = decodePublic(areas.softwareStorageKey);
    if (decoded === undefined) throw new Error('a template did not decode');
    for (const bit of [OBJECT.sign, OBJECT.restricted, OBJECT.decrypt]) {
      const changed = encodePublic({ ...decoded, objectAttributes: decoded.objectAttributes ^ bit });
      expect(isStorageKey(changed)).toBe(false);
    }
  });
});
