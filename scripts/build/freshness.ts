/**
 * Builds this computer's executable, or the module with it, once for any number of processes that want it at the same
 * time (vitest's workers, the demo, the benchmark), and not at all while nothing that goes into it has changed. Leaves
 * out Windows' executable, which only packaging needs.
 */
import { createHash } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { VERSION } from '../../core/src/version.ts';
import { PRODUCT, bundle } from './bundle.ts';
import { buildExecutable } from './executable.ts';
import { type Platform, ROOT, currentPlatform, filesOf } from './platform.ts';

/** Everything that can change the executable. */
const EXECUTABLE_INPUTS = ['core/src', 'scripts/build', 'package.json', 'package-lock.json'];
const MODULE_INPUTS = [...EXECUTABLE_INPUTS, 'psmodule', 'LICENSE'];

/** Where `npm run build` leaves an executable. */
export function builtPath(platform: Platform): string {
  return join(ROOT, 'build', platform, filesOf(platform).executable);
}

/** Returns the path of this computer's executable, after building it if it is missing or older than its sources. */
export async function freshExecutable(): Promise<string> {
  const platform = thisPlatform();
  const output = builtPath(platform);
  await makeFresh(output, EXECUTABLE_INPUTS, async () => {
    await buildExecutable({ platform, bundle: await bundle(PRODUCT), output });
  });
  return output;
}

/** Returns the folder of the module with this computer's executable in it, as `npm run package` would make it. */
export async function freshModule(): Promise<string> {
  const platform = thisPlatform();
  const executable = await freshExecutable();
  const target = join(ROOT, 'build/module/SPMigration', VERSION);
  await makeFresh(target, MODULE_INPUTS, async () => {
    const { assembleModule } = await import('./assemble.ts');
    await assembleModule({
      target,
      bundle: await bundle(PRODUCT),
      platforms: [platform],
      placeExecutable: (_, output) => link(executable, output),
    });
  });
  return target;
}

function thisPlatform(): Platform {
  const platform = currentPlatform();
  if (platform === undefined) throw new Error('there is no executable for this kind of computer');
  return platform;
}

/** Calls `make` unless `output` was made from the very same inputs; one process at a time. */
async function makeFresh(
  output: string,
  inputs: readonly string[],
  make: () => Promise<void>,
): Promise<void> {
  const state = await stateOf(inputs);
  if (await isFresh(output, state)) return;
  await mkdir(dirname(output), { recursive: true });
  const unlock = await lock(`${output}.lock`);
  try {
    if (await isFresh(output, state)) return; // another process has made it meanwhile
    await make();
    await writeFile(stampOf(output), state);
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

async function stateOf(inputs: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const input of inputs) {
    for (const file of await filesUnder(join(ROOT, input))) {
      hash.update(`${relative(ROOT, file)}\0`);
      hash.update(await readFile(file));
      hash.update('\0');
    }
  }
  return hash.digest('hex');
}

async function filesUnder(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Waits for the lock file to be free and takes it; a lock whose process has died is taken over. */
async function lock(file: string): Promise<() => Promise<void>> {
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
