/**
 * The ASN.1 of PKCS#12 (RFC 7292) over node-forge's ASN.1 layer: a view that reads one value at a time and refuses
 * whatever is not what the caller expects, and builders for writing. PKCS#12 files come in BER (indefinite lengths,
 * strings in pieces: Windows, NSS), which forge reads. Leaves out the meaning of the structures (`pkcs12.ts`).
 *
 * forge keeps bytes in strings of characters below U+0100; they are turned into Uint8Arrays here and nowhere else.
 */
import forge from 'node-forge';
import { fromUtf8, plain } from '../../bytes/bytes.ts';
import type { Refuse } from '../der.ts';

export type Asn1 = forge.asn1.Asn1;

const { Class, Type } = forge.asn1;

/** Context tags are numbers that the library's enumeration of types does not name. */
interface NumericTag {
  readonly tagClass: number;
  readonly type: number;
}

const create: (tagClass: number, type: number, constructed: boolean, value: string | Asn1[]) => Asn1 =
  forge.asn1.create;

/** One ASN.1 value being read. Every method throws what `refuse` makes where the value is of another kind. */
export class Asn1View {
  readonly #node: Asn1;
  readonly #refuse: Refuse;

  private constructor(node: Asn1, refuse: Refuse) {
    this.#node = node;
    this.#refuse = refuse;
  }

  /** Parses the one value that `bytes` consist of. */
  static parse(bytes: Uint8Array, refuse: Refuse): Asn1View {
    try {
      return new Asn1View(forge.asn1.fromDer(toBinary(bytes), true), refuse);
    } catch {
      // forge's errors may quote the input, which may be a decrypted key: not kept as cause
      throw refuse('its structure cannot be read');
    }
  }

  /** The values of a SEQUENCE. */
  sequence(): readonly Asn1View[] {
    return this.#children(Class.UNIVERSAL, Type.SEQUENCE);
  }

  /** The values of a SET. */
  set(): readonly Asn1View[] {
    return this.#children(Class.UNIVERSAL, Type.SET);
  }

  /** The value inside an explicit context tag. */
  explicit(tag: number): Asn1View {
    return present(this.#children(Class.CONTEXT_SPECIFIC, tag)[0], this.#refuse);
  }

  isContext(tag: number): boolean {
    const actual: NumericTag = this.#node;
    return this.#node.tagClass === Class.CONTEXT_SPECIFIC && actual.type === tag;
  }

  isUniversal(type: 'integer' | 'sequence'): boolean {
    const wanted = type === 'integer' ? Type.INTEGER : Type.SEQUENCE;
    return this.#node.tagClass === Class.UNIVERSAL && this.#node.type === wanted;
  }

  oid(): string {
    const value = this.#primitive(Type.OID);
    if (value.length === 0 || value.length > 64) throw this.#refuse('an object identifier is not valid');
    return forge.asn1.derToOid(value);
  }

  /** An INTEGER from 0 to 2^53 - 1. */
  integer(): number {
    const bytes = toBytes(this.#primitive(Type.INTEGER));
    let value = 0;
    for (const byte of bytes) value = value * 256 + byte;
    if (bytes.length === 0 || (bytes[0] ?? 0) > 0x7f || !Number.isSafeInteger(value)) {
      throw this.#refuse('a number is out of range');
    }
    return value;
  }

  /** An OCTET STRING, also one in pieces; `tag` where it is implicitly tagged. */
  octets(tag?: number): Uint8Array {
    const { tagClass, type } = this.#node;
    const matches =
      tag === undefined ? tagClass === Class.UNIVERSAL && type === Type.OCTETSTRING : this.isContext(tag);
    if (!matches) throw this.#refuse('its structure is not the expected one');
    return toBytes(pieces(this.#node, this.#refuse));
  }

  /** A BMPString or UTF8String as text; undefined for any other value. */
  text(): string | undefined {
    const { tagClass, type, value } = this.#node;
    if (tagClass !== Class.UNIVERSAL || typeof value !== 'string') return undefined;
    if (type === Type.BMPSTRING) return value; // forge has decoded it already
    return type === Type.UTF8 ? fromUtf8(toBytes(value)) : undefined;
  }

  /** DER of the whole value. Of a value that came in DER these are its bytes. */
  encoded(): Uint8Array {
    return toBytes(forge.asn1.toDer(this.#node).getBytes());
  }

  #primitive(type: forge.asn1.Type): string {
    const { value } = this.#node;
    if (this.#node.tagClass !== Class.UNIVERSAL || this.#node.type !== type || typeof value !== 'string') {
      throw this.#refuse('its structure is not the expected one');
    }
    return value;
  }

  #children(tagClass: number, type: number): readonly Asn1View[] {
    const { value } = this.#node;
    const actual: NumericTag = this.#node;
    if (actual.tagClass !== tagClass || actual.type !== type || typeof value === 'string') {
      throw this.#refuse('its structure is not the expected one');
    }
    return value.map((child) => new Asn1View(child, this.#refuse));
  }
}

/** Demands that a value of a structure is there. */
export function present(view: Asn1View | undefined, refuse: Refuse): Asn1View {
  if (view === undefined) throw refuse('a part of its structure is missing');
  return view;
}

/** The content of a string that may be in pieces (X.690, 8.7.3). */
function pieces(node: Asn1, refuse: Refuse): string {
  const { value } = node;
  if (typeof value === 'string') return value;
  return value
    .map((piece) => {
      if (piece.tagClass !== Class.UNIVERSAL || piece.type !== Type.OCTETSTRING) {
        throw refuse('a string in pieces holds something else');
      }
      return pieces(piece, refuse);
    })
    .join('');
}

/** Builders. Each returns a value to put into another, or into `encode`. */
export const asn1 = {
  sequence: (...values: readonly Asn1[]): Asn1 => create(Class.UNIVERSAL, Type.SEQUENCE, true, [...values]),
  set: (...values: readonly Asn1[]): Asn1 => create(Class.UNIVERSAL, Type.SET, true, [...values]),
  explicit: (tag: number, ...values: readonly Asn1[]): Asn1 =>
    create(Class.CONTEXT_SPECIFIC, tag, true, [...values]),
  implicitOctets: (tag: number, bytes: Uint8Array): Asn1 =>
    create(Class.CONTEXT_SPECIFIC, tag, false, toBinary(bytes)),
  oid: (oid: string): Asn1 => create(Class.UNIVERSAL, Type.OID, false, forge.asn1.oidToDer(oid).getBytes()),
  integer: (value: number): Asn1 =>
    create(Class.UNIVERSAL, Type.INTEGER, false, forge.asn1.integerToDer(value).getBytes()),
  octets: (bytes: Uint8Array): Asn1 => create(Class.UNIVERSAL, Type.OCTETSTRING, false, toBinary(bytes)),
  nothing: (): Asn1 => create(Class.UNIVERSAL, Type.NULL, false, ''),
  bmpString: (text: string): Asn1 => create(Class.UNIVERSAL, Type.BMPSTRING, false, text),
  encode: (value: Asn1): Uint8Array => toBytes(forge.asn1.toDer(value).getBytes()),
} as const;

/** forge's RC2 (RFC 2268) in CBC mode, padding left on. The effective key bits are those of the key's length. */
export function decryptRc2(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const cipher = forge.rc2.createDecryptionCipher(toBinary(key), key.length * 8);
  cipher.start(toBinary(iv));
  cipher.update(forge.util.createBuffer(toBinary(ciphertext)));
  cipher.finish(() => true); // forge checks only the last byte of the padding; the caller checks all of it
  return toBytes(cipher.output.getBytes());
}

function toBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function toBytes(binary: string): Uint8Array {
  return plain(Buffer.from(binary, 'latin1'));
}
