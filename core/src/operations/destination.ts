/** Choosing grants by what a person calls a destination: a computer name, a fingerprint, or a grant's serial. */
import { fail } from '../domain/error.ts';
import { groupFingerprint } from '../domain/ids.ts';
import type { FoundGrant } from './grants-context.ts';

export interface DestinationChoice {
  readonly destination?: string | undefined;
  readonly serial?: string | undefined;
}

/** The grants that fit the choice; all where nothing is chosen. Computer names compare without case. */
export function matchingGrants(
  grants: readonly FoundGrant[],
  choice: DestinationChoice,
): readonly FoundGrant[] {
  return grants.filter(({ signed: { grant } }) => {
    if (choice.serial !== undefined && grant.serial !== choice.serial.toLowerCase()) return false;
    if (choice.destination === undefined) return true;
    const wanted = choice.destination.toLowerCase();
    return (
      grant.destinationComputer.toLowerCase() === wanted ||
      grant.destinationFingerprint === wanted.replaceAll(/[\s:-]/g, '')
    );
  });
}

/** The grants that fit the choice. `DestinationNotAuthorized` or `GrantNotFound` where there is none. */
export function requireMatching(
  grants: readonly FoundGrant[],
  choice: DestinationChoice,
  account: string,
): readonly FoundGrant[] {
  const matching = matchingGrants(grants, choice);
  if (matching.length > 0) return matching;
  if (choice.serial !== undefined) throw fail('GrantNotFound', { serial: choice.serial });
  const destination = choice.destination ?? 'any destination';
  throw fail('DestinationNotAuthorized', { account, destination, reason: 'no grant here names it' });
}

/** `DestinationAmbiguous` where grants that would all permit the move are for different computers. */
export function requireOneDestination(grants: readonly FoundGrant[], choice: DestinationChoice): void {
  const fingerprints = new Set(
    grants.map(({ signed }) => groupFingerprint(signed.grant.destinationFingerprint)),
  );
  if (fingerprints.size < 2) return;
  const names = new Set(grants.map(({ signed }) => signed.grant.destinationComputer));
  throw fail('DestinationAmbiguous', {
    destination: choice.destination ?? `a choice that names none (${[...names].join(', ')})`,
    fingerprints: [...fingerprints].join('; '),
  });
}
