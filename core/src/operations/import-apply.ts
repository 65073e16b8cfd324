/**
 * Performing an import's plan: the new content is computed, written as a generation, and switched to. A replace sets the
 * old environment aside as a whole, under its own password.
 */
import { fail } from '../domain/error.ts';
import type { Environment, GenerationHeader, ImportedArchive } from '../domain/environment.ts';
import type { SignedGrant } from '../domain/grant.ts';
import { freshContent, mergedContent } from '../domain/import-content.ts';
import { decodeGrant } from '../format/grant-v1.ts';
import { sealBasicUserKey, sealGeneration } from '../sealing/environment.ts';
import { delegatingGrants } from '../sealing/grants.ts';
import { importResult } from './import-result.ts';
import { uninstallable } from './installed.ts';
import type { ImportWork } from './import-work.ts';
import type { OpenedFresh, OpenedMerge } from './import-open.ts';
import { register } from './register.ts';
import { record } from './record.ts';
import { rememberLists } from './revocation-memory.ts';
import type { ImportResult } from './results.ts';
import {
  commitEnvironment,
  presentUser,
  requireNotInterrupted,
  requireUnchanged,
  type User,
} from './user-context.ts';
import { requireWritten } from './written.ts';

/** Far above what any environment reaches, and far below the largest number of a store. */
const largestFollowed = 100_000_000;

/** The result of a merge that is done. */
export function applied(work: ImportWork, generation: number): ImportResult {
  return importResult(work, { quarantine: null, generation, uninstall: [] });
}

/** Install, or replace: the archive's environment becomes the one here. */
export async function applyFresh(work: ImportWork, opened: OpenedFresh): Promise<ImportResult> {
  const { call, user, read, plan } = work;
  const { ports } = call;
  const { platform } = user;
  const keySalt = ports.random(16);
  const number = await firstGeneration(user, opened.archived);
  const header: GenerationHeader = {
    platformId: platform.ids.platformId,
    generation: number,
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
  const environment = freshEnvironment(work, opened.archived);
  const generation = sealGeneration(header, environment, {
    vaultKey: opened.vaultKey,
    atRest: opened.keys.atRest,
  });
  call.report.progress('Importing', 'Writing the environment', 80);
  const written = await user.store.withLock(async (writer) => {
    await requireUnchanged(writer, user);
    requireNotInterrupted(call);
    const done =
      plan.case === 'replace'
        ? await writer.replace(number, generation)
        : { now: await writer.append(number, generation), setAside: undefined };
    await requireWritten(
      user.store,
      done.now,
      { vaultKey: opened.vaultKey, atRest: opened.keys.atRest },
      environment,
    );
    return done;
  });
  const quarantine = written.setAside?.id ?? null;
  await registerImported(work);
  const uninstall = await uninstallable(user.store, environment.publicPart);
  const result = importResult(work, { quarantine, generation: number, uninstall });
  await recordImport(work, result);
  return result;
}

/**
 * Numbers go on after those that this platform used before, as far as is known: to others that merged an archive of it, a
 * lower number would be an older state, which changes no feature there.
 */
async function firstGeneration({ store, platform }: User, archived: Environment): Promise<number> {
  const here = platform.ids.storageKeyName;
  const travelled = archived.privatePart.importedArchives.filter(({ source }) => source === here);
  const used = [...travelled, ...(await store.quarantine())].map(({ generation }) => generation);
  // A number near the end can only be another program's; to begin again is better than to have none left.
  return 1 + Math.max(0, ...used.filter((generation) => generation <= largestFollowed));
}

/** The archive's content under the keys that are here; what was here stays. */
export async function applyMerge(work: ImportWork, opened: OpenedMerge): Promise<ImportResult> {
  const { call, plan } = work;
  const user = presentUser(work.user);
  const { present } = user;
  const { local } = opened;
  const merged = mergedEnvironment(work, local.environment, opened.archived);
  if (merged === undefined) {
    if (!plan.unchanged) throw fail('InternalError', { problem: 'a known archive would change something' });
    return applied(work, present.stored.generation);
  }
  call.report.progress('Importing', 'Writing the environment', 80);
  const { generation } = await commitEnvironment(call, user, local, merged);
  if (merged.publicPart.grants !== local.environment.publicPart.grants) await registerImported(work);
  const result = applied(work, generation);
  await recordImport(work, result);
  return result;
}

/** The registration by which the owner here can let the key move on (ruling 2). */
export async function registerImported({ call, user, read, chain }: ImportWork): Promise<void> {
  await register(
    call,
    user.platform,
    read.basicUserKey,
    read.manifest.nonce,
    chain.rootAuthority,
    chain.grants,
  );
}

/** What comes with the archive, where nothing was here or what was goes. */
function freshEnvironment(work: ImportWork, archived: Environment): Environment {
  const { plan, chain } = work;
  return freshContent(plan, archived, {
    rootAuthority: chain.rootAuthority,
    grants: chain.grants.map(({ bytes }) => bytes),
    imported: importedArchive(work),
    revocationNumbers: remember(archived, work),
  });
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
  return mergedContent(plan, local, archived, {
    rootAuthority: local.publicPart.rootAuthority,
    grants: grantsFrom(local, work),
    imported: importedArchive(work),
    revocationNumbers: remember(local, work),
  });
}

export function importedArchive({ read }: ImportWork): ImportedArchive {
  const { archive, sourceKey: source, generation } = read.manifest;
  return { archive, source, generation };
}

/** Of the authorities that this move and the next one depend on. */
export function remember({ privatePart }: Environment, { chain, revocations, user }: ImportWork) {
  const authorities = [...chain.grants.map(({ signer }) => signer), user.platform.authority];
  return rememberLists(privatePart.revocationNumbers, revocations, authorities);
}

/**
 * The grants by which the key may be moved on. Those here stay, unless they do not let this platform's authority decide
 * and the archive's do: then the owner has granted again, as `OnwardNotDelegated` advises.
 */
function grantsFrom(local: Environment, { read, chain, path, user, revocations }: ImportWork) {
  const key = { name: read.name, nonce: read.manifest.nonce };
  const decoded = local.publicPart.grants.map((bytes) => decodeGrant(bytes, path));
  const leads = (grants: readonly SignedGrant[]): boolean => {
    const valid = grants.filter(({ signer, grant }) =>
      revocations.every(
        (list) => list.signer !== signer || list.list.revoked.every(({ serial }) => serial !== grant.serial),
      ),
    );
    const { authorityKey } = user.platform.settings;
    return delegatingGrants(valid, key, chain.rootAuthority, authorityKey) !== undefined;
  };
  if (leads(decoded) || !leads(chain.grants)) return local.publicPart.grants;
  return chain.grants.map(({ bytes }) => bytes);
}

export async function recordImport(
  { call, user, read, plan }: ImportWork,
  result: ImportResult,
): Promise<void> {
  await record(call, 'user', {
    operation: 'import',
    account: user.platform.account,
    platform: user.platform.ids.platformId,
    facts: {
      archive: read.manifest.archive,
      case: plan.rekey ? 'merge, rekey' : plan.case,
      source: read.manifest.sourceComputer,
      generation: String(result.generation),
      trusted: result.anyAuthorityTrusted ? 'any authority' : 'a listed authority',
      ...(result.quarantine === null ? {} : { quarantine: result.quarantine }),
    },
  });
}
