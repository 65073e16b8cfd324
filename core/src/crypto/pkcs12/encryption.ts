/**
 * The password-based encryption and integrity of PKCS#12: MacData (RFC 7292, section 4) and PBMAC1 (RFC 9579), PBES2 and
 * PBKDF2 of RFC 8018 with AES or triple DES, and the three old schemes that Windows and OpenSSL wrote for decades. Keys are derived with node:crypto; RC2, which OpenSSL 3 no longer offers, is node-forge's.
 * Leaves out RC4, two-key triple DES and single DES: nothing that wrote them is still in use.
 */
import { createCipheriv, createDecipheriv, createHmac, pbkdf2Sync } from 'node:crypto';
import { concat, equal, plain } from '../../bytes/bytes.ts';
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { asn1, decryptRc2, present, type Asn1, type Asn1View } from './asn1.ts';
import { deriveAppendixB, digestBytes, keyPurpose, type Digest, type PfxPassword } from './key-derivation.ts';
import type { PfxReading } from './reading.ts';

const oids = {
  pbeSha1TripleDes: '1.2.840.113549.1.12.1.3',
  pbeSha1Rc2Bits128: '1.2.840.113549.1.12.1.5',
  pbeSha1Rc2Bits40: '1.2.840.113549.1.12.1.6',
  pbkdf2: '1.2.840.113549.1.5.12',
  pbes2: '1.2.840.113549.1.5.13',
  pbmac1: '1.2.840.113549.1.5.14',
  hmacSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;

const digests: Readonly<Record<string, Digest>> = {
  '1.3.14.3.2.26': 'sha1',
  [oids.sha256]: 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

const hmacs: Readonly<Record<string, Digest>> = {
  '1.2.840.113549.2.7': 'sha1',
  [oids.hmacSha256]: 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

interface BlockCipher {
  readonly name: string;
  readonly keyBytes: number;
  readonly ivBytes: number;
}

const pbes2Ciphers: Readonly<Record<string, BlockCipher>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16, ivBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24, ivBytes: 16 },
  [oids.aes256Cbc]: { name: 'aes-256-cbc', keyBytes: 32, ivBytes: 16 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 },
};

const oldCiphers: Readonly<Record<string, BlockCipher>> = {
  [oids.pbeSha1TripleDes]: { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 },
  [oids.pbeSha1Rc2Bits128]: { name: 'rc2', keyBytes: 16, ivBytes: 8 },
  [oids.pbeSha1Rc2Bits40]: { name: 'rc2', keyBytes: 5, ivBytes: 8 },
};

/** Names for messages about schemes that are not supported. */
const refusedNames: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.12.1.1': 'encryption with RC4',
  '1.2.840.113549.1.12.1.2': 'encryption with RC4',
  '1.2.840.113549.1.12.1.4': 'encryption with two-key triple DES',
  '1.2.840.113549.1.5.3': 'encryption with DES',
  '1.2.840.113549.1.5.10': 'encryption with DES',
  '1.2.840.113549.2.5': 'integrity with MD5',
  '2.16.840.1.101.3.4.1.46': 'encryption with AES-GCM',
};

/**
 * Decrypts with the scheme that `algorithm` (AlgorithmIdentifier) names. Undefined where no form of the password gives
 * a plaintext that is one whole SEQUENCE, as everything encrypted in PKCS#12 is.
 */
export function decrypt(
  algorithm: Asn1View,
  ciphertext: Uint8Array,
  password: PfxPassword,
  reading: PfxReading,
): SecretBytes | undefined {
  const [scheme, parameters] = algorithm.sequence();
  const oid = present(scheme, reading.refuse).oid();
  if (oid === oids.pbes2) {
    return decryptPbes2(present(parameters, reading.refuse), ciphertext, password, reading);
  }
  const cipher = oldCiphers[oid];
  if (cipher === undefined) throw reading.unsupported(refusedNames[oid] ?? `encryption ${oid}`);
  const [salt, count] = present(parameters, reading.refuse).sequence();
  const saltBytes = present(salt, reading.refuse).octets();
  const iterations = present(count, reading.refuse).integer();
  for (const form of password.bmpForms) {
    reading.spend(iterations);
    const key = deriveAppendixB('sha1', keyPurpose.encryption, form, saltBytes, iterations, cipher.keyBytes);
    const iv = deriveAppendixB('sha1', keyPurpose.iv, form, saltBytes, iterations, cipher.ivBytes);
    const plaintext = decryptBlocks(cipher, key, iv, ciphertext);
    key.fill(0);
    if (plaintext !== undefined) return plaintext;
  }
  return undefined;
}

/** Whether the MAC (MacData of RFC 7292, section 4) over `content` is right for some form of the password. */
export function macMatches(
  macData: Asn1View,
  content: Uint8Array,
  password: PfxPassword,
  reading: PfxReading,
): boolean {
  const [digestInfo, salt, count] = macData.sequence();
  const [algorithm, expected] = present(digestInfo, reading.refuse).sequence();
  const [digestOid, parameters] = present(algorithm, reading.refuse).sequence();
  const expectedBytes = present(expected, reading.refuse).octets();
  const oid = present(digestOid, reading.refuse).oid();
  if (oid === oids.pbmac1) {
    return pbmac1(present(parameters, reading.refuse), content, password, reading, expectedBytes);
  }
  const digest = digests[oid];
  if (digest === undefined) throw reading.unsupported(refusedNames[oid] ?? `integrity with ${oid}`);
  const saltBytes = present(salt, reading.refuse).octets();
  const iterations = count?.integer() ?? 1;
  return password.bmpForms.some((form) => {
    reading.spend(iterations);
    const key = deriveAppendixB(digest, keyPurpose.mac, form, saltBytes, iterations, digestBytes[digest]);
    const mac = createHmac(digest, key).update(content).digest();
    key.fill(0);
    return equal(mac, expectedBytes);
  });
}

/** The encryption that this product writes: PBES2 with AES-256-CBC and PBKDF2 over HMAC-SHA-256. */
export function encryptPbes2(
  plaintext: Uint8Array,
  password: Uint8Array,
  random: (length: number) => Uint8Array,
  iterations: number,
): { readonly algorithm: Asn1; readonly ciphertext: Uint8Array } {
  const salt = random(16);
  const iv = random(16);
  const key = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const ciphertext = concat(cipher.update(plaintext), cipher.final());
  key.fill(0);
  const prf = asn1.sequence(asn1.oid(oids.hmacSha256), asn1.nothing());
  const kdf = asn1.sequence(asn1.octets(salt), asn1.integer(iterations), prf);
  const algorithm = asn1.sequence(
    asn1.oid(oids.pbes2),
    asn1.sequence(
      asn1.sequence(asn1.oid(oids.pbkdf2), kdf),
      asn1.sequence(asn1.oid(oids.aes256Cbc), asn1.octets(iv)),
    ),
  );
  return { algorithm, ciphertext };
}

/** The integrity that this product writes: MacData with HMAC-SHA-256. */
export function macDataFor(
  content: Uint8Array,
  password: PfxPassword,
  random: (length: number) => Uint8Array,
  iterations: number,
): Asn1 {
  const salt = random(16);
  const [form = new Uint8Array(0)] = password.bmpForms;
  const key = deriveAppendixB('sha256', keyPurpose.mac, form, salt, iterations, digestBytes.sha256);
  const mac = plain(createHmac('sha256', key).update(content).digest());
  key.fill(0);
  const digestInfo = asn1.sequence(asn1.sequence(asn1.oid(oids.sha256), asn1.nothing()), asn1.octets(mac));
  return asn1.sequence(digestInfo, asn1.octets(salt), asn1.integer(iterations));
}

function decryptPbes2(
  parameters: Asn1View,
  ciphertext: Uint8Array,
  password: PfxPassword,
  reading: PfxReading,
): SecretBytes | undefined {
  const [kdf, scheme] = parameters.sequence();
  const [cipherOid, iv] = present(scheme, reading.refuse).sequence();
  const oid = present(cipherOid, reading.refuse).oid();
  const cipher = pbes2Ciphers[oid];
  if (cipher === undefined) throw reading.unsupported(refusedNames[oid] ?? `encryption ${oid}`);
  const ivBytes = present(iv, reading.refuse).octets();
  if (ivBytes.length !== cipher.ivBytes)
    throw reading.refuse('an initialization vector has the wrong length');
  const key = derivePbkdf2(present(kdf, reading.refuse), cipher.keyBytes, password, reading);
  const plaintext = decryptBlocks(cipher, key, ivBytes, ciphertext);
  key.fill(0);
  return plaintext;
}

/** RFC 8018, A.2: PBKDF2-params ::= SEQUENCE { salt, iterationCount, keyLength OPTIONAL, prf DEFAULT hmacWithSHA1 }. */
function derivePbkdf2(
  algorithm: Asn1View,
  keyBytes: number | undefined,
  password: PfxPassword,
  reading: PfxReading,
): Uint8Array {
  const [oid, parameters] = algorithm.sequence();
  const name = present(oid, reading.refuse).oid();
  if (name !== oids.pbkdf2) throw reading.unsupported(`key derivation ${name}`);
  const [salt, count, ...optional] = present(parameters, reading.refuse).sequence();
  const saltBytes = present(salt, reading.refuse).octets();
  const iterations = reading.spend(present(count, reading.refuse).integer());
  const keyLength = optional.find((view) => view.isUniversal('integer'))?.integer();
  const prf = optional
    .find((view) => view.isUniversal('sequence'))
    ?.sequence()[0]
    ?.oid();
  const digest = prf === undefined ? 'sha1' : hmacs[prf];
  if (digest === undefined) throw reading.unsupported(`key derivation with ${String(prf)}`);
  const length = keyBytes ?? keyLength;
  if (length === undefined || length < 1 || length > 64 || (keyLength ?? length) !== length) {
    throw reading.refuse('a key length is wrong');
  }
  return pbkdf2Sync(password.utf8, saltBytes, iterations, length, digest);
}

/** RFC 9579: the MAC's key comes from PBKDF2; salt and count of MacData do not matter. */
function pbmac1(
  parameters: Asn1View,
  content: Uint8Array,
  password: PfxPassword,
  reading: PfxReading,
  expected: Uint8Array,
): boolean {
  const [kdf, scheme] = parameters.sequence();
  const oid = present(present(scheme, reading.refuse).sequence()[0], reading.refuse).oid();
  const digest = hmacs[oid];
  if (digest === undefined) throw reading.unsupported(`integrity with ${oid}`);
  const key = derivePbkdf2(present(kdf, reading.refuse), undefined, password, reading);
  const mac = createHmac(digest, key).update(content).digest();
  key.fill(0);
  return equal(mac, expected);
}

function decryptBlocks(
  cipher: BlockCipher,
  key: Uint8Array,
  iv: Uint8Array,
  ciphertext: Uint8Array,
): SecretBytes | undefined {
  if (ciphertext.length === 0 || ciphertext.length % cipher.ivBytes !== 0) return undefined;
  const padded =
    cipher.name === 'rc2' ? decryptRc2(key, iv, ciphertext) : openssl(cipher, key, iv, ciphertext);
  const length = unpaddedLength(padded, cipher.ivBytes);
  const plaintext = length === undefined ? undefined : padded.subarray(0, length);
  const secret =
    plaintext !== undefined && isWholeSequence(plaintext) ? SecretBytes.copyOf(plaintext) : undefined;
  padded.fill(0);
  return secret;
}

function openssl(cipher: BlockCipher, key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const decipher = createDecipheriv(cipher.name, key, iv).setAutoPadding(false);
  const blocks = decipher.update(ciphertext); // all of them: there is no padding to hold back
  decipher.final();
  return blocks;
}

/** RFC 8018, 6.1.1: n bytes of value n. */
function unpaddedLength(padded: Uint8Array, blockBytes: number): number | undefined {
  const count = padded.at(-1) ?? 0;
  if (count < 1 || count > blockBytes) return undefined;
  return padded.subarray(-count).every((byte) => byte === count) ? padded.length - count : undefined;
}

/** Whether the bytes are a SEQUENCE whose length is theirs: what tells a right password from a wrong one. */
function isWholeSequence(bytes: Uint8Array): boolean {
  const [tag, first = 0] = bytes;
  if (tag !== 0x30) return false;
  if (first === 0x80) return true; // indefinite: its end is found when it is read
  if (first < 0x80) return first + 2 === bytes.length;
  const lengthBytes = first & 0x7f;
  let length = 0;
  for (const byte of bytes.subarray(2, 2 + lengthBytes)) length = length * 256 + byte;
  return length + 2 + lengthBytes === bytes.length;
}
