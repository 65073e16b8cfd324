/** One simulated computer: its own SPMIGRATION_HOME and HOME, and PowerShell scripts run on it. */
import { mkdir, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { runPowerShell } from '../../test/testkit/powershell.ts';

/** What a step's script printed, line by line. */
export type StepOutput = string[];

export class SimulatedComputer {
  readonly name: string;
  readonly #folder: string;
  readonly #module: string;
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

  /** Runs a script of this folder; secrets go to its standard input, line by line. Fails with what it printed. */
  async run(script: string, args: readonly string[], secrets: readonly string[]): Promise<StepOutput> {
    const state = join(this.#folder, this.name);
    const home = join(this.#folder, 'home');
    await mkdir(state, { recursive: true, mode: 0o700 });
    await mkdir(home, { recursive: true, mode: 0o700 });
    const { stdout, stderr, exitCode } = await runPowerShell({
      file: join(import.meta.dirname, script),
      args,
      stdin: secrets.map((secret) => `${secret}\n`).join(''),
      env: { SPMIGRATION_HOME: state, HOME: home, DEMO_MODULE: this.#module, XDG_DATA_HOME: undefined },
    });
    if (exitCode !== 0 || stderr.trim() !== '') {
      throw new Error(`${script} on ${this.name} ended with ${String(exitCode)}:\n${stdout}\n${stderr}`);
    }
    const lines = stdout.split(/\r?\n/).filter((line) => line.trim() !== '');
    this.#fingerprint ??= /fingerprint is ((?:[0-9a-f]{4} ?){10})/.exec(stdout)?.[1]?.trim();
    return lines;
  }

  /** What its administrator reads out over the telephone; known once it is initialized. */
  fingerprint(): Promise<string> {
    if (this.#fingerprint === undefined)
      return Promise.reject(new Error(`${this.name} showed no fingerprint yet.`));
    return Promise.resolve(this.#fingerprint);
  }

  /** The computer is gone, with everything on it. */
  async destroy(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
