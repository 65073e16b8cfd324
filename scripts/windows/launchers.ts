/**
 * Writes the programs by which tests on Linux start Windows programs, one for each program and worker. Such a launcher is
 * replaced by Wine's process, which starts the program behind relay.exe: so a test writes to it, presses Ctrl+C (SIGINT) and
 * kills it like any other. What the test sets in the environment comes along; the lane's own variables are as the lane needs
 * them. It loads nothing, because hundreds of them start.
 */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ROOT } from '../build/platform.ts';
import { type Lane, WORKERS } from './lane.ts';

/** Variables of Linux's programs, which mean something else to a Windows program, or to Wine itself. */
const meantForLinux = /^(TMPDIR|PWD|OLDPWD|SHLVL|_|SHELL|LOGNAME|LANG|XDG_.*|LD_.*|npm_.*)$/;

/** `programs`: name to full path of the Windows program. */
export async function writeLaunchers(lane: Lane, programs: Readonly<Record<string, string>>): Promise<void> {
  await rm(join(lane.folder, 'bin'), { recursive: true, force: true });
  for (let worker = 1; worker <= WORKERS; worker++) {
    for (const [name, program] of Object.entries(programs)) {
      const file = lane.launcher(worker, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, launcher(lane, worker, program));
      await chmod(file, 0o755);
    }
  }
}

function launcher(lane: Lane, worker: number, program: string): string {
  const args = [lane.wineLoader, join(lane.native, 'relay.exe'), program];
  return `#!${join(ROOT, 'node_modules/.bin/node')} --no-warnings
const own = ${JSON.stringify(lane.environment(worker))};
const given = Object.entries(process.env).filter(([name]) => !${String(meantForLinux)}.test(name));
const args = [...${JSON.stringify(args)}, ...process.argv.slice(2)];
const { WINEDLLOVERRIDES = own.WINEDLLOVERRIDES } = process.env;
process.execve(args[0], args, { ...Object.fromEntries(given), ...own, WINEDLLOVERRIDES });
`;
}
