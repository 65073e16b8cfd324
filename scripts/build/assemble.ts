/**
 * Puts a module folder together: what psmodule/build.ts makes, executables under bin/<platform>/, licences, signatures, and
 * SHA256SUMS over all of it. Leaves out where executables come from, and the packages that are made of such a folder (package.ts).
 */
import { chmod, cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildModule } from '../../psmodule/build.ts';
import { type Bundle } from './bundle.ts';
import { checksums } from './checksums.ts';
import { filesBelow } from './files-below.ts';
import { thirdPartyNotices } from './notices.ts';
import { type Platform, ROOT, filesOf } from './platform.ts';
import { signModule } from './sign.ts';

export interface ModuleRequest {
  readonly bundle: Bundle;
  readonly platforms: readonly Platform[];
  /** Puts a platform's executable at `output`. */
  readonly placeExecutable: (platform: Platform, output: string) => Promise<void>;
  /** A program that signs the file whose path is its only argument, in place. */
  readonly sign?: string | undefined;
}

/** Makes the module at `target`, which appears complete or not at all; one that is there is replaced. */
export async function assembleModule(target: string, request: ModuleRequest): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), '.work-'));
  try {
    await fillModule(work, request);
    await rm(target, { recursive: true, force: true });
    await rename(work, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Fills the empty `folder` with a module. Answers which scripts the signing program left unsigned. */
export async function fillModule(folder: string, request: ModuleRequest): Promise<readonly string[]> {
  const { bundle, platforms, placeExecutable, sign } = request;
  await chmod(folder, 0o755);
  await buildModule(folder);
  for (const platform of platforms) {
    const output = join(folder, 'bin', platform, filesOf(platform).executable);
    await mkdir(dirname(output), { recursive: true });
    await placeExecutable(platform, output);
  }
  await cp(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
  await writeFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), await thirdPartyNotices(bundle.metafile));
  const unsigned = sign === undefined ? [] : await signModule(folder, sign);
  await writeFile(join(folder, 'SHA256SUMS'), await checksums(folder, await filesBelow(folder)));
  return unsigned;
}
