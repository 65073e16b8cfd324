/** An undo's plan and result in words and as values: the same before (-WhatIf, confirmation) and after. */
import { features, type Feature, type FeatureAssignments } from '../domain/environment.ts';
import type { UndoItem } from '../domain/undo-plan.ts';
import type { Fact } from './operation.ts';

/** One sentence for each credential. `keptIn` says where those that leave are kept. */
export function undoLines(items: readonly UndoItem[], keptIn: string): readonly string[] {
  return items.map((item) => itemLine(item, keptIn));
}

function itemLine({ label, action, features: active, proposed }: UndoItem, keptIn: string): string {
  const uses = active.join(', ');
  switch (action) {
    case 'Return': {
      const waits = proposed.length === 0 ? '' : ` (waits to be enabled for ${proposed.join(', ')})`;
      return `${label}: comes back, ${active.length === 0 ? 'not active' : `active for ${uses}`}${waits}.`;
    }
    case 'Leave':
      return `${label}: leaves; it is kept in ${keptIn}.`;
    case 'Activate':
      return `${label}: stays, becomes active for ${uses}.`;
    case 'Retain':
      return `${label}: stays, ${active.length === 0 ? 'no longer active' : `still active for ${uses}`}.`;
    case 'Unchanged':
      return `${label}: Unchanged.`;
    case 'Skip':
      return `${label}: was removed for good and stays so.`;
  }
}

/** Everything about items except what is only displayed. */
export function itemFacts(items: readonly UndoItem[]): Fact {
  return items.map(({ credential, action, features: active, proposed }) => ({
    credential,
    action,
    features: active,
    proposed,
  }));
}

/** A line about the certificate store, where something is taken out of it. */
export function uninstallLines(uninstall: readonly string[]): readonly string[] {
  return uninstall.length === 0
    ? []
    : [`${uninstall.length} certificate(s) are taken out of the certificate store.`];
}

/** The features that use a credential. */
export function activeIn(assignments: FeatureAssignments): readonly Feature[] {
  return features.filter((feature) => assignments[feature] !== undefined);
}
