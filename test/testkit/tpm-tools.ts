/**
 * A TPM that is not ours, as a witness: swtpm, driven by tpm2-tools. Each instance has its own state in a folder of its
 * own (an absolute path: with a relative one swtpm ends in failure mode) and is ended by its own process handle.
 * The tools keep nothing loaded: objects are saved to context files, and everything transient is flushed after each
 * command, as swtpm has three slots and no resource manager.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { plain } from '../../core/src/bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../../core/src/bytes/reader.ts';
import { meets } from './requirement.ts';

/** Whether swtpm and tpm2-tools are here; an error where SPMIGRATION_REQUIRE lists `tpm` and they are not. */
export function hasTpmTools(): boolean {
  const starts = (program: string): boolean =>
    spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
  return meets('tpm', starts('swtpm') && starts('tpm2_import'));
}

/** What a command answered. */
export interface ToolOutcome {
  readonly ok: boolean;
  /** Name of the command, e.g. `tpm2_duplicate`. */
  readonly tool: string;
  /** The TPM's response code, e.g. `0x99d`; undefined where there is none. */
  readonly responseCode: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** From its start to its end, the process included; what is flushed behind it does not count. */
  readonly milliseconds: number;
}

/** A sequence of commands stopped at this one. */
export class ToolRefusal extends Error {
  readonly outcome: ToolOutcome;

  constructor(outcome: ToolOutcome) {
    super(`${outcome.tool}: ${outcome.stderr}`);
    this.outcome = outcome;
  }
}

/** One swtpm and a folder of files for its commands. */
export class ToolTpm {
  readonly #folder: string;
  readonly #process: ChildProcess;
  /** By what tpm2-tools find it, as TPM2TOOLS_TCTI says it. */
  readonly tcti: string;
  /** On 127.0.0.1: for a client that is no tool. */
  readonly port: number;

  private constructor(folder: string, process: ChildProcess, port: number) {
    this.#folder = folder;
    this.#process = process;
    this.port = port;
    this.tcti = `swtpm:host=127.0.0.1,port=${port}`;
  }

  /** Starts a new, empty TPM and waits until it answers. */
  static async start(): Promise<ToolTpm> {
    const port = await freePortPair();
    const folder = mkdtempSync(join(tmpdir(), 'spmigration-swtpm-'));
    const channel = (which: string, number: number): readonly string[] => [
      `--${which}`,
      `type=tcp,bindaddr=127.0.0.1,port=${number}`,
    ];
    const swtpm = spawn(
      'swtpm',
      [
        ...['socket', '--tpm2', '--tpmstate', `dir=${folder}`, '--flags', 'not-need-init,startup-clear'],
        // The port of the control channel is a convention of the tools' transport: one above.
        ...[...channel('server', port), ...channel('ctrl', port + 1)],
      ],
      { stdio: 'ignore' },
    );
    const tpm = new ToolTpm(folder, swtpm, port);
    for (let attempt = 0; ; attempt++) {
      const outcome = tpm.run('tpm2_getrandom', '-o', 'random', '8');
      if (outcome.ok) return tpm;
      if (attempt === 50 || swtpm.exitCode !== null) {
        tpm.stop();
        throw new Error(`swtpm did not start: ${outcome.stderr}`);
      }
      await delay(100);
    }
  }

  /** What SPMIGRATION_TPM takes. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  stop(): void {
    this.#process.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs a tool in the folder of files. */
  run(tool: string, ...parameters: readonly string[]): ToolOutcome {
    const env = { ...process.env, TPM2TOOLS_TCTI: this.tcti };
    const options = { cwd: this.#folder, env, encoding: 'utf8' } as const;
    const began = performance.now();
    const ended = spawnSync(tool, parameters, options);
    const milliseconds = performance.now() - began;
    // Policy commands load nothing; every other command may leave a key in one of the three slots.
    if (!tool.startsWith('tpm2_policy')) spawnSync('tpm2_flushcontext', ['-t'], options);
    const [, code] = /\(0x0*([0-9a-fA-F]+)\)/.exec(ended.stderr) ?? [];
    const responseCode = code === undefined ? undefined : `0x${code.toLowerCase()}`;
    const { stdout, stderr } = ended;
    return { ok: ended.status === 0, tool, responseCode, stdout, stderr, milliseconds };
  }

  /** Runs a tool that must succeed; a refusal is thrown as `ToolRefusal`. Answers the milliseconds that it took. */
  must(tool: string, ...parameters: readonly string[]): number {
    const outcome = this.run(tool, ...parameters);
    if (!outcome.ok) throw new ToolRefusal(outcome);
    return outcome.milliseconds;
  }

  put(name: string, bytes: Uint8Array): string {
    writeFileSync(join(this.#folder, name), bytes);
    return name;
  }

  /** Writes the bytes behind a 16-bit length: a TPM2B. */
  putSized(name: string, bytes: Uint8Array): string {
    return this.put(name, new ByteWriter().sized16(bytes).done());
  }

  get(name: string): Uint8Array {
    return plain(readFileSync(join(this.#folder, name)));
  }

  /** The content of a TPM2B. */
  getSized(name: string): Uint8Array {
    const reader = new ByteReader(this.get(name), (what) => new Error(`${name} ${what}`));
    const bytes = reader.sized16(0xffff);
    reader.end();
    return bytes;
  }
}

/** A port that is free, and the next one, too. */
async function freePortPair(): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const port = await listenOnce(0);
    if (port !== undefined && port < 65_535 && (await listenOnce(port + 1)) !== undefined) return port;
  }
  throw new Error('no two neighbouring ports are free');
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : undefined);
      });
    });
  });
}
