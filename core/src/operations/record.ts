/**
 * Entries in the history for what changed something. A failure to record is told, never hidden, and never undoes what
 * was done: the change itself is durable by then.
 */
import { isSPMigrationError } from '../domain/error.ts';
import type { Account } from '../domain/platform.ts';
import type { PlatformId } from '../domain/ids.ts';
import type { Call } from './operation.ts';

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
    if (!isSPMigrationError(error)) throw error;
    call.report.warning(`Done, but not recorded in the history: ${error.message}`, error.code);
  }
}
