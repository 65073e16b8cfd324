/**
 * Reading X.509 certificates (RFC 5280): what a certificate says, whether it belongs to a key, and the order of a
 * chain. OpenSSL (node:crypto) parses; what it does not tell (key usage, names as RFC 4514 writes them) is read from
 * the DER. Leaves out deciding whether a certificate is trusted, valid now or revoked: the programs that use it do
 * that with the roots of their system. Making certificates is `x509-making.ts`, which loads a library.
 */
import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { equal, plain, toHex } from '../bytes/bytes.ts';
import { limits } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import type { Instant } from '../domain/time.ts';
import {
  contextTag,
  derTag,
  expectTag,
  readChildren,
  readElement,
  readNamedBits,
  readOid,
  type DerElement,
  type Refuse,
} from './der.ts';
import { emailAddressType, formatName, valuesOf } from './distinguished-name.ts';
import { sha1, sha256 } from './hash.ts';

/** RFC 5280, 4.2.1.3, in the order of the bits. */
export const keyUsages = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof keyUsages)[number];

export interface CertificateDescription {
  /** RFC 4514. */
  readonly subject: string;
  readonly issuer: string;
  /** Upper-case hex, as OpenSSL and Windows show it. */
  readonly serialNumber: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** SHA-1 of the DER, upper-case hex: the name that Windows gives a certificate. Display only. */
  readonly thumbprint: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly sha256: string;
  /** SubjectPublicKeyInfo, DER, as the certificate writes it. */
  readonly publicKey: Uint8Array;
  /** Undefined: the certificate does not restrict it. */
  readonly keyUsage: readonly KeyUsage[] | undefined;
  /** Object identifiers. Undefined: the certificate does not restrict it. */
  readonly extendedKeyUsages: readonly string[] | undefined;
  /** From the alternative names, then from the subject, each once. */
  readonly emailAddresses: readonly string[];
  readonly isCertificateAuthority: boolean;
  /** Subject and issuer are equal, and its own key verifies it. */
  readonly selfSigned: boolean;
}

const extension = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** Tag numbers of GeneralName, and of the optional fields of TBSCertificate. */
const rfc822Name = contextTag(1, 'primitive');
const versionField = contextTag(0, 'constructed');
const extensionsField = contextTag(3, 'constructed');

/**
 * What a certificate (DER) says. `CertificateMalformed` where it cannot be read, `LimitExceeded` where it is larger
 * than the formats carry. `path` is only for messages.
 */
export function describeCertificate(certificate: Uint8Array, path: string): CertificateDescription {
  const parsed = parseCertificate(certificate, path);
  const refuse = refuseCertificate(path);
  const fields = readFields(certificate, refuse);
  return {
    subject: formatName(fields.subject, refuse),
    issuer: formatName(fields.issuer, refuse),
    serialNumber: parsed.serialNumber,
    notBefore: toInstant(parsed.validFromDate, refuse),
    notAfter: toInstant(parsed.validToDate, refuse),
    thumbprint: toHex(sha1(certificate)).toUpperCase(),
    sha256: toHex(sha256(certificate)),
    publicKey: plain(fields.publicKey),
    keyUsage: keyUsageOf(fields, refuse),
    extendedKeyUsages: extendedKeyUsagesOf(fields, refuse),
    emailAddresses: emailAddressesOf(fields, refuse),
    isCertificateAuthority: parsed.ca,
    selfSigned: isSelfSigned(parsed, fields),
  };
}

/**
 * Only when a certificate (DER) is valid: a fraction of the work of `describeCertificate`, for lists of thousands.
 * `CertificateMalformed`, `LimitExceeded`.
 */
export function validityOf(
  certificate: Uint8Array,
  path: string,
): Pick<CertificateDescription, 'notBefore' | 'notAfter'> {
  const parsed = parseCertificate(certificate, path);
  const refuse = refuseCertificate(path);
  return {
    notBefore: toInstant(parsed.validFromDate, refuse),
    notAfter: toInstant(parsed.validToDate, refuse),
  };
}

/** Whether the certificate (DER) is for this public key (SubjectPublicKeyInfo, DER), however each encodes it. */
export function certificateMatchesKey(certificate: Uint8Array, publicKey: Uint8Array, path: string): boolean {
  const certified = publicKeyOf(parseCertificate(certificate, path));
  const own = createPublicKey({ key: Buffer.from(publicKey), type: 'spki', format: 'der' });
  return certified?.equals(own) ?? false;
}

/**
 * The issuers of `leaf` found among `others` (all DER), nearest first, up to a self-signed root or the last one known.
 * An issuer counts only if its key verifies the certificate below; whatever does not belong to the chain is left out.
 * Longer chains than the formats carry end at their limit.
 */
export function orderChain(
  leaf: Uint8Array,
  others: readonly Uint8Array[],
  path: string,
): readonly Uint8Array[] {
  const candidates = others.map((der) => ({ der, parsed: parseCertificate(der, path) }));
  const chain: Uint8Array[] = [];
  let current = { der: leaf, parsed: parseCertificate(leaf, path) };
  while (chain.length < limits.chainCertificates) {
    const below = current;
    const issuer = candidates
      .filter(({ der, parsed }) => isIssuedBy(below.parsed, parsed) && ![leaf, ...chain].some(same(der)))
      .sort((a, b) => Number(b.parsed.validToDate) - Number(a.parsed.validToDate))
      .at(0);
    if (issuer === undefined || isIssuedBy(below.parsed, below.parsed)) break;
    chain.push(issuer.der);
    current = issuer;
  }
  return chain.map(plain);
}

/** Parses and bounds a certificate; `CertificateMalformed`, `LimitExceeded`. */
export function parseCertificate(certificate: Uint8Array, path: string): X509Certificate {
  if (certificate.length > limits.certificateBytes) {
    throw fail('LimitExceeded', {
      what: `A certificate in ${path}`,
      actual: certificate.length,
      maximum: limits.certificateBytes,
    });
  }
  const refuse = refuseCertificate(path);
  // node would also accept PEM, and bytes after the certificate
  expectTag(readElement(certificate, refuse), derTag.sequence, refuse);
  const parsed = load(certificate, path);
  // Of a time that OpenSSL cannot read Node's dates are whatever lay in memory; only its text says so.
  if ([parsed.validFrom, parsed.validTo].some((text) => text.startsWith('Bad time')))
    throw refuse('its validity is not a time');
  return parsed;
}

function load(certificate: Uint8Array, path: string): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (cause) {
    throw fail('CertificateMalformed', { path, problem: 'it cannot be read' }, cause);
  }
}

/** The key that a certificate certifies; undefined where OpenSSL does not know its kind. */
export function publicKeyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey;
  } catch {
    return undefined; // a certificate of an unknown algorithm can still be shown and carried along
  }
}

/** Makes `CertificateMalformed` for a problem in `path`. */
export function refuseCertificate(path: string): Refuse {
  return (problem) => fail('CertificateMalformed', { path, problem });
}

function same(der: Uint8Array): (other: Uint8Array) => boolean {
  return (other) => equal(der, other);
}

/** Whether `issuer` issued it: names, identifiers and key usage fit, and its key verifies the signature. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  const key = publicKeyOf(issuer);
  if (key === undefined || !certificate.checkIssued(issuer)) return false;
  try {
    return certificate.verify(key);
  } catch {
    return false; // a signature algorithm that OpenSSL does not know or no longer accepts
  }
}

function isSelfSigned(certificate: X509Certificate, fields: CertificateFields): boolean {
  if (!equal(fields.subject, fields.issuer)) return false;
  const key = publicKeyOf(certificate);
  try {
    return key !== undefined && certificate.verify(key);
  } catch {
    return false; // as above
  }
}

function toInstant(date: Date, refuse: Refuse): Instant {
  const seconds = Math.floor(date.getTime() / 1000);
  if (Number.isNaN(seconds)) throw refuse('its validity is not a time');
  return seconds;
}

interface CertificateFields {
  /** Names and key as DER, each with its identifier and length. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKey: Uint8Array;
  /** DER values by object identifier. */
  readonly extensions: ReadonlyMap<string, Uint8Array>;
}

/** RFC 5280, 4.1: Certificate ::= SEQUENCE { tbsCertificate, … }. */
function readFields(certificate: Uint8Array, refuse: Refuse): CertificateFields {
  const [tbs] = readChildren(readElement(certificate, refuse), refuse);
  const fields = readChildren(expectTag(tbs, derTag.sequence, refuse), refuse);
  // version is optional; then serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
  const [, , issuer, , subject, publicKey, ...optional] =
    fields[0]?.tag === versionField ? fields.slice(1) : fields;
  return {
    issuer: expectTag(issuer, derTag.sequence, refuse).encoded,
    subject: expectTag(subject, derTag.sequence, refuse).encoded,
    publicKey: expectTag(publicKey, derTag.sequence, refuse).encoded,
    extensions: readExtensions(
      optional.find(({ tag }) => tag === extensionsField),
      refuse,
    ),
  };
}

function readExtensions(field: DerElement | undefined, refuse: Refuse): ReadonlyMap<string, Uint8Array> {
  const extensions = new Map<string, Uint8Array>();
  if (field === undefined) return extensions;
  const [list] = readChildren(field, refuse);
  for (const item of readChildren(expectTag(list, derTag.sequence, refuse), refuse)) {
    const parts = readChildren(item, refuse); // extnID, critical DEFAULT FALSE, extnValue
    const id = readOid(parts[0], refuse);
    if (extensions.has(id)) throw refuse('it holds the same extension twice');
    extensions.set(id, expectTag(parts.at(-1), derTag.octetString, refuse).content);
  }
  return extensions;
}

function keyUsageOf({ extensions }: CertificateFields, refuse: Refuse): readonly KeyUsage[] | undefined {
  const value = extensions.get(extension.keyUsage);
  if (value === undefined) return undefined;
  const bits = readNamedBits(readElement(value, refuse), refuse);
  return keyUsages.filter((_, bit) => bits.has(bit));
}

function extendedKeyUsagesOf(
  { extensions }: CertificateFields,
  refuse: Refuse,
): readonly string[] | undefined {
  const value = extensions.get(extension.extendedKeyUsage);
  if (value === undefined) return undefined;
  return readChildren(readElement(value, refuse), refuse).map((usage) => readOid(usage, refuse));
}

function emailAddressesOf({ extensions, subject }: CertificateFields, refuse: Refuse): readonly string[] {
  const alternative = extensions.get(extension.subjectAltName);
  const names = alternative === undefined ? [] : readChildren(readElement(alternative, refuse), refuse);
  const addresses = names
    .filter(({ tag }) => tag === rfc822Name)
    .map(({ content }) => Buffer.from(content).toString('latin1'));
  return [...new Set([...addresses, ...valuesOf(subject, emailAddressType, refuse)])];
}
