/**
 * Writes the programs by which tests on Linux start Windows programs, one for each program and worker. Such a launcher is
 * replaced by Wine's process, which starts the program behind relay.exe: so a test writes to it, presses Ctrl+C (SIGINT) and
 * kills it like any other. What the test sets in the environment comes along; the lane's own variables are as the lane needs
 * them. It is a script for sh, which starts at once, because hundreds of them start.
 */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Lane, WORKERS } from './lane.ts';

/** Variables of Linux's programs, which mean something else to a Windows program, or to Wine itself. */
const meantForLinux = [
  ...['TMPDIR', 'PWD', 'OLDPWD', 'SHLVL', 'SHELL', 'LOGNAME', 'LANG', 'LD_LIBRARY_PATH', 'LD_PRELOAD'],
  ...['CACHE', 'CONFIG', 'DATA', 'STATE'].map((name) => `XDG_${name}_HOME`),
];

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
  const { WINEDLLOVERRIDES = '', ...own } = lane.environment(worker);
  const setting = Object.entries(own).map(([name, value]) => `${name}=${quoted(value)}`);
  const command = [lane.wineLoader, join(lane.native, 'relay.exe'), program].map(quoted);
  return `#!/bin/sh
unset ${meantForLinux.join(' ')}
export ${setting.join(' ')} WINEDLLOVERRIDES="\${WINEDLLOVERRIDES-${WINEDLLOVERRIDES}}"
exec ${command.join(' ')} "$@"
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
