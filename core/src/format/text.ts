/**
 * The line format of all text kinds (docs/spec/text-format.md): printable ASCII, LF, lines of at most 1,024 bytes, first
 * line `SPMigration <kind> v1`, then `name: value` in a fixed order; list fields are one line per element, consecutive,
 * sorted bytewise and unique. Reader and writer walk the same fields in the same order, and every value must be written
 * as this module would write it, so that a decoder accepts exactly what its encoder writes. Leaves out the meaning of
 * values (`forms.ts` and the kinds) and signatures (`signed-text.ts`).
 */
import { ascii, equal, fromBase64, fromUtf8, joined } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail, type SPMigrationError } from '../domain/error.ts';
import type { Scope } from '../domain/grant.ts';
import { expectKind, kindLine, malformedCodeOf, type OwnKind } from './kind.ts';
import {
  compareAscii,
  hexDigits,
  keyOf,
  lineFeed,
  maximumLineBytes,
  maximumListLength,
  pieceCharacters,
  type ValueForm,
} from './text-writer.ts';

export { secretHexLine, TextWriter, type ValueForm } from './text-writer.ts';

interface Line {
  readonly text: string;
  /** Offset of the line after it. */
  readonly next: number;
}

/** Reads the fields of one file, in the order of the calls; holds one line at a time. */
export class TextReader {
  readonly #bytes: Uint8Array;
  readonly #kind: OwnKind;
  readonly #path: string;
  #offset: number;
  /** Number of the line at the offset, from 1. */
  #number = 2;
  #current: Line | undefined;

  /** Checks kind, version and size first (`expectKind`). `path` is for messages. */
  constructor(bytes: Uint8Array, kind: OwnKind, path: string) {
    expectKind(bytes, kind, path);
    this.#bytes = bytes;
    this.#kind = kind;
    this.#path = path;
    this.#offset = kindLine(kind).length + 1;
  }

  field<T>(name: string, form: ValueForm<T>): T {
    return this.#decode(name, form, this.#take(name));
  }

  optional<T>(name: string, form: ValueForm<T>): T | undefined {
    return this.#isNext(name) ? this.field(name, form) : undefined;
  }

  list<T>(name: string, form: ValueForm<T>): readonly T[] {
    const values: T[] = [];
    let before: string | undefined;
    while (this.#isNext(name)) {
      if (values.length === maximumListLength)
        throw this.malformed(`there are more than 1,000 lines "${name}"`);
      const text = this.#take(name);
      if (before !== undefined && compareAscii(keyOf(before), keyOf(text)) === 0) {
        throw this.malformed(`the element is repeated in the list "${name}"`, -1);
      }
      if (before !== undefined && compareAscii(before, text) > 0) {
        throw this.malformed(`the list "${name}" is not sorted`, -1);
      }
      values.push(this.#decode(name, form, text));
      before = text;
    }
    return values;
  }

  scope<T>(name: string, form: ValueForm<T>): Scope<T> {
    if (this.nextIs(name, '*')) {
      this.#advance();
      return 'any';
    }
    if (!this.#isNext(name)) throw this.#expected(name);
    return this.list(name, form);
  }

  /** Whether the line at the cursor is exactly this field with this text. */
  nextIs(name: string, text: string): boolean {
    return this.#line()?.text === `${name}: ${text}`;
  }

  /** Bytes written by `TextWriter.pieces`, at most `maximumBytes`; empty where there is no line that begins so. */
  pieces(name: string, maximumBytes: number, prefix = ''): Uint8Array {
    const pieces: Uint8Array[] = [];
    let total = 0;
    let full = true;
    while (this.#line()?.text.startsWith(`${name}: ${prefix}`) === true) {
      if (!full) throw this.malformed(`a piece of "${name}" follows after a short one`);
      const text = this.#take(name).slice(prefix.length);
      const piece = fromBase64(text);
      if (piece === undefined || piece.length === 0 || text.length > pieceCharacters) {
        throw this.malformed(`the value of "${name}" is not a piece of base64`, -1);
      }
      // 700 characters are 525 bytes: only the last piece may hold padding or be shorter.
      full = piece.length === (pieceCharacters / 4) * 3;
      total += piece.length;
      if (total > maximumBytes) throw this.malformed(`"${name}" is longer than allowed`, -1);
      pieces.push(piece);
    }
    return joined(pieces);
  }

  /**
   * A field written by `secretHexLine`, of `length` bytes. It is decoded from the bytes themselves, never through a
   * string, which could not be cleared.
   */
  secretHex(name: string, length: number): SecretBytes {
    const start = this.#offset + name.length + 2;
    const end = start + length * 2;
    const label = this.#bytes.subarray(this.#offset, start);
    if (!equal(label, ascii(`${name}: `)) || this.#bytes[end] !== lineFeed)
      throw this.#notSecret(name, length);
    const secret = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      const high = hexDigits.indexOf(this.#bytes[start + 2 * i] ?? 0);
      const low = hexDigits.indexOf(this.#bytes[start + 2 * i + 1] ?? 0);
      if (high < 0 || low < 0) {
        secret.fill(0);
        throw this.#notSecret(name, length);
      }
      secret[i] = high * 16 + low;
    }
    this.#offset = end + 1;
    this.#number += 1;
    this.#current = undefined;
    return new SecretBytes(secret);
  }

  #notSecret(name: string, length: number): SPMigrationError {
    return this.malformed(`"${name}" with ${String(length)} bytes in lower-case hex is expected here`);
  }

  /** The empty line that ends the fields of a signed file. */
  blank(): void {
    const line = this.#line();
    if (line === undefined) throw this.malformed('the file ends before its signature; it may be cut off');
    if (line.text !== '') throw this.malformed('an empty line and the signature are expected here');
    this.#advance();
  }

  /** A line that is not a field. */
  plainLine(): string {
    const line = this.#line();
    if (line === undefined) throw this.malformed('the file ends too early; it may be cut off');
    this.#advance();
    return line.text;
  }

  /** Demands that nothing follows. */
  end(): void {
    const line = this.#line();
    if (line !== undefined) throw this.malformed(`nothing more is expected here${shown(line.text)}`);
  }

  /** The kind's malformed error for the line at the cursor, or `-1` for the one just taken. */
  malformed(problem: string, lineOffset: 0 | -1 = 0): SPMigrationError {
    return fail(malformedCodeOf(this.#kind), {
      path: this.#path,
      problem: `line ${String(this.#number + lineOffset)}: ${problem}`,
    });
  }

  #decode<T>(name: string, form: ValueForm<T>, text: string): T {
    const value = form.read(text);
    // Written again it must be the same text: there is no second way to write a value.
    if (value === undefined || form.write(value) !== text) {
      throw this.malformed(`the value of "${name}" is not ${form.what}`, -1);
    }
    return value;
  }

  #isNext(name: string): boolean {
    return this.#line()?.text.startsWith(`${name}: `) === true;
  }

  #take(name: string): string {
    const line = this.#line();
    if (line?.text.startsWith(`${name}: `) !== true) throw this.#expected(name);
    this.#advance();
    return line.text.slice(name.length + 2);
  }

  #expected(name: string): SPMigrationError {
    const line = this.#line();
    if (line === undefined)
      return this.malformed(`the file ends where "${name}" is expected; it may be cut off`);
    return this.malformed(`"${name}" is expected here${shown(line.text)}`);
  }

  #advance(): void {
    const line = this.#line();
    if (line === undefined) return;
    this.#offset = line.next;
    this.#number += 1;
    this.#current = undefined;
  }

  /** The line at the cursor; undefined at the end of the file. */
  #line(): Line | undefined {
    if (this.#offset === this.#bytes.length) return undefined;
    this.#current ??= this.#scan();
    return this.#current;
  }

  #scan(): Line {
    const start = this.#offset;
    for (let i = start; i < this.#bytes.length; i++) {
      const byte = this.#bytes[i] ?? 0;
      // All of it is ASCII here: decoding cannot fail.
      if (byte === lineFeed) return { text: fromUtf8(this.#bytes.subarray(start, i)) ?? '', next: i + 1 };
      if (byte < 0x20 || byte > 0x7e) throw this.malformed('there is a byte that is not printable ASCII');
      if (i - start === maximumLineBytes) throw this.malformed('the line is longer than 1,024 bytes');
    }
    throw this.malformed('the line does not end; the file may be cut off');
  }
}

/** A line from a file in a message: its name only, shortened, since values may be long. */
function shown(line: string): string {
  const name = line.split(':', 1)[0] ?? '';
  return name === '' ? '' : `, not "${name.slice(0, 40)}"`;
}
