/**
 * A client of the process protocol (docs/spec/process-protocol.md) for the benchmark: one `spmigration rpc` process, one
 * request at a time. Leaves out `secret` records, plans and cancelling; the PowerShell module has all that.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Interface, createInterface } from 'node:readline';

type Answer = Readonly<Record<string, unknown>>;

export class Conversation {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string, undefined>;
  #id = 0;

  /** `tpm`: what SPMIGRATION_TPM says; without it the computer has none. */
  constructor(executable: string, home: string, tpm = '') {
    this.#child = spawn(executable, ['rpc', '--protocol', '1'], {
      env: { ...process.env, SPMIGRATION_HOME: home, SPMIGRATION_TPM: tpm },
    });
    this.#child.stderr.pipe(process.stderr);
    const reader: Interface = createInterface({ input: this.#child.stdout });
    this.#lines = reader[Symbol.asyncIterator]();
  }

  /** Sends one request and answers the values of its results; throws the first error that it is answered with. */
  async ask(
    cmd: string,
    params: Answer = {},
    secrets: Readonly<Record<string, string>> = {},
  ): Promise<Answer[]> {
    const id = ++this.#id;
    const texts = Object.entries(secrets).map(([name, text]) => ({ name, bytes: Buffer.from(text) }));
    const announced = texts.map(({ name, bytes }) => ({ name, bytes: bytes.length }));
    this.#child.stdin.write(
      `${JSON.stringify({ v: 1, id, cmd, mode: 'run', params, secrets: announced })}\n`,
    );
    for (const { bytes } of texts) this.#child.stdin.write(bytes);
    const values: Answer[] = [];
    for (;;) {
      const line = await this.#lines.next();
      if (line.done === true) throw new Error(`${cmd}: the process ended without an answer`);
      const record = JSON.parse(line.value) as { t: string; value?: Answer; code?: string; message?: string };
      if (record.t === 'result' && record.value !== undefined) values.push(record.value);
      if (record.t === 'error') throw new Error(`${cmd}: ${record.code ?? ''} ${record.message ?? ''}`);
      if (record.t === 'end') return values;
    }
  }

  /**
   * Samples the memory that is the process's own (anonymous pages; those of the executable's file are shared and can be
   * dropped) until it is told to stop; answers the most, in MB (10^6 bytes). Argon2id holds its 64 MiB for far longer than
   * one sample takes. Linux only.
   */
  watchMemory(): () => number {
    let peak = 0;
    const sample = (): void => {
      const status = readFileSync(`/proc/${this.#child.pid ?? 'self'}/status`, 'utf8');
      const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
      if (kilobytes === undefined) throw new Error('the system does not tell the memory of a process');
      peak = Math.max(peak, (Number(kilobytes) * 1024) / 1e6);
    };
    const timer = setInterval(sample, 5);
    return () => {
      sample();
      clearInterval(timer);
      return peak;
    };
  }

  /** Ends the process and waits for it. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin.end();
    await closed;
  }
}
