/** How long one waits after wrong passwords, what a day forgives, and that clocks which jump lock nobody out for good. */
import { describe, expect, it } from 'vitest';
import {
  countingFailures,
  decayed,
  ownerTries,
  userTries,
  waitSeconds,
} from '../../../core/src/operations/lock-out.ts';
import type { PasswordAttempts } from '../../../core/src/ports/environment-store.ts';

const day = 86_400;
const start = 1_800_000_000;

describe('the wait', () => {
  it.each([
    ['a user', userTries, 5],
    ['an owner', ownerTries, 3],
  ] as const)(
    'of %s begins with the last of the free tries, doubles, and ends at a day',
    (_, tries, free) => {
      expect(tries).toBe(free);
      const waits = Array.from({ length: 16 }, (_unused, more) =>
        waitSeconds({ failed: free + more, last: start }, tries, start),
      );
      expect(waits.slice(0, 4)).toEqual([30, 60, 120, 240]);
      expect(waits.slice(-4)).toEqual([day, day, day, day]);
      expect(waitSeconds({ failed: free - 1, last: start }, tries, start)).toBe(0);
      expect(waitSeconds({ failed: 1e9, last: start }, tries, start)).toBe(day);
    },
  );

  it('runs down with time, and is never longer than itself under a clock that was set back', () => {
    const attempts = { failed: 6, last: start };
    expect(waitSeconds(attempts, userTries, start + 59)).toBe(1);
    expect(waitSeconds(attempts, userTries, start + 60)).toBe(0);
    expect(waitSeconds(attempts, userTries, start - 10 * day)).toBe(60);
  });
});

describe('row-093: a count of failures', () => {
  it.each([
    ['of the same day stays', day - 1, 7],
    ['loses one after a whole day', day, 6],
    ['loses one for each', 3 * day + 5, 4],
    ['ends at none', 100 * day, 0],
    ['does not grow under a clock that was set back', -5 * day, 7],
  ])('%s', (_, later, left) => {
    expect(decayed({ failed: 7, last: start }, start + later)).toEqual({ failed: left, last: start });
  });

  it('goes on from what is left of it, and is forgiven by a right password', async () => {
    let stored: PasswordAttempts = { failed: 7, last: start };
    const record = {
      read: () => Promise.resolve(stored),
      update: (change: (attempts: PasswordAttempts) => PasswordAttempts) => {
        stored = change(stored);
        return Promise.resolve();
      },
    };
    const wrong = new Error('wrong');
    const attempt = (now: number, open: () => Promise<string>) =>
      countingFailures(record, userTries, now, (error) => error === wrong, open);
    const now = start + 3 * day;
    await expect(attempt(now, () => Promise.reject(wrong))).rejects.toBe(wrong);
    expect(stored).toEqual({ failed: 5, last: now });
    let tried = false;
    const right = () => {
      tried = true;
      return Promise.resolve('open');
    };
    await expect(attempt(now + 29, right)).rejects.toMatchObject({
      code: 'LockedOut',
      details: { seconds: 1 },
    });
    expect(tried).toBe(false);
    // What is no wrong password counts for nothing, either way.
    await expect(attempt(now + 30, () => Promise.reject(new Error('a full disk')))).rejects.toThrow('full');
    expect(stored).toEqual({ failed: 5, last: now });
    expect(await attempt(now + 30, right)).toBe('open');
    expect(stored).toEqual({ failed: 0, last: 0 });
  });
});
