/**
 * Certificates of endorsement keys as manufacturers of TPMs make them (TCG EK Credential Profile for TPM 2.0, clause 3.2), and
 * such that are not: each option takes one property away.
 */
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { TestCertificate } from './certificates.ts';

const endorsementUsage = '2.23.133.8.1';

export interface EndorsementCertificateOptions {
  /** Seconds; the issuer's test certificates begin at `testNotBefore`. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** SHA-1: by an issuer whose key is RSA. */
  readonly hash?: 'SHA-1' | 'SHA-256';
  readonly usage?: readonly (keyof typeof KeyUsageFlags)[];
  /** Undefined: no such extension. */
  readonly extendedUsage?: string | undefined;
  readonly authority?: boolean;
}

let serial = 0x1000;

/** DER. `spki`: of the endorsement key. The subject is empty, as most manufacturers leave it. */
export async function certifyEndorsementKey(
  spki: Uint8Array,
  issuer: TestCertificate,
  options: EndorsementCertificateOptions = {},
): Promise<Uint8Array> {
  const { notBefore = 1_767_225_600, notAfter = 253_402_300_799, hash = 'SHA-256' } = options;
  const { usage = ['keyAgreement'], authority = false } = options;
  const extendedUsage = 'extendedUsage' in options ? options.extendedUsage : endorsementUsage;
  serial += 1;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial.toString(16).padStart(4, '0'),
    issuer: issuer.subject,
    notBefore: new Date(notBefore * 1000),
    notAfter: new Date(notAfter * 1000),
    publicKey: new PublicKey(new Uint8Array(spki)),
    signingKey: hash === 'SHA-1' ? await forSha1(issuer) : issuer.keys.privateKey,
    signingAlgorithm: { name: issuer.keys.privateKey.algorithm.name, hash },
    extensions: [
      new BasicConstraintsExtension(authority, undefined, true),
      new KeyUsagesExtension(flagsOf(usage), true),
      ...(extendedUsage === undefined ? [] : [new ExtendedKeyUsageExtension([extendedUsage])]),
    ],
  });
  return new Uint8Array(certificate.rawData);
}

/** An RSA key of WebCrypto signs with one hash only. */
async function forSha1({ privateKey }: TestCertificate): Promise<CryptoKey> {
  using pkcs8 = privateKey();
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' };
  return await globalThis.crypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8.reveal), algorithm, false, [
    'sign',
  ]);
}

/** Named bits as the library's enumeration wants them. */
function flagsOf(usages: readonly (keyof typeof KeyUsageFlags)[]): KeyUsageFlags {
  return usages.map((usage) => KeyUsageFlags[usage]).reduce((flags, flag): KeyUsageFlags => flags | flag);
}
