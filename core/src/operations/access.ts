/** A grant as people read it: its state now, and in plain words what it allows. */
import { formatInstant, type Instant } from '../domain/time.ts';
import type { Grant } from '../domain/grant.ts';
import { groupFingerprint } from '../domain/ids.ts';
import { authorityFingerprint } from '../sealing/fingerprints.ts';
import { daysLeftText, daysText } from './checks.ts';
import type { FoundGrant, GrantsHere } from './grants-context.ts';
import type { AccessResult, AccessState } from './results.ts';

/** The grant's state at `now`; `reason` where it is revoked. */
export function accessState(grant: Grant, revokedBecause: string | undefined, now: Instant): AccessState {
  if (revokedBecause !== undefined) return 'Revoked';
  if (now > grant.notAfter) return 'Expired';
  return now < grant.notBefore ? 'NotYetValid' : 'Valid';
}

export function accessResult(
  found: FoundGrant,
  here: Pick<GrantsHere, 'revoked'>,
  now: Instant,
): AccessResult {
  const { grant, signer } = found.signed;
  const reason = here.revoked(signer, grant.serial);
  const state = accessState(grant, reason, now);
  return {
    serial: grant.serial,
    destination: grant.destinationComputer,
    fingerprint: groupFingerprint(grant.destinationFingerprint),
    state,
    validFrom: grant.notBefore,
    validUntil: grant.notAfter,
    user: listOf(grant.user),
    source: listOf(grant.source),
    basicUserKey: listOf(grant.basicUserKey),
    onward: grant.onward !== 'no',
    authorityFingerprint: groupFingerprint(authorityFingerprint(grant.authority)),
    rehearsal: grant.rehearsal,
    reason: reason ?? null,
    meaning: meaning(grant, state, reason, now),
    path: found.path,
    grantPath: found.grantPath,
  };
}

/** In plain words what the grant allows, for whom, and until when; or why it allows nothing any more. */
function meaning(grant: Grant, state: AccessState, reason: string | undefined, now: Instant): string {
  const { notBefore, notAfter } = grant;
  const until = `until ${formatInstant(notAfter)}`;
  switch (state) {
    case 'Revoked':
      return `It was revoked and permits nothing any more: ${(reason ?? '').replace(/[.\s]+$/, '') || 'no reason was given'}.`;
    case 'Expired':
      return `It ended on ${formatInstant(notAfter)}, ${daysText(now - notAfter)} ago, and permits no move any more.${
        grant.onward !== 'no' && grant.onward.length > 0
          ? ` Keys that came to ${grant.destinationComputer} by it can still be moved on from there.`
          : ''
      }`;
    case 'NotYetValid':
      return `${permission(grant)}, but only from ${formatInstant(notBefore)} (in ${daysText(notBefore - now)}) ${until}. ${onward(grant)}`;
    case 'Valid':
      return `${permission(grant)}, ${until} (${daysLeftText(notAfter - now)}). ${onward(grant)}`;
  }
}

/** Who may move what from where to where. */
function permission(grant: Grant): string {
  const who =
    grant.user === 'any' ? 'Every user' : `Only ${listed('the account', 'the accounts', grant.user)}`;
  const keys =
    grant.basicUserKey === 'any'
      ? 'their keys'
      : `keys under ${listed('the Basic User Key', 'the Basic User Keys', grant.basicUserKey.map(shortName))}, which the chip checks too,`;
  const from =
    grant.source === 'any'
      ? 'any computer'
      : listed(
          'the computer with the storage key',
          'the computers with the storage keys',
          grant.source.map(shortName),
        );
  return `${who} may move ${keys} from ${from} to ${grant.destinationComputer}`;
}

/** Whether the keys may go on from the destination. The authorities are compared by signatures only, so no name is said. */
function onward({ onward: delegations, destinationComputer }: Grant): string {
  const from = `From ${destinationComputer}`;
  if (delegations === 'no') return `${from} the keys may not be moved on.`;
  if (delegations.length === 0)
    return `${from} keys may be moved on only by the authority that signed this, or the one they come from.`;
  const count = delegations.length === 1 ? 'one key' : `${delegations.length} keys`;
  return `${from} the authority there may let ${count} be moved on that the owner knew.`;
}

function listed(one: string, many: string, values: readonly string[]): string {
  return `${values.length === 1 ? one : many} ${values.join(', ')}`;
}

/** As much of a Name as people compare. */
function shortName(name: string): string {
  return name.slice(4, 16);
}

function listOf(scope: 'any' | readonly string[]): readonly string[] {
  return scope === 'any' ? ['*'] : scope;
}
