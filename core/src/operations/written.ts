/**
 * Reading back what was just written, before anybody is told that it is done: the generation that the store now gives must
 * open with the keys it was sealed under, and hold what was meant. A disk that lies shows here, and not on another day. Call it
 * while the lock is held: afterwards another program may have gone on.
 */
import type { Environment } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import { decodeGeneration } from '../format/generation-v1.ts';
import type { EnvironmentStore, GenerationId } from '../ports/environment-store.ts';
import { disposeKeys, openGeneration, type EnvironmentKeys } from '../sealing/environment.ts';

/** `EnvironmentDamaged` where what is there now is not `expected`. */
export async function requireWritten(
  store: EnvironmentStore,
  now: GenerationId,
  keys: EnvironmentKeys,
  expected: Environment,
): Promise<void> {
  const stored = await store.generation(now);
  if (stored === undefined) {
    const problem = `generation ${now.generation} was written and is not there`;
    throw fail('EnvironmentDamaged', { path: store.path, problem });
  }
  const found = openGeneration(decodeGeneration(stored.bytes, stored.path), keys, stored.path);
  const same = summary(found) === summary(expected);
  disposeKeys(found);
  if (!same) {
    const problem = 'it does not hold what was written; nothing else was changed since';
    throw fail('EnvironmentDamaged', { path: stored.path, problem });
  }
}

/** Everything that a change decides about: credentials, what they are used for, and for which there is a key. */
function summary({ publicPart, privatePart }: Environment): string {
  return JSON.stringify([
    publicPart.credentials.map(({ id, label }) => [id, label]),
    Object.entries(publicPart.features).sort(([a], [b]) => (a < b ? -1 : 1)),
    Object.entries(publicPart.proposed).sort(([a], [b]) => (a < b ? -1 : 1)),
    [...privatePart.keys.keys()].sort(),
    [...privatePart.tombstones].sort(),
    [...privatePart.replaces].sort(),
  ]);
}
