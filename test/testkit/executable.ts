/**
 * The real executable for tests that start it: built on first use, once for all of vitest's workers, and again only when
 * its sources have changed. Leaves out Windows' executable; nothing here can run it.
 */
import { freshExecutable } from '../../scripts/build/freshness.ts';

let built: Promise<string> | undefined;

/** Returns the path of this computer's `spmigration`. May take some seconds the first time: call it in `beforeAll`. */
export function builtExecutable(): Promise<string> {
  built ??= freshExecutable();
  return built;
}
