/**
 * Whether a verified grant permits the move at hand: the rules that software keeps because a chip knows neither time
 * nor accounts nor revocation (docs/spec/grant.md, "Checking"). Each has an error of its own, and none can be overridden.
 * Only Names and account ids decide; computers' names and fingerprints in a grant are for display.
 */
import { fail } from '../domain/error.ts';
import type { Scope, SignedGrant } from '../domain/grant.ts';
import {
  groupFingerprint,
  type AuthorityFingerprint,
  type GrantSerial,
  type TpmName,
} from '../domain/ids.ts';
import type { Account } from '../domain/platform.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import { tpmName } from './fingerprints.ts';

/** The reason for which a grant was revoked; undefined where it was not. Answers from verified lists only. */
export type Revoked = (signer: AuthorityFingerprint, serial: GrantSerial) => string | undefined;

/** The move at hand. */
export interface MoveFacts {
  readonly now: Instant;
  readonly rehearsal: boolean;
  /** Name of the source's storage key. */
  readonly sourceKey: TpmName;
  readonly account: Account;
  readonly basicUserKey: TpmName;
  /** Name of the destination's storage key. */
  readonly destinationKey: TpmName;
  readonly revoked: Revoked;
}

/**
 * Demands everything that the grant of the move itself must fulfil, in this order: `checkScope`, `checkNotRevoked`,
 * `checkTime`. `path` is for messages.
 */
export function checkGrant(signed: SignedGrant, facts: MoveFacts, path: string): void {
  checkScope(signed, facts, path);
  checkNotRevoked(signed, facts.revoked);
  checkTime(signed, facts.now);
}

/**
 * Whether the grant is for this move at all: `RehearsalMixed`, `DestinationNotAuthorized` (another destination, or the key
 * is not listed), `GrantSourceMismatch`, `GrantUserMismatch`.
 */
export function checkScope(
  signed: SignedGrant,
  facts: Omit<MoveFacts, 'now' | 'revoked'>,
  path: string,
): void {
  const { grant } = signed;
  const { serial } = grant;
  if (grant.rehearsal !== facts.rehearsal) {
    throw fail('RehearsalMixed', { path, kind: kindOf(grant.rehearsal), here: kindOf(facts.rehearsal) });
  }
  if (tpmName(grant.destinationKey) !== facts.destinationKey) {
    throw notAuthorized(signed, facts.account, `grant ${serial} is for another storage key`);
  }
  if (!isListed(grant.basicUserKey, facts.basicUserKey)) {
    throw notAuthorized(signed, facts.account, `grant ${serial} does not list this Basic User Key`);
  }
  if (!isListed(grant.source, facts.sourceKey)) throw fail('GrantSourceMismatch', { serial });
  if (!isNamed(grant.user, facts.account)) {
    throw fail('GrantUserMismatch', { serial, account: facts.account.name });
  }
}

/** `GrantNotYetValid`, `GrantExpired`; both ends belong to it. */
export function checkTime({ grant }: SignedGrant, now: Instant): void {
  const { serial } = grant;
  if (now < grant.notBefore) {
    throw fail('GrantNotYetValid', { serial, notBefore: formatInstant(grant.notBefore) });
  }
  if (now > grant.notAfter) {
    throw fail('GrantExpired', { serial, notAfter: formatInstant(grant.notAfter) });
  }
}

/** `GrantRevoked`. Also for the earlier grants of a chain: expiry does not end their delegation, revocation does. */
export function checkNotRevoked({ signer, grant }: SignedGrant, revoked: Revoked): void {
  const reason = revoked(signer, grant.serial);
  if (reason !== undefined) throw fail('GrantRevoked', { serial: grant.serial, reason });
}

/** `AuthorityNotTrusted` for the first that policy does not list; everything is trusted where it lists none. */
export function checkTrusted(
  authorities: readonly AuthorityFingerprint[],
  trusted: readonly AuthorityFingerprint[] | undefined,
): void {
  const stranger = authorities.find((authority) => trusted?.includes(authority) === false);
  if (stranger !== undefined) throw fail('AuthorityNotTrusted', { authority: groupFingerprint(stranger) });
}

/** Whether the account is meant: by its id, or by exactly its user principal name. Its display name never decides. */
export function isNamed(user: Scope<string>, account: Account): boolean {
  if (isListed(user, account.id)) return true;
  return account.upn !== undefined && isListed(user, `upn:${account.upn}`);
}

function isListed<T>(scope: Scope<T>, value: T): boolean {
  return scope === 'any' || scope.includes(value);
}

function notAuthorized({ grant }: SignedGrant, { name }: Account, reason: string): Error {
  return fail('DestinationNotAuthorized', { account: name, destination: grant.destinationComputer, reason });
}

function kindOf(rehearsal: boolean): string {
  return rehearsal ? 'rehearsal' : 'real platform';
}
