/**
 * Making a PFX file (RFC 7292) with a password: certificates in one encrypted part, each key in a bag of its own, a MAC
 * over both. Leaves out every other shape that a PFX file can have.
 */
import { toHex } from '../../bytes/bytes.ts';
import type { SecretBytes } from '../../bytes/secret-bytes.ts';
import { sha1 } from '../hash.ts';
import { asn1, type Asn1 } from './asn1.ts';
import { encryptPbes2, macDataFor } from './encryption.ts';
import { formsOf } from './key-derivation.ts';
import { pkcs12Oids, type Pkcs12Entry } from './structure.ts';

/** 10,000 for each key, the certificates and the MAC: .NET refuses files that need more than 600,000 in all. */
const defaultIterations = 10_000;

/**
 * Makes a PFX file (DER) that OpenSSL 3, .NET and Windows 10 (1709) and later read: PBES2 with AES-256-CBC, and a MAC
 * with HMAC-SHA-256. `password` is the UTF-8 of a text (RangeError for anything else); `random` gives salts and
 * initialization vectors. Certificates that several entries share are written once.
 */
export function sealPkcs12(
  entries: readonly Pkcs12Entry[],
  password: SecretBytes,
  random: (length: number) => Uint8Array,
  iterations: number = defaultIterations,
): Uint8Array {
  const forms = formsOf(password);
  if (forms === undefined) throw new RangeError('a password is UTF-8');
  try {
    const certificates = encryptPbes2(
      asn1.encode(asn1.sequence(...certificateBags(entries))),
      forms.utf8,
      random,
      iterations,
    );
    const keys = entries.map((entry, index) => shroudedBag(entry, index, forms.utf8, random, iterations));
    const authenticated = asn1.encode(
      asn1.sequence(
        contentInfo(
          pkcs12Oids.encryptedData,
          asn1.sequence(
            asn1.integer(0),
            asn1.sequence(
              asn1.oid(pkcs12Oids.data),
              certificates.algorithm,
              asn1.implicitOctets(0, certificates.ciphertext),
            ),
          ),
        ),
        contentInfo(pkcs12Oids.data, asn1.octets(asn1.encode(asn1.sequence(...keys)))),
      ),
    );
    return asn1.encode(
      asn1.sequence(
        asn1.integer(3),
        contentInfo(pkcs12Oids.data, asn1.octets(authenticated)),
        macDataFor(authenticated, forms, random, iterations),
      ),
    );
  } finally {
    forms.dispose();
  }
}

function certificateBags(entries: readonly Pkcs12Entry[]): readonly Asn1[] {
  const written = new Set<string>();
  const own = entries.map((entry, index) => ({ ...entry, attributes: attributesOf(entry, index) }));
  const bags: Asn1[] = [];
  const write = (certificate: Uint8Array | undefined, attributes?: Asn1): void => {
    if (certificate === undefined || written.has(toHex(certificate))) return;
    written.add(toHex(certificate));
    const bag = asn1.sequence(
      asn1.oid(pkcs12Oids.x509Certificate),
      asn1.explicit(0, asn1.octets(certificate)),
    );
    bags.push(safeBag(pkcs12Oids.certificateBag, bag, attributes));
  };
  for (const { certificate, attributes } of own) write(certificate, attributes);
  for (const issuer of own.flatMap(({ chain }) => chain)) write(issuer);
  return bags;
}

function shroudedBag(
  entry: Pkcs12Entry,
  index: number,
  password: Uint8Array,
  random: (length: number) => Uint8Array,
  iterations: number,
): Asn1 {
  const { algorithm, ciphertext } = encryptPbes2(entry.privateKey.reveal, password, random, iterations);
  return safeBag(
    pkcs12Oids.shroudedKeyBag,
    asn1.sequence(algorithm, asn1.octets(ciphertext)),
    attributesOf(entry, index),
  );
}

/** The name, and an id that a key shares with its certificate: the certificate's SHA-1, as OpenSSL does it. */
function attributesOf({ certificate, friendlyName }: Pkcs12Entry, index: number): Asn1 {
  const id = certificate === undefined ? Uint8Array.of(index >> 8, index & 0xff) : sha1(certificate);
  const attribute = (type: string, value: Asn1): Asn1 => asn1.sequence(asn1.oid(type), asn1.set(value));
  const attributes = [attribute(pkcs12Oids.localKeyId, asn1.octets(id))];
  if (friendlyName !== undefined)
    attributes.push(attribute(pkcs12Oids.friendlyName, asn1.bmpString(friendlyName)));
  return asn1.set(...attributes);
}

function safeBag(type: string, value: Asn1, attributes?: Asn1): Asn1 {
  const parts = [asn1.oid(type), asn1.explicit(0, value)];
  return asn1.sequence(...parts, ...(attributes === undefined ? [] : [attributes]));
}

function contentInfo(type: string, value: Asn1): Asn1 {
  return asn1.sequence(asn1.oid(type), asn1.explicit(0, value));
}
