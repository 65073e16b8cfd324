/**
 * The module with a quick executable: the product in everything but Argon2id, which takes most of the time of every command
 * that has a password. For suites of many commands of which it is no matter how much a guess costs. It and the product cannot
 * open what the other made; in-process computers can, with `cheapKdf`. The Windows lane has the product's executable only.
 */
import { join } from 'node:path';
import { PRODUCT, bundle } from '../../scripts/build/bundle.ts';
import { buildExecutable } from '../../scripts/build/executable.ts';
import {
  MODULE_INPUTS,
  assembleAround,
  makeFresh,
  stateOf,
  thisPlatform,
} from '../../scripts/build/freshness.ts';
import { ROOT, filesOf } from '../../scripts/build/platform.ts';
import { builtModule } from './executable.ts';
import { windowsLane } from './windows/lane.ts';

const quick = { module: 'core/src/crypto/kdf.ts', by: 'test/testkit/quick-kdf.ts' };

let module: Promise<string> | undefined;

/** Returns the folder of the complete module, quick executable included. May take some seconds: call it in `beforeAll`. */
export function quickModule(): Promise<string> {
  module ??= windowsLane() === undefined ? freshQuickModule() : builtModule();
  return module;
}

async function freshQuickModule(): Promise<string> {
  const platform = thisPlatform();
  const place = join(ROOT, 'build/quick');
  const executable = join(place, platform, filesOf(platform).executable);
  const target = join(place, 'module/SPMigration');
  await makeFresh(target, await stateOf([...MODULE_INPUTS, quick.by]), async () => {
    const bundled = await bundle({ ...PRODUCT, replaced: quick });
    await buildExecutable({ platform, bundle: bundled, output: executable });
    await assembleAround(executable, platform, bundled, target);
  });
  return target;
}
