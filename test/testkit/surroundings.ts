/** Doubles of the small ports: a clock that stands still, seeded randomness, processes that live and die as told. */
import { createHash } from 'node:crypto';
import { plain } from '../../core/src/bytes/bytes.ts';
import type { Account } from '../../core/src/domain/platform.ts';
import type { AccountPort } from '../../core/src/ports/account.ts';
import type { ProcessMark, Processes } from '../../core/src/ports/processes.ts';
import type { Clock, Random } from '../../core/src/ports/surroundings.ts';

export interface TestClock {
  readonly clock: Clock;
  /** Moves the time by so many seconds. */
  advance(seconds: number): void;
}

/** A clock that shows `start` (default: 2026-11-24T06:00:00Z) until it is moved. */
export function createTestClock(start = Date.UTC(2026, 10, 24, 6) / 1000): TestClock {
  let now = start;
  return {
    clock: () => now,
    advance: (seconds) => {
      now += seconds;
    },
  };
}

/** Bytes that depend on the seed and on what was drawn before: SHA-256 in counter mode. */
export function createSeededRandom(seed: string): Random {
  let counter = 0;
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let offset = 0; offset < length; offset += 32) {
      const block = plain(createHash('sha256').update(`${seed} ${counter}`).digest());
      counter += 1;
      bytes.set(block.subarray(0, Math.min(32, length - offset)), offset);
    }
    return bytes;
  };
}

/** A process table in which only marks that were started and not killed live. */
export interface TestProcesses {
  /** The view of one process: its own mark, and who lives. */
  start(pid: number, start?: string): Processes;
  kill(pid: number): void;
}

export function createTestProcesses(): TestProcesses {
  const living = new Map<number, string>();
  return {
    start: (pid, start = 's1') => {
      living.set(pid, start);
      return {
        self: () => Promise.resolve({ pid, start }),
        isAlive: (mark: ProcessMark) => Promise.resolve(living.get(mark.pid) === mark.start),
      };
    },
    kill: (pid) => {
      living.delete(pid);
    },
  };
}

/** An account as a test wants it. */
export function createTestAccount(
  account: Omit<Account, 'id'> & { readonly uid: number },
  answers: { readonly administrator?: boolean; readonly service?: boolean; readonly computer?: string } = {},
): AccountPort {
  const { uid, ...names } = account;
  return {
    current: (platform) =>
      Promise.resolve({ id: platform === undefined ? `uid:${uid}` : `uid:${uid}@${platform}`, ...names }),
    isAdministrator: () => Promise.resolve(answers.administrator ?? false),
    isServiceAccount: () => Promise.resolve(answers.service ?? false),
    computerName: () => Promise.resolve(answers.computer ?? 'TEST'),
  };
}
