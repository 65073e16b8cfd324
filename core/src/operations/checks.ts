/**
 * Lists of checks, as `Test-SPMigrationArchive` and `Test-SPMigration` answer them. A check passes, fails with a code of the
 * catalogue, or passes with a note: something that is no obstacle now and worth knowing before anyone travels. A note is
 * recognised by its hint (docs/spec/process-protocol.md, "Checks").
 */
import { isSPMigrationError, type SPMigrationError } from '../domain/error.ts';
import { secondsPerDay } from '../domain/time.ts';
import type { CheckResult } from './results.ts';

/** What a passed check adds: the fact, and what to do about it. */
export interface Note {
  readonly message: string;
  readonly hint: string;
}

/** Outcomes, in the order in which they were found. */
export class Checks {
  readonly list: CheckResult[] = [];

  /** Makes one check. `passed` is its text, or a note, where it did not throw. Answers its value; undefined where it failed. */
  async attempt<Value>(
    name: string,
    passed: string | ((value: Value) => string | Note),
    check: () => Value | Promise<Value>,
  ): Promise<Value | undefined> {
    let value: Value;
    try {
      value = await check();
    } catch (error) {
      if (!isSPMigrationError(error)) throw error;
      this.fail(name, error);
      return undefined;
    }
    this.pass(name, typeof passed === 'string' ? passed : passed(value));
    return value;
  }

  pass(name: string, outcome: string | Note): void {
    const { message, hint } = typeof outcome === 'string' ? { message: outcome, hint: null } : outcome;
    this.list.push({ name, passed: true, code: null, message, hint });
  }

  /** The same failure found by another check is the same failure. */
  fail(name: string, { code, message, hint }: Pick<SPMigrationError, 'code' | 'message' | 'hint'>): void {
    if (this.list.some((one) => !one.passed && one.message === message)) return;
    this.list.push({ name, passed: false, code, message, hint });
  }

  /** Messages of everything that someone should read: failures first, then notes. */
  get reasons(): readonly string[] {
    const failed = this.list.filter(({ passed }) => !passed);
    const notes = this.list.filter(({ passed, hint }) => passed && hint !== null);
    return [...failed, ...notes].map(({ message }) => message);
  }

  get allPassed(): boolean {
    return this.list.every(({ passed }) => passed);
  }
}

/** `12 days left`, `1 day left`, `less than a day left`. `seconds` is at least 0. */
export function daysLeftText(seconds: number): string {
  return `${daysText(seconds)} left`;
}

/** `3 days`, `1 day`, `less than a day`. */
export function daysText(seconds: number): string {
  const days = Math.floor(seconds / secondsPerDay);
  return days === 0 ? 'less than a day' : counted(days, 'day');
}

/** `1 line`, `3 lines`; of words that only take an s. */
export function counted(count: number, word: string): string {
  return `${String(count)} ${word}${count === 1 ? '' : 's'}`;
}
