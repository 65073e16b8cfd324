/** Which processes live in the lane's Windows: their numbers are not those that Linux has for them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { laneWorker, requireLane } from './lane.ts';

/** Process numbers, as Windows' own tasklist.exe tells them. */
export function windowsProcesses(): ReadonlySet<number> {
  const lane = requireLane();
  const args = [join(lane.native, 'relay.exe'), 'tasklist.exe', '/FO', 'CSV', '/NH'];
  const { stdout, status } = spawnSync(lane.wineLoader, args, {
    env: lane.environment(laneWorker()),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`tasklist.exe ended with exit code ${status}`);
  return new Set([...stdout.matchAll(/^"[^"]*","(\d+)"/gm)].map(([, pid]) => Number(pid)));
}
