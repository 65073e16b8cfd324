/**
 * What an environment holds once the plan of an import was performed (docs/spec/import.md, "Credentials and features").
 * Pure, so that the laws of imports can be tested over any two environments, without chips and files. Leaves out which case
 * it is and what becomes of each credential (`import-plan.ts`).
 */
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import type { Credential, Environment, ImportedArchive, PrivatePart, PublicPart } from './environment.ts';
import { fail } from './error.ts';
import type { ImportPlan } from './import-plan.ts';
import type { CredentialId } from './ids.ts';

const rememberedArchives = 1000;

/** What comes with an archive and is no content of it. */
export interface Arrival extends Pick<PublicPart, 'rootAuthority' | 'grants'> {
  readonly imported: ImportedArchive;
  readonly revocationNumbers: PrivatePart['revocationNumbers'];
}

/** Install and replace: the archive's environment, with the features of the plan. */
export function freshContent(plan: ImportPlan, archived: Environment, arrival: Arrival): Environment {
  const { rootAuthority, grants, imported, revocationNumbers } = arrival;
  return {
    publicPart: {
      credentials: archived.publicPart.credentials.map(migrated),
      features: plan.features,
      proposed: plan.proposed,
      rootAuthority,
      grants,
    },
    privatePart: {
      ...archived.privatePart,
      importedArchives: withImported(archived.privatePart.importedArchives, imported),
      revocationNumbers,
    },
  };
}

/**
 * Merge, of the same key or of one that continues it: everything that is here, and what the plan adds. `InternalError` where
 * the plan is not of this archive. The keys are those of the two environments, not copies.
 */
export function mergedContent(
  plan: ImportPlan,
  local: Environment,
  archived: Environment,
  arrival: Arrival,
): Environment {
  const { rootAuthority, grants, imported, revocationNumbers } = arrival;
  const added = new Set(
    plan.items.filter(({ action }) => action === 'Add').map(({ credential }) => credential),
  );
  const credentials = archived.publicPart.credentials.filter(({ id }) => added.has(id)).map(migrated);
  const keys = new Map(local.privatePart.keys);
  for (const { id } of credentials) keys.set(id, keyOf(archived, id));
  const replaces = new Set([...local.privatePart.replaces, ...archived.privatePart.replaces]);
  return {
    publicPart: {
      credentials: [...local.publicPart.credentials, ...credentials].sort(byId),
      features: plan.features,
      proposed: plan.proposed,
      rootAuthority,
      grants,
    },
    privatePart: {
      keys,
      importedArchives: withImported(local.privatePart.importedArchives, imported),
      revocationNumbers,
      // Only who asked for it gets a removed credential back; then it is not removed any more.
      tombstones: local.privatePart.tombstones.filter((id) => !added.has(id)),
      // Whoever holds a key that one of the two continues merges what comes from here.
      replaces: [...replaces].sort(),
    },
  };
}

/** Old entries go once there are many, but never the newest of a source: that one decides what is "older". */
export function withImported(
  known: readonly ImportedArchive[],
  imported: ImportedArchive,
): readonly ImportedArchive[] {
  const all = [...known.filter(({ archive }) => archive !== imported.archive), imported];
  const surplus = all.length - rememberedArchives;
  if (surplus <= 0) return all;
  const newest = new Map<string, number>();
  for (const one of all) newest.set(one.source, Math.max(one.generation, newest.get(one.source) ?? 0));
  return all.filter((one, index) => index >= surplus || newest.get(one.source) === one.generation);
}

function migrated(credential: Credential): Credential {
  return { ...credential, origin: 'migration' };
}

function byId(a: Credential, b: Credential): number {
  return a.id < b.id ? -1 : 1;
}

function keyOf({ privatePart }: Environment, id: CredentialId): SecretBytes {
  const key = privatePart.keys.get(id);
  if (key === undefined) throw fail('InternalError', { problem: 'a credential of an archive has no key' });
  return key;
}
