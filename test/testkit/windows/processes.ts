/** Windows' own programs in the lane, and which processes live there: their numbers are not those that Linux has for them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { laneWorker, requireLane } from './lane.ts';

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
}

/** Runs a program of Windows by its name. */
export function runInWindows(program: string, ...args: readonly string[]): Ran {
  const lane = requireLane();
  return spawnSync(lane.wineLoader, [join(lane.native, 'relay.exe'), program, ...args], {
    env: lane.environment(laneWorker()),
    encoding: 'utf8',
  });
}

/** Process numbers, as tasklist.exe tells them. */
export function windowsProcesses(): ReadonlySet<number> {
  const { stdout, status } = runInWindows('tasklist.exe', '/FO', 'CSV', '/NH');
  if (status !== 0) throw new Error(`tasklist.exe ended with exit code ${status}`);
  return new Set([...stdout.matchAll(/^"[^"]*","(\d+)"/gm)].map(([, pid]) => Number(pid)));
}

/** Ends a process as the Task Manager would. */
export function killWindowsProcess(pid: number): void {
  const { status } = runInWindows('taskkill.exe', '/F', '/PID', String(pid));
  if (status !== 0) throw new Error(`taskkill.exe ended with exit code ${status}`);
}
