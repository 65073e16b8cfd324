/**
 * The policy evaluated in code: each refusal with its step and reason, one change away from a chain that is allowed.
 * The rows are those that a TPM answered likewise (reference: two-ref policy); `interop` repeats them on swtpm.
 */
import { describe, expect, test } from 'vitest';
import { concat } from '../../../core/src/bytes/bytes.ts';
import { OBJECT } from '../../../core/src/tpm2/constants.ts';
import {
  evaluateChain,
  type ChainQuestion,
  type Step,
  type Verdict,
} from '../../../core/src/tpm2/evaluate.ts';
import {
  bukBranches,
  bukPolicy,
  moveDigest,
  policyAuthorize,
  policyAuthValue,
  policyOr,
  REF_ANY,
  refOne,
} from '../../../core/src/tpm2/policy.ts';
import { decodePublic, encodePublic } from '../../../core/src/tpm2/structures.ts';
import { makeAuthority, type TestAuthority } from '../../testkit/chain.ts';

const [a, b, c, stranger] = [makeAuthority(), makeAuthority(), makeAuthority(), makeAuthority()];
const nonce = new Uint8Array(16).fill(1);
const otherNonce = new Uint8Array(16).fill(2);
const nameFilled = (byte: number): Uint8Array => concat(Uint8Array.of(0, 11), new Uint8Array(32).fill(byte));
const object = nameFilled(0x0b);
const otherObject = nameFilled(0x0c);
const newParent = nameFilled(0xd0);
const otherParent = nameFilled(0xd1);

function ask(steps: readonly Step[], change: Partial<ChainQuestion> = {}): Verdict {
  return evaluateChain({
    authPolicy: bukPolicy(a.name, nonce),
    object,
    newParent,
    steps,
    branches: bukBranches(a.name, nonce),
    user: true,
    ...change,
  });
}
const refused = (step: number, reason: string): object => ({ kind: 'refused', step, reason });

/** The step with a bit of its signature turned over. */
function forged(step: Step): Step {
  const signature = new Uint8Array(step.signature);
  signature[63] = (signature[63] ?? 0) ^ 1;
  return { ...step, signature };
}

describe('allowed', () => {
  test('a move by the root authority, for every key or for this one', () => {
    expect(ask([a.grant(newParent)])).toEqual({
      kind: 'allowed',
      objectIncluded: false,
      delegations: 0,
      branch: 'any',
    });
    expect(ask([a.grant(newParent, object)])).toMatchObject({ objectIncluded: true, branch: 'any' });
    expect(ask([a.moveOne(nonce, newParent)])).toMatchObject({ objectIncluded: false, branch: 'one' });
    expect(ask([a.moveOne(nonce, newParent, object)])).toMatchObject({ objectIncluded: true, branch: 'one' });
  });

  test('a move by a delegate, and by a delegate of a delegate', () => {
    expect(ask([b.moveOne(nonce, newParent), a.delegate(nonce, b)])).toEqual({
      kind: 'allowed',
      objectIncluded: false,
      delegations: 1,
      branch: 'one',
    });
    const two = [c.moveOne(nonce, newParent, object), b.delegate(nonce, c), a.delegate(nonce, b)];
    expect(ask(two)).toEqual({ kind: 'allowed', objectIncluded: true, delegations: 2, branch: 'one' });
  });

  test('four delegations: the chain itself has no limit', () => {
    const hands: readonly TestAuthority[] = [a, b, c, stranger, makeAuthority()];
    const steps = hands.slice(1).map((to, i) => (hands[i] ?? a).delegate(nonce, to));
    const last = hands.at(-1) ?? a;
    expect(ask([last.moveOne(nonce, newParent), ...steps.reverse()])).toMatchObject({ delegations: 4 });
  });
});

describe('refused', () => {
  const one: readonly Step[] = [a.grant(newParent)];

  test('no step at all', () => {
    expect(ask([])).toEqual(refused(0, 'empty'));
  });

  test('the user has not authorised; asked last', () => {
    expect(ask(one, { user: false })).toEqual(refused(1, 'user'));
    expect(ask([stranger.grant(newParent)], { user: false })).toEqual(refused(1, 'branch'));
  });

  test('a signer that is not exactly an authority key', () => {
    const area = decodePublic(a.public);
    if (area === undefined) throw new Error('an authority did not decode');
    const step = a.grant(newParent);
    for (const change of [OBJECT.sign, OBJECT.restricted, OBJECT.adminWithPolicy]) {
      const authority = encodePublic({ ...area, objectAttributes: area.objectAttributes ^ change });
      expect(ask([{ ...step, authority }])).toEqual(refused(0, 'signer'));
    }
    expect(ask([{ ...step, authority: a.public.subarray(1) }])).toEqual(refused(0, 'signer'));
    expect(ask([{ ...step, authority: new Uint8Array(0) }])).toEqual(refused(0, 'signer'));
  });

  test("a forged signature, a stranger's, or one over another digest or policyRef", () => {
    expect(ask([forged(a.grant(newParent))])).toEqual(refused(0, 'signature'));
    expect(ask([{ ...stranger.grant(newParent), authority: a.public }])).toEqual(refused(0, 'signature'));
    const relabelled = { ...a.grant(otherParent), approvedPolicy: moveDigest(undefined, newParent) };
    expect(ask([relabelled])).toEqual(refused(0, 'signature'));
    expect(ask([{ ...a.grant(newParent), policyRef: refOne(nonce) }])).toEqual(refused(0, 'signature'));
    expect(ask([b.moveOne(nonce, newParent), forged(a.delegate(nonce, b))])).toEqual(refused(1, 'signature'));
  });

  test('another destination, object or form of the move', () => {
    expect(ask([a.grant(otherParent)])).toEqual(refused(0, 'mismatch'));
    expect(ask([a.grant(newParent, otherObject)])).toEqual(refused(0, 'mismatch'));
    expect(ask(one, { newParent: otherParent })).toEqual(refused(0, 'mismatch'));
    expect(ask([a.grant(newParent, object)], { object: otherObject })).toEqual(refused(0, 'mismatch'));
    expect(ask([a.delegate(nonce, b)])).toEqual(refused(0, 'mismatch'));
  });

  test('a delegate without a delegation, or with a broken one', () => {
    const byB = b.moveOne(nonce, newParent);
    expect(ask([byB])).toEqual(refused(1, 'branch'));
    expect(ask([byB, stranger.delegate(nonce, b)])).toEqual(refused(2, 'branch'));
    expect(ask([byB, a.delegate(nonce, c)])).toEqual(refused(1, 'mismatch'));
    expect(ask([b.grant(newParent), a.delegate(nonce, b)])).toEqual(refused(1, 'mismatch'));
    expect(ask([a.delegate(nonce, b), byB])).toEqual(refused(0, 'mismatch'));
    const byC = c.moveOne(nonce, newParent);
    expect(ask([byC, a.delegate(nonce, b)])).toEqual(refused(1, 'mismatch'));
    expect(ask([byC, b.delegate(nonce, c)])).toEqual(refused(2, 'branch'));
    expect(ask([byC, a.delegate(nonce, b), b.delegate(nonce, c)])).toEqual(refused(1, 'mismatch'));
  });

  test("another key's delegation: with its own refOne, and with one step of it", () => {
    expect(ask([b.moveOne(otherNonce, newParent), a.delegate(otherNonce, b)])).toEqual(refused(2, 'branch'));
    expect(ask([b.moveOne(nonce, newParent), a.delegate(otherNonce, b)])).toEqual(refused(1, 'mismatch'));
    const relabelled = { ...a.delegate(otherNonce, b), policyRef: refOne(nonce) };
    expect(ask([b.moveOne(otherNonce, newParent), relabelled])).toEqual(refused(1, 'signature'));
    const branches = bukBranches(a.name, otherNonce);
    expect(ask([b.moveOne(otherNonce, newParent), a.delegate(otherNonce, b)], { branches })).toEqual(
      refused(2, 'authority'),
    );
  });

  test('branches or policy of another key', () => {
    const [any, byNonce] = bukBranches(a.name, nonce);
    const [, foreign] = bukBranches(stranger.name, nonce);
    expect(ask(one, { branches: [byNonce, any] })).toEqual(refused(1, 'authority'));
    expect(ask(one, { branches: [any, foreign] })).toEqual(refused(1, 'authority'));
    expect(ask(one, { branches: [any, any] })).toEqual(refused(1, 'authority'));
    expect(ask([stranger.grant(newParent)], { branches: bukBranches(stranger.name, nonce) })).toEqual(
      refused(1, 'authority'),
    );
    expect(ask(one, { authPolicy: new Uint8Array(0) })).toEqual(refused(1, 'authority'));
    // The same authority without PolicyAuthValue behind it: the user would have no say.
    expect(ask(one, { authPolicy: policyOr([any, byNonce]) })).toEqual(refused(1, 'authority'));
    // PolicyAuthValue below the approvals instead of above.
    const below = policyOr([policyAuthValue(any), policyAuthValue(byNonce)]);
    expect(ask(one, { authPolicy: below })).toEqual(refused(1, 'authority'));
  });

  test('irregular delegations, which a TPM would follow', () => {
    const toRefOne = a.approve(policyAuthorize(b.name, refOne(nonce)), REF_ANY);
    expect(ask([b.moveOne(nonce, newParent), toRefOne])).toEqual(refused(2, 'irregular'));
    const toRefAny = a.approve(policyAuthorize(b.name, REF_ANY), REF_ANY);
    expect(ask([b.grant(newParent), toRefAny])).toEqual(refused(2, 'irregular'));
    const lent = a.approve(policyAuthorize(b.name, REF_ANY), refOne(nonce));
    expect(ask([b.grant(newParent), lent])).toEqual(refused(2, 'irregular'));
  });
});
