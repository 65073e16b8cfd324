/**
 * Reading and writing big-endian binary structures with explicit bounds. A reader never reads past its end and knows
 * whether everything was used; what a violation means (which error code) is its caller's to say, through `onError`.
 */
import { joined } from './bytes.ts';

/** Reads big-endian values in order. `onError` makes the error thrown when the input is too short or has a rest. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #onError: (what: string) => Error;
  #offset = 0;

  constructor(bytes: Uint8Array, onError: (what: string) => Error) {
    this.#bytes = bytes;
    this.#onError = onError;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** The next `length` bytes, copied. */
  take(length: number): Uint8Array {
    if (length > this.remaining) throw this.#onError('ends too early');
    const taken = this.#bytes.slice(this.#offset, this.#offset + length);
    this.#offset += length;
    return taken;
  }

  u8(): number {
    return this.#number(1);
  }

  u16(): number {
    return this.#number(2);
  }

  u32(): number {
    return this.#number(4);
  }

  /** A byte string behind a 16-bit length, of at most `maximum` bytes. */
  sized16(maximum: number): Uint8Array {
    return this.#sized(this.u16(), maximum);
  }

  /** A byte string behind a 32-bit length, of at most `maximum` bytes. */
  sized32(maximum: number): Uint8Array {
    return this.#sized(this.u32(), maximum);
  }

  /** Everything that is left. */
  rest(): Uint8Array {
    return this.take(this.remaining);
  }

  /** Demands that everything was read. */
  end(): void {
    if (this.remaining !== 0) throw this.#onError('has trailing bytes');
  }

  #sized(length: number, maximum: number): Uint8Array {
    if (length > maximum) throw this.#onError('holds a part that is too long');
    return this.take(length);
  }

  #number(length: number): number {
    let value = 0;
    for (const byte of this.take(length)) value = value * 256 + byte;
    return value;
  }
}

/** Collects big-endian values. Numbers outside their range are a fault of the caller: RangeError. */
export class ByteWriter {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): this {
    return this.#number(value, 1);
  }

  u16(value: number): this {
    return this.#number(value, 2);
  }

  u32(value: number): this {
    return this.#number(value, 4);
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  sized16(bytes: Uint8Array): this {
    return this.u16(bytes.length).raw(bytes);
  }

  sized32(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  done(): Uint8Array {
    return joined(this.#parts);
  }

  #number(value: number, length: number): this {
    if (!Number.isInteger(value) || value < 0 || value >= 256 ** length)
      throw new RangeError('number out of range');
    const bytes = new Uint8Array(length);
    let rest = value;
    for (let i = length - 1; i >= 0; i--) {
      bytes[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.#parts.push(bytes);
    return this;
  }
}
