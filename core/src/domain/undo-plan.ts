/**
 * What an undo makes of an environment, computed by pure functions before anything changes: the content of an earlier
 * state under everything that is never undone (docs/spec/environment-store.md, "Undo and removal"). The same items are
 * shown by -WhatIf, in the confirmation, and are what is then done.
 */
import {
  activeFeatures,
  features,
  type Credential,
  type Environment,
  type Feature,
  type FeatureAssignments,
  type PublicPart,
} from './environment.ts';
import type { CredentialId } from './ids.ts';

/** What happens to one credential. */
export type UndoAction =
  /** Not here now; comes back. */
  | 'Return'
  /** Here now; goes, and is kept in the present state, which becomes an earlier one. */
  | 'Leave'
  /** Here in both; becomes active in a feature. */
  | 'Activate'
  /** Here in both; a feature does not use it any more. */
  | 'Retain'
  /** Here in both, used by the same features. */
  | 'Unchanged'
  /** Was removed for good; does not come back. */
  | 'Skip';

/** Has the shape of an import's item. */
export interface UndoItem {
  readonly credential: CredentialId;
  readonly label: string;
  readonly action: UndoAction;
  /** Features it is active in afterwards. */
  readonly features: readonly Feature[];
  /** Features that wait to be enabled for it afterwards. */
  readonly proposed: readonly Feature[];
}

/** Credentials and what they are used for, of one moment. */
export type Content = Pick<PublicPart, 'credentials' | 'features' | 'proposed'>;

export const noContent: Content = { credentials: [], features: {}, proposed: {} };

/** Every credential of either moment, sorted by id; `skipped` would come back, had it not been removed for good. */
export function undoItems(
  before: Content,
  after: Content,
  skipped: readonly Credential[] = [],
): readonly UndoItem[] {
  const here = new Map(before.credentials.map((credential) => [credential.id, credential]));
  const items: UndoItem[] = [];
  const item = ({ id, label }: Credential, action: UndoAction): void => {
    items.push({
      credential: id,
      label,
      action,
      features: activeFeatures(id, after.features),
      proposed: activeFeatures(id, after.proposed),
    });
  };
  for (const credential of after.credentials) {
    item(credential, here.delete(credential.id) ? changeOfUse(credential.id, before, after) : 'Return');
  }
  for (const credential of here.values()) item(credential, 'Leave');
  for (const credential of skipped) item(credential, 'Skip');
  return items.sort((a, b) => (a.credential < b.credential ? -1 : 1));
}

function changeOfUse(id: CredentialId, before: Content, after: Content): UndoAction {
  const used = activeFeatures(id, before.features);
  const uses = activeFeatures(id, after.features);
  if (uses.some((feature) => !used.includes(feature))) return 'Activate';
  return uses.length < used.length ? 'Retain' : 'Unchanged';
}

/**
 * The content of `past` as the next state of `present`: credentials, keys, features and the archives that were merged. Root
 * authority, grants, revocations, tombstones and replaced keys stay the present ones, and what has a tombstone stays away.
 */
export function restored(
  present: Environment,
  past: Environment,
): { readonly environment: Environment; readonly skipped: readonly Credential[] } {
  const removed = new Set(present.privatePart.tombstones);
  const kept = withoutCredentials(past, removed);
  return {
    environment: {
      publicPart: {
        ...kept.publicPart,
        rootAuthority: present.publicPart.rootAuthority,
        grants: present.publicPart.grants,
      },
      privatePart: {
        ...present.privatePart,
        keys: kept.privatePart.keys,
        importedArchives: past.privatePart.importedArchives,
      },
    },
    skipped: past.publicPart.credentials.filter(({ id }) => removed.has(id)),
  };
}

/** `present` with one credential of another state, which no feature uses. RangeError where that state has no key for it. */
export function withReturned(present: Environment, past: Environment, credential: Credential): Environment {
  const key = past.privatePart.keys.get(credential.id);
  if (key === undefined) throw new RangeError('a credential without its key');
  const credentials = [...present.publicPart.credentials, credential].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    publicPart: { ...present.publicPart, credentials },
    privatePart: { ...present.privatePart, keys: new Map(present.privatePart.keys).set(credential.id, key) },
  };
}

/** An environment without these credentials, their keys, and every use of them; the same value where it has none of them. */
export function withoutCredentials(environment: Environment, ids: ReadonlySet<CredentialId>): Environment {
  const { publicPart, privatePart } = environment;
  if (!publicPart.credentials.some(({ id }) => ids.has(id))) return environment;
  return {
    publicPart: {
      ...publicPart,
      credentials: publicPart.credentials.filter(({ id }) => !ids.has(id)),
      features: withoutUses(publicPart.features, ids),
      proposed: withoutUses(publicPart.proposed, ids),
    },
    privatePart: { ...privatePart, keys: new Map([...privatePart.keys].filter(([id]) => !ids.has(id))) },
  };
}

function withoutUses(assignments: FeatureAssignments, ids: ReadonlySet<CredentialId>): FeatureAssignments {
  const left: Partial<Record<Feature, CredentialId>> = {};
  for (const feature of features) {
    const id = assignments[feature];
    if (id !== undefined && !ids.has(id)) left[feature] = id;
  }
  return left;
}

/** An environment that knows these credentials as removed for good. */
export function withTombstones(environment: Environment, ids: ReadonlySet<CredentialId>): Environment {
  const { privatePart } = environment;
  const tombstones = [...new Set([...privatePart.tombstones, ...ids])].sort();
  return { ...environment, privatePart: { ...privatePart, tombstones } };
}

/** Whether an undo from one to the other would change nothing. */
export function sameContent(a: Environment, b: Environment): boolean {
  return contentText(a) === contentText(b);
}

function contentText({ publicPart, privatePart }: Environment): string {
  const uses = (assignments: FeatureAssignments) => features.map((feature) => assignments[feature] ?? null);
  return JSON.stringify([
    publicPart.credentials.map(({ id, label }) => [id, label]).sort(),
    uses(publicPart.features),
    uses(publicPart.proposed),
    privatePart.importedArchives.map(({ archive }) => archive).sort(),
  ]);
}
