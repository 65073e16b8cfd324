/**
 * Builds this computer's executable once for any number of processes that want it at the same time (vitest's workers,
 * the demo, the benchmark), and not at all while nothing that goes into it has changed. Leaves out: Windows' executable,
 * which only packaging needs.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PRODUCT, bundle } from './bundle.ts';
import { buildExecutable } from './executable.ts';
import { type Platform, ROOT, currentPlatform, filesOf } from './platform.ts';

/** Everything that can change the executable. */
const INPUTS = ['core/src', 'scripts/build', 'package.json', 'package-lock.json'];

/** Where `npm run build` leaves an executable. */
export function builtPath(platform: Platform): string {
  return join(ROOT, 'build', platform, filesOf(platform).executable);
}

/** Returns the path of this computer's executable, after building it if it is missing or older than its sources. */
export async function freshExecutable(): Promise<string> {
  const platform = currentPlatform();
  if (platform === undefined) throw new Error('there is no executable for this kind of computer');
  const output = builtPath(platform);
  const state = await stateOfInputs();
  if (await isFresh(output, state)) return output;
  await mkdir(dirname(output), { recursive: true });
  const unlock = await lock(join(dirname(output), 'lock'));
  try {
    if (await isFresh(output, state)) return output; // another process has built it meanwhile
    await buildExecutable({ platform, bundle: await bundle(PRODUCT), output });
    await writeFile(stampOf(output), state);
  } finally {
    await unlock();
  }
  return output;
}

const stampOf = (output: string): string => `${output}.stamp`;

async function isFresh(output: string, state: string): Promise<boolean> {
  const stamp = await readFile(stampOf(output), 'utf8').catch(absent);
  return stamp === state && (await stat(output).catch(absent)) !== undefined;
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

async function stateOfInputs(): Promise<string> {
  const hash = createHash('sha256');
  for (const input of INPUTS) {
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
