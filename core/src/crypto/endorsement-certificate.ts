/**
 * Whether a certificate vouches for an endorsement key (TCG EK Credential Profile for TPM 2.0, clause 3.2; RFC 5280, 6.1): it
 * is for this very key, may be for an endorsement key, is valid, and one of the given manufacturers' certificates has issued
 * it. Whoever gives a certificate trusts it, an intermediate one, too: TPMs carry no chain. Leaves out revocation, for which
 * manufacturers publish lists in the network, and what the certificate says about the TPM's model.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { isSPMigrationError } from '../domain/error.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import { importPublicKey, type P256Point } from './p256.ts';
import {
  describeCertificate,
  isIssuedBy,
  parseCertificate,
  publicKeyOf,
  type CertificateDescription,
} from './x509.ts';

/** An endorsement key as its public area writes it: a point of P-256, or an RSA modulus with the exponent 65537. */
export type CertifiedKey =
  | { readonly type: 'ECC'; readonly unique: P256Point }
  | { readonly type: 'RSA'; readonly unique: Uint8Array };

/** tcg-kp-EKCertificate. */
const endorsementUsage = '2.23.133.8.1';

/**
 * Why the certificate (DER) does not vouch for the key, as the end of a sentence; undefined where it does. `manufacturers` are
 * certificates (DER) that `describeCertificate` can read.
 */
export function endorsementCertificateProblem(
  certificate: Uint8Array,
  key: CertifiedKey,
  manufacturers: readonly Uint8Array[],
  now: Instant,
): string | undefined {
  const described = describe(certificate);
  if (typeof described === 'string') return described;
  const parsed = parseCertificate(certificate, 'it');
  if (publicKeyOf(parsed)?.equals(toKeyObject(key)) !== true) return 'its certificate is for another key';
  const unfit = unfitness(described) ?? untimeliness('its certificate', described, now);
  if (unfit !== undefined) return unfit;
  if (/sha1|md5/i.test(parsed.signatureAlgorithm ?? ''))
    return 'its certificate is signed with a hash that is broken';
  const issuers = manufacturers.filter((der) => isIssuedBy(parsed, parseCertificate(der, 'it')));
  if (issuers.length === 0)
    return `its certificate was issued by ${described.issuer}, of whom no certificate is given`;
  const problems = issuers.map((der) => issuerProblem(describeCertificate(der, 'it'), now));
  return problems.includes(undefined) ? undefined : problems[0];
}

function describe(certificate: Uint8Array): CertificateDescription | string {
  try {
    return describeCertificate(certificate, 'its certificate');
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    return 'its certificate cannot be read';
  }
}

/** What may be issued by a manufacturer and is no endorsement certificate: of an authority, or of a key for signing. */
function unfitness(described: CertificateDescription): string | undefined {
  const { isCertificateAuthority, extendedKeyUsages, keyUsage } = described;
  const encrypts = keyUsage?.some((usage) => usage === 'keyEncipherment' || usage === 'keyAgreement') ?? true;
  const isForEndorsement = extendedKeyUsages?.includes(endorsementUsage) ?? true;
  if (!isCertificateAuthority && encrypts && isForEndorsement) return undefined;
  return 'its certificate is not one for an endorsement key';
}

function issuerProblem(issuer: CertificateDescription, now: Instant): string | undefined {
  const what = `the certificate of ${issuer.subject}, which issued its certificate,`;
  const signs = issuer.keyUsage?.includes('keyCertSign') ?? true;
  if (!issuer.isCertificateAuthority || !signs) return `${what} may not issue any`;
  return untimeliness(what, issuer, now);
}

function untimeliness(
  what: string,
  { notBefore, notAfter }: CertificateDescription,
  now: Instant,
): string | undefined {
  if (now < notBefore) return `${what} is valid from ${formatInstant(notBefore)} only`;
  return now > notAfter ? `${what} was valid until ${formatInstant(notAfter)}` : undefined;
}

/** `KeyObject` of a key whose public area was accepted: the point is on the curve. */
function toKeyObject(key: CertifiedKey): KeyObject {
  if (key.type === 'RSA') {
    const n = Buffer.from(key.unique).toString('base64url');
    return createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
  }
  const point = importPublicKey(key.unique);
  if (point === undefined) throw new RangeError('the endorsement key is not on the curve');
  return point;
}
