/**
 * A copy of the project for tests that run as another account, where that account may not read the project's own folder: a
 * clone in root's home or in somebody's private temporary folder. Leaves out the history and what a person makes (`dist/`).
 */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../build/platform.ts';
import type { Account } from './lane.ts';
import { run } from './run.ts';

const leftOut = new Set(['.git', 'dist']);

/** Whether the account may read the project. */
export function reaches({ uid, gid }: Account): boolean {
  const path = join(ROOT, 'package.json');
  return spawnSync('/usr/bin/test', ['-r', path], { uid, gid, stdio: 'ignore' }).status === 0;
}

/** Copies the project into a new folder below `parent`, which everybody may enter, and answers it. */
export async function copyTree(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  const copy = await mkdtemp(join(parent, 'tree-'));
  for (const name of await readdir(ROOT))
    if (!leftOut.has(name))
      await cp(join(ROOT, name), join(copy, name), {
        recursive: true,
        verbatimSymlinks: true,
        // What is up to date stays so.
        preserveTimestamps: true,
      });
  await run('chmod', ['-R', 'a+rX', copy]);
  return copy;
}
