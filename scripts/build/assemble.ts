/**
 * Puts a module folder together: what psmodule/build.ts makes, executables under bin/<platform>/, licences, and
 * SHA256SUMS over all of it. The folder appears complete or not at all. Leaves out where executables come from.
 */
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { buildModule } from '../../psmodule/build.ts';
import { type Bundle } from './bundle.ts';
import { thirdPartyNotices } from './notices.ts';
import { type Platform, ROOT, filesOf } from './platform.ts';

export interface ModuleRequest {
  /** The folder to make; one that is there is replaced. */
  readonly target: string;
  readonly bundle: Bundle;
  readonly platforms: readonly Platform[];
  /** Puts a platform's executable at `output`. */
  readonly placeExecutable: (platform: Platform, output: string) => Promise<void>;
}

export async function assembleModule(request: ModuleRequest): Promise<void> {
  const { target, bundle, platforms, placeExecutable } = request;
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), '.work-'));
  try {
    await chmod(work, 0o755);
    await buildModule(work);
    for (const platform of platforms) {
      const output = join(work, 'bin', platform, filesOf(platform).executable);
      await mkdir(dirname(output), { recursive: true });
      await placeExecutable(platform, output);
    }
    await cp(join(ROOT, 'LICENSE'), join(work, 'LICENSE'));
    await writeFile(join(work, 'THIRD-PARTY-NOTICES.txt'), await thirdPartyNotices(bundle.metafile));
    await writeFile(join(work, 'SHA256SUMS'), await checksums(work));
    await rm(target, { recursive: true, force: true });
    await rename(work, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** One line for each file below `folder`, in the form that `sha256sum -c` reads. */
async function checksums(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines = await Promise.all(
    files.sort().map(async (file) => {
      const digest = createHash('sha256').update(await readFile(file));
      return `${digest.digest('hex')}  ${relative(folder, file).replaceAll('\\', '/')}\n`;
    }),
  );
  return lines.join('');
}
