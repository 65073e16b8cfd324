/**
 * One simulated computer: its own SPMIGRATION_HOME and HOME, a TPM of its own where it has one, and one PowerShell session
 * in which people run the scripts of this folder. Secrets and arguments go through the session's standard input as data,
 * never as script text.
 */
import { mkdir, rm } from 'node:fs/promises';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { openSession, type PowerShellSession } from '../../test/testkit/powershell-session.ts';
import { thisSystem, type Ground, type SimulatedTpm } from './ground.ts';

/** What guards a computer's storage key: a file of its own, or a TPM that swtpm simulates. */
export type DemoChip = 'software' | 'tpm2';

/** What a step's script printed, line by line. */
export type StepOutput = string[];

/** Wrong authorizations until a TPM is locked out: what Windows sets. */
const maximumTries = 32;

/** First persistent handle; the storage key is the second (0x81000001). */
const persistentObjects = 0x81000000;

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
  readonly #chip: DemoChip;
  #session: Promise<PowerShellSession> | undefined;
  readonly #ground: Ground;
  #tpm: SimulatedTpm | undefined;
  #fingerprint: string | undefined;
  #endorsementFingerprint: string | undefined;

  /** `folder` names the computer by its last part. */
  constructor(folder: string, module: string, chip: DemoChip, ground: Ground = thisSystem) {
    this.name = basename(folder);
    this.#folder = folder;
    this.#module = module;
    this.#chip = chip;
    this.#ground = ground;
  }

  /** The account that plays Anna. */
  get user(): string {
    return this.#ground.user;
  }

  /** The folder that is the whole computer, which SPMIGRATION_HOME names. */
  get state(): string {
    return join(this.#folder, this.name);
  }

  get tpm(): SimulatedTpm | undefined {
    return this.#tpm;
  }

  /** What its administrator does before anything else. */
  initialize(ownerPassword: string): Promise<StepOutput> {
    const choice = this.#chip === 'tpm2' ? 'Tpm2' : 'Software';
    return this.run('initialize.ps1', [choice], [ownerPassword]);
  }

  /** Runs a script, of this folder where it is no full path. Fails with what it printed unless it ends well. */
  async run(script: string, args: readonly string[], secrets: readonly string[]): Promise<StepOutput> {
    this.#session ??= this.#open();
    const session = await this.#session;
    const step = {
      script: this.#ground.path(resolve(import.meta.dirname, script)),
      arguments: args.map((one) => (isAbsolute(one) ? this.#ground.path(one) : one)),
      secrets,
    };
    const { output, errors, warnings, text } = await session.invoke<string>(runStep, step);
    const lines = [text, ...warnings, ...output].flatMap((part) => part.split(/\r?\n/));
    const [error] = errors;
    if (error !== undefined) {
      throw new Error(`${script} on ${this.name}: ${error.id}: ${error.message}\n${lines.join('\n')}`);
    }
    this.#fingerprint ??= groupsAfter('its fingerprint is', lines);
    this.#endorsementFingerprint ??= groupsAfter('its endorsement key has the fingerprint', lines);
    return lines.filter((line) => line.trim() !== '');
  }

  /** What its administrator reads out over the telephone; known once it is initialized. */
  get fingerprint(): string {
    if (this.#fingerprint === undefined) throw new Error(`${this.name} showed no fingerprint yet.`);
    return this.#fingerprint;
  }

  /** By what its TPM is known again, read out in the same way; known once its identity is exported. */
  get endorsementFingerprint(): string {
    if (this.#endorsementFingerprint === undefined)
      throw new Error(`${this.name} showed no fingerprint of an endorsement key yet.`);
    return this.#endorsementFingerprint;
  }

  /** Asks its TPM what is in it. Fails where anything is loaded: nothing may stay after its use. */
  async nothingLoaded(): Promise<StepOutput> {
    const tpm = this.#tpm;
    if (tpm === undefined) throw new Error(`${this.name} has no TPM.`);
    const [loaded, kept] = [await tpm.swtpm.leftLoaded(), await tpm.swtpm.handles(persistentObjects)];
    if (loaded.length > 0) throw new Error(`${this.name}: its TPM still holds ${hex(loaded)}.`);
    return [`${this.name}: no key and no session is loaded; what its TPM keeps: ${hex(kept)}`];
  }

  /** Switched off; what is on its disk stays. A simulated TPM does not outlive this. */
  async close(): Promise<void> {
    await (await this.#session)?.close();
    this.#session = undefined;
    await this.#tpm?.stop();
    this.#tpm = undefined;
  }

  /** What `close` does for the TPM, at once: for a demonstration that was interrupted. */
  cutPower(): void {
    this.#tpm?.kill();
    this.#tpm = undefined;
  }

  /** The computer is gone, with its TPM and everything on it. */
  async destroy(): Promise<void> {
    await this.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #open(): Promise<PowerShellSession> {
    const { state } = this;
    const home = join(this.#folder, 'home');
    await mkdir(state, { recursive: true, mode: 0o700 });
    await mkdir(home, { recursive: true, mode: 0o700 });
    if (this.#chip === 'tpm2') this.#tpm = await this.#ground.startTpm(maximumTries);
    const { path } = this.#ground;
    const session = await openSession({
      env: {
        ...{ SPMIGRATION_HOME: path(state), SPMIGRATION_TPM: undefined, ...this.#tpm?.env },
        ...{ HOME: home, DEMO_MODULE: path(this.#module), XDG_DATA_HOME: undefined },
      },
    });
    const { errors } = await session.invoke('. $data', path(join(import.meta.dirname, 'Prelude.ps1')));
    const [error] = errors;
    if (error !== undefined) throw new Error(`${this.name} could not start: ${error.message}`);
    return session;
  }
}

/** Ten groups of four hex digits that were printed behind `words`. */
function groupsAfter(words: string, lines: StepOutput): string | undefined {
  return new RegExp(`${words} ((?:[0-9a-f]{4} ?){10})`).exec(lines.join('\n'))?.[1]?.trim();
}

function hex(handles: readonly number[]): string {
  return handles.map((handle) => `0x${handle.toString(16)}`).join(', ');
}
