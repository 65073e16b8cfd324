/**
 * Certificates for tests: a root, an issuing authority under it and a person's certificate, with keys of chosen kinds.
 * Made with @peculiar/x509 directly, because the product issues no certificates for others.
 */
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { generateKeyPairSync } from 'node:crypto';
import { plain } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';

export interface TestCertificate {
  /** DER. */
  readonly certificate: Uint8Array;
  /** PKCS#8, DER; a new secret for every call, for the caller to dispose of. */
  readonly privateKey: () => SecretBytes;
  readonly subject: string;
  readonly keys: CryptoKeyPair;
}

export type TestKeyKind = 'RSA-2048' | 'P-256' | 'P-384' | 'P-521';

/** 2026-01-01T00:00:00Z. */
export const testNotBefore = 1_767_225_600;

export interface TestCertificateOptions {
  readonly kind?: TestKeyKind;
  /** Undefined: self-signed. */
  readonly issuer?: TestCertificate;
  readonly authority?: boolean;
  /** Its key may sign certificates, although it is no authority. */
  readonly signsCertificates?: boolean;
  readonly days?: number;
  /** Certifies this key again instead of a new one. */
  readonly renews?: TestCertificate;
}

let serial = 1;

/** Makes one certificate. */
export async function makeCertificate(
  subject: string,
  options: TestCertificateOptions = {},
): Promise<TestCertificate> {
  const { kind = 'P-256', issuer, authority = false, days = 365, renews } = options;
  const { signsCertificates = authority } = options;
  const made = renews ?? (await makeKeys(kind));
  const signer = issuer?.keys ?? made.keys;
  serial += 1;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial.toString(16).padStart(4, '0'),
    subject,
    issuer: issuer?.subject ?? subject,
    notBefore: new Date(testNotBefore * 1000),
    notAfter: new Date((testNotBefore + days * 86_400) * 1000),
    publicKey: made.keys.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: { name: signer.privateKey.algorithm.name, hash: 'SHA-256' },
    extensions: [
      new BasicConstraintsExtension(authority, undefined, true),
      new KeyUsagesExtension(
        signsCertificates ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature,
        true,
      ),
    ],
  });
  return {
    certificate: new Uint8Array(certificate.rawData),
    privateKey: made.privateKey,
    subject,
    keys: made.keys,
  };
}

export interface TestChain {
  readonly root: TestCertificate;
  readonly authority: TestCertificate;
  readonly person: TestCertificate;
}

/** Root (P-256), authority (P-384) and a person's certificate. */
export async function makeChain(kind: TestKeyKind = 'P-256'): Promise<TestChain> {
  const root = await makeCertificate('CN=Test Root', { authority: true });
  const authority = await makeCertificate('CN=Test Authority', {
    kind: 'P-384',
    issuer: root,
    authority: true,
  });
  const person = await makeCertificate('CN=Anna Müller', { kind, issuer: authority });
  return { root, authority, person };
}

/** The certificate (DER) that an issuer makes of a request (PEM or DER). */
export async function issueCertificate(
  request: string | Uint8Array,
  issuer: TestCertificate,
): Promise<Uint8Array> {
  const asked = new Pkcs10CertificateRequest(typeof request === 'string' ? request : new Uint8Array(request));
  serial += 1;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial.toString(16).padStart(4, '0'),
    subject: asked.subject,
    issuer: issuer.subject,
    notBefore: new Date(testNotBefore * 1000),
    notAfter: new Date((testNotBefore + 365 * 86_400) * 1000),
    publicKey: asked.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: { name: issuer.keys.privateKey.algorithm.name, hash: 'SHA-256' },
  });
  return new Uint8Array(certificate.rawData);
}

async function makeKeys(kind: TestKeyKind): Promise<Pick<TestCertificate, 'keys' | 'privateKey'>> {
  const { privateKey, publicKey } =
    kind === 'RSA-2048'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: kind });
  const pkcs8 = plain(privateKey.export({ type: 'pkcs8', format: 'der' }));
  const spki = plain(publicKey.export({ type: 'spki', format: 'der' }));
  const algorithm =
    kind === 'RSA-2048'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: kind };
  const { subtle } = globalThis.crypto;
  const [signing, verifying] = await Promise.all([
    subtle.importKey('pkcs8', new Uint8Array(pkcs8), algorithm, true, ['sign']),
    subtle.importKey('spki', new Uint8Array(spki), algorithm, true, ['verify']),
  ]);
  return {
    keys: { privateKey: signing, publicKey: verifying },
    privateKey: () => SecretBytes.copyOf(pkcs8),
  };
}
