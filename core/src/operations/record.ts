/**
 * Entries in the history: what changed something, and what was tried and refused. A failure to record a success is told,
 * never hidden, and never undoes what was done: the change itself is durable by then.
 */
import { errorCatalogue, type ErrorClass } from '../domain/error-catalogue.ts';
import { isSPMigrationError, type SPMigrationError } from '../domain/error.ts';
import type { Account } from '../domain/platform.ts';
import type { PlatformId } from '../domain/ids.ts';
import type { Call } from './operation.ts';
import { findPlatform } from './platform-context.ts';

export interface RecordedFacts {
  readonly operation: string;
  readonly account: Account;
  readonly platform: PlatformId | undefined;
  readonly facts: Readonly<Record<string, string>>;
}

/** Appends a success to a chain. */
export async function record(call: Call, scope: 'platform' | 'user', recorded: RecordedFacts): Promise<void> {
  const history = call.ports.history(recorded.platform);
  const event = {
    time: call.ports.clock(),
    operation: recorded.operation,
    outcome: 'ok',
    account: recorded.account.name,
    facts: recorded.facts,
  };
  try {
    await history.append(scope, event);
  } catch (error) {
    notRecorded(call, error);
  }
}

/** The same for what also works where no platform is initialized: there is no chain then. */
export async function recordIfPlatform(
  call: Call,
  scope: 'platform' | 'user',
  operation: string,
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    const platform = await findPlatform(call.ports);
    if (platform === undefined) return;
    const mayWrite = scope === 'user' || (await call.ports.account.isAdministrator());
    const { account, ids } = platform;
    await record(call, mayWrite ? scope : 'user', { operation, account, platform: ids.platformId, facts });
  } catch (error) {
    notRecorded(call, error);
  }
}

function notRecorded(call: Call, error: unknown): void {
  if (!isSPMigrationError(error)) throw error;
  call.report.warning(`Done, but not recorded in the history: ${error.message}`, error.code);
}

/** A refusal of these classes is an attempt that came to a decision; the others are a slip of typing, or nothing was there. */
const attempts: readonly ErrorClass[] = [
  'internal',
  'not-authorized',
  'authentication',
  'integrity',
  'unsupported',
  'chip',
  'storage',
  'limit',
];

/**
 * Notes an attempt that was refused: its code, and the file it was about. It never takes the place of the refusal: where it
 * cannot be written (no platform yet, or no right to write that chain and no chain of one's own), it is only mentioned.
 */
export async function recordRefusal(
  call: Call,
  scope: 'platform' | 'user',
  operation: string,
  error: SPMigrationError,
  path: string | undefined,
): Promise<void> {
  const { ports } = call;
  const isAttempt =
    attempts.includes(errorCatalogue[error.code].class) || error.code === 'ImportWouldReplace';
  if (!isAttempt) return;
  try {
    const platform = await findPlatform(ports);
    if (platform === undefined) return;
    const event = {
      time: ports.clock(),
      operation,
      outcome: error.code,
      account: platform.account.name,
      facts: path === undefined ? {} : { path },
    };
    const history = ports.history(platform.ids.platformId);
    // Only administrators write the platform's chain; what another account tried there stands in its own.
    const mayWrite = scope === 'user' || (await ports.account.isAdministrator());
    await history.append(mayWrite ? scope : 'user', event);
  } catch (failure) {
    if (!isSPMigrationError(failure)) throw failure;
    call.report.verbose(`The refusal was not recorded in the history: ${failure.message}`);
  }
}
