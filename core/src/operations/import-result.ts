/** An import's plan and result in words and as values: the same text before (-WhatIf, confirmation) and after. */
import { features, type Feature, type FeatureAssignments } from '../domain/environment.ts';
import type { ImportItem, ImportPlan } from '../domain/import-plan.ts';
import type { ImportWork } from './import-work.ts';
import type { ImportResult } from './results.ts';

export interface ImportOutcome {
  readonly quarantine: string | null;
  readonly generation: number;
  readonly uninstall: readonly string[];
}

const caseNames = { install: 'Install', merge: 'Merge', replace: 'Replace' } as const;

export function importResult({ user, read, plan, path }: ImportWork, outcome: ImportOutcome): ImportResult {
  return {
    path,
    archive: read.manifest.archive,
    case: caseNames[plan.case],
    rekey: plan.rekey,
    unchanged: plan.unchanged,
    older: plan.older,
    items: plan.items,
    quarantine: outcome.quarantine,
    sourceAccount: read.manifest.account.name,
    sourceComputer: read.manifest.sourceComputer,
    account: user.platform.account.name,
    generation: outcome.generation,
    featuresActive: assigned(plan.features),
    featuresProposed: assigned(plan.proposed),
    nextStep: nextStep(plan),
    anyAuthorityTrusted: user.platform.policy.trustedAuthorities === undefined,
    uninstall: outcome.uninstall,
    receiptPath: null,
  };
}

/** One sentence for each effect, key by key. */
export function importLines({ user, read, plan, claimsToContinue }: ImportWork): readonly string[] {
  const { manifest } = read;
  const from = `${manifest.account.name} on ${manifest.sourceComputer}`;
  const head = heading(plan, from, user.platform.account.name);
  return [
    plan.case === 'replace' && claimsToContinue
      ? `${head} The archive claims to continue your key: with -CurrentPassword it is merged instead.`
      : head,
    ...plan.items.map(itemLine),
    ...(plan.unchanged ? [] : [nextStep(plan)]),
  ];
}

function heading(plan: ImportPlan, from: string, here: string): string {
  switch (plan.case) {
    case 'install':
      return `Install: there is no environment of ${here} here; the one of ${from} is installed.`;
    case 'merge':
      if (plan.rekey)
        return `Merge, with a new key: the Basic User Key of ${from} continues the one here and takes its place, and its password becomes the password here.${older(plan)}`;
      if (plan.unchanged) return `Merge: everything of ${from} is here already; nothing changes.`;
      return `Merge: the same Basic User Key is here; the environment of ${from} is added to it.${older(plan)}`;
    case 'replace':
      return `Replace: another Basic User Key is here; its environment is set aside and the one of ${from} takes its place.`;
  }
}

function older(plan: ImportPlan): string {
  return plan.older ? ' The archive is older than one merged before: no feature changes.' : '';
}

function itemLine({ label, action, features: active, proposed }: ImportItem): string {
  switch (action) {
    case 'Add': {
      const state = active.length === 0 ? 'kept, not active' : `active for ${active.join(', ')}`;
      return `${label}: added, ${state}${proposed.length === 0 ? '' : ` (was active for ${proposed.join(', ')})`}.`;
    }
    case 'Unchanged':
      return `${label}: Unchanged.`;
    case 'Activate':
      return `${label}: here already, becomes active for ${active.join(', ')}.`;
    case 'Retain':
      return `${label}: kept, ${active.length === 0 ? 'no longer active' : `still active for ${active.join(', ')}`}.`;
    case 'SetAside':
      return `${label}: set aside with the old environment.`;
    case 'Skip':
      return `${label}: was removed here for good and stays so (-IncludeRemoved brings it back).`;
  }
}

function nextStep(plan: ImportPlan): string {
  const waiting = assigned(plan.proposed);
  if (waiting.length === 0) return 'Nothing more needs to be done.';
  if (plan.case === 'merge')
    return `Not active here, as before: ${waiting.join(', ')} (Enable-SPMigrationFeature, if wanted).`;
  return `Features are not active until they are enabled: ${waiting.join(', ')} (Enable-SPMigrationFeature).`;
}

function assigned(assignments: FeatureAssignments): readonly Feature[] {
  return features.filter((feature) => assignments[feature] !== undefined);
}
