/**
 * Whether a private key belongs to a public key, for many keys at once: an import asks it of every credential that it adds.
 * Keys are kept in one form (`private-key.ts`), so an EC key is multiplied out where it stands (RFC 5915; a tenth of the time
 * of a signature and its verification); everything else is read and tried.
 */
import { createECDH } from 'node:crypto';
import { concat, equal, plain } from '../bytes/bytes.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import { isSPMigrationError } from '../domain/error.ts';
import { canonicalBeginnings, readPrivateKey, type Curve } from './private-key.ts';

/** How the canonical forms of a curve's keys are put together. */
interface Form {
  /** OpenSSL's name. */
  readonly name: string;
  /** Of the scalar, and of each coordinate. */
  readonly bytes: number;
  /** Of the PKCS#8, before the scalar. */
  readonly beginning: Uint8Array;
  /** Between scalar and point: [1] BIT STRING without unused bits (RFC 5915, 3). */
  readonly between: Uint8Array;
  /** Of the SubjectPublicKeyInfo, before the point (RFC 5480, 2). */
  readonly publicBeginning: Uint8Array;
}

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16));

const form = (curve: Curve, name: string, bytes: number, between: string, publicBeginning: string): Form => ({
  name,
  bytes,
  beginning: bytesOf(canonicalBeginnings[curve]),
  between: bytesOf(between),
  publicBeginning: bytesOf(publicBeginning),
});

const forms: readonly Form[] = [
  form('P-256', 'prime256v1', 32, 'a144034200', '3059301306072a8648ce3d020106082a8648ce3d030107034200'),
  form('P-384', 'secp384r1', 48, 'a164036200', '3076301006072a8648ce3d020106052b81040022036200'),
  form('P-521', 'secp521r1', 66, 'a1818903818600', '30819b301006072a8648ce3d020106052b8104002303818600'),
];

/** Of a point that is given in full (SEC 1, 2.3.3). */
const uncompressed = 4;

/**
 * Whether `pkcs8` is the private key of `publicKey` (SubjectPublicKeyInfo, DER, canonical) and its own halves belong
 * together. False also for what is no supported key. Does not take or dispose of its argument.
 */
export function isPrivateKeyOf(pkcs8: SecretBytes, publicKey: Uint8Array): boolean {
  for (const one of forms) {
    const parts = split(pkcs8.reveal, one);
    if (parts === undefined) continue;
    const { scalar, point } = parts;
    if (!equal(concat(one.publicBeginning, point), publicKey)) return false;
    const multiplied = pointOf(one, scalar);
    return multiplied !== undefined && equal(multiplied, point);
  }
  return isReadPrivateKeyOf(pkcs8, publicKey);
}

/** Scalar and point, as views, of a key in this form. */
function split(
  key: Uint8Array,
  { bytes, beginning, between }: Form,
): { readonly scalar: Uint8Array; readonly point: Uint8Array } | undefined {
  const scalarEnd = beginning.length + bytes;
  const pointStart = scalarEnd + between.length;
  if (key.length !== pointStart + 1 + 2 * bytes) return undefined;
  const isForm =
    equal(key.subarray(0, beginning.length), beginning) &&
    equal(key.subarray(scalarEnd, pointStart), between) &&
    key[pointStart] === uncompressed;
  return isForm
    ? { scalar: key.subarray(beginning.length, scalarEnd), point: key.subarray(pointStart) }
    : undefined;
}

/** The point that belongs to a scalar; undefined where it is 0 or not below the curve's order. */
function pointOf({ name }: Form, scalar: Uint8Array): Uint8Array | undefined {
  const ecdh = createECDH(name);
  try {
    ecdh.setPrivateKey(scalar);
  } catch {
    return undefined;
  }
  return plain(ecdh.getPublicKey());
}

function isReadPrivateKeyOf(pkcs8: SecretBytes, publicKey: Uint8Array): boolean {
  try {
    const read = readPrivateKey(pkcs8, 'this key');
    using _copy = read.pkcs8;
    return equal(read.publicKey, publicKey);
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    return false;
  }
}
