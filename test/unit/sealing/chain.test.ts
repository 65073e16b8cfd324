/** Chains: every way that leads from a key's root to a move, and what stops each that does not. */
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../core/src/bytes/bytes.ts';
import type { Grant, KeyApproval, SignedGrant } from '../../../core/src/domain/grant.ts';
import { appendSignature, decodeGrant, encodeGrantBody } from '../../../core/src/format/grant-v1.ts';
import { signApproval, signMessage, type AuthorityKey } from '../../../core/src/sealing/authority.ts';
import { authorityFingerprint } from '../../../core/src/sealing/fingerprints.ts';
import { chainFor, verifyChain, type ChainRequest } from '../../../core/src/sealing/grants.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { delegationDigest, moveDigest, REF_ANY, refOne } from '../../../core/src/tpm2/policy.ts';
import {
  codeOf,
  errorOf,
  grantFrom,
  makeKey,
  makePlatform,
  register,
  type TestPlatform,
} from '../../testkit/sealing.ts';

const a = makePlatform('PC-A');
const b = makePlatform('PC-B');
const c = makePlatform('PC-C');
const d = makePlatform('PC-D');
const key = makeKey(a.authority);
const otherKey = makeKey(a.authority, 'other');

/** The grant for a hop on which `key` is known to have come by `held`. */
const hop = (
  from: TestPlatform,
  to: TestPlatform,
  held: readonly SignedGrant[] = [],
  of = key,
): SignedGrant => grantFrom(from, to, { registrations: [register(of, held)] });

const request = (held: readonly SignedGrant[], candidate: SignedGrant, of = key): ChainRequest => ({
  held,
  candidate,
  basicUserKey: of.public,
  nonce: of.nonce,
  rootAuthority: of.rootAuthority,
});
const verified = (grants: readonly SignedGrant[], of = key) =>
  verifyChain({ grants, basicUserKey: of.public, nonce: of.nonce }, 'x.sparc');
const serials = (grants: readonly SignedGrant[]): readonly string[] =>
  grants.map(({ grant }) => grant.serial);

function resigned(signed: SignedGrant, changes: Partial<Grant>, signer: AuthorityKey): SignedGrant {
  const body = encodeGrantBody({ ...signed.grant, ...changes });
  const bytes = appendSignature(body, authorityFingerprint(signer.public), signMessage(signer, body));
  return decodeGrant(bytes, 'x.spgrant');
}

const toB = hop(a, b);
const toC = hop(b, c, [toB]);
const toD = hop(c, d, [toB, toC]);

describe('a chain for a move', () => {
  test('by the root: its grant alone, approved under refAny', () => {
    const chain = chainFor(request([], toB));
    expect(serials(chain.grants)).toEqual(serials([toB]));
    expect(chain.steps.map(({ policyRef }) => toHex(policyRef))).toEqual([toHex(REF_ANY)]);
    expect(chain.steps[0]?.approvedPolicy).toEqual(moveDigest(undefined, nameOf(b.identity.storageKey)));
  });

  test('by the root for a listed key: the approval that is bound to it', () => {
    const listed = grantFrom(a, b, {}, { basicUserKey: [key.name, otherKey.name].sort() });
    const [step] = chainFor(request([], listed)).steps;
    expect(step?.approvedPolicy).toEqual(moveDigest(nameOf(key.public), nameOf(b.identity.storageKey)));
    const others = grantFrom(a, b, {}, { basicUserKey: [otherKey.name] });
    expect(codeOf(() => chainFor(request([], others)))).toBe('DestinationNotAuthorized');
  });

  test('by delegates: the move first, then the delegations back to the root, all under the refOne of the key', () => {
    const chain = chainFor(request([toB, toC], toD));
    expect(serials(chain.grants)).toEqual(serials([toB, toC, toD]));
    expect(chain.steps.map(({ authority }) => toHex(authority))).toEqual(
      [c, b, a].map(({ authority }) => toHex(authority.public)),
    );
    expect(new Set(chain.steps.map(({ policyRef }) => toHex(policyRef)))).toEqual(
      new Set([toHex(refOne(key.nonce))]),
    );
    expect(chain.steps.map(({ approvedPolicy }) => approvedPolicy)).toEqual([
      moveDigest(nameOf(key.public), nameOf(d.identity.storageKey)),
      delegationDigest(nameOf(c.authority.public), key.nonce),
      delegationDigest(nameOf(b.authority.public), key.nonce),
    ]);
  });

  test('back at the root, and back at a delegate, it is short again', () => {
    const toA = hop(c, a, [toB, toC]);
    expect(serials(chainFor(request([toB, toC, toA], grantFrom(a, d))).grants)).toHaveLength(1);
    const backAtB = hop(c, b, [toB, toC]);
    const fromB = hop(b, d, [toB, toC, backAtB]);
    expect(serials(chainFor(request([toB, toC, backAtB], fromB)).grants)).toEqual(serials([toB, fromB]));
  });

  test('platforms of one authority need no delegation between them', () => {
    const b2 = makePlatform('PC-B2', b.authority);
    const toB2 = hop(b, b2, [toB]);
    const onward = hop(b2, d, [toB, toB2]);
    expect(toB2.grant.onward).toEqual([]);
    expect(serials(chainFor(request([toB, toB2], onward)).grants)).toEqual(serials([toB, onward]));
  });

  test('at most five grants', () => {
    const held: SignedGrant[] = [];
    let from = a;
    for (let i = 0; i < 5; i++) {
      const to = makePlatform(`PC-${i}`);
      const candidate = hop(from, to, held);
      expect(chainFor(request(held, candidate)).grants).toHaveLength(i + 1);
      held.push(candidate);
      from = to;
    }
    const sixth = hop(from, d, held);
    expect(errorOf(() => chainFor(request(held, sixth)))).toMatchObject({
      code: 'GrantChainInvalid',
      details: { problem: '6 grants would be needed, at most 5 are possible' },
    });
    expect(codeOf(() => verified([...held, sixth]))).toBe('GrantChainInvalid');
  });

  test('without a delegation it is OnwardNotDelegated, with the grant that should have had it', () => {
    const notOnward = grantFrom(a, b, { registrations: [register(key)], onward: false });
    const unknown = grantFrom(a, b);
    for (const held of [notOnward, unknown]) {
      expect(errorOf(() => chainFor(request([held], toC)))).toMatchObject({
        code: 'OnwardNotDelegated',
        details: { serial: held.grant.serial },
      });
    }
    // Delegated to B, while C signs; delegated for another key.
    expect(codeOf(() => chainFor(request([toB], toD)))).toBe('OnwardNotDelegated');
    expect(codeOf(() => chainFor(request([hop(a, b, [], otherKey)], toC)))).toBe('OnwardNotDelegated');
  });

  test('a key that was not known to the signer is DestinationNotAuthorized, with the account and the place', () => {
    const unknown = grantFrom(b, c);
    expect(errorOf(() => chainFor({ ...request([toB], unknown), account: 'anna' }))).toMatchObject({
      code: 'DestinationNotAuthorized',
      details: { account: 'anna', destination: 'PC-C' },
    });
  });

  test('a stranger, a wrong nonce, a changed grant', () => {
    expect(codeOf(() => chainFor(request([], grantFrom(c, b))))).toBe('GrantChainInvalid');
    expect(codeOf(() => chainFor({ ...request([], toB), nonce: otherKey.nonce }))).toBe(
      'BasicUserKeyPolicyWrong',
    );
    expect(codeOf(() => chainFor({ ...request([], toB), rootAuthority: b.authority.public }))).toBe(
      'BasicUserKeyPolicyWrong',
    );
    const changed = { ...toB, bytes: toB.bytes.map((byte, index) => (index === 50 ? byte ^ 1 : byte)) };
    expect(codeOf(() => chainFor(request([], changed)))).toBe('SignatureInvalid');
    expect(codeOf(() => chainFor(request([changed], toC)))).toBe('SignatureInvalid');
  });
});

describe('a chain in an archive', () => {
  test('is what the source put together, for each length', () => {
    for (const grants of [[toB], [toB, toC], [toB, toC, toD]]) {
      const candidate = grants.at(-1) ?? toB;
      const made = chainFor(request(grants.slice(0, -1), candidate));
      const { rootAuthority, ...chain } = verified(made.grants);
      expect(chain).toEqual(made);
      expect(toHex(rootAuthority)).toBe(toHex(a.authority.public));
    }
  });

  test('is refused where grants are missing, swapped, doubled or of another key', () => {
    expect(codeOf(() => verified([]))).toBe('GrantChainInvalid');
    expect(codeOf(() => verified([toB, toD]))).toBe('GrantChainInvalid');
    expect(codeOf(() => verified([toB, toC, toC]))).toBe('GrantChainInvalid');
    // What the first grant's authority is decides the policy that the key must have.
    expect(codeOf(() => verified([toC]))).toBe('BasicUserKeyPolicyWrong');
    expect(codeOf(() => verified([toC, toB]))).toBe('BasicUserKeyPolicyWrong');
    expect(codeOf(() => verified([toB], makeKey(b.authority)))).toBe('BasicUserKeyPolicyWrong');
    expect(codeOf(() => verified([toB, toC], otherKey))).toBe('GrantChainInvalid');
  });

  test('is refused with a detour that its source would not have written', () => {
    const backAtA = hop(b, a, [toB]);
    const fromA = grantFrom(a, c, { registrations: [register(key)] });
    expect(errorOf(() => verified([toB, backAtA, fromA]))).toMatchObject({
      code: 'GrantChainInvalid',
      details: { problem: 'an authority comes twice in the chain' },
    });
  });

  test('is refused where a rehearsal is in it', () => {
    const real = resigned(toC, { rehearsal: false }, b.authority);
    expect(codeOf(() => verified([toB, real]))).toBe('GrantChainInvalid');
  });

  test('what an authority must never sign does not help', () => {
    const delegateName = nameOf(b.authority.public);
    const onward = (signature: Uint8Array): readonly KeyApproval[] => [
      { basicUserKey: key.name, nonce: key.nonce, signature },
    ];
    // A delegation under refAny would make B a peer for every key of A; a chip would follow it.
    const underAny = signApproval(a.authority, delegationDigest(delegateName, key.nonce), REF_ANY);
    const forAny = resigned(toB, { onward: onward(underAny) }, a.authority);
    expect(codeOf(() => verified([forAny, toC]))).toBe('GrantChainInvalid');
    // A delegation for another key, under this key's Name.
    const [foreign] = hop(a, b, [], otherKey).grant.onward as readonly KeyApproval[];
    const relabelled = resigned(
      toB,
      { onward: onward(foreign?.signature ?? new Uint8Array(64)) },
      a.authority,
    );
    expect(codeOf(() => verified([relabelled, toC]))).toBe('GrantChainInvalid');
    // B approves under refAny, as if it were the root.
    const asRoot = grantFrom(b, c);
    expect(codeOf(() => verified([toB, asRoot]))).toBe('GrantChainInvalid');
  });
});
