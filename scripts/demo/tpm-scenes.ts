/**
 * What the story tells besides where each computer has a TPM: what the chip enforces, how one TPM proves to the owner of
 * another that it is one, that wrong passwords count, and that nothing stays loaded in it.
 */
import { join } from 'node:path';
import type { Narrator } from './narrator.ts';
import type { SimulatedComputer } from './simulated-computer.ts';

export class TpmScenes {
  readonly #say: Narrator;
  readonly #share: string;

  constructor(say: Narrator, share: string) {
    this.#say = say;
    this.#share = share;
  }

  /** Each computer's own status. */
  async whatGuards(computers: readonly SimulatedComputer[]): Promise<void> {
    await this.#say.step('Everybody', 'can see what guards the keys, and what that is worth', async () => {
      const outputs = await Promise.all(computers.map((computer) => computer.run('tpm-status.ps1', [], [])));
      return outputs.flat();
    });
  }

  /** The grant with proof: challenge, answer, and both fingerprints compared. */
  async proveAndGrant(
    source: SimulatedComputer,
    ownerPassword: string,
    destination: SimulatedComputer,
  ): Promise<void> {
    const say = this.#say;
    const { name, fingerprint } = destination;
    const file = (kind: string): string => join(this.#share, `${name}.${kind}`);
    const owner = `Owner of ${source.name}`;
    await say.refused(
      owner,
      `tries to grant ${name} before its TPM has proven anything`,
      'DestinationNotAttested',
      () => source.run('tpm-grant-refused.ps1', [file('spid'), fingerprint], [ownerPassword]),
    );
    await say.step(owner, `writes a challenge for the TPM of ${name}`, () =>
      source.run('tpm-challenge.ps1', [file('spid')], [ownerPassword]),
    );
    await say.step(`Administrator of ${name}`, 'lets its TPM answer', () =>
      destination.run('tpm-answer.ps1', [this.#share, file('spchallenge')], []),
    );
    await say.step(
      owner,
      `compares both fingerprints by telephone and grants ${name}, whose TPM has answered`,
      () =>
        source.run(
          'tpm-grant-attested.ps1',
          [file('spid'), fingerprint, file('spattestation'), destination.endorsementFingerprint],
          [ownerPassword],
        ),
    );
  }

  /** The grant without proof, and what that means. */
  async grantUnproven(
    source: SimulatedComputer,
    ownerPassword: string,
    destination: SimulatedComputer,
  ): Promise<void> {
    const { name, fingerprint } = destination;
    this.#say.text(
      `${name} could be asked in the same way. Its TPM is not asked this time: -AllowUnattested says that the keys may go where\n` +
        `no chip is known to guard them. The program cannot tell then whether ${name} has a TPM or only claims one.`,
    );
    await this.#say.step(`Owner of ${source.name}`, `grants ${name} with -AllowUnattested`, () =>
      source.run(
        'tpm-grant-unattested.ps1',
        [join(this.#share, `${name}.spid`), fingerprint],
        [ownerPassword],
      ),
    );
  }

  async wrongPasswordCounts(computer: SimulatedComputer): Promise<void> {
    await this.#say.step(`The TPM of ${computer.name}`, 'has counted that', () =>
      computer.run('tpm-tries.ps1', [], []),
    );
  }

  /** Asked over the bus, past our program; the demonstration fails where something is loaded. */
  async nothingLoaded(computers: readonly SimulatedComputer[]): Promise<void> {
    const names = computers.map(({ name }) => name).join(' and ');
    const who = computers.length === 1 ? `The TPM of ${names}` : `The TPMs of ${names}`;
    await this.#say.step(
      who,
      computers.length === 1 ? 'holds nothing loaded' : 'hold nothing loaded',
      async () => (await Promise.all(computers.map((computer) => computer.nothingLoaded()))).flat(),
    );
  }
}
