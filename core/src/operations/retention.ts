/**
 * Which old generations may go when a new one is written: all beyond the newest ten, except one that holds the only copy
 * of a key (design page 3). A credential that was removed stays recoverable that way until it is removed for good.
 */
import { toHex } from '../bytes/bytes.ts';
import type { Credential, PublicPart } from '../domain/environment.ts';
import { isSPMigrationError } from '../domain/error.ts';
import type { CredentialId } from '../domain/ids.ts';
import { decodeGeneration } from '../format/generation-v1.ts';
import type { EnvironmentStore, GenerationId } from '../ports/environment-store.ts';

/** Newest generations that are always kept, the present one included. */
export const keptGenerations = 10;

/**
 * Numbers of the generations that need not be kept once a generation with this content is the present one. `kept` is
 * newest first, without it. One that cannot be read is not dropped: what it holds cannot be known.
 */
export async function surplusGenerations(
  store: Pick<EnvironmentStore, 'generation'>,
  kept: readonly GenerationId[],
  next: { readonly publicPart: PublicPart; readonly tombstones: readonly CredentialId[] },
): Promise<readonly number[]> {
  const candidates = kept.slice(keptGenerations - 1);
  if (candidates.length === 0) return [];
  const held = new Set<string>([...next.tombstones, ...next.publicPart.credentials.flatMap(marksOf)]);
  const unread = [...kept.slice(0, keptGenerations - 1)];
  const surplus: number[] = [];
  for (const candidate of candidates) {
    const credentials = await credentialsIn(store, candidate);
    if (credentials === undefined) continue;
    const isHeld = (one: Credential): boolean => {
      // A request whose certificate came has another id now; its key is what must not be lost.
      return held.has(one.id) || (one.certificate === undefined && held.has(toHex(one.publicKey)));
    };
    // Those in between are read only where something is missing: mostly the newest content has everything.
    while (!credentials.every(isHeld)) {
      const newer = unread.shift();
      if (newer === undefined) break;
      for (const mark of ((await credentialsIn(store, newer)) ?? []).flatMap(marksOf)) held.add(mark);
    }
    if (credentials.every(isHeld)) surplus.push(candidate.generation);
    for (const mark of credentials.flatMap(marksOf)) held.add(mark);
  }
  return surplus;
}

function marksOf({ id, publicKey }: Credential): readonly string[] {
  return [id, toHex(publicKey)];
}

async function credentialsIn(
  store: Pick<EnvironmentStore, 'generation'>,
  id: GenerationId,
): Promise<readonly Credential[] | undefined> {
  const stored = await store.generation(id);
  if (stored === undefined) return [];
  try {
    return decodeGeneration(stored.bytes, stored.path).publicPart.credentials;
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    return undefined;
  }
}
