/**
 * Conversations in the process protocol with the real executable (docs/spec/process-protocol.md): requests with their
 * secrets in, records out, everything kept. Knows the protocol's framing and nothing of what the operations mean.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';

export interface WireRecord {
  readonly t: string;
  readonly id?: number;
  readonly code?: string;
  readonly ok?: boolean;
  readonly planId?: string;
  readonly value?: unknown;
  readonly [field: string]: unknown;
}

export interface WireRequest {
  readonly cmd: string;
  readonly mode?: 'run' | 'plan' | 'apply';
  readonly planId?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, string | Uint8Array>>;
}

export interface Ended {
  readonly code: number | null;
  readonly records: readonly WireRecord[];
  readonly stderr: string;
}

/** A process of this account, with exactly this environment. */
export class Conversation {
  readonly child: ChildProcessWithoutNullStreams;
  /** All that came from standard output, raw secrets included. */
  readonly output: Buffer[] = [];
  #stderr = '';
  #pending: Buffer = Buffer.alloc(0);
  readonly records: WireRecord[] = [];
  #waiting: (() => void)[] = [];
  #id = 0;
  readonly #exit: Promise<number | null>;
  #exited = false;

  constructor(executable: string, env: Readonly<Record<string, string>>, argv = ['rpc', '--protocol', '1']) {
    this.child = spawn(executable, argv, { env, stdio: 'pipe' });
    this.child.stdout.on('data', (chunk: Buffer) => {
      this.output.push(chunk);
      this.#pending = Buffer.concat([this.#pending, chunk]);
      this.#takeRecords();
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    // A child that has ended already refuses more input; the test sees its exit code instead.
    this.child.stdin.on('error', () => undefined);
    this.#exit = once(this.child, 'close').then(([code]) => {
      this.#exited = true;
      this.#wake();
      return code as number | null;
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the executable was not started');
    return this.child.pid;
  }

  /** The bytes of a request with its secrets. */
  encode(request: WireRequest): Buffer {
    this.#id += 1;
    const { secrets = {}, ...envelope } = request;
    const frames = Object.entries(secrets).map(([name, value]) => ({
      name,
      value: Buffer.from(value as string),
    }));
    const line = {
      v: 1,
      id: this.#id,
      ...envelope,
      secrets: frames.map(({ name, value }) => ({ name, bytes: value.length })),
    };
    return Buffer.concat([Buffer.from(`${JSON.stringify(line)}\n`), ...frames.map(({ value }) => value)]);
  }

  write(bytes: Uint8Array | string): void {
    this.child.stdin.write(bytes);
  }

  /** Sends a request and waits for all that answers it, `end` included. */
  async ask(request: WireRequest): Promise<readonly WireRecord[]> {
    const bytes = this.encode(request);
    const id = this.#id;
    this.write(bytes);
    await this.until((record) => record.t === 'end' && record.id === id);
    return this.records.filter((record) => record.id === id);
  }

  /** The one result of a request that must succeed. */
  async result<Value>(request: WireRequest): Promise<Value> {
    const records = await this.ask(request);
    const found = records.find(({ t }) => t === 'result');
    if (found === undefined) throw new Error(`no result: ${JSON.stringify(records)}`);
    return found.value as Value;
  }

  /** Waits for a record; fails where the process ends before. */
  async until(wanted: (record: WireRecord) => boolean): Promise<WireRecord> {
    for (;;) {
      const found = this.records.find(wanted);
      if (found !== undefined) return found;
      if (this.#exited) throw new Error(`it ended: ${this.#stderr} ${JSON.stringify(this.records)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Ends the input and waits for the exit. */
  async end(): Promise<Ended> {
    this.child.stdin.end();
    return this.ended();
  }

  async ended(): Promise<Ended> {
    const code = await this.#exit;
    return { code, records: this.records, stderr: this.#stderr };
  }

  #takeRecords(): void {
    for (;;) {
      const end = this.#pending.indexOf(0x0a);
      if (end < 0) break;
      const record = JSON.parse(this.#pending.subarray(0, end).toString('utf8')) as WireRecord;
      const raw = record.t === 'secret' ? Number(record.bytes) : 0;
      if (this.#pending.length < end + 1 + raw) break;
      this.#pending = this.#pending.subarray(end + 1 + raw);
      this.records.push(record);
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
