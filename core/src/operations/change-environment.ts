/**
 * The common way of operations that add to, or take from, an environment: unlock it, compute the new content, write the
 * next generation, record the event. Nothing is written where the content is the same.
 */
import type { Credential, Environment } from '../domain/environment.ts';
import type { Call, Planned } from './operation.ts';
import { requirePlatform } from './platform-context.ts';
import { record } from './record.ts';
import {
  commitEnvironment,
  requireUser,
  unlock,
  type PresentEnvironment,
  type UnlockedEnvironment,
  type User,
} from './user-context.ts';

export type PresentUser = User & { readonly present: PresentEnvironment };

/** The caller's environment for a change; service accounts must be allowed. */
export async function userForChange(
  call: Call,
  parameters: { readonly allowServiceAccount?: boolean },
): Promise<PresentUser> {
  return requireUser(call, await requirePlatform(call.ports), parameters.allowServiceAccount ?? false);
}

/** What a change makes of an environment. `environment` undefined: nothing changes, no generation is written. */
export interface Changed<Value> {
  readonly environment: Environment | undefined;
  readonly value: Value;
  readonly facts: Readonly<Record<string, string>>;
}

/** Unlocks, changes, commits and records. */
export async function changeEnvironment<Value>(
  call: Call,
  user: PresentUser,
  operation: string,
  change: (unlocked: UnlockedEnvironment) => Promise<Changed<Value>>,
): Promise<Value> {
  const unlocked = await unlock(call, user);
  try {
    const changed = await change(unlocked);
    if (changed.environment === undefined) return changed.value;
    const { generation } = await commitEnvironment(call, user, unlocked, changed.environment);
    await record(call, 'user', {
      operation,
      account: user.platform.account,
      platform: user.platform.ids.platformId,
      facts: { ...changed.facts, generation: String(generation) },
    });
    return changed.value;
  } finally {
    await unlocked.dispose();
  }
}

/** Derives the root that unlocking will need, where the password is at hand, and tries it unless the change does so now. */
export function prepareUnlock(call: Call, user: PresentUser): NonNullable<Planned<unknown>['prepare']> {
  return async (next) => {
    if (next === 'apply' || !call.secrets.has('password')) return;
    await (await unlock(call, user)).dispose();
  };
}

/** The credentials with some added or exchanged, sorted by id as the format demands. */
export function withCredentials(
  credentials: readonly Credential[],
  added: readonly Credential[],
): readonly Credential[] {
  const all = new Map(credentials.map((credential) => [credential.id, credential]));
  for (const credential of added) all.set(credential.id, credential);
  return [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
