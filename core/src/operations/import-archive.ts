/**
 * `Import-SPMigration`: brings an environment here. The case (install, merge, replace) is computed from Basic User Keys
 * and never chosen. Every check, the opening of the archive included, is made before anything changes; then one switch of
 * the store's pointer is the whole change (docs/spec/environment-store.md).
 */
import { toHex } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { fail } from '../domain/error.ts';
import { planImport, type ImportPlan } from '../domain/import-plan.ts';
import { readArchiveFile } from './archive.ts';
import { requireFit, verifiedChain } from './archive-fit.ts';
import { grantsHere } from './grants-context.ts';
import { applyFresh, applyMerge } from './import-apply.ts';
import { openForFresh, openForMerge } from './import-open.ts';
import { importLines, importResult } from './import-result.ts';
import type { ImportWork } from './import-work.ts';
import type { Changer, Fact, Plan } from './operation.ts';
import { requirePlatform } from './platform-context.ts';
import { requireNewestLists } from './revocation-memory.ts';
import type { ImportResult } from './results.ts';
import { findUser, presentFacts } from './user-context.ts';

export interface ImportParameters {
  readonly path: string;
  readonly grantPath?: readonly string[];
  readonly allowReplace?: boolean;
  readonly enableFeature?: boolean;
  readonly allowServiceAccount?: boolean;
}

export const importArchive: Changer<ImportParameters, ImportResult> = async (call, parameters) => {
  const { path } = parameters;
  const platform = await requirePlatform(call.ports);
  const user = await findUser(call, platform, parameters.allowServiceAccount ?? false);
  call.report.progress('Importing', 'Checking the archive', 5);
  const { bytes, read } = await readArchiveFile(call, path);
  const here = await grantsHere(call, parameters.grantPath ?? []);
  requireFit({ path, read, platform, here, call });
  const chain = verifiedChain(read, path);
  if (!call.secrets.has('password')) {
    throw fail('PasswordRequired', {
      which: `the one that ${read.manifest.account.name} used on ${read.manifest.sourceComputer}`,
    });
  }
  call.report.progress('Importing', 'Opening the archive', 30);
  const { present } = user;
  const opened =
    present?.basicUserKey === read.name
      ? await openForMerge(call, { ...user, present }, read, path)
      : await openForFresh(call, user, read, path);
  try {
    const local = opened.kind === 'merge' ? opened.local : undefined;
    const remembered = (local?.environment ?? opened.archived).privatePart.revocationNumbers;
    requireNewestLists(remembered, chain.grants, here.revocations);
    const known = local?.environment.privatePart.importedArchives ?? [];
    const fromSource = known.filter(({ source }) => source === read.manifest.sourceKey);
    const plan = planImport(
      present && {
        basicUserKey: present.basicUserKey,
        publicPart: local?.environment.publicPart ?? present.publicPart,
        tombstones: local?.environment.privatePart.tombstones ?? [],
        newestMerged: Math.max(0, ...fromSource.map(({ generation }) => generation)),
      },
      {
        basicUserKey: read.name,
        publicPart: opened.archived.publicPart,
        generation: read.manifest.generation,
        known: known.some(({ archive }) => archive === read.manifest.archive),
      },
      parameters.enableFeature ?? false,
    );
    const work: ImportWork = { call, user, read, chain, plan, path, revocations: here.revocations };
    const shown = planOf(work, bytes);
    return {
      plan: shown,
      preview: importResult(work, {
        quarantine: null,
        generation: present?.stored.generation ?? 0,
        uninstall: [],
      }),
      dispose: opened.dispose,
      apply: () => {
        if (plan.case === 'replace' && parameters.allowReplace !== true) throw replaceRefused(work);
        return opened.kind === 'merge' ? applyMerge(work, opened) : applyFresh(work, opened);
      },
    };
  } catch (error) {
    await opened.dispose();
    throw error;
  }
};

function planOf(work: ImportWork, bytes: Uint8Array): Plan {
  const { call, user, read, plan } = work;
  const refusal = plan.case === 'replace' ? replaceRefused(work) : undefined;
  return {
    action: 'Import the environment',
    target: `${read.manifest.account.name} from ${read.manifest.sourceComputer} (${work.path})`,
    impact: plan.case === 'replace' ? 'high' : 'medium',
    lines: importLines(work),
    facts: {
      ...presentFacts(user),
      input: toHex(sha256(bytes)),
      revocations: work.revocations.map(({ signer, list }) => `${signer} ${list.number}`).sort(),
      anyAuthorityTrusted: user.platform.policy.trustedAuthorities === undefined,
      rehearsal: call.ports.rehearsal,
      import: planFact(plan),
    },
    ...(refusal === undefined
      ? {}
      : { refused: { code: refusal.code, message: `${refusal.message} ${refusal.hint}` } }),
  };
}

/** Everything about a plan except what is only displayed. */
function planFact(plan: ImportPlan): Fact {
  return {
    case: plan.case,
    older: plan.older,
    items: plan.items.map(({ credential, action, features, proposed }) => ({
      credential,
      action,
      features,
      proposed,
    })),
  };
}

function replaceRefused({ user, read }: ImportWork): ReturnType<typeof fail> {
  const short = (name: string): string => name.slice(4, 16);
  return fail('ImportWouldReplace', {
    present: user.present === undefined ? 'none' : short(user.present.basicUserKey),
    archived: short(read.name),
  });
}
