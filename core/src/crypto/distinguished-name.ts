/**
 * Distinguished names (X.501) as people read and write them: RFC 4514, most specific part first, with a blank after
 * each comma as Windows shows it. A text without an attribute type in front is a plain name and becomes CN. Leaves out
 * comparing names: chains compare their DER (`x509.ts`).
 */
import { fromUtf8, toHex } from '../bytes/bytes.ts';
import { fail } from '../domain/error.ts';
import { readChildren, readElement, readOid, type DerElement, type Refuse } from './der.ts';

/** One attribute of a name to be made. */
export interface NameAttribute {
  /** Object identifier, dotted. */
  readonly type: string;
  readonly value: string;
  readonly encoding: 'utf8String' | 'printableString' | 'ia5String';
}

/** Relative distinguished names in the order of the encoding: most general first. */
export type NameParts = readonly (readonly NameAttribute[])[];

interface AttributeType {
  readonly oid: string;
  readonly keyword: string;
  readonly encoding: NameAttribute['encoding'];
  /** Upper bound of X.520, in characters. */
  readonly maximum: number;
}

/** RFC 4514, section 3, and what mail and Windows certificates use beside it. The first keyword of an OID is shown. */
const attributeTypes: readonly AttributeType[] = [
  { oid: '2.5.4.3', keyword: 'CN', encoding: 'utf8String', maximum: 64 },
  { oid: '2.5.4.4', keyword: 'SN', encoding: 'utf8String', maximum: 40 },
  { oid: '2.5.4.5', keyword: 'SERIALNUMBER', encoding: 'printableString', maximum: 64 },
  { oid: '2.5.4.6', keyword: 'C', encoding: 'printableString', maximum: 2 },
  { oid: '2.5.4.7', keyword: 'L', encoding: 'utf8String', maximum: 128 },
  { oid: '2.5.4.8', keyword: 'ST', encoding: 'utf8String', maximum: 128 },
  { oid: '2.5.4.8', keyword: 'S', encoding: 'utf8String', maximum: 128 },
  { oid: '2.5.4.9', keyword: 'STREET', encoding: 'utf8String', maximum: 128 },
  { oid: '2.5.4.10', keyword: 'O', encoding: 'utf8String', maximum: 64 },
  { oid: '2.5.4.11', keyword: 'OU', encoding: 'utf8String', maximum: 64 },
  { oid: '2.5.4.12', keyword: 'T', encoding: 'utf8String', maximum: 64 },
  { oid: '2.5.4.42', keyword: 'G', encoding: 'utf8String', maximum: 64 },
  { oid: '2.5.4.42', keyword: 'GN', encoding: 'utf8String', maximum: 64 },
  { oid: '1.2.840.113549.1.9.1', keyword: 'E', encoding: 'ia5String', maximum: 255 },
  { oid: '1.2.840.113549.1.9.1', keyword: 'EMAILADDRESS', encoding: 'ia5String', maximum: 255 },
  { oid: '0.9.2342.19200300.100.1.25', keyword: 'DC', encoding: 'ia5String', maximum: 63 },
  { oid: '0.9.2342.19200300.100.1.1', keyword: 'UID', encoding: 'utf8String', maximum: 256 },
];

export const emailAddressType = '1.2.840.113549.1.9.1';

/** Most characters of a subject text. */
const maximumText = 1024;

/** A Name (DER) as text; empty for the empty name. */
export function formatName(name: Uint8Array, refuse: Refuse): string {
  return nameAttributes(name, refuse)
    .toReversed()
    .map((rdn) => rdn.map(({ type, text }) => `${keywordOf(type)}=${text}`).join('+'))
    .join(', ');
}

/** The text values of one attribute type in a Name (DER), in their order. */
export function valuesOf(name: Uint8Array, type: string, refuse: Refuse): readonly string[] {
  return nameAttributes(name, refuse)
    .flat()
    .flatMap((attribute) =>
      attribute.type === type && attribute.plain !== undefined ? [attribute.plain] : [],
    );
}

/**
 * Reads the subject of a certificate to be made: `Anna Müller`, or `CN=Anna Müller, O=Example, C=DE`.
 * `ParameterInvalid` names what is wrong.
 */
export function parseSubject(text: string): NameParts {
  const trimmed = text.trimStart(); // a blank at the end may be escaped
  if (trimmed.length === 0) throw refuseSubject('it is empty');
  if (trimmed.length > maximumText) throw refuseSubject(`it has more than ${maximumText} characters`);
  if (/\p{Cc}|\p{Cs}/u.test(trimmed)) throw refuseSubject('it holds a control character or half a character');
  if (!/^(?:[A-Za-z]+|[0-9]+(?:\.[0-9]+)+)\s*=/.test(trimmed))
    return [[attribute(typeOf('CN'), trimmed.trimEnd())]];
  return new SubjectReader(trimmed).read().toReversed();
}

function refuseSubject(problem: string): Error {
  return fail('ParameterInvalid', { parameter: 'Subject', problem });
}

function keywordOf(oid: string): string {
  return attributeTypes.find((type) => type.oid === oid)?.keyword ?? oid;
}

function typeOf(name: string): AttributeType {
  const upper = name.toUpperCase();
  const known = attributeTypes.find(({ keyword, oid }) => keyword === upper || oid === name);
  if (known === undefined) throw refuseSubject(`the attribute ${name} is not known`);
  return known;
}

function attribute(type: AttributeType, value: string): NameAttribute {
  const { oid, keyword, encoding, maximum } = type;
  if (value.length === 0) throw refuseSubject(`${keyword} is empty`);
  if (Array.from(value).length > maximum) {
    throw refuseSubject(`${keyword} has more than ${maximum} characters`);
  }
  if (encoding === 'printableString' && !/^[A-Za-z0-9 '()+,\-./:=?]+$/.test(value)) {
    throw refuseSubject(`${keyword} may hold letters A to Z, digits and simple punctuation only`);
  }
  if (encoding === 'ia5String' && !/^[\x00-\x7f]+$/.test(value)) {
    throw refuseSubject(`${keyword} may hold ASCII characters only`);
  }
  if (keyword === 'C' && !/^[A-Za-z]{2}$/.test(value))
    throw refuseSubject('C must be a country code of two letters');
  return { type: oid, value: keyword === 'C' ? value.toUpperCase() : value, encoding };
}

/** RFC 4514, section 3; also the quoted values of RFC 2253, and blanks around separators. */
class SubjectReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): NameAttribute[][] {
    const parts: NameAttribute[][] = [[this.#attribute()]];
    for (;;) {
      const separator = this.#text[this.#at++];
      if (separator === undefined) return parts;
      if (separator === '+') parts.at(-1)?.push(this.#attribute());
      else parts.push([this.#attribute()]);
    }
  }

  #attribute(): NameAttribute {
    const match = /\s*([A-Za-z]+|[0-9.]+)\s*=\s*/y;
    match.lastIndex = this.#at;
    const found = match.exec(this.#text);
    if (found === null) throw refuseSubject(`attribute=value is expected at character ${this.#at + 1}`);
    this.#at = match.lastIndex;
    const [, type = ''] = found;
    return attribute(typeOf(type), this.#text[this.#at] === '"' ? this.#quoted() : this.#plain());
  }

  #quoted(): string {
    this.#at++;
    let value = '';
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) throw refuseSubject('a quotation mark is missing');
      if (character === '"') break;
      value += this.#character();
    }
    this.#at++;
    while (this.#text[this.#at] === ' ') this.#at++;
    if (!/^[,;+]?$/.test(this.#text[this.#at] ?? '')) throw refuseSubject('text follows a quoted value');
    return value;
  }

  #plain(): string {
    if (this.#text[this.#at] === '#')
      throw refuseSubject('values in hexadecimal are not read; # must be written \\#');
    let value = '';
    let kept = 0; // length without the unescaped blanks at the end
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || /[,;+]/.test(character)) return value.slice(0, kept);
      if (/["<>]/.test(character)) throw refuseSubject(`${character} must be written \\${character}`);
      value += this.#character();
      if (character !== ' ') kept = value.length;
    }
  }

  /** The next character; an escaped one may stand for the bytes of several. */
  #character(): string {
    const text = this.#text;
    if (text[this.#at] !== '\\') return text[this.#at++] ?? '';
    const bytes = /(?:\\[0-9A-Fa-f]{2})+/y;
    bytes.lastIndex = this.#at;
    const found = bytes.exec(text)?.[0];
    if (found !== undefined) {
      this.#at += found.length;
      const decoded = fromUtf8(
        Uint8Array.from(found.slice(1).split('\\'), (pair) => Number.parseInt(pair, 16)),
      );
      if (decoded === undefined || /\p{Cc}/u.test(decoded))
        throw refuseSubject(`${found} is not a character`);
      return decoded;
    }
    const escaped = text[this.#at + 1];
    if (escaped === undefined || !/[ "#+,;<=>\\]/.test(escaped)) throw refuseSubject('a \\ escapes nothing');
    this.#at += 2;
    return escaped;
  }
}

interface ReadAttribute {
  readonly type: string;
  /** Escaped for RFC 4514. */
  readonly text: string;
  /** Unescaped; undefined where the value is no text. */
  readonly plain: string | undefined;
}

function nameAttributes(name: Uint8Array, refuse: Refuse): readonly (readonly ReadAttribute[])[] {
  return readChildren(readElement(name, refuse), refuse).map((rdn) =>
    readChildren(rdn, refuse).map((pair) => {
      const [type, value] = readChildren(pair, refuse);
      if (value === undefined) throw refuse('a name holds an attribute without a value');
      const plain = decodeText(value);
      return {
        type: readOid(type, refuse),
        text: plain === undefined ? `#${toHex(value.encoded)}` : escapeText(plain),
        plain,
      };
    }),
  );
}

/** The text of a DirectoryString or IA5String (RFC 5280, 4.1.2.4); undefined for any other value. */
export function decodeText(value: DerElement): string | undefined {
  switch (value.tag) {
    case 0x0c: // UTF8String
      return fromUtf8(value.content);
    case 0x12: // NumericString
    case 0x13: // PrintableString
    case 0x14: // TeletexString: in practice Latin-1
    case 0x16: // IA5String
      return Buffer.from(value.content).toString('latin1');
    case 0x1e: // BMPString
      return value.content.length % 2 === 0
        ? Buffer.from(value.content).swap16().toString('utf16le')
        : undefined;
    default:
      return undefined;
  }
}

/**
 * RFC 4514, 2.4. Control characters, also those that turn the direction of writing, become their UTF-8 bytes, so that
 * no name can break a line, a terminal or the reader's eye.
 */
function escapeText(text: string): string {
  return text
    .replace(/["+,;<>\\]/g, '\\$&')
    .replace(/^[ #]| $/g, '\\$&')
    .replace(/[\p{Cc}\p{Bidi_Control}]/gu, (character) =>
      Array.from(Buffer.from(character), (byte) => `\\${byte.toString(16).padStart(2, '0')}`).join(''),
    );
}
