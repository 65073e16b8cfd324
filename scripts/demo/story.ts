/**
 * The story that the demonstration tells, step by step. With TPMs it is the same one, with what only a TPM can do: it proves
 * to the owner that it is one, counts wrong passwords, and holds nothing when its work is done (`tpm-scenes.ts`).
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Correspondence } from './correspondence.ts';
import type { Ground } from './ground.ts';
import { SignAndRead, type KeyUse } from './key-use.ts';
import type { Narrator } from './narrator.ts';
import { SimulatedComputer, type DemoChip, type StepOutput } from './simulated-computer.ts';
import { TpmScenes } from './tpm-scenes.ts';

const password = 'Annas eigenes Passwort 1';
const owners = {
  A: 'Owner of PC-A, Mr Beck',
  B: 'Owner of PC-B, Ms Ito',
  C: 'Owner of PC-C, Dr Roy',
} as const;

export interface DemonstrationOptions {
  /** An empty folder, for everything. */
  readonly folder: string;
  /** The module's manifest. */
  readonly module: string;
  readonly chip: DemoChip;
  readonly say: Narrator;
  /** What computers are simulated on; this system by default. */
  readonly ground?: Ground;
  /** What is done with the keys; signing and reading a letter by default. */
  readonly keys?: (letters: Correspondence) => KeyUse;
}

export class Demonstration {
  readonly #folder: string;
  readonly #say: Narrator;
  readonly #share: string;
  readonly #letters: Correspondence;
  readonly #keys: KeyUse;
  readonly #a: SimulatedComputer;
  readonly #b: SimulatedComputer;
  readonly #c: SimulatedComputer;
  /** What happens besides where the computers have TPMs. */
  readonly #tpms: TpmScenes | undefined;

  constructor({ folder, module, chip, say, ground, keys }: DemonstrationOptions) {
    const computer = (name: string): SimulatedComputer =>
      new SimulatedComputer(join(folder, name), module, chip, ground);
    this.#folder = folder;
    this.#say = say;
    this.#share = join(folder, 'share');
    this.#letters = new Correspondence(join(folder, 'correspondence'));
    this.#keys = keys?.(this.#letters) ?? new SignAndRead(this.#letters);
    this.#a = computer('PC-A');
    this.#b = computer('PC-B');
    this.#c = computer('PC-C');
    this.#tpms = chip === 'tpm2' ? new TpmScenes(say, this.#share) : undefined;
  }

  async run(): Promise<void> {
    await mkdir(this.#share);
    await this.#letters.prepare();
    await this.#beforeTheMove();
    await this.#fromAToB();
    await this.#refusalsOnTheWay();
    await this.#fromBToC();
    await this.#theSameSigner();
  }

  /** For a process that is ending: TPMs would outlive it. */
  cutPower(): void {
    for (const computer of [this.#a, this.#b, this.#c]) computer.cutPower();
  }

  async close(): Promise<void> {
    await Promise.all([this.#a.close(), this.#b.close(), this.#c.close()]);
  }

  async #beforeTheMove(): Promise<void> {
    const say = this.#say;
    say.chapter('Three computers, and Anna works on PC-A');
    await say.step('Administrators', 'initialize each computer', async () => {
      const outputs = await Promise.all([
        this.#a.initialize(owners.A),
        this.#b.initialize(owners.B),
        this.#c.initialize(owners.C),
      ]);
      return outputs.flat();
    });
    await this.#tpms?.whatGuards([this.#a, this.#b, this.#c]);
    await say.step(
      'Anna',
      'makes her Basic User Key and adds her two certificates (RSA for e-mail, P-256 for signing)',
      () =>
        this.#a.run(
          'set-up-user.ps1',
          [this.#letters.mailPfx, this.#letters.signPfx],
          [password, this.#letters.pfxPassword],
        ),
    );
    say.text('Ben sends Anna an encrypted letter (openssl cms -encrypt).');
    await say.step('Anna', `${this.#keys.first} on PC-A`, () => this.#useKeys(this.#a));
    say.text(
      '(On Linux .NET keeps its certificate store unencrypted: -AllowUnprotectedStore was needed for that.)',
    );
  }

  async #fromAToB(): Promise<void> {
    const say = this.#say;
    say.chapter('The move to PC-B');
    await say.refused('Anna', 'tries to export without a grant', 'DestinationNotAuthorized', () =>
      this.#a.run('export-refused.ps1', [this.#share, 'PC-B', 'DestinationNotAuthorized'], [password]),
    );
    await say.step('Administrator of PC-B', 'writes its identity to the share', () =>
      this.#b.run('export-identity.ps1', [this.#share], []),
    );
    await this.#c.run('export-identity.ps1', [this.#share], []);
    const fingerprint = this.#b.fingerprint;
    await say.refused('Owner of PC-A', "is handed PC-C's file under PC-B's name", 'FingerprintMismatch', () =>
      this.#a.run('grant-swapped.ps1', [join(this.#share, 'PC-C.spid'), fingerprint], [owners.A]),
    );
    if (this.#tpms === undefined) {
      await say.step('Owner of PC-A', 'compares the fingerprint by telephone and grants PC-B', () =>
        this.#a.run('grant.ps1', [join(this.#share, 'PC-B.spid'), fingerprint], [owners.A]),
      );
    } else await this.#tpms.proveAndGrant(this.#a, owners.A, this.#b);
    await say.refused('A colleague', 'tries to export with a guessed password', 'PasswordRejected', () =>
      this.#a.run('export-refused.ps1', [this.#share, 'PC-B', 'PasswordRejected'], ['a guess that is wrong']),
    );
    await this.#tpms?.wrongPasswordCounts(this.#a);
    await say.step('Anna', 'exports for PC-B', () =>
      this.#a.run('export.ps1', [this.#share, 'PC-B'], [password]),
    );
  }

  async #refusalsOnTheWay(): Promise<void> {
    const say = this.#say;
    const archive = join(this.#share, `${this.#a.user}@PC-B.sparc`);
    await say.refused(
      'A thief',
      'tries the archive on another computer, PC-C',
      'ArchiveNotForThisPlatform',
      () => this.#c.run('import-refused.ps1', [archive, 'ArchiveNotForThisPlatform'], [password]),
    );
    const changed = join(this.#folder, 'changed.sparc');
    const bytes = await readFile(archive);
    const middle = bytes.length >> 1;
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    await writeFile(changed, bytes);
    await say.refused('Somebody', 'changes one bit of the archive', 'ArchiveDamaged', () =>
      this.#b.run('import-refused.ps1', [changed, 'ArchiveDamaged'], [password]),
    );
    await say.refused(
      'A colleague',
      'tries to import on PC-B with a guessed password',
      'PasswordRejected',
      () => this.#b.run('import-refused.ps1', [archive, 'PasswordRejected'], ['a guess that is wrong']),
    );
    await say.step('Anna', 'looks what an import on PC-B would do', () =>
      this.#b.run('look.ps1', [archive], [password]),
    );
    await say.step('Anna', 'imports on PC-B', () => this.#b.run('import.ps1', [archive], [password]));
    await say.step('Anna', `${this.#keys.later} on PC-B`, () => this.#useKeys(this.#b));
  }

  async #fromBToC(): Promise<void> {
    const say = this.#say;
    say.chapter('PC-A is gone; on to PC-C');
    await this.#tpms?.nothingLoaded([this.#a]);
    await this.#a.destroy();
    say.text(
      this.#tpms === undefined
        ? 'The folder of PC-A is deleted. Its owner had let the keys be moved on from PC-B.'
        : 'The folder of PC-A is deleted, and its TPM with all that was in it. Its owner had let the keys be moved on from PC-B.',
    );
    if (this.#tpms === undefined) {
      await say.step('Owner of PC-B', 'grants PC-C', () =>
        this.#b.run('grant.ps1', [join(this.#share, 'PC-C.spid'), this.#c.fingerprint], [owners.B]),
      );
    } else await this.#tpms.grantUnproven(this.#b, owners.B, this.#c);
    await say.step('Anna', 'exports for PC-C', () =>
      this.#b.run('export.ps1', [this.#share, 'PC-C'], [password]),
    );
    const archive = join(this.#share, `${this.#b.user}@PC-C.sparc`);
    await say.step('Anna', 'imports on PC-C', () => this.#c.run('import.ps1', [archive], [password]));
    await say.step('Anna', `${this.#keys.later} on PC-C`, () => this.#useKeys(this.#c));
    await say.step('Owner of PC-B', 'revokes that grant', () =>
      this.#b.run('revoke.ps1', ['PC-C'], [owners.B]),
    );
    await say.refused('Anna', 'tries to export to PC-C again', 'GrantRevoked', () =>
      this.#b.run('export-refused.ps1', [this.#share, 'PC-C', 'GrantRevoked'], [password]),
    );
  }

  async #theSameSigner(): Promise<void> {
    const say = this.#say;
    say.chapter('The proof');
    await say.step(this.#keys.witness, this.#keys.proof, () => this.#keys.prove());
    await this.#tpms?.nothingLoaded([this.#b, this.#c]);
    say.table();
  }

  #useKeys(computer: SimulatedComputer): Promise<StepOutput> {
    return this.#keys.use(computer, password);
  }
}
