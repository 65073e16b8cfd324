/**
 * Making self-signed certificates (RFC 5280) and certification requests (PKCS#10, RFC 2986) for a person's key: for
 * signing and receiving mail, for client authentication and for Windows' file encryption. The encoding is
 * @peculiar/x509's (docs/decisions: node-forge cannot make any for EC keys), the signature WebCrypto's. Callers reach
 * this file by `import()` only, so that its library loads when something is made. Leaves out issuing certificates for
 * others: an authority does that.
 */
// The library's dependency injection looks for this polyfill when it is loaded: keep it first.
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  type Extension,
  type JsonAttributeObject,
} from '@peculiar/x509';
import { toHex } from '../bytes/bytes.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail } from '../domain/error.ts';
import type { Instant } from '../domain/time.ts';
import { parseSubject, type NameParts } from './distinguished-name.ts';
import { readPrivateKey, type Curve, type KeyAlgorithm } from './private-key.ts';

/** Extended key usages that a certificate can be made for (RFC 5280, 4.2.1.12; the last is Windows' own). */
export const certificatePurposes = {
  emailProtection: '1.3.6.1.5.5.7.3.4',
  clientAuthentication: '1.3.6.1.5.5.7.3.2',
  fileEncryption: '1.3.6.1.4.1.311.10.3.4',
} as const;
export type CertificatePurpose = keyof typeof certificatePurposes;

export interface RequestedCertificate {
  /** PKCS#8, DER. */
  readonly privateKey: SecretBytes;
  /** A plain name, which becomes CN, or a distinguished name as in RFC 4514. */
  readonly subject: string;
  /** ASCII; become alternative names. */
  readonly emailAddresses: readonly string[];
  readonly purposes: readonly CertificatePurpose[];
}

export interface SelfSignedCertificate extends RequestedCertificate {
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** 16 random bytes; the highest two bits are fixed, so that the number is positive and always as long. */
  readonly serialNumber: Uint8Array;
}

const serialNumberBytes = 16;
const maximumAddressBytes = 254;
const maximumAddresses = 20;

const curveHashes: Readonly<Record<Curve, string>> = {
  'P-256': 'SHA-256',
  'P-384': 'SHA-384',
  'P-521': 'SHA-512',
};

/**
 * Makes a self-signed certificate, DER. `ParameterInvalid` for a subject or address that no certificate can carry, or
 * an end before the beginning.
 */
export async function buildSelfSigned(wanted: SelfSignedCertificate): Promise<Uint8Array> {
  const { notBefore, notAfter, serialNumber } = wanted;
  if (serialNumber.length !== serialNumberBytes) throw new RangeError('a serial number has 16 bytes');
  if (notAfter <= notBefore) {
    throw fail('ParameterInvalid', {
      parameter: 'Days',
      problem: 'the certificate would end before it begins',
    });
  }
  const name = toLibraryName(parseSubject(wanted.subject));
  const { keys, signingAlgorithm, algorithm } = await importKeys(wanted.privateKey);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: toHex(positive(serialNumber)),
    name,
    notBefore: new Date(notBefore * 1000),
    notAfter: new Date(notAfter * 1000),
    keys,
    signingAlgorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      ...profile(wanted, algorithm),
      await SubjectKeyIdentifierExtension.create(keys.publicKey, false),
    ],
  });
  return new Uint8Array(certificate.rawData);
}

/** Makes a certification request, DER. `ParameterInvalid` as above. */
export async function buildCertificationRequest(wanted: RequestedCertificate): Promise<Uint8Array> {
  const name = toLibraryName(parseSubject(wanted.subject));
  const { keys, signingAlgorithm, algorithm } = await importKeys(wanted.privateKey);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm,
    extensions: profile(wanted, algorithm),
  });
  return new Uint8Array(request.rawData);
}

/** The extensions that a certificate and a request for one have in common. */
function profile(wanted: RequestedCertificate, algorithm: KeyAlgorithm): Extension[] {
  // RFC 8551 and RFC 5480: an RSA key encrypts keys, an EC key agrees on them.
  const keyExchange = algorithm.kind === 'RSA' ? KeyUsageFlags.keyEncipherment : KeyUsageFlags.keyAgreement;
  const addresses = wanted.emailAddresses.map(checkAddress);
  if (addresses.length > maximumAddresses) {
    throw refuseAddress(`there are more than ${maximumAddresses}`);
  }
  const extensions: Extension[] = [
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature | keyExchange, true),
  ];
  if (wanted.purposes.length > 0) {
    const purposes = wanted.purposes.map((purpose) => certificatePurposes[purpose]);
    extensions.push(new ExtendedKeyUsageExtension(purposes, false));
  }
  if (addresses.length > 0) {
    const names = addresses.map((value) => ({ type: 'email' as const, value }));
    extensions.push(new SubjectAlternativeNameExtension(names, false));
  }
  return extensions;
}

/** RFC 5280, 4.2.1.6: rfc822Name is an ASCII Mailbox. Bounds and shape only; whether it exists is not ours to say. */
function checkAddress(address: string): string {
  if (!/^[\x21-\x7e]+@[\x21-\x7e]+$/.test(address) || address.length > maximumAddressBytes) {
    throw refuseAddress(`${address} is not one that a certificate can carry (name@domain, ASCII)`);
  }
  return address;
}

function refuseAddress(problem: string): Error {
  return fail('ParameterInvalid', { parameter: 'EmailAddress', problem });
}

function toLibraryName(parts: NameParts): Name {
  return new Name(
    parts.map((rdn) => {
      const attributes: Record<string, JsonAttributeObject[]> = {};
      for (const { type, value, encoding } of rdn) (attributes[type] ??= []).push({ [encoding]: value });
      return attributes;
    }),
  );
}

async function importKeys(pkcs8: SecretBytes) {
  const { subtle } = globalThis.crypto;
  const key = readPrivateKey(pkcs8, 'the new key');
  const copy = new Uint8Array(key.pkcs8.reveal); // WebCrypto's types want a buffer of their own
  try {
    const { signing, importing } = libraryAlgorithms(key.algorithm);
    const [privateKey, publicKey] = await Promise.all([
      subtle.importKey('pkcs8', copy, importing, false, ['sign']),
      subtle.importKey('spki', new Uint8Array(key.publicKey), importing, true, ['verify']),
    ]);
    return { keys: { privateKey, publicKey }, signingAlgorithm: signing, algorithm: key.algorithm };
  } finally {
    copy.fill(0);
    key.pkcs8.dispose();
  }
}

/** WebCrypto's names for signing with a key, and for importing it. */
function libraryAlgorithms(algorithm: KeyAlgorithm) {
  if (algorithm.kind === 'RSA') {
    const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    return { signing: rsa, importing: rsa };
  }
  return {
    signing: { name: 'ECDSA', hash: curveHashes[algorithm.curve] },
    importing: { name: 'ECDSA', namedCurve: algorithm.curve },
  };
}

function positive(serialNumber: Uint8Array): Uint8Array {
  const number = new Uint8Array(serialNumber);
  number[0] = ((number[0] ?? 0) & 0x3f) | 0x40;
  return number;
}
