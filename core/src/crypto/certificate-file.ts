/**
 * Certificate files as issuers send them: one certificate in DER or PEM, several in PEM, or PKCS#7 "certs-only"
 * (RFC 5652, 5: SignedData without signers; `.p7b`, `.p7c`) in either. Leaves out PKCS#12 (`pkcs12.ts`): that is a
 * container of keys.
 */
import { equal, fromUtf8, plain } from '../bytes/bytes.ts';
import { fail } from '../domain/error.ts';
import { contextTag, derTag, expectTag, readChildren, readElement, readOid, type Refuse } from './der.ts';
import { decodePem } from './pem.ts';
import { describeCertificate, orderChain, parseCertificate, refuseCertificate } from './x509.ts';

export interface CertificateFile {
  /** The end entity's certificate, DER. */
  readonly certificate: Uint8Array;
  /** Its issuers, as far as the file holds them, nearest first. */
  readonly chain: readonly Uint8Array[];
}

const signedData = '1.2.840.113549.1.7.2';
const maximumFileBytes = 1024 * 1024;
const maximumCertificates = 100;
const certificateLabels: readonly string[] = ['CERTIFICATE', 'X509 CERTIFICATE'];
const pkcs7Labels: readonly string[] = ['PKCS7', 'CMS'];

/**
 * The certificate in a file, and its chain. Of several certificates the end entity's is the first that issued none of
 * the others. `CertificateMalformed` where there is none or one cannot be read; `LimitExceeded`.
 */
export function decodeCertificateFile(bytes: Uint8Array, path: string): CertificateFile {
  const certificates = boundedCertificates(bytes, path);
  const [first] = certificates;
  if (first === undefined) throw refuseCertificate(path)('it holds none');
  const certificate =
    certificates.find((candidate) => !issuedAnother(candidate, certificates, path)) ?? first;
  return { certificate: plain(certificate), chain: orderChain(certificate, certificates, path) };
}

/** All certificates in a file (DER), each of which can be read, in the file's order. Errors as above. */
export function decodeCertificates(bytes: Uint8Array, path: string): readonly Uint8Array[] {
  const certificates = boundedCertificates(bytes, path);
  if (certificates.length === 0) throw refuseCertificate(path)('it holds none');
  for (const certificate of certificates) describeCertificate(certificate, path);
  return certificates.map(plain);
}

function boundedCertificates(bytes: Uint8Array, path: string): readonly Uint8Array[] {
  const certificates = allCertificates(bytes, path);
  if (certificates.length > maximumCertificates) {
    throw fail('LimitExceeded', {
      what: `The number of certificates in ${path}`,
      actual: certificates.length,
      maximum: maximumCertificates,
    });
  }
  return certificates;
}

function issuedAnother(candidate: Uint8Array, all: readonly Uint8Array[], path: string): boolean {
  const issuer = parseCertificate(candidate, path);
  return all.some((other) => !equal(other, candidate) && parseCertificate(other, path).checkIssued(issuer));
}

function allCertificates(bytes: Uint8Array, path: string): readonly Uint8Array[] {
  if (bytes.length > maximumFileBytes) {
    throw fail('LimitExceeded', { what: path, actual: bytes.length, maximum: maximumFileBytes });
  }
  const refuse = refuseCertificate(path);
  if (bytes[0] === derTag.sequence) return fromBinary(bytes, refuse);
  const blocks = decodePem(fromUtf8(bytes) ?? '').filter(
    ({ label }) => certificateLabels.includes(label) || pkcs7Labels.includes(label),
  );
  if (blocks.length === 0) throw refuse('it is neither DER nor PEM');
  return blocks.flatMap(({ label, bytes: block }) => {
    if (block === undefined) throw refuse('its PEM text is damaged');
    return certificateLabels.includes(label) ? [block] : fromPkcs7(block, refuse);
  });
}

/** A certificate begins with a SEQUENCE, PKCS#7 with an object identifier. */
function fromBinary(bytes: Uint8Array, refuse: Refuse): readonly Uint8Array[] {
  const [first] = readChildren(readElement(bytes, refuse), refuse);
  return first?.tag === derTag.oid ? fromPkcs7(bytes, refuse) : [bytes];
}

/** RFC 5652, 3 and 5.1: ContentInfo { signedData, [0] { version, digests, content, [0] certificates, … } }. */
function fromPkcs7(bytes: Uint8Array, refuse: Refuse): readonly Uint8Array[] {
  const optional = contextTag(0, 'constructed');
  const [type, content] = readChildren(
    expectTag(readElement(bytes, refuse), derTag.sequence, refuse),
    refuse,
  );
  if (readOid(type, refuse) !== signedData)
    throw refuse('it is PKCS#7 of a kind that carries no certificates');
  const [body] = readChildren(expectTag(content, optional, refuse), refuse);
  const fields = readChildren(expectTag(body, derTag.sequence, refuse), refuse);
  const certificates = fields.slice(3).find(({ tag }) => tag === optional);
  if (certificates === undefined) return [];
  return readChildren(certificates, refuse)
    .filter(({ tag }) => tag === derTag.sequence) // others are attribute certificates
    .map(({ encoded }) => encoded);
}
