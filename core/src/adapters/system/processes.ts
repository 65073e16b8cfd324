/**
 * Port `processes`. A process is told from a later one with the same number by its start: on Linux that of /proc (proc(5),
 * field 22, clock ticks since boot) with the boot's id, on Windows the time that it keeps of itself. Where a process does not
 * let itself be looked at, its number is all there is to go by.
 */
import { readFile } from 'node:fs/promises';
import type { ProcessMark, Processes } from '../../ports/processes.ts';
import { isSystemCode } from './to-error.ts';
import type { Windows } from './windows.ts';
import { windowsItself } from './windows-itself.ts';

/** `windows` is asked on Windows only. */
export function createProcesses(
  platform: NodeJS.Platform,
  windows: () => Windows = windowsItself,
): Processes {
  const processes = platform === 'win32' ? createWindowsProcesses(windows) : linuxProcesses;
  return {
    self: () => processes.self(),
    // Marks are read from names of files, which anybody may make up where everybody may leave files.
    isAlive: (mark) => (mark.pid > largestPid ? Promise.resolve(false) : processes.isAlive(mark)),
  };
}

/** No system has a process beyond it, and Node refuses to ask for one. */
const largestPid = 2 ** 31 - 1;

const linuxProcesses: Processes = {
  self: async () => ({ pid: process.pid, start: (await startOf(process.pid)) ?? 'unknown' }),
  isAlive,
};

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

function createWindowsProcesses(windows: () => Windows): Processes {
  return {
    self: () => {
      const start = windows().processStart(process.pid);
      return Promise.resolve({ pid: process.pid, start: start === 'hidden' ? 'unknown' : start });
    },
    isAlive: (mark) => {
      const start = windows().processStart(mark.pid);
      if (start === 'ended') return Promise.resolve(false);
      // Another account's process may be hidden, and one that does not exist looks the same.
      if (start === 'hidden' || mark.start === 'unknown') return Promise.resolve(signalReaches(mark.pid));
      return Promise.resolve(start === mark.start);
    },
  };
}
