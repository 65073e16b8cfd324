/**
 * The waiting time after wrong passwords on the software chip: 5 tries for users, 3 for owners, then a wait that doubles
 * with each further failure. Kept in the user's or owner's own folder and therefore advisory (docs/decisions); a TPM's
 * own lock-out is enforced by the chip.
 */
import { fail } from '../domain/error.ts';
import { secondsPerDay, type Instant } from '../domain/time.ts';
import type { PasswordAttempts } from '../ports/environment-store.ts';

const firstWaitSeconds = 30;
const longestWaitSeconds = 24 * 60 * 60;
export const userTries = 5;
export const ownerTries = 3;

/** Each whole day without a wrong password takes one off (rows 93 and 95; decision 0012). */
const decaySeconds = secondsPerDay;

/** What still counts of the failures now. Pure. */
export function decayed(attempts: PasswordAttempts, now: Instant): PasswordAttempts {
  const days = Math.floor(Math.max(0, now - attempts.last) / decaySeconds);
  return { failed: Math.max(0, attempts.failed - days), last: attempts.last };
}

/** Seconds until the next try is allowed; 0 where it is allowed now. Pure. */
export function waitSeconds(attempts: PasswordAttempts, tries: number, now: Instant): number {
  if (attempts.failed < tries) return 0;
  const wait = Math.min(firstWaitSeconds * 2 ** (attempts.failed - tries), longestWaitSeconds);
  // A clock that was set back must not lock anyone out for longer than the wait itself.
  const elapsed = Math.max(0, now - attempts.last);
  return attempts.last > now ? wait : Math.max(0, wait - elapsed);
}

interface AttemptsRecord {
  read(): Promise<PasswordAttempts>;
  /** What `change` makes of the record as it is by then: others count at the same time. */
  update(change: (attempts: PasswordAttempts) => PasswordAttempts): Promise<void>;
}

/**
 * Runs `open`, counting failures that `isWrong` recognises, and forgiving them when it succeeds. `LockedOut` where the wait is not over; the password is not
 * tried then.
 */
export async function countingFailures<Value>(
  record: AttemptsRecord,
  tries: number,
  now: Instant,
  isWrong: (error: unknown) => boolean,
  open: () => Promise<Value>,
): Promise<Value> {
  const attempts = decayed(await record.read(), now);
  const seconds = waitSeconds(attempts, tries, now);
  if (seconds > 0) {
    // The clock was ahead at the last failure: from now on that wait is counted, or it would end only when it is there again.
    if (attempts.last > now)
      await record.update(({ failed, last }) => ({ failed, last: Math.min(last, now) }));
    throw fail('LockedOut', { seconds });
  }
  try {
    const value = await open();
    if (attempts.failed > 0) await record.update(() => ({ failed: 0, last: 0 }));
    return value;
  } catch (error) {
    if (isWrong(error)) await record.update((by) => ({ failed: decayed(by, now).failed + 1, last: now }));
    throw error;
  }
}
