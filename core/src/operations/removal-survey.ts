/**
 * Where a credential is that is to be removed for good: kept generations, environments in quarantine, and which of those the
 * password opens. Changes nothing; plan and performance ask the same.
 */
import type { Credential, PublicPart } from '../domain/environment.ts';
import type { CredentialId } from '../domain/ids.ts';
import type { PresentUser } from './change-environment.ts';
import { quarantineOpener, sameKeys } from './open-set-aside.ts';
import type { Call } from './operation.ts';
import { leftBehind } from './rewrite-epoch.ts';
import { holdsAny, keptFile, keptFiles, keyOf, type Place } from './set-aside.ts';
import type { UnlockedEnvironment } from './user-context.ts';

type QuarantinedPlace = Place & { readonly quarantine: string };

export interface Removal {
  readonly credential: Credential;
  /** Its id, and those of requests that it completed: they have the same key. */
  readonly ids: ReadonlySet<CredentialId>;
  /** Numbers of kept generations under the present keys that hold one of them, the present one included. */
  readonly generations: readonly number[];
  /** Files in quarantine to be written anew: those that hold one of them, and the newest beside them. All of them open. */
  readonly quarantined: readonly QuarantinedPlace[];
  /** One text for each place that holds them, or cannot be read at all, and does not open. */
  readonly notOpened: readonly string[];
  /** Other credentials that have the same key and stay. */
  readonly sameKey: readonly string[];
}

/** What one file has of the credential. */
interface Trace {
  readonly place: Place;
  /** It, and others with its key. */
  readonly kin: readonly Credential[];
  /** A generation of this environment that the present keys do not open. */
  readonly isLeftBehind: boolean;
}

export async function surveyRemoval(
  call: Call,
  user: PresentUser,
  unlocked: UnlockedEnvironment,
  credential: Credential,
): Promise<Removal> {
  const { traces, unread } = await tracesOf(user, unlocked, credential);
  const ids = goingWith(credential, user.present.publicPart, traces);
  const holding = traces.filter(({ kin }) => holdsAny({ credentials: kin }, ids));
  const kept = holding.filter(({ place }) => place.quarantine === undefined);
  const { reached, closed } = await openQuarantined(call, user, holding);
  return {
    credential,
    ids,
    generations: kept.filter(({ isLeftBehind }) => !isLeftBehind).map(({ place }) => place.generation),
    quarantined: reached,
    notOpened: [
      ...kept.filter(({ isLeftBehind }) => isLeftBehind).map(({ place }) => notOpenedText(place)),
      ...closed.map(notOpenedText),
      ...unread.map((place) => `${fileName(place)} cannot be read`),
    ],
    sameKey: sameKeyOf(traces, ids),
  };
}

/** What was reached and holds it nevertheless; undefined where all is well. */
export async function stillHolding(
  { store }: PresentUser,
  { ids, notOpened }: Removal,
): Promise<string | undefined> {
  for await (const file of keptFiles({ store, present: undefined })) {
    if (!('decoded' in file) || !holdsAny(file.decoded.publicPart, ids)) continue;
    if (!notOpened.includes(notOpenedText(file.place))) return fileName(file.place);
  }
  return undefined;
}

function notOpenedText(place: Place): string {
  return place.quarantine === undefined
    ? leftBehind(place.generation)
    : `${fileName(place)} does not open with this password`;
}

function fileName({ quarantine, generation }: Place): string {
  const name = `generation ${generation}`;
  return quarantine === undefined ? name : `${name} in quarantine ${quarantine}`;
}

async function tracesOf(
  user: PresentUser,
  unlocked: UnlockedEnvironment,
  credential: Credential,
): Promise<{ readonly traces: readonly Trace[]; readonly unread: readonly Place[] }> {
  const key = keyOf(credential);
  const kinIn = ({ credentials }: PublicPart): readonly Credential[] =>
    credentials.filter((one) => one.id === credential.id || keyOf(one) === key);
  const { generation } = user.present.stored;
  const here: Place = { quarantine: undefined, generation };
  const traces: Trace[] = [{ place: here, kin: kinIn(user.present.publicPart), isLeftBehind: false }];
  const unread: Place[] = [];
  for await (const file of keptFiles(user)) {
    if (!('decoded' in file)) {
      unread.push(file.place);
      continue;
    }
    const { place, decoded } = file;
    const isLeftBehind = place.quarantine === undefined && !sameKeys(decoded.header, unlocked.header);
    traces.push({ place, kin: kinIn(decoded.publicPart), isLeftBehind });
  }
  return { traces, unread };
}

/** A request goes with the credential that it became, unless it is here itself. */
function goingWith(
  { id, certificate }: Credential,
  here: PublicPart,
  traces: readonly Trace[],
): ReadonlySet<CredentialId> {
  const ids = new Set([id]);
  if (certificate === undefined) return ids;
  const stays = new Set(here.credentials.map((one) => one.id));
  for (const request of traces.flatMap(({ kin }) => kin)) {
    if (request.certificate === undefined && !stays.has(request.id)) ids.add(request.id);
  }
  return ids;
}

function sameKeyOf(traces: readonly Trace[], ids: ReadonlySet<CredentialId>): readonly string[] {
  const others = new Map(traces.flatMap(({ kin }) => kin.map((one) => [one.id, one.label])));
  return [...others].filter(([id]) => !ids.has(id)).map(([id, label]) => `${label} (${id})`);
}

/** Which files in quarantine can be written anew: of each environment that holds it, those that hold it, and the newest. */
async function openQuarantined(
  call: Call,
  user: PresentUser,
  holding: readonly Trace[],
): Promise<{ readonly reached: readonly QuarantinedPlace[]; readonly closed: readonly Place[] }> {
  const open = quarantineOpener(call, user);
  const opens = async (place: Place): Promise<boolean> => {
    const file = await keptFile(user, place);
    const opened = file && (await open(file));
    await opened?.dispose();
    return opened !== undefined;
  };
  const reached: QuarantinedPlace[] = [];
  const closed: Place[] = [];
  for (const { id: quarantine, generation: newest } of await user.store.quarantine()) {
    const held = holding.filter(({ place }) => place.quarantine === quarantine);
    if (held.length === 0) continue;
    const files = held.map(({ place }): QuarantinedPlace => ({ ...place, quarantine }));
    for (const place of files) {
      if (await opens(place)) reached.push(place);
      else closed.push(place);
    }
    // The newest is what returns by an undo: it is to know the tombstone.
    if (files.every(({ generation }) => generation !== newest)) {
      const place = { quarantine, generation: newest };
      if (await opens(place)) reached.push(place);
    }
  }
  return { reached, closed };
}
