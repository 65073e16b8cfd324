/**
 * Builds an executable, or the module with it, once for any number of processes that want it at the same time (vitest's
 * workers, the demo, the benchmark), and not at all while nothing that goes into it has changed. So does the set-up of the
 * Windows lane with all that it makes.
 */
import { createHash } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { VERSION } from '../../core/src/version.ts';
import { type Bundle, PRODUCT, bundle } from './bundle.ts';
import { buildExecutable } from './executable.ts';
import { filesBelow } from './files-below.ts';
import { type Platform, ROOT, currentPlatform, filesOf } from './platform.ts';

/** Everything that can change the executable. */
const EXECUTABLE_INPUTS = ['core/src', 'scripts/build', 'package.json', 'package-lock.json'];
/** Everything that can change the module. */
export const MODULE_INPUTS = [...EXECUTABLE_INPUTS, 'psmodule', 'LICENSE'];

/** Where `npm run build` leaves an executable. */
export function builtPath(platform: Platform): string {
  return join(ROOT, 'build', platform, filesOf(platform).executable);
}

/** Where the module with a platform's executable is made for tests. */
export function modulePath(platform: Platform): string {
  const modules = platform === currentPlatform() ? 'module' : `module-${platform}`;
  return join(ROOT, 'build', modules, 'SPMigration', VERSION);
}

/** Returns the path of the executable, this computer's by default, after building it if it is missing or older than its sources. */
export async function freshExecutable(platform = thisPlatform()): Promise<string> {
  const output = builtPath(platform);
  await makeFresh(output, await stateOf(EXECUTABLE_INPUTS), async () => {
    await buildExecutable({ platform, bundle: await bundle(PRODUCT), output });
  });
  return output;
}

/** Returns the folder of the module with one executable in it, this computer's by default, as `npm run package` would make it. */
export async function freshModule(platform = thisPlatform()): Promise<string> {
  const executable = await freshExecutable(platform);
  const target = modulePath(platform);
  await makeFresh(target, await stateOf(MODULE_INPUTS), async () => {
    await assembleAround(executable, platform, await bundle(PRODUCT), target);
  });
  return target;
}

/** Makes the module with one executable, which is there already, at `target`. */
export async function assembleAround(
  executable: string,
  platform: Platform,
  bundled: Bundle,
  target: string,
): Promise<void> {
  const { assembleModule } = await import('./assemble.ts');
  await assembleModule(target, {
    bundle: bundled,
    platforms: [platform],
    placeExecutable: (_, output) => link(executable, output),
  });
}

export function thisPlatform(): Platform {
  const platform = currentPlatform();
  if (platform === undefined) throw new Error('there is no executable for this kind of computer');
  return platform;
}

/** Calls `make` unless `output` was made from the very same state; one process at a time. Answers whether it did. */
export async function makeFresh(output: string, state: string, make: () => Promise<void>): Promise<boolean> {
  if (await isFresh(output, state)) return false;
  await mkdir(dirname(output), { recursive: true });
  const unlock = await lock(`${output}.lock`);
  try {
    if (await isFresh(output, state)) return false; // another process has made it meanwhile
    // What is only half made is not taken for the former whole.
    await rm(stampOf(output), { force: true });
    await make();
    await writeFile(stampOf(output), state);
    return true;
  } finally {
    await unlock();
  }
}

const stampOf = (output: string): string => `${output}.stamp`;

async function isFresh(output: string, state: string): Promise<boolean> {
  const stamp = await readFile(stampOf(output), 'utf8').catch(absent);
  return stamp === state && (await stat(output).catch(absent)) !== undefined;
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/** A hash of everything below these files and folders of the project, of which `wanted` may leave out some. */
export async function stateOf(
  inputs: readonly string[],
  wanted: (path: string) => boolean = () => true,
): Promise<string> {
  const hash = createHash('sha256');
  for (const input of inputs) {
    for (const file of (await filesUnder(join(ROOT, input))).filter(wanted)) {
      hash.update(`${relative(ROOT, file)}\0`);
      hash.update(await readFile(file));
      hash.update('\0');
    }
  }
  return hash.digest('hex');
}

async function filesUnder(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  return (await filesBelow(path)).map((name) => join(path, name));
}

/** Waits for the lock file to be free and takes it; a lock whose process has died is taken over. Answers what gives it back. */
export async function lock(file: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(file, 'utf8').catch(absent));
    if (holder > 0 && !isAlive(holder)) await rm(file, { force: true });
    await delay(50);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
