/**
 * `Undo-SPMigration`: brings an earlier state back. Content returns under the present keys; only an environment in
 * quarantine returns with its own. Which of them is meant where nothing is chosen is said in
 * docs/spec/environment-store.md, "Undo and removal". Nothing is destroyed by it, so it can be undone itself.
 */
import { fail } from '../domain/error.ts';
import type { Call, Changer, Planned } from './operation.ts';
import { requirePlatform } from './platform-context.ts';
import type { UndoResult } from './results.ts';
import { undoLastChange, undoToGeneration } from './undo-content.ts';
import { chosenQuarantine, exchangedLast, undoByExchange } from './undo-exchange.ts';
import { undoRemoval } from './undo-removal.ts';
import { findUser, requireUser, type User } from './user-context.ts';

export interface UndoParameters {
  /** At most one of the three; absent: the last change. */
  readonly generation?: number;
  readonly quarantine?: string;
  readonly credential?: string;
  readonly allowServiceAccount?: boolean;
}

export const undo: Changer<UndoParameters, UndoResult> = async (call, parameters) => {
  const { generation, quarantine, credential } = parameters;
  if ([generation, quarantine, credential].filter((choice) => choice !== undefined).length > 1) {
    throw fail('ParameterInvalid', {
      parameter: 'Generation, Quarantine or Credential',
      problem: 'only one of them can be brought back at a time',
    });
  }
  const platform = await requirePlatform(call.ports);
  const allowServiceAccount = parameters.allowServiceAccount ?? false;
  if (generation !== undefined || credential !== undefined) {
    const user = await requireUser(call, platform, allowServiceAccount);
    return generation === undefined
      ? undoRemoval(call, user, credential ?? '')
      : undoToGeneration(call, user, generation);
  }
  const user = await findUser(call, platform, allowServiceAccount);
  if (quarantine !== undefined) return undoByExchange(call, user, await chosenQuarantine(user, quarantine));
  return undoNewest(call, user);
};

/**
 * An exchange right before is exchanged back; else the last change of content is taken back; where the environment came
 * here as a whole (or there is none), the newest one in quarantine returns.
 */
async function undoNewest(call: Call, user: User): Promise<Planned<UndoResult>> {
  const exchanged = await exchangedLast(call, user);
  if (exchanged !== undefined) return undoByExchange(call, user, exchanged);
  const { present } = user;
  const earlier = present && (await undoLastChange(call, { ...user, present }));
  if (earlier !== undefined) return earlier;
  const [newest] = await user.store.quarantine();
  if (newest !== undefined) return undoByExchange(call, user, newest);
  throw fail('NothingToUndo', {
    reason:
      present === undefined
        ? 'there is no environment here, and none in quarantine'
        : 'this is the first state of the environment, which can only be set aside as a whole',
  });
}
