/**
 * The terminal as the command line uses it: results to standard output; questions, progress and errors to standard error;
 * secrets typed without echo. Where standard input is no terminal nobody is asked anything.
 */
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail } from '../domain/error.ts';

/** The part of a terminal's input stream that typing without echo needs. */
export interface TerminalInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

export interface TerminalStreams {
  readonly stdin: TerminalInput;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

const interrupt = 0x03;
const endOfText = 0x04;
const backspaces: readonly number[] = [0x08, 0x7f];
const lineEnds: readonly number[] = [0x0a, 0x0d];
const maximumLineBytes = 64 * 1024;

export class Terminal {
  readonly #streams: TerminalStreams;
  #pending: number[] = [];

  constructor(streams: TerminalStreams) {
    this.#streams = streams;
  }

  /** Whether a person can be asked. */
  get interactive(): boolean {
    return this.#streams.stdin.isTTY === true && this.#streams.stderr.isTTY === true;
  }

  /** Whether a person sees what is told, as far as a program can know. */
  get isSeen(): boolean {
    return this.#streams.stderr.isTTY === true;
  }

  print(line: string): void {
    this.#streams.stdout.write(`${line}\n`);
  }

  tell(line: string): void {
    this.#streams.stderr.write(`${line}\n`);
  }

  /**
   * Asks a yes-or-no question; anything but yes is no. The terminal echoes here, so Ctrl+C comes as a signal and not as a
   * byte: `OperationInterrupted` when `signal` is aborted.
   */
  async confirm(question: string, signal: AbortSignal): Promise<boolean> {
    this.#streams.stderr.write(`${question} [y/N] `);
    using answer = await this.#line(signal);
    return /^y(es)?$/i.test(new TextDecoder().decode(answer.reveal).trim());
  }

  /** Asks for a secret without echo. `OperationInterrupted` on Ctrl+C or Ctrl+D. */
  async askSecret(question: string): Promise<SecretBytes> {
    const { stdin, stderr } = this.#streams;
    stderr.write(`${question}: `);
    stdin.setRawMode?.(true);
    try {
      return await this.#line();
    } finally {
      stdin.setRawMode?.(false);
      stderr.write('\n');
    }
  }

  /** The next line of standard input, as a secret; the line end is not part of it. `UsageInvalid` where there is none. */
  async secretLine(option: string): Promise<SecretBytes> {
    if (this.interactive) return this.askSecret(option);
    const line = await this.#line();
    if (line.length === 0)
      throw fail('UsageInvalid', { problem: `standard input holds no line for ${option}` });
    return line;
  }

  /** Releases standard input, so that the process can end. */
  close(): void {
    this.#streams.stdin.pause();
  }

  async #line(signal?: AbortSignal): Promise<SecretBytes> {
    const { stdin } = this.#streams;
    const typed: number[] = [];
    const take = (bytes: Iterable<number>): boolean => {
      let ended = false;
      for (const byte of bytes) {
        if (ended) this.#pending.push(byte);
        else if (byte === interrupt || byte === endOfText) throw fail('OperationInterrupted');
        else if (lineEnds.includes(byte)) ended = true;
        else if (backspaces.includes(byte)) removeCharacter(typed);
        else typed.push(byte);
        if (typed.length > maximumLineBytes)
          throw fail('UsageInvalid', { problem: 'a line of standard input is too long' });
      }
      return ended;
    };
    const before = this.#pending;
    this.#pending = [];
    try {
      if (!take(before)) await readUntil(stdin, take, signal);
      // CR LF ends one line, not two.
      if (this.#pending[0] === lineEnds[0]) this.#pending.shift();
      return new SecretBytes(Uint8Array.from(typed));
    } finally {
      typed.fill(0);
      stdin.pause();
    }
  }
}

/** Removes one UTF-8 character from the end. */
function removeCharacter(typed: number[]): void {
  while ((typed.at(-1) ?? 0) >> 6 === 0b10) typed.pop();
  typed.pop();
}

/** Feeds chunks to `take` until it says that a line ended, or the stream ends. */
function readUntil(
  stream: NodeJS.ReadableStream,
  take: (bytes: Uint8Array) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      stop(() => {
        reject(fail('OperationInterrupted'));
      });
    };
    const stop = (finish: () => void): void => {
      stream.removeListener('data', onData);
      stream.removeListener('end', onEnd);
      signal?.removeEventListener('abort', onAbort);
      finish();
    };
    const onEnd = (): void => {
      stop(resolve);
    };
    const onData = (chunk: Uint8Array): void => {
      try {
        if (take(chunk)) stop(resolve);
      } catch (error) {
        stop(() => {
          reject(error instanceof Error ? error : new Error(String(error)));
        });
      }
    };
    stream.on('data', onData);
    stream.on('end', onEnd);
    if (signal?.aborted === true) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort);
    stream.resume();
  });
}
