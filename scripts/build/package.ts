/**
 * What is given to users: the folder SPMigration/<version>, the same as a ZIP archive that is unpacked into a folder of modules,
 * and SHA256SUMS over all archives beside it. All of it is made aside first: where anything fails, what was there stays.
 */
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VERSION } from '../../core/src/version.ts';
import { fillModule, type ModuleRequest } from './assemble.ts';
import { checksums } from './checksums.ts';
import { PLATFORMS, type Platform } from './platform.ts';
import { zipFolder } from './zip.ts';

const MODULE = 'SPMigration';
const CHECKSUMS = 'SHA256SUMS';

export interface Package {
  /** The module's folder. */
  readonly module: string;
  readonly zip: string;
  /** Scripts that the signing program left unsigned, relative to `module`. */
  readonly unsigned: readonly string[];
}

/** Makes folder, archive and checksums in `output`. */
export async function makePackage(output: string, request: ModuleRequest): Promise<Package> {
  await mkdir(output, { recursive: true });
  const work = await mkdtemp(join(output, '.work-'));
  try {
    const content = join(work, 'content');
    const made = join(content, MODULE, VERSION);
    await mkdir(made, { recursive: true });
    const unsigned = await fillModule(made, request);
    const name = archiveName(request.platforms);
    await zipFolder(content, join(work, name));

    const module = join(output, MODULE, VERSION);
    await mkdir(join(output, MODULE), { recursive: true });
    await rm(module, { recursive: true, force: true });
    await rename(made, module);
    const zip = join(output, name);
    await rename(join(work, name), zip);
    await writeChecksums(output, work);
    return { module, zip, unsigned };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** For example `SPMigration-0.1.0-win-x64.zip`; `all` stands for all platforms. */
export function archiveName(platforms: readonly Platform[]): string {
  const isForAll = PLATFORMS.every((platform) => platforms.includes(platform));
  return `${MODULE}-${VERSION}-${isForAll ? 'all' : platforms.join('-')}.zip`;
}

/** Archives of other platforms and versions that lie there, too, stay in the list. */
async function writeChecksums(output: string, work: string): Promise<void> {
  const archives = (await readdir(output)).filter((name) => /^SPMigration-.*\.zip$/.test(name));
  await writeFile(join(work, CHECKSUMS), await checksums(output, archives));
  await rename(join(work, CHECKSUMS), join(output, CHECKSUMS));
}
