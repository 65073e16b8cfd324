/**
 * What reading one PFX file needs beside its bytes: its name for messages, how it is refused, and how much work it may
 * still cause.
 */
import { fail } from '../../domain/error.ts';
import type { Refuse } from '../der.ts';
import type { PfxPassword } from './key-derivation.ts';

/** See the file's head. */
export class PfxReading {
  readonly path: string;
  readonly refuse: Refuse;
  #iterations = 0;

  constructor(path: string) {
    this.path = path;
    this.refuse = (problem) => fail('PfxMalformed', { path, problem });
  }

  /** Bounds what a file can make us compute. Takes and returns a number of iterations; `LimitExceeded`. */
  spend(iterations: number): number {
    if (iterations < 1) throw this.refuse('an iteration count is zero');
    this.#iterations += iterations;
    const what = `The number of iterations in ${this.path}`;
    this.bound(what, iterations, maximumIterations);
    this.bound(what, this.#iterations, maximumIterationsPerFile);
    return iterations;
  }

  /** `LimitExceeded` where there is more than is allowed. */
  bound(what: string, actual: number, maximum: number): void {
    if (actual > maximum) throw fail('LimitExceeded', { what, actual, maximum });
  }

  /** No form of the password opened the file; the empty one means that none was given. */
  rejected(password: PfxPassword): Error {
    return fail(password.isEmpty ? 'PfxPasswordRequired' : 'PfxPasswordRejected', { path: this.path });
  }

  unsupported(algorithm: string): Error {
    return fail('AlgorithmUnsupported', { path: this.path, algorithm });
  }
}

/** Programs write 1 to about 1,000,000 (NSS); ten times that still ends within seconds. */
const maximumIterations = 10_000_000;
const maximumIterationsPerFile = 50_000_000;
