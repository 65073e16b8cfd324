/**
 * What an import will do, computed by a pure function before anything changes (design/1, "three cases, never chosen by
 * the caller"). The same plan is shown by -WhatIf, in the confirmation, and then performed.
 */
import {
  activeFeatures,
  features,
  type Feature,
  type FeatureAssignments,
  type ImportedArchive,
  type PublicPart,
} from './environment.ts';
import type { CredentialId, TpmName } from './ids.ts';

export type ImportCase = 'install' | 'merge' | 'replace';

/** What happens to one credential. */
export type ImportAction =
  /** New here. */
  | 'Add'
  /** Here already, and nothing about it changes. */
  | 'Unchanged'
  /** Here already; becomes active in the archive's features. */
  | 'Activate'
  /** Was active here in features that the archive's credential takes over; kept. */
  | 'Retain'
  /** Of the environment that goes to quarantine. */
  | 'SetAside'
  /** Removed here for good; not revived. */
  | 'Skip';

export interface ImportItem {
  readonly credential: CredentialId;
  readonly label: string;
  readonly action: ImportAction;
  /** Features it is active in afterwards. */
  readonly features: readonly Feature[];
  /** Features it had in the archive but does not get here until they are enabled. */
  readonly proposed: readonly Feature[];
}

export interface ImportPlan {
  readonly case: ImportCase;
  /** A merge in which the archive's Basic User Key continues the one here and takes its place (ruling 9). */
  readonly rekey: boolean;
  /** A merge of an archive older than the newest merged one of the same source changes no feature. */
  readonly older: boolean;
  readonly items: readonly ImportItem[];
  readonly features: FeatureAssignments;
  readonly proposed: FeatureAssignments;
  /** Nothing at all would change. */
  readonly unchanged: boolean;
}

/** What is here now, as far as the plan needs it. */
export interface LocalState {
  readonly basicUserKey: TpmName;
  readonly publicPart: PublicPart;
  readonly tombstones: readonly CredentialId[];
  /** Newest generation already merged from the archive's source; 0 where none was. */
  readonly newestMerged: number;
}

export interface ArchivedState {
  readonly basicUserKey: TpmName;
  readonly publicPart: PublicPart;
  readonly generation: number;
  /** This very archive was merged here before: it changes no feature again. */
  readonly known: boolean;
}

export interface ImportChoices {
  /** Activate the archive's features at once where it is installed. */
  readonly enableFeatures: boolean;
  /** Bring back credentials that were removed here for good. */
  readonly includeRemoved: boolean;
  /** Both environments are open, and the archive's own list names the key here as one that it continues. */
  readonly continues: boolean;
}

export const plainImport: ImportChoices = { enableFeatures: false, includeRemoved: false, continues: false };

/** What an environment remembers of an archive and of its source: neither clocks nor names decide what is "older". */
export function metBefore(
  imported: readonly ImportedArchive[],
  { archive, source }: Pick<ImportedArchive, 'archive' | 'source'>,
): Pick<LocalState, 'newestMerged'> & Pick<ArchivedState, 'known'> {
  const generations = imported.filter((one) => one.source === source).map(({ generation }) => generation);
  return {
    newestMerged: generations.reduce((newest, generation) => Math.max(newest, generation), 0),
    known: imported.some((one) => one.archive === archive),
  };
}

/** Computes the plan. Pure; both sides may be unverified, then so is the plan. */
export function planImport(
  local: LocalState | undefined,
  archived: ArchivedState,
  choices: ImportChoices,
): ImportPlan {
  if (local === undefined) return planFresh('install', [], archived, choices.enableFeatures);
  const rekey = local.basicUserKey !== archived.basicUserKey;
  if (rekey && !choices.continues)
    return planFresh('replace', setAside(local), archived, choices.enableFeatures);
  return planMerge(local, archived, rekey, choices.includeRemoved);
}

function setAside(local: LocalState): readonly ImportItem[] {
  return local.publicPart.credentials.map((credential) => ({
    credential: credential.id,
    label: credential.label,
    action: 'SetAside',
    features: [],
    proposed: [],
  }));
}

function planFresh(
  kind: 'install' | 'replace',
  before: readonly ImportItem[],
  archived: ArchivedState,
  enableFeatures: boolean,
): ImportPlan {
  const wanted: FeatureAssignments = { ...archived.publicPart.proposed, ...archived.publicPart.features };
  const now = enableFeatures ? wanted : {};
  const proposed = enableFeatures ? {} : wanted;
  const added = archived.publicPart.credentials.map((credential): ImportItem => ({
    credential: credential.id,
    label: credential.label,
    action: 'Add',
    features: activeFeatures(credential.id, now),
    proposed: activeFeatures(credential.id, proposed),
  }));
  return {
    case: kind,
    rekey: false,
    older: false,
    items: [...before, ...added],
    features: now,
    proposed,
    unchanged: false,
  };
}

function planMerge(
  local: LocalState,
  archived: ArchivedState,
  rekey: boolean,
  includeRemoved: boolean,
): ImportPlan {
  const older = archived.generation < local.newestMerged;
  const skipped = new Set(includeRemoved ? [] : local.tombstones);
  const here = new Map(local.publicPart.credentials.map((credential) => [credential.id, credential]));
  const taken = takeOver(
    local.publicPart.features,
    archived.publicPart.features,
    older || archived.known,
    skipped,
  );
  const items: ImportItem[] = [];
  const item = (credential: { id: CredentialId; label: string }, action: ImportAction): void => {
    items.push({
      credential: credential.id,
      label: credential.label,
      action,
      features: activeFeatures(credential.id, taken),
      proposed: [],
    });
  };
  for (const credential of archived.publicPart.credentials) {
    if (here.has(credential.id)) continue;
    item(credential, skipped.has(credential.id) ? 'Skip' : 'Add');
  }
  for (const credential of here.values()) {
    const before = activeFeatures(credential.id, local.publicPart.features);
    const after = activeFeatures(credential.id, taken);
    if (after.some((feature) => !before.includes(feature))) item(credential, 'Activate');
    else item(credential, after.length < before.length ? 'Retain' : 'Unchanged');
  }
  items.sort((a, b) => (a.credential < b.credential ? -1 : 1));
  const unchanged = !rekey && items.every(({ action }) => action === 'Unchanged' || action === 'Skip');
  const proposed = withoutTaken(local.publicPart.proposed, local.publicPart.features, taken);
  return { case: 'merge', rekey, older, items, features: taken, proposed, unchanged };
}

/** What still waits to be enabled: not what the archive has just decided. */
function withoutTaken(
  proposed: FeatureAssignments,
  before: FeatureAssignments,
  taken: FeatureAssignments,
): FeatureAssignments {
  const left: Partial<Record<Feature, CredentialId>> = {};
  for (const feature of features) {
    const waiting = proposed[feature];
    if (waiting !== undefined && taken[feature] === before[feature]) left[feature] = waiting;
  }
  return left;
}

/** The archive's credentials become active in their features; features it does not set stay as they are here. */
function takeOver(
  here: FeatureAssignments,
  archived: FeatureAssignments,
  frozen: boolean,
  skipped: ReadonlySet<CredentialId>,
): FeatureAssignments {
  if (frozen) return here;
  const taken: Partial<Record<Feature, CredentialId>> = { ...here };
  for (const feature of features) {
    const credential = archived[feature];
    if (credential !== undefined && !skipped.has(credential)) taken[feature] = credential;
  }
  return taken;
}
