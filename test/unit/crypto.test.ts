/** The primitives against published vectors, and what each must refuse. */
import { describe, expect, test } from 'vitest';
import { fromHex, toHex, utf8 } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { openAesGcm, sealAesGcm } from '../../core/src/crypto/aead.ts';
import { decryptAesCfb, encryptAesCfb } from '../../core/src/crypto/aes-cfb.ts';
import { agree, generateAgreementKey } from '../../core/src/crypto/ecdh.ts';
import { hmacSha256, sha1, sha256 } from '../../core/src/crypto/hash.ts';
import { deriveRoot, hkdf } from '../../core/src/crypto/kdf.ts';
import { generateSigningKey, sign, verify } from '../../core/src/crypto/signature.ts';

function bytes(hex: string): Uint8Array {
  const decoded = fromHex(hex.toLowerCase());
  if (decoded === undefined) throw new Error(`not hex: ${hex}`);
  return decoded;
}
const secret = (hex: string): SecretBytes => new SecretBytes(bytes(hex));

/** `original` with one bit of byte `index` turned over. */
function flipped(original: Uint8Array, index: number): Uint8Array {
  const copy = new Uint8Array(original);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

describe('hash', () => {
  test('SHA-256 and SHA-1 of "abc" (FIPS 180-4)', () => {
    expect(toHex(sha256(utf8('a'), utf8('bc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(toHex(sha1(utf8('abc')))).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
  });

  test('HMAC-SHA-256 (RFC 4231, case 2)', () => {
    expect(toHex(hmacSha256(utf8('Jefe'), utf8('what do ya want '), utf8('for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });
});

describe('kdf', () => {
  test('HKDF-SHA-256 without salt and info (RFC 5869, case 3), the input in two pieces', () => {
    const inputs = [secret('0b'.repeat(10)), secret('0b'.repeat(12))];
    expect(toHex(hkdf(inputs, new Uint8Array(0), '', 42).reveal)).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });

  test('the root of a password is what the reference program argon2 computes', async () => {
    // printf 'Correct horse \xc3\x85' | argon2 SPMigration-salt -id -t 3 -m 16 -p 1 -l 32 -r
    const root = await deriveRoot(new SecretBytes(utf8('Correct horse \u00c5')), utf8('SPMigration-salt'));
    expect(toHex(root.reveal)).toBe('0f5e4fc11d2312b646a202b504841615af7aed1a39071233074cbd281e270017');
  });

  test('a password typed in another normal form has the same root', async () => {
    const salt = utf8('SPMigration-salt');
    const composed = await deriveRoot(new SecretBytes(utf8('Correct horse \u00c5')), salt);
    const decomposed = await deriveRoot(new SecretBytes(utf8('Correct horse A\u030a')), salt);
    expect(toHex(decomposed.reveal)).toBe(toHex(composed.reveal));
  });

  test('a password that is not UTF-8 is refused', async () => {
    await expect(deriveRoot(secret('ff'), new Uint8Array(16))).rejects.toMatchObject({
      code: 'ParameterInvalid',
    });
  });
});

describe('aead', () => {
  const key = secret('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308');
  const nonce = bytes('cafebabefacedbaddecaf888');
  const associated = bytes('feedfacedeadbeeffeedfacedeadbeefabaddad2');
  const plaintext = bytes(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
      '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  );
  const sealed = bytes(
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
      '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
      '76fc6ece0f4e1768cddf8853bb2d551b',
  );

  test('AES-256-GCM (McGrew and Viega, case 16)', () => {
    expect(toHex(sealAesGcm(key, nonce, plaintext, associated))).toBe(toHex(sealed));
    expect(toHex(openAesGcm(key, nonce, sealed, associated) ?? new Uint8Array(0))).toBe(toHex(plaintext));
  });

  test('any changed bit keeps it closed', () => {
    for (let index = 0; index < sealed.length; index++) {
      expect(
        openAesGcm(key, nonce, flipped(sealed, index), associated),
        `byte ${index.toString()}`,
      ).toBeUndefined();
    }
    expect(openAesGcm(key, flipped(nonce, 0), sealed, associated)).toBeUndefined();
    expect(openAesGcm(key, nonce, sealed, flipped(associated, 3))).toBeUndefined();
    expect(openAesGcm(new SecretBytes(flipped(key.reveal, 31)), nonce, sealed, associated)).toBeUndefined();
    expect(openAesGcm(key, nonce, sealed.subarray(0, 15), associated)).toBeUndefined();
  });

  test('keys and nonces of another length are a fault of the caller', () => {
    expect(() => sealAesGcm(secret('00'.repeat(16)), nonce, plaintext, associated)).toThrow(RangeError);
    expect(() => openAesGcm(key, nonce.subarray(1), sealed, associated)).toThrow(RangeError);
  });
});

describe('signature', () => {
  // RFC 6979, A.2.5: P-256, SHA-256, message "sample".
  const privateKey = secret('C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721');
  const x = bytes('60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6');
  const y = bytes('7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299');
  const r = 'EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716';
  const s = 'F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8';
  const message = utf8('sample');

  test('the RFC signature verifies, and so does ours by the same key', () => {
    expect(verify(x, y, message, bytes(r + s))).toBe(true);
    const own = sign(privateKey, x, y, message);
    expect(own).toHaveLength(64);
    expect(verify(x, y, message, own)).toBe(true);
  });

  test('another message, key, bit or length does not', () => {
    const signature = bytes(r + s);
    expect(verify(x, y, utf8('simple'), signature)).toBe(false);
    expect(verify(x, flipped(y, 31), message, signature)).toBe(false);
    expect(verify(x, y, message, flipped(signature, 63))).toBe(false);
    expect(verify(x, y, message, signature.subarray(1))).toBe(false);
    expect(verify(x, y, message, new Uint8Array(65))).toBe(false);
  });

  test('r and s lie in 1 … n-1: zero and n are refused before the curve is asked', () => {
    const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
    for (const bad of ['00'.repeat(32), order, 'ff'.repeat(32)]) {
      expect(verify(x, y, message, bytes(bad + s))).toBe(false);
      expect(verify(x, y, message, bytes(r + bad))).toBe(false);
    }
  });

  test('new keys differ, have full-length parts and sign', () => {
    const [one, two] = [generateSigningKey(), generateSigningKey()];
    expect(toHex(one.x)).not.toBe(toHex(two.x));
    expect([one.privateKey.length, one.x.length, one.y.length]).toEqual([32, 32, 32]);
    expect(verify(one.x, one.y, message, sign(one.privateKey, one.x, one.y, message))).toBe(true);
    expect(() => sign(one.privateKey, two.x, two.y, message)).toThrow(RangeError);
  });
});

describe('agreement and wrapping', () => {
  test('both sides agree; a point off the curve is refused', () => {
    const [one, two] = [generateAgreementKey(), generateAgreementKey()];
    const here = agree(one.privateKey, one, two);
    const there = agree(two.privateKey, two, one);
    expect(here?.length).toBe(32);
    expect(toHex(here?.reveal ?? new Uint8Array(0))).toBe(toHex(there?.reveal ?? new Uint8Array(1)));
    expect(agree(one.privateKey, one, { x: two.x, y: flipped(two.y, 0) })).toBeUndefined();
  });

  test('the shared value is the x coordinate (RFC 5903, 8.1)', () => {
    const own = {
      x: bytes('DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180'),
      y: bytes('5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3'),
    };
    const peer = {
      x: bytes('D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63'),
      y: bytes('56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB'),
    };
    const privateKey = secret('C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433');
    expect(toHex(agree(privateKey, own, peer)?.reveal ?? new Uint8Array(0))).toBe(
      'd6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de',
    );
  });

  test('AES-128-CFB (SP 800-38A, F.3.13)', () => {
    const key = secret('2b7e151628aed2a6abf7158809cf4f3c');
    const iv = bytes('000102030405060708090a0b0c0d0e0f');
    const plaintext = '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51';
    const ciphertext = '3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b';
    expect(toHex(encryptAesCfb(key, iv, bytes(plaintext)))).toBe(ciphertext);
    expect(toHex(decryptAesCfb(key, iv, bytes(ciphertext)).reveal)).toBe(plaintext);
  });
});
