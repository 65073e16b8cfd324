/**
 * `Import-SPMigration`: brings an environment here. The case (install, merge, replace) is computed from Basic User Keys
 * and never chosen. Every check, the opening of the archive included, is made before anything changes; then one switch of
 * the store's pointer is the whole change (docs/spec/environment-store.md).
 */
import { toHex } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { fail } from '../domain/error.ts';
import { activeFeatures, type PublicPart } from '../domain/environment.ts';
import { metBefore, planImport, type ImportPlan } from '../domain/import-plan.ts';
import { readArchiveFile } from './archive.ts';
import { warnIfOutOfTime } from './credential.ts';
import { requireFit, verifiedChain } from './archive-fit.ts';
import { grantsHere } from './grants-context.ts';
import { applyFresh, applyMerge } from './import-apply.ts';
import { openForImport, type OpenedArchive } from './import-open.ts';
import { applyRekey } from './import-rekey.ts';
import { importLines, importResult } from './import-result.ts';
import type { ImportWork } from './import-work.ts';
import type { Call, Changer, Fact, Plan } from './operation.ts';
import { requirePlatform } from './platform-context.ts';
import { receiptName, writeReceipt } from './receipt.ts';
import { requireNewestLists } from './revocation-memory.ts';
import type { ImportResult } from './results.ts';
import { requireSpaceToImport } from './space.ts';
import { findUser, presentFacts } from './user-context.ts';

export interface ImportParameters {
  readonly path: string;
  readonly grantPath?: readonly string[];
  readonly allowReplace?: boolean;
  readonly enableFeature?: boolean;
  readonly includeRemoved?: boolean;
  readonly receiptPath?: string;
  readonly overwrite?: boolean;
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
  await requireSpaceToImport(call.ports, user, read);
  if (!call.secrets.has('password')) {
    throw fail('PasswordRequired', {
      which: `the one that ${read.manifest.account.name} used on ${read.manifest.sourceComputer}`,
    });
  }
  call.report.progress('Importing', 'Opening the archive', 30);
  const { present } = user;
  const opened = await openForImport(call, user, read, path);
  try {
    const local = opened.kind === 'fresh' ? undefined : opened.local;
    const remembered = (local?.environment ?? opened.archived).privatePart.revocationNumbers;
    requireNewestLists(remembered, chain.grants, here.revocations);
    const { archive, sourceKey, generation } = read.manifest;
    const imported = local?.environment.privatePart.importedArchives ?? [];
    const { newestMerged, known } = metBefore(imported, { archive, source: sourceKey });
    const plan = planImport(
      present && {
        basicUserKey: present.basicUserKey,
        publicPart: local?.environment.publicPart ?? present.publicPart,
        tombstones: local?.environment.privatePart.tombstones ?? [],
        newestMerged,
      },
      {
        basicUserKey: read.name,
        publicPart: opened.archived.publicPart,
        generation,
        known,
      },
      {
        enableFeatures: parameters.enableFeature ?? false,
        includeRemoved: parameters.includeRemoved ?? false,
        continues: opened.kind === 'rekey',
      },
    );
    const claimsToContinue = present !== undefined && read.manifest.replaces.includes(present.basicUserKey);
    const revocations = here.revocations;
    const work: ImportWork = { call, user, read, chain, plan, path, revocations, claimsToContinue };
    const overwrite = parameters.overwrite ?? false;
    const receiptPath =
      parameters.receiptPath === undefined
        ? undefined
        : await call.ports.files.outputPath(parameters.receiptPath, receiptName(work), overwrite);
    warnOfValidity(call, opened.archived.publicPart, plan);
    return {
      plan: planOf(work, bytes, receiptPath),
      preview: importResult(work, {
        quarantine: null,
        generation: present?.stored.generation ?? 0,
        uninstall: [],
      }),
      dispose: opened.dispose,
      apply: async () => {
        if (plan.case === 'replace' && parameters.allowReplace !== true) throw replaceRefused(work);
        const result = await apply(work, opened);
        if (receiptPath === undefined) return result;
        return {
          ...result,
          receiptPath: await writeReceipt(work, result.generation, receiptPath, overwrite),
        };
      },
    };
  } catch (error) {
    await opened.dispose();
    throw error;
  }
};

function apply(work: ImportWork, opened: OpenedArchive): Promise<ImportResult> {
  switch (opened.kind) {
    case 'merge':
      return applyMerge(work, opened);
    case 'rekey':
      return applyRekey(work, opened);
    case 'fresh':
      return applyFresh(work, opened);
  }
}

/** Clocks decide no plan; that a certificate is out of its time is said all the same. */
function warnOfValidity(call: Call, { credentials }: PublicPart, { features }: ImportPlan): void {
  for (const credential of credentials) {
    if (activeFeatures(credential.id, features).length > 0) warnIfOutOfTime(call, credential);
  }
}

function planOf(work: ImportWork, bytes: Uint8Array, receiptPath: string | undefined): Plan {
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
      claimsToContinue: work.claimsToContinue,
      receipt: receiptPath ?? null,
    },
    ...(refusal === undefined
      ? {}
      : // One code for callers that look ahead: it would replace, unless something more is given.
        { refused: { code: 'ImportWouldReplace', message: `${refusal.message} ${refusal.hint}` } }),
  };
}

/** Everything about a plan except what is only displayed. */
function planFact(plan: ImportPlan): Fact {
  return {
    case: plan.case,
    rekey: plan.rekey,
    older: plan.older,
    items: plan.items.map(({ credential, action, features, proposed }) => ({
      credential,
      action,
      features,
      proposed,
    })),
  };
}

function replaceRefused({ user, read, claimsToContinue, path }: ImportWork): ReturnType<typeof fail> {
  if (claimsToContinue) {
    const here = `${user.platform.account.name} on ${user.platform.settings.computer}`;
    return fail('CurrentPasswordRequired', {
      which: `${path} claims to continue the key that is here. The password of ${here} merges the two; without it, -AllowReplace sets aside what is here.`,
    });
  }
  const short = (name: string): string => name.slice(4, 16);
  return fail('ImportWouldReplace', {
    present: user.present === undefined ? 'none' : short(user.present.basicUserKey),
    archived: short(read.name),
  });
}
