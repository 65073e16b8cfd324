/**
 * NIST P-256 key pairs as this product keeps them: the private scalar and both coordinates as 32 bytes each, always.
 * The fixed prefixes are the DER of SEC 1 (RFC 5915) and SubjectPublicKeyInfo (RFC 5480) for this one curve, so that
 * scalars go in and out of node:crypto as bytes that can be cleared, never as strings (as a JWK would need).
 * Key generation and ECDSA nonces come from node:crypto and cannot be seeded: the exception to "randomness is an
 * argument".
 */
import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { compare, concat, fromHex, plain } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail } from '../domain/error.ts';

/** Length of a scalar and of a coordinate in bytes. */
export const p256Bytes = 32;

/** A point other than infinity, 32 bytes each. */
export interface P256Point {
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

export interface P256KeyPair extends P256Point {
  /** The scalar, 32 bytes. */
  readonly privateKey: SecretBytes;
}

const sec1Prefix = constant('30770201010420');
const sec1Middle = constant('a00a06082a8648ce3d030107a14403420004');
const spkiPrefix = constant('3059301306072a8648ce3d020106082a8648ce3d03010703420004');

/** Order n of the base point (SEC 2, section 2.4.2), big-endian. */
export const p256Order = constant('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

const zero = new Uint8Array(p256Bytes);

/** A new key pair. */
export function generateP256KeyPair(): P256KeyPair {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = privateKey.export({ type: 'sec1', format: 'der' });
  const scalarAt = sec1Prefix.length;
  const pointAt = scalarAt + p256Bytes + sec1Middle.length;
  if (der.length !== pointAt + 2 * p256Bytes) {
    throw fail('InternalError', { problem: 'a P-256 key was encoded in an unknown form' });
  }
  const pair = {
    privateKey: SecretBytes.copyOf(der.subarray(scalarAt, scalarAt + p256Bytes)),
    x: plain(der.subarray(pointAt, pointAt + p256Bytes)),
    y: plain(der.subarray(pointAt + p256Bytes)),
  };
  der.fill(0);
  return pair;
}

/** The private key for node:crypto. RangeError where the lengths are wrong, Error where the scalar is out of range. */
export function importPrivateKey(privateKey: SecretBytes, { x, y }: P256Point): KeyObject {
  if (privateKey.length !== p256Bytes) throw new RangeError('a P-256 scalar has 32 bytes');
  checkPoint(x, y);
  using der = new SecretBytes(concat(sec1Prefix, privateKey.reveal, sec1Middle, x, y));
  // A Buffer only as node's types ask for one; it shares the bytes that are cleared here.
  const key = Buffer.from(der.reveal.buffer, der.reveal.byteOffset, der.reveal.length);
  return createPrivateKey({ key, format: 'der', type: 'sec1' });
}

/** The public key for node:crypto; undefined where the point is not on the curve. */
export function importPublicKey({ x, y }: P256Point): KeyObject | undefined {
  checkPoint(x, y);
  try {
    return createPublicKey({ key: Buffer.from(concat(spkiPrefix, x, y)), format: 'der', type: 'spki' });
  } catch {
    // With a fixed, valid prefix the only thing OpenSSL can refuse is the point.
    return undefined;
  }
}

/** The public point of a scalar; undefined where it is not in 1 … n-1. */
export function pointOf(privateKey: SecretBytes): P256Point | undefined {
  const scalar = privateKey.reveal;
  if (scalar.length !== p256Bytes || compare(scalar, zero) === 0 || compare(scalar, p256Order) >= 0)
    return undefined;
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(scalar);
  const point = ecdh.getPublicKey(null, 'uncompressed');
  return { x: plain(point.subarray(1, 1 + p256Bytes)), y: plain(point.subarray(1 + p256Bytes)) };
}

/** Whether the point is on the curve. */
export function isOnCurve(point: P256Point): boolean {
  return importPublicKey(point) !== undefined;
}

function checkPoint(x: Uint8Array, y: Uint8Array): void {
  if (x.length !== p256Bytes || y.length !== p256Bytes)
    throw new RangeError('P-256 coordinates have 32 bytes');
}

function constant(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new RangeError('not hex');
  return bytes;
}
