/** `Get-SPMigrationAccess`: the grants that can be seen from here, with their state and meaning. */
import { accessResult } from './access.ts';
import { matchingGrants, type DestinationChoice } from './destination.ts';
import { grantsHere } from './grants-context.ts';
import type { Reader } from './operation.ts';
import type { AccessResult } from './results.ts';

export interface ListAccessParameters extends DestinationChoice {
  readonly grantPath?: readonly string[];
}

export const listAccess: Reader<ListAccessParameters, AccessResult> = async function* (call, parameters) {
  const here = await grantsHere(call, parameters.grantPath ?? []);
  const now = call.ports.clock();
  const matching = [...matchingGrants(here.grants, parameters)];
  matching.sort((a, b) => a.signed.grant.notAfter - b.signed.grant.notAfter || (a.path < b.path ? -1 : 1));
  for (const found of matching) yield accessResult(found, here, now);
};
