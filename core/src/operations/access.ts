/** A grant as people read it: its state now, and in plain words what it allows. */
import { secondsPerDay, formatInstant, type Instant } from '../domain/time.ts';
import type { Grant } from '../domain/grant.ts';
import { groupFingerprint } from '../domain/ids.ts';
import { authorityFingerprint } from '../sealing/fingerprints.ts';
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

/** One sentence that says what the grant allows, and until when. */
function meaning(grant: Grant, state: AccessState, reason: string | undefined, now: Instant): string {
  const who = grant.user === 'any' ? 'Every user' : grant.user.join(', ');
  const from =
    grant.source === 'any' ? 'any platform under this authority' : `${grant.source.length} named platform(s)`;
  const keys =
    grant.basicUserKey === 'any' ? '' : `, only ${grant.basicUserKey.length} named Basic User Key(s)`;
  const onward = grant.onward === 'no' ? ' The keys may not be moved on from there.' : '';
  const what = `${who} may move their keys from ${from} to ${grant.destinationComputer}${keys}`;
  switch (state) {
    case 'Revoked':
      return `Revoked: ${reason ?? ''}`.trimEnd();
    case 'Expired':
      return `Ended on ${formatInstant(grant.notAfter)}.`;
    case 'NotYetValid':
      return `${what}, beginning ${formatInstant(grant.notBefore)}.${onward}`;
    case 'Valid': {
      const days = Math.floor((grant.notAfter - now) / secondsPerDay);
      return `${what}, until ${formatInstant(grant.notAfter)} (${days} days left).${onward}`;
    }
  }
}

function listOf(scope: 'any' | readonly string[]): readonly string[] {
  return scope === 'any' ? ['*'] : scope;
}
