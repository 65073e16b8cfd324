/**
 * Signing grants and revocation lists (docs/spec/grant.md, "Signing"; ruling 1). Every digest that is signed is computed
 * here, from public areas whose templates were checked here; no digest, Name or policyRef is taken over from a caller.
 * Three things can be expressed and nothing else: a move to this destination under refAny, a move of one key to it
 * under that key's refOne, and a delegation for one key, under its refOne, to this destination's authority.
 */
import { equal, toHex } from '../bytes/bytes.ts';
import { fail } from '../domain/error.ts';
import type {
  Grant,
  KeyApproval,
  Registration,
  RevocationList,
  Scope,
  SignedGrant,
  SignedRevocationList,
} from '../domain/grant.ts';
import type { TpmName } from '../domain/ids.ts';
import type { Account, Identity } from '../domain/platform.ts';
import { appendSignature, decodeGrant, encodeGrantBody } from '../format/grant-v1.ts';
import { decodeRevocationList, encodeRevocationListBody } from '../format/revocation-list-v1.ts';
import { nameOf } from '../tpm2/name.ts';
import { delegationDigest, moveDigest, REF_ANY, refOne } from '../tpm2/policy.ts';
import { signApproval, signMessage, type AuthorityKey } from './authority.ts';
import { delegatingGrants } from './chain.ts';
import { authorityFingerprint, identityFingerprint, tpmName } from './fingerprints.ts';
import { checkIdentity } from './identity.ts';
import { checkRegistration } from './registration.ts';
import { isNamed } from './check-grant.ts';
import { nameBytes } from './verify-grant.ts';

/** What the owner decides; the rest of a grant is computed. */
export type GrantDraft = Pick<
  Grant,
  'serial' | 'rehearsal' | 'source' | 'user' | 'basicUserKey' | 'notBefore' | 'notAfter' | 'historyHead'
>;

export interface GrantBasis {
  readonly authority: AuthorityKey;
  readonly identity: Identity;
  /** Every Basic User Key known to the owner; those outside the draft's scopes are passed over. */
  readonly registrations: readonly Registration[];
  /** Whether the destination's authority may move the known keys on. */
  readonly onward: boolean;
}

/** A registered key that this authority can decide about. */
interface KnownKey {
  readonly name: TpmName;
  readonly nonce: Uint8Array;
  readonly rootAuthority: Uint8Array;
  readonly isRoot: boolean;
}

/**
 * Signs a grant for the identity's platform. `IdentityMalformed`, `RegistrationMalformed`, `RehearsalMixed`,
 * `ParameterInvalid` where it would approve nothing, `LimitExceeded`.
 */
export function signGrant(draft: GrantDraft, by: GrantBasis): SignedGrant {
  const { authority, identity } = by;
  checkIdentity(identity, `the identity of ${identity.computer}`);
  requireSameKind(draft.rehearsal, identity.rehearsal, `the identity of ${identity.computer}`);
  const keys = decidableKeys(draft, by);
  const destination = nameOf(identity.storageKey);
  const approval = approvals(draft.basicUserKey, keys, authority, destination);
  const move = keys.known
    .filter(({ isRoot }) => !isRoot)
    .map((key) => keyApproval(authority, key, moveDigest(nameBytes(key.name), destination)));
  if (approval.length + move.length === 0) {
    throw fail('ParameterInvalid', {
      parameter: 'BasicUserKey',
      problem: 'this authority cannot decide about any of these keys',
    });
  }
  const body = encodeGrantBody({
    ...draft,
    authority: authority.public,
    destinationComputer: identity.computer,
    destinationFingerprint: identityFingerprint(identity),
    destinationKey: identity.storageKey,
    onward: by.onward ? delegations(authority, keys, identity.authorityKey) : 'no',
    approval,
    move,
  });
  const bytes = appendSignature(body, authorityFingerprint(authority.public), signMessage(authority, body));
  // Read back, so that what is returned has the file's order of lists and is what every reader will see.
  return decodeGrant(bytes, `grant ${draft.serial}`);
}

/** Signs a revocation list. Numbers of one authority's lists only grow: the caller knows the last one. */
export function signRevocationList(
  draft: Omit<RevocationList, 'authority'>,
  authority: AuthorityKey,
): SignedRevocationList {
  const body = encodeRevocationListBody({ ...draft, authority: authority.public });
  const bytes = appendSignature(body, authorityFingerprint(authority.public), signMessage(authority, body));
  return decodeRevocationList(bytes, `revocation list ${String(draft.number)}`);
}

interface DecidableKeys {
  /** Registered, in scope, and this authority is their root or a delegate for them. */
  readonly known: readonly KnownKey[];
  /** Registered under another root that does not delegate to this authority: it cannot approve their move. */
  readonly foreign: ReadonlySet<TpmName>;
  /** Hex nonces of registered keys outside the draft's scopes, other than those in it. */
  readonly outside: ReadonlySet<string>;
}

function decidableKeys(draft: GrantDraft, { authority, registrations }: GrantBasis): DecidableKeys {
  const known = new Map<TpmName, KnownKey>();
  const foreign = new Set<TpmName>();
  const others = new Map<TpmName, Uint8Array>();
  for (const registration of registrations) {
    const { account, basicUserKey, nonce, rootAuthority } = registration;
    const what = `the registration of ${account.name}`;
    const held = checkRegistration(registration, what);
    requireSameKind(draft.rehearsal, registration.rehearsal, what);
    const name = tpmName(basicUserKey);
    if (!isInScope(draft, account, name)) {
      others.set(name, nonce);
      continue;
    }
    const isRoot = equal(rootAuthority, authority.public);
    if (isRoot || delegatingGrants(held, { name, nonce }, rootAuthority, authority.public) !== undefined) {
      known.set(name, { name, nonce, rootAuthority, isRoot });
    } else {
      foreign.add(name);
    }
  }
  const outside = new Set([...others].filter(([name]) => !known.has(name)).map(([, nonce]) => toHex(nonce)));
  return { known: [...known.values()], foreign, outside };
}

function isInScope(draft: GrantDraft, account: Account, name: TpmName): boolean {
  const listed = draft.basicUserKey === 'any' || draft.basicUserKey.includes(name);
  return listed && isNamed(draft.user, account);
}

/** One for every key; or, where keys are listed, one that includes the object for each that is not moved as a delegate. */
function approvals(
  scope: Scope<TpmName>,
  keys: DecidableKeys,
  authority: AuthorityKey,
  destination: Uint8Array,
): Grant['approval'] {
  if (scope === 'any') {
    return [
      {
        basicUserKey: 'any',
        signature: signApproval(authority, moveDigest(undefined, destination), REF_ANY),
      },
    ];
  }
  const delegated = new Set(keys.known.filter(({ isRoot }) => !isRoot).map(({ name }) => name));
  return [...new Set(scope)]
    .filter((name) => !delegated.has(name) && !keys.foreign.has(name))
    .map((name) => ({
      basicUserKey: name,
      signature: signApproval(authority, moveDigest(nameBytes(name), destination), REF_ANY),
    }));
}

/**
 * One delegation for each known key. A root needs none, as it approves under refAny; nor does this very authority,
 * which decides already. A delegation covers every key with its nonce, and nonces are public: whoever registers a key
 * under the nonce of one outside of this grant's scopes gets none.
 */
function delegations(
  authority: AuthorityKey,
  { known, outside }: DecidableKeys,
  delegate: Uint8Array,
): readonly KeyApproval[] {
  if (equal(delegate, authority.public)) return [];
  return known
    .filter(({ rootAuthority, nonce }) => !equal(rootAuthority, delegate) && !outside.has(toHex(nonce)))
    .map((key) => keyApproval(authority, key, delegationDigest(nameOf(delegate), key.nonce)));
}

/** Under the key's refOne, and only there. */
function keyApproval(authority: AuthorityKey, key: KnownKey, approvedPolicy: Uint8Array): KeyApproval {
  const signature = signApproval(authority, approvedPolicy, refOne(key.nonce));
  return { basicUserKey: key.name, nonce: key.nonce, signature };
}

function requireSameKind(here: boolean, file: boolean, path: string): void {
  if (here === file) return;
  const word = (rehearsal: boolean): string => (rehearsal ? 'rehearsal' : 'real platform');
  throw fail('RehearsalMixed', { path, kind: word(file), here: word(here) });
}
