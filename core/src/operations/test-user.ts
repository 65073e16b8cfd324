/**
 * `Test-SPMigration`, what concerns the calling account, here and on a destination: its environment as far as it shows without
 * the password, space, and tries and age of the password. What a source needs besides is in `test-source.ts`.
 */
import { fail } from '../domain/error.ts';
import type { HistoryLine } from '../domain/history.ts';
import { formatInstant, secondsPerDay } from '../domain/time.ts';
import { checkBasicUserKey } from '../sealing/basic-user-key.ts';
import { counted, daysText, type Checks, type Note } from './checks.ts';
import { keptPasswords } from './kept-passwords.ts';
import { decayed, userTries, waitSeconds } from './lock-out.ts';
import type { Call } from './operation.ts';
import { passwordSetAt } from './password-age.ts';
import type { Platform } from './platform-context.ts';
import { sizeText, requireSpace } from './space.ts';
import { findUser, ofEnvironment, type PresentEnvironment, type User } from './user-context.ts';

export interface UserQuestions {
  readonly role?: 'Source' | 'Destination';
  readonly maximumPasswordAgeDays?: number;
  /** Of the history, as far as they could be read. */
  readonly lines: readonly HistoryLine[];
}

/** A password is worth a note in the last days before it is too old. */
const warningDays = 14;

/** Makes the checks of both roles; answers the user, undefined where the folder cannot be used. */
export async function testUser(
  call: Call,
  platform: Platform,
  questions: UserQuestions,
  checks: Checks,
): Promise<User | undefined> {
  if (await call.ports.account.isServiceAccount()) {
    checks.pass('Account', {
      message: `${platform.account.name} is a service account; an environment belongs to a person.`,
      hint: 'Run the test as the person whose keys are to move.',
    });
  }
  const user = await checks.attempt('Environment', describe, async () => {
    const found = await findUser(call, platform);
    if (found.present !== undefined) requireOwnPolicy(found.present);
    else if (questions.role !== 'Destination')
      throw fail('UserNotInitialized', { account: platform.account.name });
    return found;
  });
  if (user === undefined) return undefined;
  await testSpace(call, user, checks);
  if (user.present === undefined) return user;
  await testTries(call, user, user.present, checks);
  testAge(call, platform, questions, checks);
  await testKeptPasswords(user, user.present, checks);
  return user;
}

function describe({ present, platform }: User): string {
  if (present === undefined)
    return `There is no environment of ${platform.account.name} here yet: an archive would be installed.`;
  const { stored, publicPart, basicUserKey } = present;
  return `Generation ${stored.generation} with ${counted(publicPart.credentials.length, 'credential')}, under the Basic User Key ${basicUserKey.slice(4, 16)}.`;
}

/** The public part is unverified; at least the key must have the policy of the root authority that it names. */
function requireOwnPolicy({ decoded: { header }, publicPart, stored }: PresentEnvironment): void {
  checkBasicUserKey(header.basicUserKey, header.nonce, publicPart.rootAuthority, stored.path);
}

/** Room for the next generation, and for one that an archive of the same size adds to. */
async function testSpace(call: Call, { store, present }: User, checks: Checks): Promise<void> {
  await checks.attempt(
    'Space',
    (free: number | undefined) =>
      free === undefined
        ? 'The disk does not say how much space is left.'
        : `There is space enough: ${sizeText(free)} are free.`,
    () => requireSpace(call.ports, store.path, 2 * (present?.stored.bytes.length ?? 0)),
  );
}

async function testTries(
  call: Call,
  { store }: User,
  { decoded }: PresentEnvironment,
  checks: Checks,
): Promise<void> {
  await checks.attempt(
    'Password tries',
    (failed: number): string | Note =>
      failed === 0
        ? 'The last password given was right.'
        : {
            message: `Since the last right password there ${failed === 1 ? 'was' : 'were'} ${counted(failed, 'wrong one')}.`,
            hint: 'If that was not the person, find out who uses this account.',
          },
    async () => {
      const now = call.ports.clock();
      const attempts = decayed(await store.attempts(ofEnvironment(decoded.header)), now);
      const seconds = waitSeconds(attempts, userTries, now);
      if (seconds > 0) throw fail('LockedOut', { seconds });
      return attempts.failed;
    },
  );
}

function testAge(
  call: Call,
  { account }: Platform,
  { lines, maximumPasswordAgeDays: maximum }: UserQuestions,
  checks: Checks,
): void {
  const set = passwordSetAt(lines);
  if (set === undefined) {
    // Only who asked for a limit has to know that it cannot be told.
    if (maximum !== undefined)
      checks.pass('Password age', {
        message: 'The history does not tell when the password was set.',
        hint: 'Set a new one with Set-SPMigrationPassword, and its age is known.',
      });
    return;
  }
  const seconds = Math.max(0, call.ports.clock() - set);
  const days = Math.floor(seconds / secondsPerDay);
  const age = `The password was set ${daysText(seconds)} ago, on ${formatInstant(set)}.`;
  if (maximum === undefined) checks.pass('Password age', age);
  else if (days > maximum)
    checks.fail('Password age', fail('PasswordTooOld', { account: account.name, days, maximum }));
  else if (days > maximum - warningDays) {
    checks.pass('Password age', {
      message: `${age} It is too old in ${counted(maximum - days + 1, 'day')}.`,
      hint: 'Set a new one with Set-SPMigrationPassword before that.',
    });
  } else checks.pass('Password age', age);
}

/** Generations that another password opens: a password change lists those it could not open and leaves them. */
async function testKeptPasswords(user: User, present: PresentEnvironment, checks: Checks): Promise<void> {
  await checks.attempt(
    'Kept generations',
    ({ kept, other }: { readonly kept: number; readonly other: readonly number[] }): string | Note =>
      other.length === 0
        ? `All that is kept is under the present password: ${counted(kept, 'generation')}.`
        : {
            message: `Under an older password are the generations ${other.join(', ')}.`,
            hint: 'They open with the password of their time only; further changes drop them one by one.',
          },
    async () => {
      const { kept, other, damaged } = await keptPasswords(user.store, present.decoded.header);
      const [damage] = damaged;
      if (damage !== undefined) throw damage;
      return { kept, other };
    },
  );
}
