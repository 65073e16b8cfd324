/**
 * The Windows lane as tests see it: where the runner (`npm run test:windows`) has set it up, the testkit's executable, module
 * and engine are Windows programs, which Linux starts by launchers, and everything else of a test stays as it is. A path of
 * Linux means the same there as long as a program works on drive Z:, where Wine shows all of Linux; `windowsPath` says it in full.
 */
import { join, relative } from 'node:path';
import { Lane, LANE_VARIABLE } from '../../../scripts/windows/lane.ts';
import { meets } from '../requirement.ts';

/** The lane that tests run in; undefined in every other run. */
export function windowsLane(): Lane | undefined {
  const folder = process.env[LANE_VARIABLE];
  return folder === undefined || folder === '' ? undefined : new Lane(folder);
}

/** For `describe.skipIf(!haveWindows())`: false skips visibly, and throws where SPMIGRATION_REQUIRE asks for `windows`. */
export function haveWindows(): boolean {
  return meets('windows', windowsLane() !== undefined);
}

/** The lane, in a test that is skipped without one. */
export function requireLane(): Lane {
  const lane = windowsLane();
  if (lane === undefined) throw new Error('the Windows lane has not been set up: npm run test:windows');
  return lane;
}

/** Which of the lane's Windows this process has for itself, from 1. */
export function laneWorker(): number {
  return Number(process.env.VITEST_POOL_ID ?? '1');
}

/** The path of a program that starts a Windows program: `pshost`, `spmigration` or `node`. */
export function windowsProgram(name: 'pshost' | 'spmigration' | 'node'): string {
  return requireLane().launcher(laneWorker(), name);
}

/** Node for Windows itself, for programs of Windows that start it. */
export function windowsNode(): string {
  return requireLane().node;
}

/** Drive C: of this process's Windows, as Linux sees it. */
export function driveC(): string {
  return join(requireLane().prefix(laneWorker()), 'drive_c');
}

/** A full path as the programs of this run write it: `windowsPath` in the lane, and as it is elsewhere. */
export function pathThere(path: string): string {
  return windowsLane() === undefined ? path : windowsPath(path);
}

/** A full path of Linux as Windows has it: on drive C: what lies there, and on Z: everything else. */
export function windowsPath(path: string): string {
  const inside = relative(driveC(), path);
  const [drive, rest] = inside.startsWith('..') ? ['Z:', path] : ['C:', `/${inside}`];
  return drive + rest.replaceAll('/', '\\');
}
