/**
 * The policy of a Basic User Key evaluated in code, as a TPM would evaluate the session
 *
 *     PolicyDuplicationSelect, PolicyAuthorize(step) …, PolicyOR(branches), PolicyAuthValue, Duplicate
 *
 * (TPM 2.0 Part 3, clauses 23 and 13.1). The software chip enforces it; elsewhere it explains early what a TPM will do.
 * The checks come in the TPM's order, so that the first reason found is the one a TPM stops at. It is stricter than a
 * TPM in three points: the first step must approve a move, every signer must be an authority key of this product, and
 * irregular chains are refused. Leaves out everything a chip does not know: time, revocation, accounts.
 */
import { equal } from '../bytes/bytes.ts';
import { verify } from '../crypto/signature.ts';
import { nameOf } from './name.ts';
import {
  approvalMessage,
  moveDigest,
  policyAuthorize,
  policyAuthValue,
  policyOr,
  REF_ANY,
} from './policy.ts';
import { authorityPoint } from './templates.ts';

/** One PolicyAuthorize: the move first, then each delegation back to the root authority. */
export interface Step {
  /** TPMT_PUBLIC of the signer. */
  readonly authority: Uint8Array;
  readonly approvedPolicy: Uint8Array;
  readonly policyRef: Uint8Array;
  /** r ‖ s, 64 bytes, over `approvedPolicy ‖ policyRef`. */
  readonly signature: Uint8Array;
}

export interface ChainQuestion {
  /** authPolicy of the object, from the public area that `object` names. */
  readonly authPolicy: Uint8Array;
  /** Name of the object that is to move. */
  readonly object: Uint8Array;
  /** Name of the storage key it is to move to. */
  readonly newParent: Uint8Array;
  readonly steps: readonly Step[];
  readonly branches: readonly [any: Uint8Array, one: Uint8Array];
  /** Whether the user has authorised: an input, as a digest cannot prove a password. */
  readonly user: boolean;
}

/** Why a chain is refused. */
export type ChainReason =
  /** There is no approval at all. */
  | 'empty'
  /** A step's signer is not an authority key. */
  | 'signer'
  /** A step's signature is not by its signer over this digest and policyRef. */
  | 'signature'
  /** A step approves something else: another destination, object, delegate or policyRef than what came before. */
  | 'mismatch'
  /** The chain ends at neither branch: another authority, or the refOne of another key. */
  | 'branch'
  /** The branches are not those of the key's policy. */
  | 'authority'
  /** A delegation that is not bound to one key, or that leads from one policyRef to another. */
  | 'irregular'
  /** Everything is signed, but the user has not authorised. */
  | 'user';

export type Verdict =
  | {
      readonly kind: 'allowed';
      /** Whether the move was approved for this object only. */
      readonly objectIncluded: boolean;
      readonly delegations: number;
      readonly branch: 'any' | 'one';
    }
  /** `step` counts from 0; the number of steps where no single one is to blame. */
  | { readonly kind: 'refused'; readonly step: number; readonly reason: ChainReason };

/** Evaluates one duplication. Pure; never throws for what the question holds. */
export function evaluateChain(question: ChainQuestion): Verdict {
  const { steps, branches } = question;
  const refused = (step: number, reason: ChainReason): Verdict => ({ kind: 'refused', step, reason });

  const boundMove = moveDigest(question.object, question.newParent);
  // The session holds one digest; which of the two forms of a move it was started with is for the first step to say.
  let session = [boundMove, moveDigest(undefined, question.newParent)];
  for (const [index, step] of steps.entries()) {
    const signer = authorityPoint(step.authority);
    if (signer === undefined) return refused(index, 'signer');
    const message = approvalMessage(step.approvedPolicy, step.policyRef);
    if (!verify(signer.x, signer.y, message, step.signature)) return refused(index, 'signature');
    if (!session.some((digest) => equal(digest, step.approvedPolicy))) return refused(index, 'mismatch');
    session = [policyAuthorize(nameOf(step.authority), step.policyRef)];
  }

  const [move] = steps;
  const end = steps.length;
  if (move === undefined) return refused(end, 'empty');
  const branch = branches.findIndex((digest) => session.some((now) => equal(now, digest)));
  if (branch === -1) return refused(end, 'branch');
  if (!equal(policyAuthValue(policyOr(branches)), question.authPolicy)) return refused(end, 'authority');
  if (!isRegular(steps)) return refused(end, 'irregular');
  if (!question.user) return refused(end, 'user');
  return {
    kind: 'allowed',
    objectIncluded: equal(move.approvedPolicy, boundMove),
    delegations: end - 1,
    branch: branch === 0 ? 'any' : 'one',
  };
}

/**
 * One step, or all steps under the same refOne. A TPM also follows a delegation under refAny (the delegate becomes a
 * peer for every key of the authority) and one to another policyRef (which lends this key to that ref's grants); no
 * authority may sign them, and they are refused here.
 */
function isRegular(steps: readonly Step[]): boolean {
  const [first] = steps;
  if (first === undefined || steps.length === 1) return true;
  return !equal(first.policyRef, REF_ANY) && steps.every((step) => equal(step.policyRef, first.policyRef));
}
