/**
 * What Anna does with her keys on each computer, and how it is shown at the end that they were the same ones everywhere: she
 * signs with both and opens a letter that was encrypted for her before she moved, and OpenSSL compares the signers.
 */
import type { Correspondence } from './correspondence.ts';
import type { SimulatedComputer, StepOutput } from './simulated-computer.ts';

export interface KeyUse {
  /** What she does on the first computer, and on the later ones. */
  readonly first: string;
  readonly later: string;
  use(computer: SimulatedComputer, password: string): Promise<StepOutput>;
  /** Who shows at the end that the keys were the same, and how. */
  readonly witness: string;
  readonly proof: string;
  prove(): Promise<StepOutput>;
}

export class SignAndRead implements KeyUse {
  readonly first = 'signs twice and opens the letter';
  readonly later = 'signs twice and opens the old letter';
  readonly witness = 'openssl';
  readonly proof = 'verifies all six signatures against the CA and compares their signers';
  readonly #letters: Correspondence;

  constructor(letters: Correspondence) {
    this.#letters = letters;
  }

  async use(computer: SimulatedComputer, password: string): Promise<StepOutput> {
    const signed = await this.#letters.folderFor(computer.name);
    return computer.run('use-keys.ps1', [signed, this.#letters.letter], [password]);
  }

  async prove(): Promise<StepOutput> {
    const lines: StepOutput = [];
    for (const algorithm of ['RSA-3072', 'P-256']) {
      const signers = new Set<string>();
      for (const name of ['PC-A', 'PC-B', 'PC-C']) signers.add(await this.#letters.verify(name, algorithm));
      if (signers.size !== 1) throw new Error(`The ${algorithm} signatures are not by the same signer.`);
      lines.push(`${algorithm}: PC-A, PC-B and PC-C signed as the same signer, ${[...signers].join()}`);
    }
    return lines;
  }
}
