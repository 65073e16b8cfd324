/**
 * One simulated computer: its own SPMIGRATION_HOME and HOME, and one PowerShell session in which people run the scripts of
 * this folder. Secrets and arguments go through the session's standard input as data, never as script text.
 */
import { mkdir, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { openSession, type PowerShellSession } from '../../test/testkit/powershell-session.ts';

/** What a step's script printed, line by line. */
export type StepOutput = string[];

const runStep = `
$secrets = @(foreach ($text in $data.secrets) { ConvertTo-SecureString -AsPlainText -Force -String $text })
$arguments = @($data.arguments)
if ($secrets.Count -gt 0) { & $data.script @arguments -Secret $secrets | Out-String -Stream -Width 110 }
else { & $data.script @arguments | Out-String -Stream -Width 110 }
`;

export class SimulatedComputer {
  readonly name: string;
  readonly #folder: string;
  readonly #module: string;
  #session: Promise<PowerShellSession> | undefined;
  #fingerprint: string | undefined;

  /** `folder` names the computer by its last part. */
  constructor(folder: string, module: string) {
    this.name = basename(folder);
    this.#folder = folder;
    this.#module = module;
  }

  /** The account that plays Anna: whoever runs the demonstration. */
  get user(): string {
    return userInfo().username;
  }

  /** Runs a script of this folder. Fails with what it printed unless it ends well. */
  async run(script: string, args: readonly string[], secrets: readonly string[]): Promise<StepOutput> {
    this.#session ??= this.#open();
    const session = await this.#session;
    const step = { script: join(import.meta.dirname, script), arguments: args, secrets };
    const { output, errors, warnings, text } = await session.invoke<string>(runStep, step);
    const lines = [text, ...warnings, ...output].flatMap((part) => part.split(/\r?\n/));
    const [error] = errors;
    if (error !== undefined) {
      throw new Error(`${script} on ${this.name}: ${error.id}: ${error.message}\n${lines.join('\n')}`);
    }
    this.#fingerprint ??= /fingerprint is ((?:[0-9a-f]{4} ?){10})/.exec(lines.join('\n'))?.[1]?.trim();
    return lines.filter((line) => line.trim() !== '');
  }

  /** What its administrator reads out over the telephone; known once it is initialized. */
  get fingerprint(): string {
    if (this.#fingerprint === undefined) throw new Error(`${this.name} showed no fingerprint yet.`);
    return this.#fingerprint;
  }

  /** Switched off; what is on its disk stays. */
  async close(): Promise<void> {
    await (await this.#session)?.close();
    this.#session = undefined;
  }

  /** The computer is gone, with everything on it. */
  async destroy(): Promise<void> {
    await this.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #open(): Promise<PowerShellSession> {
    const state = join(this.#folder, this.name);
    const home = join(this.#folder, 'home');
    await mkdir(state, { recursive: true, mode: 0o700 });
    await mkdir(home, { recursive: true, mode: 0o700 });
    const session = await openSession({
      env: { SPMIGRATION_HOME: state, HOME: home, DEMO_MODULE: this.#module, XDG_DATA_HOME: undefined },
    });
    const { errors } = await session.invoke('. $data', join(import.meta.dirname, 'Prelude.ps1'));
    const [error] = errors;
    if (error !== undefined) throw new Error(`${this.name} could not start: ${error.message}`);
    return session;
  }
}
