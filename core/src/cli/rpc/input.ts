/**
 * The rpc loop's input: lines and counted raw bytes from one stream, with bounds, a skipped BOM, and an end that can be
 * seen while a request is being worked on (it cancels that request).
 */
import { concat } from '../../bytes/bytes.ts';
import { fail } from '../../domain/error.ts';

const byteOrderMark = [0xef, 0xbb, 0xbf];
const lineFeed = 0x0a;
/** More than the longest line and the largest secrets of one request. Beyond it the writer waits, not our memory. */
const mostBuffered = 16 * 1024 * 1024;

/** Collects what a stream delivers. `onEnd` is called once, at the stream's end or failure. */
export class RpcInput {
  #buffered: Uint8Array = new Uint8Array();
  #ended = false;
  #atStart = true;
  #wake: (() => void) | undefined;
  readonly #onEnd: () => void;
  readonly #stream: NodeJS.ReadableStream;

  constructor(stream: NodeJS.ReadableStream, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#stream = stream;
    stream.on('data', (chunk: Uint8Array) => {
      const before = this.#buffered;
      this.#buffered = concat(before, chunk);
      // Secrets pass through here: what was copied is not left behind.
      before.fill(0);
      chunk.fill(0);
      if (this.#buffered.length > mostBuffered) stream.pause();
      this.#wake?.();
    });
    // A pipe that breaks is an end like any other: there is nobody left to answer.
    stream.on('end', () => {
      this.#end();
    });
    stream.on('error', () => {
      this.#end();
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The next line without its LF; undefined at the end of input. `RequestMalformed` for an over-long one. */
  async line(maximumBytes: number): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#skipByteOrderMark();
      const end = this.#buffered.indexOf(lineFeed);
      if (end > maximumBytes || (end < 0 && this.#buffered.length > maximumBytes)) {
        throw fail('RequestMalformed', { problem: 'the line is too long' });
      }
      if (end >= 0) {
        this.#atStart = false;
        return this.#take(end + 1).subarray(0, end);
      }
      if (this.#ended) return undefined;
      await this.#more();
    }
  }

  /** The next `length` bytes, in memory of their own; undefined where the input ends before. */
  async bytes(length: number): Promise<Uint8Array | undefined> {
    while (this.#buffered.length < length) {
      if (this.#ended) return undefined;
      await this.#more();
    }
    return this.#take(length);
  }

  /** Resolves when there is something to read or the input ended. */
  async available(): Promise<void> {
    if (this.#buffered.length === 0 && !this.#ended) await this.#more();
  }

  #take(length: number): Uint8Array {
    const taken = this.#buffered.slice(0, length);
    const rest = this.#buffered.slice(length);
    this.#buffered.fill(0);
    this.#buffered = rest;
    if (rest.length <= mostBuffered && this.#stream.isPaused()) this.#stream.resume();
    return taken;
  }

  /** Windows PowerShell 5.1 writes a BOM when the console's code page is 65001. */
  #skipByteOrderMark(): void {
    if (!this.#atStart || this.#buffered.length < byteOrderMark.length) return;
    this.#atStart = false;
    if (byteOrderMark.every((byte, index) => this.#buffered[index] === byte))
      this.#take(byteOrderMark.length);
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    this.#wake?.();
  }
}
