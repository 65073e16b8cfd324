/** What a grant holds after signing, what verifying refuses, and each rule that a move must fulfil. */
import { describe, expect, test } from 'vitest';
import { equal, toHex } from '../../../core/src/bytes/bytes.ts';
import type { Grant, KeyApproval, SignedGrant } from '../../../core/src/domain/grant.ts';
import { toId } from '../../../core/src/domain/ids.ts';
import { appendSignature, decodeGrant, encodeGrantBody } from '../../../core/src/format/grant-v1.ts';
import {
  createAuthority,
  signApproval,
  signMessage,
  type AuthorityKey,
} from '../../../core/src/sealing/authority.ts';
import {
  authorityFingerprint,
  identityFingerprint,
  tpmName,
} from '../../../core/src/sealing/fingerprints.ts';
import {
  checkGrant,
  checkNotRevoked,
  checkTrusted,
  signGrant,
  signRevocationList,
  verifyGrant,
  verifyRevocationList,
  type MoveFacts,
} from '../../../core/src/sealing/grants.ts';
import { evaluateChain } from '../../../core/src/tpm2/evaluate.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import {
  approvalMessage,
  bukBranches,
  bukPolicy,
  delegationDigest,
  moveDigest,
  REF_ANY,
  refOne,
} from '../../../core/src/tpm2/policy.ts';
import { authorityPoint } from '../../../core/src/tpm2/templates.ts';
import { verify } from '../../../core/src/crypto/signature.ts';
import {
  codeOf,
  draft,
  errorOf,
  grantFrom,
  makeKey,
  makePlatform,
  register,
  testAccount,
  testTime,
} from '../../testkit/sealing.ts';

const a = makePlatform('PC-A');
const b = makePlatform('PC-B');
const c = makePlatform('PC-C');
const key = makeKey(a.authority);
const otherKey = makeKey(a.authority, 'other');

const verifies = (grant: Grant, digest: Uint8Array, ref: Uint8Array, signature: Uint8Array): boolean => {
  const point = authorityPoint(grant.authority);
  return point !== undefined && verify(point.x, point.y, approvalMessage(digest, ref), signature);
};
const storageName = (platform: typeof a): Uint8Array => nameOf(platform.identity.storageKey);
const verifyCode = (signed: SignedGrant): string | undefined =>
  codeOf(() => {
    verifyGrant(signed, 'x.spgrant');
  });

/** The grant with other fields, signed again by `signer`: what a forger with an authority of their own can make. */
function resigned(signed: SignedGrant, changes: Partial<Grant>, signer: AuthorityKey): SignedGrant {
  const body = encodeGrantBody({ ...signed.grant, ...changes });
  const line = appendSignature(body, authorityFingerprint(signer.public), signMessage(signer, body));
  return decodeGrant(line, 'x.spgrant');
}

describe('signing', () => {
  test('a grant for every key: one approval under refAny, a delegation for each known key', () => {
    const signed = grantFrom(a, b, { registrations: [register(key), register(otherKey)] });
    const { grant } = signed;
    expect(verifyCode(signed)).toBeUndefined();
    expect(signed.signer).toBe(authorityFingerprint(a.authority.public));
    expect(grant.destinationComputer).toBe('PC-B');
    expect(grant.destinationFingerprint).toBe(identityFingerprint(b.identity));
    expect(tpmName(grant.destinationKey)).toBe(b.name);
    expect(grant.move).toEqual([]);
    const [approval, ...more] = grant.approval;
    expect(more).toEqual([]);
    expect(approval?.basicUserKey).toBe('any');
    const digest = moveDigest(undefined, storageName(b));
    expect(verifies(grant, digest, REF_ANY, approval?.signature ?? new Uint8Array())).toBe(true);
    const onward = grant.onward as readonly KeyApproval[];
    expect(onward.map(({ basicUserKey }) => basicUserKey)).toEqual([key.name, otherKey.name].sort());
    for (const { basicUserKey, nonce, signature } of onward) {
      const known = basicUserKey === key.name ? key : otherKey;
      expect(equal(nonce, known.nonce)).toBe(true);
      const delegated = delegationDigest(nameOf(b.authority.public), known.nonce);
      expect(verifies(grant, delegated, refOne(known.nonce), signature)).toBe(true);
      expect(verifies(grant, delegated, REF_ANY, signature)).toBe(false);
    }
  });

  test('no delegation for a key that was given the nonce of one outside of the scopes', () => {
    // A delegation covers every key with its nonce, and nonces are public.
    const eve = { id: 'uid:1001@0123456789abcdef0123', name: 'eve' };
    const copied = makeKey(a.authority);
    const own = makeKey(a.authority, 'of eve');
    const registrations = [register(key), register(copied, [], eve), register(own, [], eve)];
    const { grant } = grantFrom(a, b, { registrations }, { user: [eve.id] });
    expect(toHex(copied.nonce)).toBe(toHex(key.nonce));
    expect(copied.name).not.toBe(key.name);
    const onward = grant.onward as readonly KeyApproval[];
    expect(onward.map(({ basicUserKey }) => basicUserKey)).toEqual([own.name]);
  });

  test('a chip permits the move with it, to this destination only', () => {
    const { grant } = grantFrom(a, b);
    const root = nameOf(a.authority.public);
    const evaluate = (newParent: Uint8Array) =>
      evaluateChain({
        authPolicy: bukPolicy(root, key.nonce),
        object: nameOf(key.public),
        newParent,
        steps: grant.approval.map(({ signature }) => ({
          authority: grant.authority,
          approvedPolicy: moveDigest(undefined, storageName(b)),
          policyRef: REF_ANY,
          signature,
        })),
        branches: bukBranches(root, key.nonce),
        user: true,
      });
    expect(evaluate(storageName(b))).toMatchObject({ kind: 'allowed', delegations: 0, branch: 'any' });
    expect(evaluate(storageName(c))).toMatchObject({ kind: 'refused', reason: 'mismatch' });
  });

  test('listed keys get an approval each, bound to the key; nothing is signed for others', () => {
    const registrations = [register(key), register(otherKey)];
    const { grant } = grantFrom(a, b, { registrations }, { basicUserKey: [key.name] });
    expect(grant.approval.map(({ basicUserKey }) => basicUserKey)).toEqual([key.name]);
    const [approval] = grant.approval;
    const signature = approval?.signature ?? new Uint8Array();
    expect(verifies(grant, moveDigest(nameOf(key.public), storageName(b)), REF_ANY, signature)).toBe(true);
    expect(verifies(grant, moveDigest(undefined, storageName(b)), REF_ANY, signature)).toBe(false);
    expect((grant.onward as readonly KeyApproval[]).map(({ basicUserKey }) => basicUserKey)).toEqual([
      key.name,
    ]);
  });

  test('for named users nothing is delegated for keys of others', () => {
    const bob = { id: 'uid:1001@0123456789abcdef0123', name: 'bob', upn: 'bob@contoso.example' };
    const registrations = [register(key), register(otherKey, [], bob)];
    const onwardFor = (user: readonly string[]) =>
      (grantFrom(a, b, { registrations }, { user }).grant.onward as readonly KeyApproval[]).map(
        ({ basicUserKey }) => basicUserKey,
      );
    expect(onwardFor([testAccount.id])).toEqual([key.name]);
    expect(onwardFor(['upn:bob@contoso.example'])).toEqual([otherKey.name]);
    expect(onwardFor(['upn:bob'])).toEqual([]);
  });

  test('without onward nothing is delegated; to the root itself, or within one authority, nothing needs to be', () => {
    const registrations = [register(key)];
    expect(grantFrom(a, b, { registrations, onward: false }).grant.onward).toBe('no');
    expect(grantFrom(a, makePlatform('PC-A2', a.authority), { registrations }).grant.onward).toEqual([]);
    const toB = grantFrom(a, b, { registrations });
    const back = grantFrom(b, a, { registrations: [register(key, [toB])] }).grant;
    expect(back.onward).toEqual([]);
    expect(back.move.map(({ basicUserKey }) => basicUserKey)).toEqual([key.name]);
  });

  test('a delegate approves each known key under its own refOne, bound to it', () => {
    const toB = grantFrom(a, b, { registrations: [register(key)] });
    const { grant } = grantFrom(b, c, { registrations: [register(key, [toB])] });
    const [move] = grant.move;
    expect(move?.basicUserKey).toBe(key.name);
    const digest = moveDigest(nameOf(key.public), storageName(c));
    expect(verifies(grant, digest, refOne(key.nonce), move?.signature ?? new Uint8Array())).toBe(true);
    expect((grant.onward as readonly KeyApproval[]).map(({ basicUserKey }) => basicUserKey)).toEqual([
      key.name,
    ]);
  });

  test('a listed key is approved under one policyRef only: the one that its policy can use', () => {
    const toB = grantFrom(a, b, { registrations: [register(key)] });
    const own = makeKey(b.authority);
    const registrations = [register(key, [toB]), register(own)];
    const { grant } = grantFrom(b, c, { registrations }, { basicUserKey: [key.name, own.name].sort() });
    expect(grant.approval.map(({ basicUserKey }) => basicUserKey)).toEqual([own.name]);
    expect(grant.move.map(({ basicUserKey }) => basicUserKey)).toEqual([key.name]);
  });

  test('for a key of another root that was not delegated nothing is signed', () => {
    const notOnward = grantFrom(a, b, { registrations: [register(key)], onward: false });
    for (const held of [[], [notOnward]]) {
      const { grant } = grantFrom(b, c, { registrations: [register(key, held)] });
      expect(grant.move).toEqual([]);
      expect(grant.onward).toEqual([]);
    }
    const listed = () => grantFrom(b, c, { registrations: [register(key)] }, { basicUserKey: [key.name] });
    expect(errorOf(listed)).toMatchObject({
      code: 'ParameterInvalid',
      details: { parameter: 'BasicUserKey' },
    });
  });

  test('a delegation for one key does not carry another that came with it', () => {
    const toB = grantFrom(a, b, { registrations: [register(key)] });
    const { grant } = grantFrom(b, c, { registrations: [register(key, [toB]), register(otherKey, [toB])] });
    expect(grant.move.map(({ basicUserKey }) => basicUserKey)).toEqual([key.name]);
  });

  test('refuses what is not what it says, before it signs', () => {
    const code = (work: () => SignedGrant) => codeOf(work);
    const wrongNonce = { ...register(key), nonce: otherKey.nonce };
    expect(code(() => grantFrom(a, b, { registrations: [wrongNonce] }))).toBe('RegistrationMalformed');
    const wrongIdentity = { ...b.identity, storageKey: b.identity.authorityKey };
    const basis = { authority: a.authority, identity: wrongIdentity, registrations: [], onward: true };
    expect(code(() => signGrant(draft(), basis))).toBe('IdentityMalformed');
    expect(code(() => grantFrom(a, b, {}, { rehearsal: false }))).toBe('RehearsalMixed');
    const realKey = { ...register(key), rehearsal: false };
    expect(code(() => grantFrom(a, b, { registrations: [realKey] }))).toBe('RehearsalMixed');
  });
});

describe('verifying', () => {
  const signed = grantFrom(a, b, { registrations: [register(key)] });

  test('a changed text, another signature, a signer who is not in the file', () => {
    const longer = {
      ...signed,
      bytes: Uint8Array.from(signed.bytes, (byte, index) => (index === 40 ? byte ^ 1 : byte)),
    };
    expect(verifyCode(longer)).toBe('SignatureInvalid');
    expect(
      verifyCode({
        ...signed,
        signature: signed.signature.map((byte, index) => (index === 63 ? byte ^ 1 : byte)),
      }),
    ).toBe('SignatureInvalid');
    // A stranger signs under the owner's name, or under their own with the owner's key inside.
    const stranger = createAuthority();
    const body = encodeGrantBody(signed.grant);
    for (const signer of [signed.signer, authorityFingerprint(stranger.public)]) {
      const forged = appendSignature(body, signer, signMessage(stranger, body));
      expect(verifyCode(decodeGrant(forged, 'x'))).toBe('SignatureInvalid');
    }
  });

  test("an authority's own approvals do not carry over to another destination", () => {
    expect(verifyCode(resigned(signed, { destinationKey: c.identity.storageKey }, a.authority))).toBe(
      'SignatureInvalid',
    );
    const toB = grantFrom(a, b, { registrations: [register(key)] });
    const delegated = grantFrom(b, c, { registrations: [register(key, [toB])] });
    const { approval } = grantFrom(b, a).grant;
    const moved = resigned(delegated, { approval, destinationKey: a.identity.storageKey }, b.authority);
    expect(
      errorOf(() => {
        verifyGrant(moved, 'x');
      })?.message,
    ).toContain('its move of');
  });

  test('approvals by another authority, under another policyRef, or for another key', () => {
    const { approval: strange } = grantFrom(b, b).grant;
    expect(verifyCode(resigned(signed, { approval: strange }, a.authority))).toBe('SignatureInvalid');
    const digest = moveDigest(undefined, storageName(b));
    const signature = signApproval(a.authority, digest, refOne(key.nonce));
    expect(
      verifyCode(resigned(signed, { approval: [{ basicUserKey: 'any', signature }] }, a.authority)),
    ).toBe('SignatureInvalid');
    const listed = grantFrom(a, b, {}, { basicUserKey: [key.name] });
    const relabelled = listed.grant.approval.map((one) => ({ ...one, basicUserKey: otherKey.name }));
    expect(
      verifyCode(resigned(listed, { basicUserKey: [otherKey.name], approval: relabelled }, a.authority)),
    ).toBe('SignatureInvalid');
  });

  test('a destination that is no storage key, an authority that is none', () => {
    const changes = { destinationKey: c.identity.authorityKey };
    expect(verifyCode(resigned(signed, changes, a.authority))).toBe('GrantMalformed');
    expect(verifyCode(resigned(signed, { authority: b.identity.storageKey }, a.authority))).toBe(
      'SignatureInvalid',
    );
  });

  test('a revocation list', () => {
    const { serial } = signed.grant;
    const draftList = { rehearsal: true, number: 3, issued: testTime, revoked: [{ serial, reason: 'lost' }] };
    const list = signRevocationList(draftList, a.authority);
    const code = (changed: typeof list) =>
      codeOf(() => {
        verifyRevocationList(changed, 'x.sprevoked');
      });
    expect(code(list)).toBeUndefined();
    expect(list.list.revoked).toEqual([{ serial, reason: 'lost' }]);
    expect(list.signer).toBe(signed.signer);
    expect(code({ ...list, bytes: list.bytes.map((byte, index) => (index === 60 ? byte ^ 1 : byte)) })).toBe(
      'SignatureInvalid',
    );
    expect(code({ ...list, signer: authorityFingerprint(b.authority.public) })).toBe('SignatureInvalid');
  });
});

describe('checking a grant against a move', () => {
  const signed = grantFrom(
    a,
    b,
    {},
    {
      source: [a.name],
      user: [testAccount.id, 'upn:eva@contoso.example'],
      basicUserKey: [key.name],
    },
  );
  const facts: MoveFacts = {
    now: testTime,
    rehearsal: true,
    sourceKey: a.name,
    account: testAccount,
    basicUserKey: key.name,
    destinationKey: b.name,
    revoked: () => undefined,
  };
  const { notBefore, notAfter, serial } = signed.grant;
  const check = (changes: Partial<MoveFacts>) =>
    errorOf(() => {
      checkGrant(signed, { ...facts, ...changes }, 'x');
    });

  test('permits what it says, from its first second to its last', () => {
    for (const now of [notBefore, notAfter]) expect(check({ now })).toBeUndefined();
    expect(
      check({ account: { id: 'uid:7@0123456789abcdef0123', name: 'eva', upn: 'eva@contoso.example' } }),
    ).toBeUndefined();
  });

  test.each<[string, Partial<MoveFacts>]>([
    ['GrantExpired', { now: notAfter + 1 }],
    ['GrantNotYetValid', { now: notBefore - 1 }],
    ['GrantRevoked', { revoked: (_, revoked) => (revoked === serial ? '' : undefined) }],
    ['GrantUserMismatch', { account: { id: 'uid:1001@0123456789abcdef0123', name: testAccount.name } }],
    [
      'GrantUserMismatch',
      { account: { id: 'uid:7@0123456789abcdef0123', name: 'eva', upn: 'Eva@contoso.example' } },
    ],
    ['GrantUserMismatch', { account: { id: 'uid:7@0123456789abcdef0123', name: 'eva@contoso.example' } }],
    ['GrantSourceMismatch', { sourceKey: c.name }],
    ['DestinationNotAuthorized', { destinationKey: c.name }],
    ['DestinationNotAuthorized', { basicUserKey: otherKey.name }],
    ['RehearsalMixed', { rehearsal: false }],
  ])('%s', (code, changes) => {
    expect(check(changes)?.code).toBe(code);
  });

  test('a revocation by another authority, or of another grant, does not count', () => {
    const asked: string[] = [];
    const revoked: MoveFacts['revoked'] = (signer, asks) => {
      asked.push(`${signer} ${asks}`);
      return undefined;
    };
    checkNotRevoked(signed, revoked);
    expect(asked).toEqual([`${authorityFingerprint(a.authority.public)} ${serial}`]);
  });

  test('authorities that policy lists, and none listed', () => {
    const [first, second] = [a, b].map(({ authority }) => authorityFingerprint(authority.public));
    if (first === undefined || second === undefined) throw new Error('two authorities');
    const code = (trusted: readonly (typeof first)[] | undefined) =>
      codeOf(() => {
        checkTrusted([first, second], trusted);
      });
    expect(code(undefined)).toBeUndefined();
    expect(code([second, first])).toBeUndefined();
    expect(code([first])).toBe('AuthorityNotTrusted');
    expect(code([])).toBe('AuthorityNotTrusted');
  });

  test('a serial is 16 bytes of hex, as drafted', () => {
    expect(serial).toBe(toId('GrantSerial', serial));
    expect(toHex(signed.grant.historyHead)).toBe('');
  });
});
