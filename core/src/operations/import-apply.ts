/**
 * Performing an import's plan: the new content is computed, written as a generation, and switched to. A replace sets the
 * old environment aside as a whole, under its own password.
 */
import { fail } from '../domain/error.ts';
import type {
  Credential,
  Environment,
  GenerationHeader,
  ImportedArchive,
  PrivatePart,
} from '../domain/environment.ts';
import type { CredentialId } from '../domain/ids.ts';
import { sealBasicUserKey, sealGeneration } from '../sealing/environment.ts';
import { withCredentials } from './change-environment.ts';
import { importResult } from './import-result.ts';
import type { ImportWork } from './import-work.ts';
import type { OpenedFresh, OpenedMerge } from './import-open.ts';
import { register } from './initialize-user.ts';
import { record } from './record.ts';
import { rememberLists } from './revocation-memory.ts';
import type { ImportResult } from './results.ts';
import { commitEnvironment, requireNotInterrupted, requireUnchanged } from './user-context.ts';

const rememberedArchives = 1000;

/** Install, or replace: the archive's environment becomes the one here. */
export async function applyFresh(work: ImportWork, opened: OpenedFresh): Promise<ImportResult> {
  const { call, user, read, chain, plan } = work;
  const { ports } = call;
  const { platform } = user;
  const keySalt = ports.random(16);
  const header: GenerationHeader = {
    platformId: platform.ids.platformId,
    generation: 1,
    parent: 0,
    passwordSalt: read.manifest.passwordSalt,
    keySalt,
    basicUserKey: read.basicUserKey,
    nonce: read.manifest.nonce,
    basicUserKeyPrivate: sealBasicUserKey(
      opened.basicUserKeyPrivate,
      read.basicUserKey,
      keySalt,
      platform.settings.chip,
      opened.keys.atRest,
    ),
    vaultKey: read.vaultKey,
  };
  const generation = sealGeneration(header, freshEnvironment(work, opened.archived), {
    vaultKey: opened.vaultKey,
    atRest: opened.keys.atRest,
  });
  const installed = await user.store.installed();
  call.report.progress('Importing', 'Writing the environment', 80);
  const quarantine = await user.store.withLock(async (writer) => {
    await requireUnchanged(writer, user);
    requireNotInterrupted(call);
    if (plan.case === 'replace') return (await writer.replace(1, generation)).setAside.id;
    await writer.append(1, generation);
    return null;
  });
  if (installed.size > 0) await user.store.setInstalled(new Map());
  await register(call, platform, read.basicUserKey, read.manifest.nonce, chain.rootAuthority, chain.grants);
  const result = importResult(work, { quarantine, generation: 1, uninstall: [...installed.values()] });
  await recordImport(work, result);
  return result;
}

/** The archive's content under the keys that are here; what was here stays. */
export async function applyMerge(work: ImportWork, opened: OpenedMerge): Promise<ImportResult> {
  const { call, user, plan } = work;
  const { present } = user;
  if (present === undefined) throw fail('InternalError', { problem: 'a merge into nothing was planned' });
  const { local } = opened;
  const merged = mergedEnvironment(work, local.environment, opened.archived);
  if (merged === undefined) {
    const result = importResult(work, {
      quarantine: null,
      generation: present.stored.generation,
      uninstall: [],
    });
    if (!plan.unchanged) throw fail('InternalError', { problem: 'a known archive would change something' });
    return result;
  }
  call.report.progress('Importing', 'Writing the environment', 80);
  const { generation } = await commitEnvironment(call, { ...user, present }, local, merged);
  const result = importResult(work, { quarantine: null, generation, uninstall: [] });
  await recordImport(work, result);
  return result;
}

function freshEnvironment(work: ImportWork, archived: Environment): Environment {
  const { plan, chain } = work;
  const credentials = archived.publicPart.credentials.map((credential): Credential => ({
    ...credential,
    origin: 'migration',
  }));
  return {
    publicPart: {
      credentials,
      features: plan.features,
      proposed: plan.proposed,
      rootAuthority: chain.rootAuthority,
      grants: chain.grants.map(({ bytes }) => bytes),
    },
    privatePart: {
      ...archived.privatePart,
      importedArchives: withArchive(archived.privatePart.importedArchives, work),
      revocationNumbers: rememberLists(archived.privatePart.revocationNumbers, work.revocations),
    },
  };
}

/** Undefined where this very archive was merged before and nothing would change. */
function mergedEnvironment(
  work: ImportWork,
  local: Environment,
  archived: Environment,
): Environment | undefined {
  const { plan, read } = work;
  const known = local.privatePart.importedArchives.some(({ archive }) => archive === read.manifest.archive);
  if (plan.unchanged && known) return undefined;
  const added = new Set(
    plan.items.filter(({ action }) => action === 'Add').map(({ credential }) => credential),
  );
  const credentials = archived.publicPart.credentials
    .filter(({ id }) => added.has(id))
    .map((credential): Credential => ({ ...credential, origin: 'migration' }));
  const keys = new Map(local.privatePart.keys);
  for (const { id } of credentials) keys.set(id, keyOf(archived, id, work.path));
  return {
    publicPart: {
      ...local.publicPart,
      credentials: withCredentials(local.publicPart.credentials, credentials),
      features: plan.features,
      proposed: plan.proposed,
    },
    privatePart: {
      ...local.privatePart,
      keys,
      importedArchives: withArchive(local.privatePart.importedArchives, work),
      revocationNumbers: rememberLists(local.privatePart.revocationNumbers, work.revocations),
    },
  };
}

function keyOf(
  environment: Environment,
  id: CredentialId,
  path: string,
): NonNullable<ReturnType<PrivatePart['keys']['get']>> {
  const key = environment.privatePart.keys.get(id);
  if (key === undefined) throw fail('ArchiveChanged', { path, problem: 'a credential has no key' });
  return key;
}

/** Old entries go once there are many, but never the newest of a source: that one decides what is "older". */
function withArchive(known: readonly ImportedArchive[], { read }: ImportWork): readonly ImportedArchive[] {
  const { archive, sourceKey: source, generation } = read.manifest;
  const all = [...known.filter((one) => one.archive !== archive), { archive, source, generation }];
  const isNewest = (entry: ImportedArchive): boolean =>
    all.every((other) => other.source !== entry.source || other.generation <= entry.generation);
  const surplus = all.length - rememberedArchives;
  return all.filter((entry, index) => index >= surplus || isNewest(entry));
}

async function recordImport({ call, user, read, plan }: ImportWork, result: ImportResult): Promise<void> {
  await record(call, 'user', {
    operation: 'import',
    account: user.platform.account,
    platform: user.platform.ids.platformId,
    facts: {
      archive: read.manifest.archive,
      case: plan.case,
      source: read.manifest.sourceComputer,
      generation: String(result.generation),
      trusted: result.anyAuthorityTrusted ? 'any authority' : 'a listed authority',
      ...(result.quarantine === null ? {} : { quarantine: result.quarantine }),
    },
  });
}
