/**
 * The real executable, and the module with it, for tests that start them: built on first use, once for all of vitest's
 * workers, and again only when their sources have changed. In the Windows lane they are Windows', built by its set-up.
 */
import { freshExecutable, freshModule } from '../../scripts/build/freshness.ts';
import { windowsLane, windowsProgram } from './windows/lane.ts';

let executable: Promise<string> | undefined;
let module: Promise<string> | undefined;

/** Returns the path of this computer's `spmigration`. May take some seconds the first time: call it in `beforeAll`. */
export function builtExecutable(): Promise<string> {
  executable ??=
    windowsLane() === undefined ? freshExecutable() : Promise.resolve(windowsProgram('spmigration'));
  return executable;
}

/** Returns the folder of the complete module, executable included. May take some seconds: call it in `beforeAll`. */
export function builtModule(): Promise<string> {
  const lane = windowsLane();
  module ??= lane === undefined ? freshModule() : Promise.resolve(lane.module);
  return module;
}
