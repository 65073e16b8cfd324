/**
 * The outer wrapper that protects private areas outside a chip (TPM 2.0 Part 1, clauses 22.4 and 23.3): AES-128-CFB
 * under KDFa(seed, "STORAGE", Name), then HMAC under KDFa(seed, "INTEGRITY") over ciphertext and Name. A child blob
 * takes the seed of its parent and a random initialisation vector; a duplicate takes a seed of its own and the zero one.
 */
import { equal } from '../bytes/bytes.ts';
import { ByteWriter } from '../bytes/reader.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import { aesCfbBytes, decryptAesCfb, encryptAesCfb } from '../crypto/aes-cfb.ts';
import { hmacSha256 } from '../crypto/hash.ts';
import { digestBytes } from './constants.ts';
import { KDFa } from './kdf.ts';
import { nameOf } from './name.ts';
import { decodeSensitive, encodeSensitive, type Sensitive } from './sensitive.ts';

const nothing = new Uint8Array(0);
const zeroIv = new Uint8Array(aesCfbBytes);

/** TPM2B_PRIVATE body of an object below the storage key with this seedValue. `iv` is 16 random bytes. */
export function wrapChild(
  parentSeed: SecretBytes,
  publicArea: Uint8Array,
  object: Sensitive,
  iv: Uint8Array,
): Uint8Array {
  using plaintext = encodeSensitive(object);
  using key = storageKey(parentSeed, nameOf(publicArea));
  const encrypted = new ByteWriter()
    .sized16(iv)
    .raw(encryptAesCfb(key, iv, plaintext.reveal))
    .done();
  return authenticated(parentSeed, nameOf(publicArea), encrypted);
}

/** The private area in a child blob; undefined where it is not of this parent and this public area, or was changed. */
export function unwrapChild(
  parentSeed: SecretBytes,
  publicArea: Uint8Array,
  blob: Uint8Array,
): Sensitive | undefined {
  const name = nameOf(publicArea);
  const encrypted = authenticate(parentSeed, name, blob);
  if (encrypted === undefined || encrypted.length < 2 + aesCfbBytes) return undefined;
  const ivLength = (encrypted[0] ?? 0) * 256 + (encrypted[1] ?? 0);
  if (ivLength !== aesCfbBytes) return undefined;
  using key = storageKey(parentSeed, name);
  const iv = encrypted.subarray(2, 2 + aesCfbBytes);
  using plaintext = decryptAesCfb(key, iv, encrypted.subarray(2 + aesCfbBytes));
  return decodeSensitive(plaintext);
}

/** Outer wrapper of a duplicate around `content` (a sensitive area, or one in its inner wrapper). */
export function wrapOuter(seed: SecretBytes, name: Uint8Array, content: Uint8Array): Uint8Array {
  using key = storageKey(seed, name);
  return authenticated(seed, name, encryptAesCfb(key, zeroIv, content));
}

/** What `wrapOuter` wrapped; undefined where seed or Name are others, or where it was changed. */
export function unwrapOuter(
  seed: SecretBytes,
  name: Uint8Array,
  wrapped: Uint8Array,
): SecretBytes | undefined {
  const encrypted = authenticate(seed, name, wrapped);
  if (encrypted === undefined) return undefined;
  using key = storageKey(seed, name);
  return decryptAesCfb(key, zeroIv, encrypted);
}

function storageKey(seed: SecretBytes, name: Uint8Array): SecretBytes {
  return KDFa(seed, 'STORAGE', name, aesCfbBytes);
}

function authenticated(seed: SecretBytes, name: Uint8Array, encrypted: Uint8Array): Uint8Array {
  return new ByteWriter()
    .sized16(integrityOf(seed, name, encrypted))
    .raw(encrypted)
    .done();
}

function authenticate(seed: SecretBytes, name: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined {
  const headBytes = 2 + digestBytes;
  const encrypted = wrapped.slice(headBytes);
  const expected = authenticated(seed, name, encrypted);
  return equal(wrapped, expected) ? encrypted : undefined;
}

function integrityOf(seed: SecretBytes, name: Uint8Array, encrypted: Uint8Array): Uint8Array {
  using key = KDFa(seed, 'INTEGRITY', nothing, digestBytes);
  return hmacSha256(key.reveal, encrypted, name);
}
