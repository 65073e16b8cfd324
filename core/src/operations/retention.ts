/**
 * Which old generations may go when a new one is written: all beyond the newest ten, except those that hold the only copy
 * of a key (docs/spec/environment-store.md, "Which generations are kept"). A credential that was removed stays recoverable that
 * way until it is removed for good. Leaves out the removal itself: the store drops what it is told to.
 */
import { toHex } from '../bytes/bytes.ts';
import type { Credential, PublicPart } from '../domain/environment.ts';
import { isSPMigrationError } from '../domain/error.ts';
import type { CredentialId } from '../domain/ids.ts';
import { decodeGeneration, type DecodedGeneration } from '../format/generation-v1.ts';
import type { EnvironmentStore, GenerationId } from '../ports/environment-store.ts';

/** Newest generations that are always kept, the present one included. */
export const keptGenerations = 10;

/** The content of the generation that becomes the present one. */
export interface NextContent {
  readonly publicPart: PublicPart;
  readonly tombstones: readonly CredentialId[];
}

/** An old generation beyond the newest ten. */
interface Candidate {
  readonly generation: number;
  readonly credentials: readonly Credential[];
  readonly opens: boolean;
}

/**
 * Numbers of the generations that need not be kept once a generation with this content is the present one. `kept` is
 * newest first, without it. `opens` says whether a generation opens under the present keys: a public part alone proves nothing,
 * so a copy of a key counts only where it can be had. What cannot be read is not dropped: what it holds cannot be known.
 */
export async function surplusGenerations(
  store: Pick<EnvironmentStore, 'generation'>,
  kept: readonly GenerationId[],
  next: NextContent,
  opens: (decoded: DecodedGeneration, path: string) => boolean,
): Promise<readonly number[]> {
  const held = new Held(next);
  const candidates: Candidate[] = [];
  for (const id of kept.slice(keptGenerations - 1)) {
    const found = await read(store, id);
    if (found === undefined) continue;
    const { credentials } = found.decoded.publicPart;
    // Mostly the newest content has everything, and nothing needs to be opened or compared.
    const opened = held.lacksAny(credentials) && opens(found.decoded, found.path);
    candidates.push({ generation: id.generation, credentials, opens: opened });
  }
  for (const id of kept.slice(0, keptGenerations - 1)) {
    if (!candidates.some(({ credentials }) => held.lacksAny(credentials))) break;
    const found = await read(store, id);
    if (found !== undefined && opens(found.decoded, found.path))
      held.add(found.decoded.publicPart.credentials);
  }
  const needed = new Set<Candidate>();
  for (;;) {
    const best = mostLacking(
      candidates.filter((one) => one.opens),
      held,
    );
    if (best === undefined) break;
    needed.add(best);
    held.add(best.credentials);
  }
  return candidates
    .filter((one) => !needed.has(one) && !held.lacksAny(one.credentials))
    .map(({ generation }) => generation);
}

/** The one with the most that is held nowhere else, of these the newest: so one old generation does for many removals. */
function mostLacking(candidates: readonly Candidate[], held: Held): Candidate | undefined {
  let best: Candidate | undefined;
  let most = 0;
  for (const one of candidates) {
    const lacking = held.lacking(one.credentials);
    if (lacking > most) [best, most] = [one, lacking];
  }
  return best;
}

/** What need not be looked for in old generations, by credential and by key. */
class Held {
  readonly #marks: Set<string>;

  constructor({ publicPart, tombstones }: NextContent) {
    this.#marks = new Set<string>(tombstones);
    this.add(publicPart.credentials);
  }

  add(credentials: readonly Credential[]): void {
    for (const { id, publicKey } of credentials) this.#marks.add(id).add(toHex(publicKey));
  }

  lacking(credentials: readonly Credential[]): number {
    return credentials.filter((one) => !this.#has(one)).length;
  }

  lacksAny(credentials: readonly Credential[]): boolean {
    return !credentials.every((one) => this.#has(one));
  }

  /** A request whose certificate came has another id since; its key is what must not be lost. */
  #has({ id, certificate, publicKey }: Credential): boolean {
    return this.#marks.has(id) || (certificate === undefined && this.#marks.has(toHex(publicKey)));
  }
}

/** A generation, not opened; undefined where it is not there or cannot be read. */
async function read(
  store: Pick<EnvironmentStore, 'generation'>,
  id: GenerationId,
): Promise<{ readonly decoded: DecodedGeneration; readonly path: string } | undefined> {
  try {
    const stored = await store.generation(id);
    return stored && { decoded: decodeGeneration(stored.bytes, stored.path), path: stored.path };
  } catch (error) {
    // A bad sector, or what a newer program wrote, must not stand in the way of every change.
    if (!isSPMigrationError(error)) throw error;
    return undefined;
  }
}
