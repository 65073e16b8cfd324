/**
 * Port `processes`. On Linux a process is told from a later one with the same number by its start time in /proc (proc(5),
 * field 22, clock ticks since boot) and the boot's id. Windows tells a start time only through slow interfaces: there a
 * process number that lives again under another program's name is taken for dead (docs/windows-checklist.md).
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ProcessMark, Processes } from '../../ports/processes.ts';
import { isSystemCode } from './to-error.ts';
import { askWindows } from './windows.ts';

export function createProcesses(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): Processes {
  if (platform === 'win32') return createWindowsProcesses(env);
  return {
    self: async () => ({ pid: process.pid, start: (await startOf(process.pid)) ?? 'unknown' }),
    isAlive,
  };
}

async function isAlive(mark: ProcessMark): Promise<boolean> {
  if (!signalReaches(mark.pid)) return false;
  const start = await startOf(mark.pid);
  // No /proc here, or none when the lock was taken: the number is all there is to go by.
  if (start === undefined) return signalReaches(mark.pid);
  if (start === 'ended') return false;
  return mark.start === 'unknown' || start === mark.start;
}

/** Whether a process of this number exists, also another account's. */
function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (isSystemCode(error, 'ESRCH')) return false;
    if (isSystemCode(error, 'EPERM')) return true;
    throw error;
  }
}

/** Start ticks and the first digits of the boot's id; `ended` for a zombie; undefined where there is no such process or no /proc. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    // The program's name (field 2) may hold blanks and parentheses; what follows its last one is regular.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    // A zombie has a number and a start, but will never let go of a lock.
    if (state === 'Z' || state === 'X') return 'ended';
    return ticks === undefined ? undefined : `${ticks}x${boot.slice(0, 8)}`;
  } catch (error) {
    if (isSystemCode(error, 'ENOENT', 'ESRCH', 'EACCES')) return undefined;
    throw error;
  }
}

function createWindowsProcesses(env: NodeJS.ProcessEnv): Processes {
  const image = basename(process.execPath).toLowerCase();
  return {
    self: () => Promise.resolve({ pid: process.pid, start: 'unknown' }),
    isAlive: async ({ pid }) => {
      if (!signalReaches(pid)) return false;
      const list = ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH'];
      const output = await askWindows(env, 'tasklist.exe', list);
      const line = output
        .toLowerCase()
        .split(/\r?\n/)
        .find((candidate) => candidate.includes(`"${pid}"`));
      return line === undefined || line.startsWith(`"${image}"`);
    },
  };
}
