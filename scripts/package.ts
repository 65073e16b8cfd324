/**
 * `npm run package [-- --platform linux-x64|win-x64|all] [--sign PROGRAM]`: makes dist/SPMigration/<version>/, the folder
 * that is copied to a computer as it is. `--sign` names a program that is run with the path of each executable, and
 * signs it in place before the checksums are taken. Leaves out publishing; that is a person's step.
 */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { VERSION } from '../core/src/version.ts';
import { assembleModule } from './build/assemble.ts';
import { PRODUCT, bundle } from './build/bundle.ts';
import { buildExecutable } from './build/executable.ts';
import { ROOT, parsePlatforms } from './build/platform.ts';

const { values } = parseArgs({ options: { platform: { type: 'string' }, sign: { type: 'string' } } });
const platforms = parsePlatforms(values.platform);
const target = join(ROOT, 'dist/SPMigration', VERSION);
const bundled = await bundle(PRODUCT);
await assembleModule({
  target,
  bundle: bundled,
  platforms,
  placeExecutable: (platform, output) =>
    buildExecutable({ platform, bundle: bundled, output, sign: values.sign }),
});
process.stdout.write(`${relative(ROOT, target)}: ${platforms.join(', ')}\n`);
