/**
 * Keys, signatures and duplicates that depend on seeds only, so that vectors can be made again byte for byte. Signatures
 * are deterministic ECDSA (RFC 6979, with HMAC-SHA-256); nothing here is used outside tests.
 */
import { createECDH, createHmac } from 'node:crypto';
import { concat, fromHex, plain, toHex, utf8 } from '../../../core/src/bytes/bytes.ts';
import { ByteWriter } from '../../../core/src/bytes/reader.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { aesCfbBytes, encryptAesCfb } from '../../../core/src/crypto/aes-cfb.ts';
import { agree } from '../../../core/src/crypto/ecdh.ts';
import { sha256 } from '../../../core/src/crypto/hash.ts';
import { p256Order, pointOf, type P256KeyPair, type P256Point } from '../../../core/src/crypto/p256.ts';
import { KDFe } from '../../../core/src/tpm2/kdf.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { wrapOuter } from '../../../core/src/tpm2/protection.ts';
import { encodeSensitive, type Sensitive } from '../../../core/src/tpm2/sensitive.ts';

/** `length` bytes that depend on `seed` only. */
export function seeded(seed: string, length: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let i = 0; i * 32 < length; i++) blocks.push(sha256(utf8(`vectors/${seed}/${String(i)}`)));
  return concat(...blocks).slice(0, length);
}

export const seededSecret = (seed: string, length = 32): SecretBytes => new SecretBytes(seeded(seed, length));

/** A key pair whose scalar is the seeded bytes; practically every 32 bytes are below the curve's order. */
export function seededKeyPair(seed: string): P256KeyPair {
  const privateKey = seededSecret(`${seed} scalar`);
  const point = pointOf(privateKey);
  if (point === undefined) throw new Error(`the seed ${seed} gives no scalar`);
  return { privateKey, ...point };
}

const order = toNumber(p256Order);

/** r ‖ s over SHA-256(message), RFC 6979, section 3.2. */
export function signDeterministically(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
  const hash = sha256(message);
  const z = toNumber(hash);
  const d = toNumber(privateKey);
  for (const k of candidates(privateKey, toBytes(z % order))) {
    const r = toNumber(multipleOfBase(k)) % order;
    const s = (inverse(toNumber(k)) * (z + r * d)) % order;
    if (r !== 0n && s !== 0n) return concat(toBytes(r), toBytes(s));
  }
  throw new Error('unreachable: candidates never end');
}

/** Section 3.2, steps b to h: candidates for the nonce. */
function* candidates(privateKey: Uint8Array, reducedHash: Uint8Array): Generator<Uint8Array> {
  const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array =>
    plain(
      createHmac('sha256', key)
        .update(concat(...parts))
        .digest(),
    );
  let v: Uint8Array = new Uint8Array(32).fill(1);
  let k: Uint8Array = new Uint8Array(32);
  for (const marker of [0, 1]) {
    k = hmac(k, v, Uint8Array.of(marker), privateKey, reducedHash);
    v = hmac(k, v);
  }
  for (;;) {
    v = hmac(k, v);
    const candidate = toNumber(v);
    if (candidate > 0n && candidate < order) yield v;
    k = hmac(k, v, Uint8Array.of(0));
    v = hmac(k, v);
  }
}

/** The x coordinate of the scalar's multiple of the base point. */
function multipleOfBase(scalar: Uint8Array): Uint8Array {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(scalar);
  return plain(ecdh.getPublicKey(null, 'uncompressed').subarray(1, 33));
}

/** Modulo the curve's order, by Fermat's little theorem. */
function inverse(value: bigint): bigint {
  let result = 1n;
  let base = value % order;
  for (let exponent = order - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % order;
    base = (base * base) % order;
  }
  return result;
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

function toBytes(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0')) ?? new Uint8Array();
}

/** What TPM2_Duplicate answers (TPM 2.0 Part 1, clause 23.3), with a seeded ephemeral key. */
export function duplicateDeterministically(
  newParent: P256Point,
  publicArea: Uint8Array,
  object: Sensitive,
  innerKey: SecretBytes,
  seed: string,
): { readonly duplicate: Uint8Array; readonly seed: Uint8Array } {
  const name = nameOf(publicArea);
  const sensitive = encodeSensitive(object).reveal;
  const inner = concat(new ByteWriter().sized16(sha256(sensitive, name)).done(), sensitive);
  const wrapped = encryptAesCfb(innerKey, new Uint8Array(aesCfbBytes), inner);
  const ephemeral = seededKeyPair(`${seed} ephemeral`);
  const shared = agree(ephemeral.privateKey, ephemeral, newParent);
  if (shared === undefined) throw new Error('the new parent is not on the curve');
  const outerSeed = KDFe(shared, 'DUPLICATE', ephemeral.x, newParent.x, 32);
  return {
    duplicate: wrapOuter(outerSeed, name, wrapped),
    seed: new ByteWriter().sized16(ephemeral.x).sized16(ephemeral.y).done(),
  };
}

/** What TPM2_MakeCredential answers for an ECC endorsement key (TPM 2.0 Part 1, clause 24), with a seeded ephemeral key. */
export function makeCredentialDeterministically(
  endorsementKey: P256Point,
  name: Uint8Array,
  secret: Uint8Array,
  seed: string,
): { readonly credentialBlob: Uint8Array; readonly encryptedSecret: Uint8Array } {
  const ephemeral = seededKeyPair(`${seed} ephemeral`);
  const shared = agree(ephemeral.privateKey, ephemeral, endorsementKey);
  if (shared === undefined) throw new Error('the endorsement key is not on the curve');
  const wrapperSeed = KDFe(shared, 'IDENTITY', ephemeral.x, endorsementKey.x, 32);
  return {
    credentialBlob: wrapOuter(wrapperSeed, name, new ByteWriter().sized16(secret).done()),
    encryptedSecret: new ByteWriter().sized16(ephemeral.x).sized16(ephemeral.y).done(),
  };
}
