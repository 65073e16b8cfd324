/** Builds the TBS-shaped library (`tbs.c`) that stands in for Windows' on other systems. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { meets } from '../requirement.ts';

/** Whether it can be built here, and swtpm answers it; an error where SPMIGRATION_REQUIRE lists `tbs` and it cannot. */
export function hasTbs(): boolean {
  const starts = (program: string): boolean =>
    spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
  return meets('tbs', existsSync('/usr/include/stdio.h') && starts('gcc') && starts('swtpm'));
}

/** Builds it into `folder`. Returns its path. */
export function buildTbs(folder: string): string {
  const library = join(folder, 'tbs.so');
  const source = join(import.meta.dirname, 'tbs.c');
  const options = ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC'];
  const built = spawnSync('gcc', [...options, '-o', library, source], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`gcc: ${built.error?.message ?? built.stderr}`);
  return library;
}
