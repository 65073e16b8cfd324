/**
 * `npm run package [-- --platform linux-x64|win-x64|all] [--sign PROGRAM] [--output FOLDER]`: makes the folder
 * SPMigration/<version> that is copied to a computer as it is, the same as a ZIP archive, and SHA256SUMS; in dist/ if no folder is
 * named. `--sign` names a program that signs a file for Windows in place (docs/packaging.md). Leaves out publishing; that is a
 * person's step.
 */
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PRODUCT, bundle } from './build/bundle.ts';
import { buildExecutable } from './build/executable.ts';
import { makePackage } from './build/package.ts';
import { ROOT, parsePlatforms } from './build/platform.ts';
import { SigningError } from './build/sign.ts';

const { values } = parseArgs({
  options: { platform: { type: 'string' }, sign: { type: 'string' }, output: { type: 'string' } },
});
const platforms = parsePlatforms(values.platform);
if (values.sign !== undefined && !platforms.includes('win-x64'))
  throw new Error('--sign: only Windows looks at signatures: with --platform win-x64, or all');

try {
  const bundled = await bundle(PRODUCT);
  const made = await makePackage(resolve(values.output ?? join(ROOT, 'dist')), {
    bundle: bundled,
    platforms,
    placeExecutable: (platform, output) => buildExecutable({ platform, bundle: bundled, output }),
    // A path like the others: a bare name would be searched for.
    sign: values.sign === undefined ? undefined : resolve(values.sign),
  });
  for (const path of [made.module, made.zip])
    process.stdout.write(`${relative(ROOT, path)}: ${platforms.join(', ')}\n`);
  if (made.unsigned.length > 0)
    process.stderr.write(
      `package: not signed: ${made.unsigned.join(', ')}. The execution policy AllSigned refuses the module.\n`,
    );
} catch (error) {
  if (!(error instanceof SigningError)) throw error;
  process.stderr.write(`package: --sign: ${error.message}\npackage: nothing was changed\n`);
  process.exitCode = 1;
}
