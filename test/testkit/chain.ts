/**
 * Authorities and the three things they sign for a chip, for tests of policy, chips and grants: a move for every key,
 * a move of one key, a delegation for one key. Also what an authority must never sign, to show that it is refused.
 */
import { generateSigningKey, sign } from '../../core/src/crypto/signature.ts';
import type { Step } from '../../core/src/tpm2/evaluate.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import {
  approvalMessage,
  delegationDigest,
  moveDigest,
  REF_ANY,
  refOne,
} from '../../core/src/tpm2/policy.ts';
import { authorityTemplate } from '../../core/src/tpm2/templates.ts';

export interface TestAuthority {
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array;
  readonly name: Uint8Array;
  /** Signs anything at all. */
  approve(approvedPolicy: Uint8Array, policyRef: Uint8Array): Step;
  /** Approves a move to `newParent` (a Name) of every key of this authority, or of the one `object`. */
  grant(newParent: Uint8Array, object?: Uint8Array): Step;
  /** Approves a move of the one key with this nonce. */
  moveOne(nonce: Uint8Array, newParent: Uint8Array, object?: Uint8Array): Step;
  /** Lets `delegate` approve moves of the one key with this nonce. */
  delegate(nonce: Uint8Array, delegate: TestAuthority): Step;
}

/** A new authority key. */
export function makeAuthority(): TestAuthority {
  const { privateKey, x, y } = generateSigningKey();
  const publicArea = authorityTemplate(x, y);
  const approve = (approvedPolicy: Uint8Array, policyRef: Uint8Array): Step => ({
    authority: publicArea,
    approvedPolicy,
    policyRef,
    signature: sign(privateKey, x, y, approvalMessage(approvedPolicy, policyRef)),
  });
  return {
    public: publicArea,
    name: nameOf(publicArea),
    approve,
    grant: (newParent, object) => approve(moveDigest(object, newParent), REF_ANY),
    moveOne: (nonce, newParent, object) => approve(moveDigest(object, newParent), refOne(nonce)),
    delegate: (nonce, delegate) => approve(delegationDigest(delegate.name, nonce), refOne(nonce)),
  };
}
