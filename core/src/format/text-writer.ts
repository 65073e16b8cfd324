/**
 * Writing half of the line format of all text kinds (docs/spec/text-format.md): `TextReader` reads the same fields in the
 * same order. Also says what a form of a value is. Leaves out the forms themselves (`forms.ts`).
 */
import { ascii, toBase64 } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail } from '../domain/error.ts';
import type { Scope } from '../domain/grant.ts';
import { kindLine, type OwnKind } from './kind.ts';

/** How one type of value is written. `read` answers undefined for anything `write` cannot have written. */
export interface ValueForm<T> {
  /** What a valid value is, for messages. */
  readonly what: string;
  write(value: T): string;
  read(text: string): T | undefined;
}

/** Not counting the line feed. */
export const maximumLineBytes = 1024;
export const maximumListLength = 1000;
/** Base64 characters in each line of a value that is written in pieces; the last may have fewer. */
export const pieceCharacters = 700;

export const lineFeed = 0x0a;
export const hexDigits = ascii('0123456789abcdef');

/** Writes the fields of one file, in the order of the calls. Values that the format cannot hold are `ParameterInvalid` or `LimitExceeded`. */
export class TextWriter {
  readonly #lines: string[];

  constructor(kind: OwnKind) {
    this.#lines = [kindLine(kind)];
  }

  field<T>(name: string, form: ValueForm<T>, value: T): this {
    this.#push(name, encodeValue(name, form, value));
    return this;
  }

  /** Writes no line where there is no value. */
  optional<T>(name: string, form: ValueForm<T>, value: T | undefined): this {
    return value === undefined ? this : this.field(name, form, value);
  }

  /** One line per element, sorted; none where there is none. `ParameterInvalid` where two have the same key. */
  list<T>(name: string, form: ValueForm<T>, values: readonly T[]): this {
    if (values.length > maximumListLength) {
      throw fail('LimitExceeded', {
        what: `the list ${name}`,
        actual: values.length,
        maximum: maximumListLength,
      });
    }
    const written = values.map((value) => encodeValue(name, form, value)).sort(compareAscii);
    let before: string | undefined;
    for (const value of written) {
      if (before !== undefined && keyOf(before) === keyOf(value)) {
        throw fail('ParameterInvalid', { parameter: name, problem: `${keyOf(value)} is there twice` });
      }
      this.#push(name, value);
      before = value;
    }
    return this;
  }

  /** `*` for everyone, else a list of at least one. */
  scope<T>(name: string, form: ValueForm<T>, scope: Scope<T>): this {
    if (scope === 'any') {
      this.#push(name, '*');
      return this;
    }
    if (scope.length === 0) throw fail('ParameterInvalid', { parameter: name, problem: 'it names nobody' });
    return this.list(name, form, scope);
  }

  /** Bytes as base64 in lines of 700 characters, each behind `prefix`; no line where there are no bytes. */
  pieces(name: string, bytes: Uint8Array, prefix = ''): this {
    const text = toBase64(bytes);
    for (let i = 0; i < text.length; i += pieceCharacters)
      this.#push(name, prefix + text.slice(i, i + pieceCharacters));
    return this;
  }

  /** The empty line that ends the fields of a signed file. */
  blank(): this {
    this.#lines.push('');
    return this;
  }

  done(): Uint8Array {
    return ascii(this.#lines.join('\n') + '\n');
  }

  #push(name: string, value: string): void {
    const line = `${name}: ${value}`;
    if (line.length > maximumLineBytes) {
      throw fail('LimitExceeded', {
        what: `the field ${name} (in bytes as written)`,
        actual: line.length,
        maximum: maximumLineBytes,
      });
    }
    this.#lines.push(line);
  }
}

/** The line of a secret in lower-case hex, with its line feed; made without a string of it. */
export function secretHexLine(name: string, secret: SecretBytes): SecretBytes {
  const label = ascii(`${name}: `);
  const line = new Uint8Array(label.length + secret.length * 2 + 1);
  line.set(label);
  secret.reveal.forEach((byte, index) => {
    line[label.length + 2 * index] = hexDigits[byte >> 4] ?? 0;
    line[label.length + 2 * index + 1] = hexDigits[byte & 15] ?? 0;
  });
  line[line.length - 1] = lineFeed;
  return new SecretBytes(line);
}

function encodeValue<T>(name: string, form: ValueForm<T>, value: T): string {
  const text = form.write(value);
  if (form.read(text) === undefined)
    throw fail('ParameterInvalid', { parameter: name, problem: `it is not ${form.what}` });
  return text;
}

/** Elements of a list are told apart by what stands before their first space: an id, a Name. */
export function keyOf(value: string): string {
  const space = value.indexOf(' ');
  return space < 0 ? value : value.slice(0, space);
}

/** ASCII text by its bytes. */
export function compareAscii(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
