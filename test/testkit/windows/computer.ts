/** A simulated computer of the Windows lane, driven by its executable: commands with their secrets, and conversations. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Computer } from '../computer.ts';
import { Conversation, type WireRequest } from '../conversation.ts';
import { keptFiles, type KeptFile } from '../kept-files.ts';
import { driveC, windowsPath, windowsProgram } from './lane.ts';
import type { WindowsTpm } from './tpm.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One request for each value that is expected. */
type Requests<Values extends readonly unknown[]> = { readonly [Index in keyof Values]: WireRequest };

export class WindowsComputer {
  readonly name: string;
  /** As Linux sees it. */
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #tpm: WindowsTpm | undefined;

  private constructor(home: string, tpm: WindowsTpm | undefined, env: Readonly<Record<string, string>>) {
    this.name = basename(home);
    this.home = home;
    this.env = env;
    this.#tpm = tpm;
  }

  /** A computer whose state lies in `folder`, with a software chip or this TPM. */
  static async make(folder: string, name: string, tpm?: WindowsTpm): Promise<WindowsComputer> {
    const home = join(folder, name);
    await mkdir(home);
    return new WindowsComputer(home, tpm, { SPMIGRATION_HOME: windowsPath(home), ...tpm?.env });
  }

  /** This worker's Windows itself, not a rehearsal on it; `tpm` is the one that it has. */
  static real(tpm?: WindowsTpm): WindowsComputer {
    return new WindowsComputer(driveC(), tpm, { ...tpm?.library });
  }

  /** Runs a command; `secrets` are the lines of its standard input. */
  async run(args: readonly string[], secrets: readonly string[] = []): Promise<Ran> {
    // Not spawnSync: this process joins the program with its TPM.
    const child = spawn(windowsProgram('spmigration'), args, { env: this.env, stdio: 'pipe' });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => undefined);
    child.stdin.end(secrets.map((secret) => `${secret}\n`).join(''));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  /** The one result of a command that must succeed. */
  async result<Value>(args: readonly string[], secrets: readonly string[] = []): Promise<Value> {
    const { code, stdout, stderr } = await this.run([...args, '--json'], secrets);
    if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
    return JSON.parse(stdout) as Value;
  }

  /** The code of a command that must be refused. */
  async refusal(args: readonly string[], secrets: readonly string[] = []): Promise<string> {
    const { code, stdout, stderr } = await this.run([...args, '--json'], secrets);
    if (code === 0) throw new Error(`${args.join(' ')} was not refused:\n${stdout}`);
    const { error } = JSON.parse(stderr) as { readonly error: { readonly code: string } };
    return error.code;
  }

  /** The results of requests that must succeed, one after another in one process. */
  async results<Values extends readonly unknown[]>(...requests: Requests<Values>): Promise<Values> {
    const conversation = this.converse();
    const values: unknown[] = [];
    for (const request of requests) values.push(await conversation.result(request));
    const { code, stderr } = await conversation.end();
    if (code !== 0 || stderr !== '') throw new Error(`exit code ${String(code)}: ${stderr}`);
    return values as unknown as Values;
  }

  /** For each request, all made in one process, the code with which it is refused; undefined where it is not. */
  async refusals(requests: readonly WireRequest[]): Promise<readonly (string | undefined)[]> {
    const conversation = this.converse();
    const codes: (string | undefined)[] = [];
    for (const request of requests)
      codes.push((await conversation.ask(request)).find(({ t }) => t === 'error')?.code);
    await conversation.end();
    return codes;
  }

  /** A conversation in the process protocol. */
  converse(): Conversation {
    return new Conversation(windowsProgram('spmigration'), this.env);
  }

  /** What lies in its environment now, opened by the testkit on Linux. */
  async environment(password: string): Promise<KeptFile> {
    const computer = await Computer.at(this.home, {}, undefined, this.#tpm?.swtpm.address);
    const present = (await keptFiles(computer, [password])).at(-1);
    if (present === undefined) throw new Error(`${this.name} has no environment`);
    return present;
  }
}
