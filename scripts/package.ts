/**
 * `npm run package [-- --platform linux-x64|win-x64|all] [--sign PROGRAM]`: makes dist/SPMigration/<version>/, the folder
 * that is copied to a computer as it is: the PowerShell module, an executable for each platform under bin/, licences,
 * and SHA256SUMS over all of it (`sha256sum -c SHA256SUMS`). Leaves out publishing; that is a person's step.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { buildModule } from '../psmodule/build.ts';
import { PRODUCT, bundle } from './build/bundle.ts';
import { buildExecutable } from './build/executable.ts';
import { thirdPartyNotices } from './build/notices.ts';
import { ROOT, filesOf, parsePlatforms } from './build/platform.ts';
import { VERSION } from '../core/src/version.ts';

const { values } = parseArgs({ options: { platform: { type: 'string' }, sign: { type: 'string' } } });
const platforms = parsePlatforms(values.platform);
const modules = join(ROOT, 'dist/SPMigration');
const target = join(modules, VERSION);

await mkdir(modules, { recursive: true });
const work = await mkdtemp(join(modules, '.work-'));
try {
  await buildModule(work);
  const bundled = await bundle(PRODUCT);
  for (const platform of platforms) {
    const output = join(work, 'bin', platform, filesOf(platform).executable);
    await buildExecutable({ platform, bundle: bundled, output, sign: values.sign });
  }
  await cp(join(ROOT, 'LICENSE'), join(work, 'LICENSE'));
  await writeFile(join(work, 'THIRD-PARTY-NOTICES.txt'), await thirdPartyNotices(bundled.metafile));
  await writeFile(join(work, 'SHA256SUMS'), await checksums(work));
  await rm(target, { recursive: true, force: true });
  await rename(work, target);
} finally {
  await rm(work, { recursive: true, force: true });
}
process.stdout.write(`${relative(ROOT, target)}: ${platforms.join(', ')}\n`);

/** One line for each file below `folder`, in the form that sha256sum reads. */
async function checksums(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines = await Promise.all(
    files.sort().map(async (file) => {
      const digest = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      return `${digest}  ${relative(folder, file).replaceAll('\\', '/')}\n`;
    }),
  );
  return lines.join('');
}
