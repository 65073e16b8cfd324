/**
 * The real executable, and the module with it, for tests that start them: built on first use, once for all of vitest's
 * workers, and again only when their sources have changed. Leaves out Windows' executable; nothing here can run it.
 */
import { freshExecutable, freshModule } from '../../scripts/build/freshness.ts';

let executable: Promise<string> | undefined;
let module: Promise<string> | undefined;

/** Returns the path of this computer's `spmigration`. May take some seconds the first time: call it in `beforeAll`. */
export function builtExecutable(): Promise<string> {
  executable ??= freshExecutable();
  return executable;
}

/** Returns the folder of the complete module, executable included. May take some seconds: call it in `beforeAll`. */
export function builtModule(): Promise<string> {
  module ??= freshModule();
  return module;
}
