/**
 * Duplication in software, byte for byte as TPM2_Duplicate and TPM2_Import do it (TPM 2.0 Part 1, clause 23.3): an inner
 * wrapper under a key that the user chooses, an outer one under a seed that only the new parent can recover. The inner
 * wrapper is mandatory here, as our keys have `encryptedDuplication`: without the user, whoever holds the new
 * parent's private key opens nothing. Leaves out whether the policy permits a duplication (`evaluate.ts`).
 */
import { equal } from '../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../bytes/reader.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { aesCfbBytes, decryptAesCfb, encryptAesCfb } from '../crypto/aes-cfb.ts';
import { agree } from '../crypto/ecdh.ts';
import { sha256 } from '../crypto/hash.ts';
import type { P256Point } from '../crypto/p256.ts';
import { digestBytes } from './constants.ts';
import { KDFe } from './kdf.ts';
import { nameOf } from './name.ts';
import { unwrapOuter, wrapOuter } from './protection.ts';
import { shareSecret } from './secret-sharing.ts';
import { decodeSensitive, encodeSensitive, leftPadded, type Sensitive } from './sensitive.ts';
import { coordinateBytes, type EccPublic, type RsaPublic } from './structures.ts';

const purpose = 'DUPLICATE';
const zeroIv = new Uint8Array(aesCfbBytes);

/** What travels besides the public area. */
export interface Duplicate {
  /** Body of TPM2B_PRIVATE. */
  readonly duplicate: Uint8Array;
  /** Body of TPM2B_ENCRYPTED_SECRET. */
  readonly seed: Uint8Array;
}

/** A storage key in software. */
export interface StorageKeyPair {
  /** The point of its public area. */
  readonly point: P256Point;
  /** The scalar, 32 bytes. */
  readonly privateKey: SecretBytes;
}

export type Unwrapped =
  | { readonly kind: 'opened'; readonly object: Sensitive }
  /** `outer`: for another storage key or public area, or changed. `inner`: the inner key is wrong. */
  | { readonly kind: 'refused'; readonly wrapper: 'outer' | 'inner' };

/**
 * Wraps a private area for `newParent` (as `storageKeyArea` accepted it). `innerKey` has 16 bytes, `random` answers that
 * many strong random bytes; the ephemeral ECC key and the OAEP padding come from node:crypto.
 */
export function wrapDuplicate(
  newParent: EccPublic | RsaPublic,
  publicArea: Uint8Array,
  object: Sensitive,
  innerKey: SecretBytes,
  random: (length: number) => Uint8Array,
): Duplicate {
  const name = nameOf(publicArea);
  const inner = wrapInner(innerKey, name, object);
  const { secret, encrypted } = shareSecret(newParent, purpose, random);
  using seed = secret;
  return { duplicate: wrapOuter(seed, name, inner), seed: encrypted };
}

/** Opens a duplicate that was made for `parent`. */
export function unwrapDuplicate(
  parent: StorageKeyPair,
  publicArea: Uint8Array,
  handedOver: Duplicate,
  innerKey: SecretBytes,
): Unwrapped {
  const name = nameOf(publicArea);
  using seed = recoverSeed(parent, handedOver.seed);
  using inner = seed && unwrapOuter(seed, name, handedOver.duplicate);
  if (inner === undefined) return { kind: 'refused', wrapper: 'outer' };
  const object = unwrapInner(innerKey, name, inner);
  return object === undefined ? { kind: 'refused', wrapper: 'inner' } : { kind: 'opened', object };
}

/** Part 1, clause 23.3.2: innerIntegrity is the hash of sensitive area and Name, and encrypted with the area. */
function wrapInner(innerKey: SecretBytes, name: Uint8Array, object: Sensitive): Uint8Array {
  using sensitive = encodeSensitive(object);
  const integrity = sha256(sensitive.reveal, name);
  using content = new SecretBytes(new ByteWriter().sized16(integrity).raw(sensitive.reveal).done());
  return encryptAesCfb(innerKey, zeroIv, content.reveal);
}

function unwrapInner(innerKey: SecretBytes, name: Uint8Array, wrapped: SecretBytes): Sensitive | undefined {
  using content = decryptAesCfb(innerKey, zeroIv, wrapped.reveal);
  const headBytes = 2 + digestBytes;
  if (content.length < headBytes) return undefined;
  using sensitive = SecretBytes.copyOf(content.reveal.subarray(headBytes));
  const head = new ByteWriter().sized16(sha256(sensitive.reveal, name)).done();
  if (!equal(content.reveal.subarray(0, headBytes), head)) return undefined;
  return decodeSensitive(sensitive);
}

class NotAPoint extends Error {}

function recoverSeed(parent: StorageKeyPair, encrypted: Uint8Array): SecretBytes | undefined {
  const ephemeral = decodePoint(encrypted);
  if (ephemeral === undefined) return undefined;
  using shared = agree(parent.privateKey, parent.point, ephemeral);
  return shared && KDFe(shared, purpose, ephemeral.x, parent.point.x, digestBytes);
}

/** TPMS_ECC_POINT. A TPM may have stripped leading zeros of a coordinate. */
function decodePoint(bytes: Uint8Array): P256Point | undefined {
  try {
    const reader = new ByteReader(bytes, (what) => new NotAPoint(what));
    const x = leftPadded(reader.sized16(coordinateBytes));
    const y = leftPadded(reader.sized16(coordinateBytes));
    reader.end();
    return { x, y };
  } catch (error) {
    if (error instanceof NotAPoint) return undefined;
    throw error;
  }
}
