/** Writes the programs by which tests start Windows programs (`launch.ts`): one for each program and worker. */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../build/platform.ts';
import { type Lane, WORKERS } from './lane.ts';
import type { Launch } from './launch.ts';

/** `programs`: name to full path of the Windows program. */
export async function writeLaunchers(lane: Lane, programs: Readonly<Record<string, string>>): Promise<void> {
  await rm(join(lane.folder, 'bin'), { recursive: true, force: true });
  for (let worker = 1; worker <= WORKERS; worker++) {
    for (const [name, program] of Object.entries(programs))
      await write(lane.launcher(worker, name), { lane: lane.folder, worker, program });
  }
}

async function write(file: string, launch: Launch): Promise<void> {
  const node = join(ROOT, 'node_modules/.bin/node');
  const module = pathToFileURL(join(import.meta.dirname, 'launch.ts')).href;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(
    file,
    `#!${node} --no-warnings\nimport { launch } from ${JSON.stringify(module)};\nlaunch(${JSON.stringify(launch)});\n`,
  );
  await chmod(file, 0o755);
}
