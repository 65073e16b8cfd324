/**
 * Private keys of credentials: reading PKCS#8 (RFC 5208, OneAsymmetricKey of RFC 5958), the one form in which this
 * product keeps them, and making new ones. The reader decides which keys are supported, proves that the two halves
 * belong together, and rewrites the key in OpenSSL's canonical form, so that the same key has the same bytes wherever
 * it came from. Leaves out using the keys: programs do that, through the certificate store.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import { ascii, plain, toHex } from '../bytes/bytes.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import { limits } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import { takeSecret } from './secret.ts';

export type Curve = 'P-256' | 'P-384' | 'P-521';

export type KeyAlgorithm =
  { readonly kind: 'RSA'; readonly bits: number } | { readonly kind: 'EC'; readonly curve: Curve };

export interface PrivateKey {
  readonly algorithm: KeyAlgorithm;
  /** SubjectPublicKeyInfo, DER, in the same canonical form for the same key. */
  readonly publicKey: Uint8Array;
  /** PKCS#8, DER, canonical; the caller disposes of it. */
  readonly pkcs8: SecretBytes;
}

/** Kinds of keys that this product makes itself. */
export const newKeyKinds = ['RSA-3072', 'P-256'] as const;
export type NewKeyKind = (typeof newKeyKinds)[number];

const smallestRsaBits = 2048;
const largestRsaBits = 4096;
const smallestRsaExponent = 3n;

/** OpenSSL's curve names, and those of FIPS 186. */
const curves: Readonly<Record<string, Curve>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

/**
 * How a canonical PKCS#8 begins: everything before the scalar, with lengths that leave room for exactly the scalar and
 * the uncompressed point (RFC 5208, 5; RFC 5915, 3).
 */
export const canonicalBeginnings: Readonly<Record<Curve, string>> = {
  'P-256': '308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420',
  'P-384': '3081b6020100301006072a8648ce3d020106052b8104002204819e30819b0201010430',
  'P-521': '3081ee020100301006072a8648ce3d020106052b810400230481d63081d30201010442',
};

/**
 * Reads a PKCS#8 private key and tries it once. `path` is only for messages. `PrivateKeyMalformed` where it is no key
 * or its halves do not belong together, `AlgorithmUnsupported` where it is one that this product does not keep,
 * `LimitExceeded` where it is larger than any supported key. Does not take or dispose of its argument.
 */
export function readPrivateKey(pkcs8: SecretBytes, path: string): PrivateKey {
  if (pkcs8.length > limits.privateKeyBytes) {
    throw fail('LimitExceeded', {
      what: `The private key in ${path}`,
      actual: pkcs8.length,
      maximum: limits.privateKeyBytes,
    });
  }
  const key = canonicalForm(importKey(pkcs8, path));
  const algorithm = algorithmOf(key, path);
  const publicKey = createPublicKey(key);
  if (!belongTogether(key, publicKey)) {
    throw fail('PrivateKeyMalformed', {
      path,
      problem: 'its private and public halves do not belong together',
    });
  }
  return {
    algorithm,
    publicKey: plain(publicKey.export({ type: 'spki', format: 'der' })),
    pkcs8: exportKey(key),
  };
}

/**
 * Makes a new private key. Neither WebCrypto nor node:crypto lets its randomness be an argument for keys, so this is
 * an exception to that rule of the core.
 */
export async function generatePrivateKey(kind: NewKeyKind): Promise<PrivateKey> {
  const generate = promisify(generateKeyPair);
  const { privateKey } = await (kind === 'RSA-3072'
    ? generate('rsa', { modulusLength: 3072, publicExponent: 0x10001 })
    : generate('ec', { namedCurve: 'P-256' }));
  const pkcs8 = exportKey(privateKey);
  try {
    return readPrivateKey(pkcs8, 'the new key');
  } finally {
    pkcs8.dispose();
  }
}

/** `RSA-3072`, `P-256`: as people and results name it. */
export function nameOfAlgorithm(algorithm: KeyAlgorithm): string {
  return algorithm.kind === 'RSA' ? `RSA-${algorithm.bits}` : algorithm.curve;
}

/** The algorithm of a public key (SubjectPublicKeyInfo, DER); undefined for one that this product does not keep. */
export function algorithmOfPublicKey(publicKey: Uint8Array): KeyAlgorithm | undefined {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(publicKey), type: 'spki', format: 'der' });
  } catch {
    return undefined; // OpenSSL does not know its algorithm: neither do we
  }
  const algorithm = describe(key);
  return typeof algorithm === 'string' ? undefined : algorithm;
}

function importKey(pkcs8: SecretBytes, path: string): KeyObject {
  const { reveal } = pkcs8;
  try {
    // A view, not a copy: nothing to clear afterwards.
    const view = Buffer.from(reveal.buffer, reveal.byteOffset, reveal.length);
    return createPrivateKey({ key: view, type: 'pkcs8', format: 'der' });
  } catch (cause) {
    throw fail('PrivateKeyMalformed', { path, problem: 'it is not a PKCS#8 key that can be read' }, cause);
  }
}

function exportKey(key: KeyObject): SecretBytes {
  return takeSecret(key.export({ type: 'pkcs8', format: 'der' }));
}

/**
 * OpenSSL writes an EC key much as it read it. One that spells the curve's parameters out, compresses its point, leaves
 * it out or has another version is rewritten to name the curve (RFC 5480, 2.1.1) and to hold the whole point. The detour
 * by JWK leaves the scalar in a string that cannot be cleared; such keys are rare.
 */
function canonicalForm(key: KeyObject): KeyObject {
  const algorithm = describe(key);
  if (typeof algorithm === 'string' || algorithm.kind !== 'EC') return key;
  using written = exportKey(key);
  if (toHex(written.reveal.subarray(0, 36)).startsWith(canonicalBeginnings[algorithm.curve])) return key;
  return createPrivateKey({ key: key.export({ format: 'jwk' }), format: 'jwk' });
}

function algorithmOf(key: KeyObject, path: string): KeyAlgorithm {
  const algorithm = describe(key);
  if (typeof algorithm === 'string') throw fail('AlgorithmUnsupported', { path, algorithm });
  return algorithm;
}

/** The algorithm, or the name of an unsupported one. */
function describe(key: KeyObject): KeyAlgorithm | string {
  const details = key.asymmetricKeyDetails ?? {};
  const kind = key.asymmetricKeyType;
  if (kind === 'rsa') {
    const bits = details.modulusLength ?? 0;
    if (bits < smallestRsaBits || bits > largestRsaBits) return `an RSA key of ${bits} bits`;
    if ((details.publicExponent ?? 0n) < smallestRsaExponent)
      return 'an RSA key with a public exponent below 3';
    return { kind: 'RSA', bits };
  }
  if (kind === 'ec') {
    const name = details.namedCurve ?? 'parameters of its own';
    const curve = curves[name];
    return curve === undefined ? `an EC key on ${name}` : { kind: 'EC', curve };
  }
  return kind === undefined ? 'a key of an unknown kind' : `a key of kind ${kind}`;
}

/**
 * Whether a signature by one half verifies under the other. PKCS#8 carries the public half, and for RSA redundant
 * numbers, beside the private one; a damaged or forged file can make them disagree.
 */
function belongTogether(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const message = ascii('spmigration/v1 key pair test');
  try {
    return verify('sha256', message, publicKey, sign('sha256', message, privateKey));
  } catch {
    return false; // OpenSSL refuses numbers that cannot be a key, for example an even modulus
  }
}
