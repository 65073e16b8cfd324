/**
 * `npm run build [-- --platform linux-x64|win-x64|all] [--twice]`: builds executables into
 * build/<platform>/. `--twice` builds everything a second time, from a copy of the sources in another folder, and fails
 * unless the two are equal bit for bit.
 */
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { type BundleSource, PRODUCT, bundle } from './build/bundle.ts';
import { buildExecutable } from './build/executable.ts';
import { builtPath } from './build/freshness.ts';
import { type Platform, ROOT, parsePlatforms } from './build/platform.ts';

const { values } = parseArgs({
  options: {
    platform: { type: 'string' },
    twice: { type: 'boolean', default: false },
  },
});
const platforms = parsePlatforms(values.platform);

await buildAll(PRODUCT, builtPath);
for (const platform of platforms) {
  const file = builtPath(platform);
  const { size } = await stat(file);
  process.stdout.write(
    `${relative(ROOT, file)}  ${(size / 1e6).toFixed(1)} MB  sha256 ${await sha256(file)}\n`,
  );
}
if (values.twice) await compareWithSecondBuild();

async function buildAll(source: BundleSource, outputOf: (platform: Platform) => string): Promise<void> {
  const bundled = await bundle(source);
  for (const platform of platforms)
    await buildExecutable({ platform, bundle: bundled, output: outputOf(platform) });
}

async function compareWithSecondBuild(): Promise<void> {
  const copy = await mkdtemp(join(tmpdir(), 'spmigration-second-build-'));
  try {
    await cp(join(ROOT, 'core'), join(copy, 'core'), { recursive: true });
    await cp(join(ROOT, 'package.json'), join(copy, 'package.json'));
    for (const name of ['node_modules', 'scripts']) await symlink(join(ROOT, name), join(copy, name));
    await buildAll({ ...PRODUCT, root: copy }, (platform) => join(copy, platform));
    for (const platform of platforms) {
      const equal = (await sha256(join(copy, platform))) === (await sha256(builtPath(platform)));
      process.stdout.write(`${platform}: two builds are ${equal ? 'equal bit for bit' : 'DIFFERENT'}\n`);
      if (!equal) process.exitCode = 1;
    }
  } finally {
    await rm(copy, { recursive: true });
  }
}

async function sha256(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
