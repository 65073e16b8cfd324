/**
 * PKCS#12 (RFC 7292) with a password: taking keys, certificates and names out of a PFX file, as Windows, OpenSSL,
 * Java, browsers and .NET write it, and (`pkcs12/seal.ts`) making one that
 * all of them read. node-forge reads and writes the ASN.1
 * (`pkcs12/asn1.ts`), node:crypto knows the keys, so that RSA and EC are treated alike. Leaves out integrity and
 * encryption by public keys.
 */
import { plain, toHex } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail } from '../domain/error.ts';
import { Asn1View, present } from './pkcs12/asn1.ts';
import { Bags, type CertificateBag } from './pkcs12/bags.ts';
import { decrypt, macMatches } from './pkcs12/encryption.ts';
import { formsOf, type PfxPassword } from './pkcs12/key-derivation.ts';
import { PfxReading } from './pkcs12/reading.ts';
import { pkcs12Oids, type Pkcs12Entry } from './pkcs12/structure.ts';
import { orderChain, parseCertificate, publicKeyOf } from './x509.ts';

export { sealPkcs12 } from './pkcs12/seal.ts';
export type { Pkcs12Entry } from './pkcs12/structure.ts';

const maximumPfxBytes = 8 * 1024 * 1024;
/**
 * The keys of a PFX file, each with its certificate and chain as far as the file holds them, in the file's order. A key
 * that occurs twice is returned once. Does not dispose of the password (UTF-8; empty for none).
 *
 * `PfxPasswordRequired`, `PfxPasswordRejected`, `PfxMalformed`, `PfxWithoutKey`, `AlgorithmUnsupported`,
 * `PrivateKeyMalformed`, `CertificateMalformed`, `CertificateKeyMismatch`, `LimitExceeded`. `path` is only for messages.
 */
export function openPkcs12(pfx: Uint8Array, password: SecretBytes, path: string): readonly Pkcs12Entry[] {
  const reading = new PfxReading(path);
  reading.bound(`The size of ${path}`, pfx.length, maximumPfxBytes);
  const forms = formsOf(password);
  if (forms === undefined) throw fail('PfxPasswordRejected', { path });
  const bags = new Bags(reading, forms);
  try {
    readPfx(pfx, forms, bags, reading);
    if (bags.keys.length === 0) throw fail('PfxWithoutKey', { path });
    return pairUp(bags, reading);
  } finally {
    forms.dispose();
    bags.dispose();
  }
}

/** RFC 7292, section 4: PFX ::= SEQUENCE { version, authSafe, macData OPTIONAL }. */
function readPfx(pfx: Uint8Array, password: PfxPassword, bags: Bags, reading: PfxReading): void {
  const [version, authSafe, macData] = Asn1View.parse(pfx, reading.refuse).sequence();
  if (present(version, reading.refuse).integer() !== 3) throw reading.refuse('it is not of version 3');
  const content = contentOf(present(authSafe, reading.refuse), reading);
  if (content.type === pkcs12Oids.signedData) throw reading.unsupported('integrity by a public key');
  if (content.type !== pkcs12Oids.data) throw reading.refuse('its content is of an unknown type');
  const bytes = content.value.octets();
  if (macData !== undefined && !macMatches(macData, bytes, password, reading))
    throw reading.rejected(password);
  for (const part of Asn1View.parse(bytes, reading.refuse).sequence())
    readSafe(part, bags, password, reading);
}

/** One part of the AuthenticatedSafe: bags in the clear, or encrypted under the password. */
function readSafe(part: Asn1View, bags: Bags, password: PfxPassword, reading: PfxReading): void {
  const { type, value } = contentOf(part, reading);
  switch (type) {
    case pkcs12Oids.data:
      bags.addAll(Asn1View.parse(value.octets(), reading.refuse), 0);
      return;
    case pkcs12Oids.encryptedData: {
      const contents = decryptContent(value, password, reading);
      try {
        bags.addAll(Asn1View.parse(contents.reveal, reading.refuse), 0);
      } finally {
        contents.dispose();
      }
      return;
    }
    case pkcs12Oids.envelopedData:
      throw reading.unsupported('encryption for a public key');
    default:
      throw reading.refuse('it holds content of an unknown type');
  }
}

/** RFC 5652, 8: EncryptedData { version, { type, algorithm, [0] ciphertext } }. */
function decryptContent(value: Asn1View, password: PfxPassword, reading: PfxReading): SecretBytes {
  const info = present(value.sequence()[1], reading.refuse).sequence();
  const [, algorithm, ciphertext] = info;
  const contents = decrypt(
    present(algorithm, reading.refuse),
    present(ciphertext, reading.refuse).octets(0),
    password,
    reading,
  );
  if (contents === undefined) throw reading.rejected(password);
  return contents;
}

/** RFC 5652, 3: ContentInfo { type, [0] value }. */
function contentOf(info: Asn1View, reading: PfxReading): { readonly type: string; readonly value: Asn1View } {
  const [type, value] = info.sequence();
  return { type: present(type, reading.refuse).oid(), value: present(value, reading.refuse).explicit(0) };
}

/**
 * Gives every key its certificate: one that certifies the key. localKeyId only chooses among several of these (and the
 * newest is taken where it does not), so that a file cannot talk us into a foreign certificate.
 */
function pairUp(bags: Bags, { path }: PfxReading): readonly Pkcs12Entry[] {
  const all = bags.certificates.map(({ certificate }) => certificate);
  const byKey = new Map<string, (CertificateBag & { readonly end: number })[]>();
  for (const bag of bags.certificates) {
    const parsed = parseCertificate(bag.certificate, path);
    const spki = publicKeyOf(parsed)?.export({ type: 'spki', format: 'der' });
    if (spki === undefined) continue;
    const key = toHex(spki);
    byKey.set(key, [...(byKey.get(key) ?? []), { ...bag, end: parsed.validToDate.getTime() }]);
  }
  return bags.keys.map((key) => {
    const candidates = byKey.get(toHex(key.publicKey)) ?? [];
    const claimed = bags.certificates.some(({ localKeyId }) => isSameId(localKeyId, key.localKeyId));
    if (candidates.length === 0 && claimed) throw fail('CertificateKeyMismatch', { path });
    const [chosen] = candidates.toSorted(
      (a, b) =>
        Number(isSameId(b.localKeyId, key.localKeyId)) - Number(isSameId(a.localKeyId, key.localKeyId)) ||
        b.end - a.end,
    );
    const friendlyName = key.friendlyName ?? chosen?.friendlyName;
    return {
      privateKey: SecretBytes.copyOf(key.privateKey.reveal),
      ...(chosen === undefined ? {} : { certificate: plain(chosen.certificate) }),
      chain: chosen === undefined ? [] : orderChain(chosen.certificate, all, path),
      ...(friendlyName === undefined ? {} : { friendlyName }),
    };
  });
}

function isSameId(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && a === b;
}
