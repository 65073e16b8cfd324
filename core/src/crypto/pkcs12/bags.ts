/**
 * The bags of a PFX file (RFC 7292, 4.2): keys, certificates, and the names and ids they carry. Passes over revocation
 * lists, arbitrary secrets and whatever programs add for themselves. Leaves out which certificate is whose
 * (`pkcs12.ts`).
 *
 * A key in a shrouded bag never passes through forge, whose strings cannot be cleared, unless RC2 protects it; one that
 * lies in the clear, or in a part that is encrypted as a whole, does.
 */
import { compare, toHex } from '../../bytes/bytes.ts';
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { limits } from '../../domain/environment.ts';
import { present, type Asn1View } from './asn1.ts';
import { decrypt } from './encryption.ts';
import type { PfxPassword } from './key-derivation.ts';
import type { PfxReading } from './reading.ts';
import { pkcs12Oids } from './structure.ts';
import { readPrivateKey } from '../private-key.ts';

const maximumKeys = 100;
const maximumCertificates = 1000;
const maximumBagDepth = 8;

export interface BagAttributes {
  readonly friendlyName: string | undefined;
  /** Hex; joins a key with its certificate. */
  readonly localKeyId: string | undefined;
}

export interface KeyBag extends BagAttributes {
  readonly privateKey: SecretBytes;
  readonly publicKey: Uint8Array;
}

export interface CertificateBag extends BagAttributes {
  readonly certificate: Uint8Array;
}

/** Collects the bags of all parts. RFC 7292, 4.2: SafeBag ::= SEQUENCE { bagId, [0] bagValue, attributes OPTIONAL }. */
export class Bags {
  readonly keys: KeyBag[] = [];
  readonly certificates: CertificateBag[] = [];
  readonly #reading: PfxReading;
  readonly #password: PfxPassword;

  constructor(reading: PfxReading, password: PfxPassword) {
    this.#reading = reading;
    this.#password = password;
  }

  addAll(contents: Asn1View, depth: number): void {
    if (depth > maximumBagDepth) throw this.#reading.refuse('bags are nested too deeply');
    for (const bag of contents.sequence()) this.#add(bag, depth);
  }

  dispose(): void {
    for (const { privateKey } of this.keys) privateKey.dispose();
  }

  #add(bag: Asn1View, depth: number): void {
    const { refuse, path } = this.#reading;
    const [type, tagged, attributes] = bag.sequence();
    const value = present(tagged, refuse).explicit(0);
    switch (present(type, refuse).oid()) {
      case pkcs12Oids.keyBag:
        this.#addKey(new SecretBytes(value.encoded()), attributes);
        return;
      case pkcs12Oids.shroudedKeyBag:
        this.#addKey(this.#unshroud(value), attributes);
        return;
      case pkcs12Oids.certificateBag: {
        const certificate = this.#certificate(value);
        if (certificate === undefined) return;
        this.#reading.bound(
          `The number of certificates in ${path}`,
          this.certificates.length + 1,
          maximumCertificates,
        );
        this.certificates.push({ certificate, ...readAttributes(attributes, refuse) });
        return;
      }
      case pkcs12Oids.safeContentsBag:
        this.addAll(value, depth + 1);
        return;
      default: // revocation lists, secrets, and whatever a program adds for itself
        return;
    }
  }

  /** RFC 5208, 6: EncryptedPrivateKeyInfo { algorithm, ciphertext }. */
  #unshroud(value: Asn1View): SecretBytes {
    const { refuse } = this.#reading;
    const [algorithm, ciphertext] = value.sequence();
    const pkcs8 = decrypt(
      present(algorithm, refuse),
      present(ciphertext, refuse).octets(),
      this.#password,
      this.#reading,
    );
    if (pkcs8 === undefined) throw this.#reading.rejected(this.#password);
    return pkcs8;
  }

  #addKey(pkcs8: SecretBytes, attributes: Asn1View | undefined): void {
    const { refuse, path } = this.#reading;
    try {
      this.#reading.bound(`The number of private keys in ${path}`, this.keys.length + 1, maximumKeys);
      const key = readPrivateKey(pkcs8, path);
      const known = this.keys.some(({ publicKey }) => compare(publicKey, key.publicKey) === 0);
      if (known) key.pkcs8.dispose();
      else {
        const { publicKey } = key;
        this.keys.push({ privateKey: key.pkcs8, publicKey, ...readAttributes(attributes, refuse) });
      }
    } finally {
      pkcs8.dispose();
    }
  }

  /** RFC 7292, 4.2.3: CertBag { certId, [0] certValue }; undefined for the SDSI certificates that nobody used. */
  #certificate(value: Asn1View): Uint8Array | undefined {
    const { refuse } = this.#reading;
    const [type, tagged] = value.sequence();
    if (present(type, refuse).oid() !== pkcs12Oids.x509Certificate) return undefined;
    return present(tagged, refuse).explicit(0).octets();
  }
}

/** RFC 7292, 4.2: a SET of { type, SET of values }. */
function readAttributes(attributes: Asn1View | undefined, refuse: PfxReading['refuse']): BagAttributes {
  let friendlyName: string | undefined;
  let localKeyId: string | undefined;
  for (const attribute of attributes?.set() ?? []) {
    const [type, values] = attribute.sequence();
    const value = present(values, refuse).set()[0];
    const oid = present(type, refuse).oid();
    if (oid === pkcs12Oids.friendlyName) friendlyName = toLabel(value?.text());
    if (oid === pkcs12Oids.localKeyId && value !== undefined) localKeyId = toHex(value.octets());
  }
  return { friendlyName, localKeyId };
}

/** A name for display: without control characters, and no longer than an environment keeps. */
function toLabel(name: string | undefined): string | undefined {
  const cleaned = (name ?? '')
    .toWellFormed()
    .replace(/[\p{Cc}\p{Bidi_Control}]/gu, ' ')
    .trim();
  const label = Array.from(cleaned).slice(0, limits.labelCharacters).join('');
  return label === '' ? undefined : label;
}
