/**
 * A lock among processes, without a moment in which two hold it and without a way to be stuck on a dead one. Each
 * contender makes a file of its own, whose *name* says platform, pid and start time, and only then looks for others; of
 * two contenders at least the later one sees the other's file. A dead process's file is simply removed: its name is
 * never used again, so the removal cannot hit a living lock (which is what goes wrong with one shared lock file). It also says
 * that a holder was stopped half-way: what is visible of its work is made durable before anybody builds on it.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '../../domain/error.ts';
import { formatInstant } from '../../domain/time.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { Processes } from '../../ports/processes.ts';
import { removeLeftOver, uniqueMark } from './durable.ts';

export interface LockPlace {
  readonly disk: FileSystem;
  readonly processes: Processes;
  readonly folder: string;
  /** Beginning of the files' names: `lock`, `history-lock`. */
  readonly name: string;
  /** Platform id, for whoever looks at the folder. */
  readonly platform: string;
  /** How long to wait for another holder. */
  readonly waitMilliseconds: number;
  /** Makes durable what a holder that died may have changed below `folder`; the names in `folder` itself are. */
  readonly recover?: () => Promise<void>;
}

interface Holder {
  readonly pid: number;
  readonly since: string;
}

/** How long a record (`installed`, counters of wrong passwords) is waited for: its holder writes one small file. */
export const recordsWaitMilliseconds = 5000;

const pauseMilliseconds = 20;

/** Runs `work` with the lock held. `EnvironmentBusy` where a living process keeps it for longer than the waiting time. */
export async function withLock<Result>(place: LockPlace, work: () => Promise<Result>): Promise<Result> {
  const { own, dead } = await acquire(place);
  try {
    if (dead.size > 0) {
      await place.recover?.();
      await place.disk.syncFolder(place.folder);
      for (const path of dead) await removeLeftOver(place.disk, path);
    }
    return await work();
  } finally {
    await removeLeftOver(place.disk, own);
  }
}

/** This process's file, and those of dead ones, which stay until the lock is held. */
async function acquire(place: LockPlace): Promise<{ readonly own: string; readonly dead: Set<string> }> {
  const deadline = performance.now() + place.waitMilliseconds;
  const dead = new Set<string>();
  for (let attempt = 1; ; attempt++) {
    const mark = await uniqueMark(place.processes);
    const own = join(place.folder, `${place.name}.${place.platform}.${mark}`);
    // Who waits only looks: the files of all who wait would keep each of them from finding itself alone.
    let holder = attempt === 1 ? undefined : await findHolder(place, own, dead);
    if (holder === undefined) {
      await place.disk.create(own, new Uint8Array(), 0o600);
      holder = await otherHolder(place, own, dead);
      if (holder === undefined) return { own, dead };
      await removeLeftOver(place.disk, own);
    }
    if (performance.now() >= deadline)
      throw fail('EnvironmentBusy', { pid: holder.pid, since: holder.since });
    // Those that began together must not meet again and again: their pauses differ by their numbers.
    await delay(pauseMilliseconds + (Number(mark.replaceAll(/\D/g, '').slice(-9)) % 19));
  }
}

async function otherHolder(place: LockPlace, own: string, dead: Set<string>): Promise<Holder | undefined> {
  try {
    return await findHolder(place, own, dead);
  } catch (error) {
    await removeLeftOver(place.disk, own);
    throw error;
  }
}

async function findHolder(place: LockPlace, own: string, dead: Set<string>): Promise<Holder | undefined> {
  const { disk, processes, folder } = place;
  for (const name of await disk.list(folder)) {
    const path = join(folder, name);
    if (path === own || dead.has(path) || !name.startsWith(`${place.name}.`)) continue;
    const [, pid, start] = /\.(\d{1,10})\.([a-z0-9]{1,40})\.\d{1,10}$/.exec(name) ?? [];
    if (pid === undefined || start === undefined) continue;
    if (!(await processes.isAlive({ pid: Number(pid), start }))) {
      dead.add(path);
      continue;
    }
    const status = await disk.status(path);
    if (status !== undefined) return { pid: Number(pid), since: formatInstant(status.modified) };
  }
  return undefined;
}
