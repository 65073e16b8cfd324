/**
 * What is set aside: credentials that the present state does not have, and that a kept generation or an environment in
 * quarantine holds (docs/spec/environment-store.md, "Undo and removal"). Found in public parts, so without a password and
 * unverified. Every file is read for it, one at a time: only those who ask for it pay.
 */
import { toHex } from '../bytes/bytes.ts';
import type { Credential, PublicPart } from '../domain/environment.ts';
import { fail, isSPMigrationError, type SPMigrationError } from '../domain/error.ts';
import { decodeGeneration, type DecodedGeneration } from '../format/generation-v1.ts';
import type { EnvironmentStore, StoredGeneration } from '../ports/environment-store.ts';
import { matchCredential } from './credential.ts';
import type { User } from './user-context.ts';

/** Where something is kept besides the present generation. */
export interface Place {
  /** Id of an environment in quarantine; undefined for a kept generation of the present one. */
  readonly quarantine: string | undefined;
  readonly generation: number;
}

/** One file of a place, read but not opened. */
export interface PlaceFile {
  readonly place: Place;
  readonly stored: StoredGeneration;
  readonly decoded: DecodedGeneration;
}

/** A file that is not as a generation must be: what it holds cannot be known. */
export interface UnreadPlace {
  readonly place: Place;
  readonly error: SPMigrationError;
}

export interface SetAsideCredential {
  readonly credential: Credential;
  /** All that hold it, newest first; at least one. */
  readonly places: readonly [Place, ...Place[]];
}

/** `generation 5`, `quarantine 3`: how results and messages name a place. */
export function placeName({ quarantine, generation }: Place): string {
  return quarantine === undefined ? `generation ${generation}` : `quarantine ${quarantine}`;
}

/** Every kept file except the present generation, newest first: this environment's, then those in quarantine. */
export async function* keptFiles({
  store,
  present,
}: Pick<User, 'store' | 'present'>): AsyncGenerator<PlaceFile | UnreadPlace> {
  for (const id of await store.generations()) {
    if (id.generation === present?.stored.generation) continue;
    const stored = await store.generation(id);
    if (stored !== undefined) yield read({ quarantine: undefined, generation: id.generation }, stored);
  }
  for (const { id } of await store.quarantine()) yield* quarantinedFiles(store, id);
}

/** Every file of one environment in quarantine, newest first. */
export async function* quarantinedFiles(
  store: EnvironmentStore,
  quarantine: string,
): AsyncGenerator<PlaceFile | UnreadPlace> {
  for (const generation of await store.quarantinedGenerations(quarantine)) {
    const stored = await store.quarantinedGeneration(quarantine, generation);
    if (stored !== undefined) yield read({ quarantine, generation }, stored);
  }
}

/** One file again; undefined where it is not there any more, or cannot be read. */
export async function keptFile(user: User, place: Place): Promise<PlaceFile | undefined> {
  const { quarantine, generation } = place;
  const epoch = user.present?.stored.epoch ?? 0;
  const stored =
    quarantine === undefined
      ? await user.store.generation({ epoch, generation })
      : await user.store.quarantinedGeneration(quarantine, generation);
  if (stored === undefined) return undefined;
  const file = read(place, stored);
  return 'decoded' in file ? file : undefined;
}

function read(place: Place, stored: StoredGeneration): PlaceFile | UnreadPlace {
  try {
    return { place, stored, decoded: decodeGeneration(stored.bytes, stored.path) };
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    return { place, error };
  }
}

/**
 * All that is set aside, newest place first. A request whose certificate has come since is not: its key goes on in the
 * completed credential. `unread` hears of files that cannot be read.
 */
export async function setAsideCredentials(
  user: Pick<User, 'store' | 'present'>,
  unread: (file: UnreadPlace) => void = () => undefined,
): Promise<readonly SetAsideCredential[]> {
  const present = user.present?.publicPart.credentials ?? [];
  const here = new Set<string>(present.map(({ id }) => id));
  const completed = new Set(present.filter(isCompleted).map(keyOf));
  const found = new Map<string, { readonly credential: Credential; readonly places: [Place, ...Place[]] }>();
  for await (const file of keptFiles(user)) {
    if (!('decoded' in file)) {
      unread(file);
      continue;
    }
    for (const credential of file.decoded.publicPart.credentials) {
      if (here.has(credential.id)) continue;
      if (isCompleted(credential)) completed.add(keyOf(credential));
      const known = found.get(credential.id);
      if (known === undefined) found.set(credential.id, { credential, places: [file.place] });
      else known.places.push(file.place);
    }
  }
  return [...found.values()].filter(
    ({ credential }) => isCompleted(credential) || !completed.has(keyOf(credential)),
  );
}

function isCompleted({ certificate }: Credential): boolean {
  return certificate !== undefined;
}

/** The key of a credential, comparable as text. */
export function keyOf({ publicKey }: Credential): string {
  return toHex(publicKey);
}

/** The set-aside credential that a person means; `CredentialNotFound`, `CredentialAmbiguous`. */
export function findSetAside(setAside: readonly SetAsideCredential[], text: string): SetAsideCredential {
  const wanted = matchCredential(
    setAside.map(({ credential }) => credential),
    text,
  );
  const found = setAside.find(({ credential }) => credential === wanted);
  if (found === undefined) throw fail('CredentialNotFound', { credential: text });
  return found;
}

/** The present credential that `text` fits, or else the one that is set aside. `CredentialNotFound`, `CredentialAmbiguous`. */
export async function findAnywhere(user: Pick<User, 'store' | 'present'>, text: string): Promise<Credential> {
  const present = matchCredential(user.present?.publicPart.credentials ?? [], text);
  return present ?? findSetAside(await setAsideCredentials(user), text).credential;
}

/** Whether a public part has one of these credentials. */
export function holdsAny(
  { credentials }: Pick<PublicPart, 'credentials'>,
  ids: ReadonlySet<string>,
): boolean {
  return credentials.some(({ id }) => ids.has(id));
}
