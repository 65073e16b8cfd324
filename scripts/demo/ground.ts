/**
 * What the computers of the demonstration are simulated on: the account that plays Anna, how programs there write paths, and
 * TPMs. Here it is this system; the tests of the Windows lane have another one.
 */
import { userInfo } from 'node:os';
import { Swtpm } from '../../test/testkit/swtpm.ts';

export interface Ground {
  readonly user: string;
  /** A full path of this system as the programs there write it. */
  readonly path: (path: string) => string;
  /** A new TPM that is locked out after so many wrong authorizations. */
  readonly startTpm: (tries: number) => Promise<SimulatedTpm>;
}

export interface SimulatedTpm {
  readonly swtpm: Pick<Swtpm, 'leftLoaded' | 'handles' | 'address'>;
  /** Variables by which programs there find it. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
  /** The same, at once. */
  kill(): void;
}

export const thisSystem: Ground = {
  get user() {
    return userInfo().username;
  },
  path: (path) => path,
  startTpm: async (tries) => {
    const swtpm = await Swtpm.start(tries);
    return {
      swtpm,
      env: { SPMIGRATION_TPM: swtpm.address },
      stop: () => swtpm.stop(),
      kill: () => {
        swtpm.kill();
      },
    };
  },
};
