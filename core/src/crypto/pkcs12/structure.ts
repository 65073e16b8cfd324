/**
 * What the parts of a PFX file are called (RFC 7292, section 4 and appendix D), and what one private key of it is to
 * this product.
 */
import type { SecretBytes } from '../../bytes/secret-bytes.ts';

/** One private key of a PFX file, and what the file says about it. */
export interface Pkcs12Entry {
  /** PKCS#8, DER, canonical; the caller disposes of it. */
  readonly privateKey: SecretBytes;
  /** X.509, DER. */
  readonly certificate?: Uint8Array;
  /** Issuers, DER, nearest first. */
  readonly chain: readonly Uint8Array[];
  readonly friendlyName?: string;
}

/** Object identifiers of contents, bags and attributes. */
export const pkcs12Oids = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  envelopedData: '1.2.840.113549.1.7.3',
  encryptedData: '1.2.840.113549.1.7.6',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certificateBag: '1.2.840.113549.1.12.10.1.3',
  safeContentsBag: '1.2.840.113549.1.12.10.1.6',
} as const;
