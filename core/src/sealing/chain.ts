/**
 * Chains of grants: how the decision of a key's root authority reaches the move at hand (docs/spec/grant.md, "Chains";
 * rulings 1 and 3). A grant by the root approves the move itself, under refAny. Any other signer must have been
 * delegated to, for this key alone: then its grant's `move`, and one `onward` entry of each earlier grant, stand under
 * the key's refOne. A chip is shown the same in its order: the move first, then the delegations back to the root.
 *
 * Whatever is put together here is put to `evaluateChain` at the end, the same evaluation as a chip's, so that a mistake
 * in choosing can refuse a move but never permit one. Leaves out time, accounts and revocation (`check-grant.ts`).
 */
import { equal } from '../bytes/bytes.ts';
import { fail } from '../domain/error.ts';
import { maximumChainLength, type SignedGrant } from '../domain/grant.ts';
import type { TpmName } from '../domain/ids.ts';
import { evaluateChain, type ChainReason, type Step } from '../tpm2/evaluate.ts';
import { nameOf } from '../tpm2/name.ts';
import { bukBranches, delegationDigest, moveDigest, REF_ANY, refOne } from '../tpm2/policy.ts';
import { decodePublic } from '../tpm2/structures.ts';
import { checkBasicUserKey } from './basic-user-key.ts';
import { tpmName } from './fingerprints.ts';
import { isApproved, nameBytes, verifyGrant } from './verify-grant.ts';

/** A chain that was evaluated: what travels in the archive, and what a chip is shown. */
export interface Chain {
  /** Oldest first: the first is signed by the root authority, the last is for the destination. */
  readonly grants: readonly SignedGrant[];
  /** In the chip's order. */
  readonly steps: readonly Step[];
  /** The branches of the key's policy, in their order. */
  readonly branches: readonly [any: Uint8Array, one: Uint8Array];
}

/** The key that is to move, as far as grants name it. */
export interface MovingKey {
  readonly name: TpmName;
  /** 16 bytes. */
  readonly nonce: Uint8Array;
}

export interface ChainRequest {
  /** The grants by which the key came here, oldest first; none where it was made here. */
  readonly held: readonly SignedGrant[];
  /** The grant for the destination. */
  readonly candidate: SignedGrant;
  /** TPMT_PUBLIC. */
  readonly basicUserKey: Uint8Array;
  readonly nonce: Uint8Array;
  /** TPMT_PUBLIC of the authority fixed in the key. */
  readonly rootAuthority: Uint8Array;
  /** Who wants to move it, for messages. */
  readonly account?: string;
}

/**
 * The shortest chain from the key's root authority to the candidate grant, verified and evaluated.
 * `BasicUserKeyPolicyWrong`, `SignatureInvalid`, `OnwardNotDelegated` where the key's grants do not let the candidate's
 * signer decide, `DestinationNotAuthorized` where the candidate does not approve this key, else `GrantChainInvalid`.
 */
export function chainFor(request: ChainRequest): Chain {
  const { held, candidate, basicUserKey, nonce, rootAuthority } = request;
  checkBasicUserKey(basicUserKey, nonce, rootAuthority, 'this environment');
  const key: MovingKey = { name: tpmName(basicUserKey), nonce };
  const earlier = delegatingGrants(held, key, rootAuthority, candidate.grant.authority);
  if (earlier === undefined) throw notDelegated(held, candidate);
  const grants = [...earlier, candidate];
  requireLength(grants);
  for (const signed of grants) verifyGrant(signed, `grant ${signed.grant.serial}`);
  const move = moveStep(candidate, key, earlier.length === 0);
  if (move === undefined) {
    throw fail('DestinationNotAuthorized', {
      account: request.account ?? 'this account',
      destination: candidate.grant.destinationComputer,
      reason: `grant ${candidate.grant.serial} does not approve this Basic User Key, which its owner may not have known then`,
    });
  }
  return evaluated(grants, [move, ...delegationSteps(grants, key)], basicUserKey, nonce);
}

/**
 * The chain in an archive. The grants are exactly a chain: each lets the next one's signer decide about this key, no
 * signer comes twice, all are of one kind (rehearsal or not). `SignatureInvalid`, `BasicUserKeyPolicyWrong`,
 * `GrantChainInvalid`. `path` is for messages.
 */
export function verifyChain(
  request: {
    readonly grants: readonly SignedGrant[];
    readonly basicUserKey: Uint8Array;
    readonly nonce: Uint8Array;
  },
  path: string,
): Chain & { readonly rootAuthority: Uint8Array } {
  const { grants, basicUserKey, nonce } = request;
  requireLength(grants);
  grants.forEach((signed, index) => {
    verifyGrant(signed, `${path} (grant ${String(index + 1)})`);
  });
  const [first] = grants;
  const last = grants.at(-1);
  if (first === undefined || last === undefined) throw invalid('there is none');
  const rootAuthority = first.grant.authority;
  checkBasicUserKey(basicUserKey, nonce, rootAuthority, path);
  if (new Set(grants.map(({ signer }) => signer)).size !== grants.length) {
    throw invalid('an authority comes twice in the chain');
  }
  if (grants.some(({ grant }) => grant.rehearsal !== first.grant.rehearsal)) {
    throw invalid('grants of a rehearsal and real ones are mixed');
  }
  const key: MovingKey = { name: tpmName(basicUserKey), nonce };
  const move = moveStep(last, key, grants.length === 1);
  if (move === undefined) throw invalid(`grant ${last.grant.serial} does not approve this Basic User Key`);
  const steps = [move, ...delegationSteps(grants, key)];
  return { ...evaluated(grants, steps, basicUserKey, nonce), rootAuthority };
}

/**
 * The fewest of the held grants that lead from the root authority to `signer`, oldest first; none where it is the root,
 * undefined where no way leads there. Every delegation on the way is verified.
 */
export function delegatingGrants(
  held: readonly SignedGrant[],
  key: MovingKey,
  rootAuthority: Uint8Array,
  signer: Uint8Array,
): readonly SignedGrant[] | undefined {
  // Backwards and breadth first: the paths of each round are one grant longer than those of the round before.
  let paths: { readonly from: Uint8Array; readonly grants: readonly SignedGrant[] }[] = [
    { from: signer, grants: [] },
  ];
  for (let round = 0; round <= held.length; round++) {
    const arrived = paths.find(({ from }) => equal(from, rootAuthority));
    if (arrived !== undefined) return arrived.grants;
    paths = paths.flatMap(({ from, grants }) =>
      held
        .filter((earlier) => !grants.includes(earlier) && delegationStep(earlier, key, from) !== undefined)
        .map((earlier) => ({ from: earlier.grant.authority, grants: [earlier, ...grants] })),
    );
  }
  return undefined;
}

/** The approval of the move itself: by the root under refAny, by a delegate under the key's refOne. */
function moveStep({ grant }: SignedGrant, key: MovingKey, byRoot: boolean): Step | undefined {
  const destination = nameOf(grant.destinationKey);
  const bound = moveDigest(nameBytes(key.name), destination);
  if (!byRoot) {
    const move = grant.move.find(({ basicUserKey }) => basicUserKey === key.name);
    return move && step(grant.authority, bound, refOne(key.nonce), move.signature);
  }
  const one = grant.approval.find(({ basicUserKey }) => basicUserKey === key.name);
  if (one !== undefined) return step(grant.authority, bound, REF_ANY, one.signature);
  const any = grant.approval.find(({ basicUserKey }) => basicUserKey === 'any');
  return any && step(grant.authority, moveDigest(undefined, destination), REF_ANY, any.signature);
}

/** The delegations of a chain, from the last one back to the root's. */
function delegationSteps(grants: readonly SignedGrant[], key: MovingKey): readonly Step[] {
  const steps: Step[] = [];
  for (let index = grants.length - 2; index >= 0; index--) {
    const [from, to] = grants.slice(index, index + 2);
    if (from === undefined || to === undefined) continue;
    const delegation = delegationStep(from, key, to.grant.authority);
    if (delegation === undefined) {
      throw invalid(
        `grant ${from.grant.serial} does not let the signer of grant ${to.grant.serial} move this key on`,
      );
    }
    steps.push(delegation);
  }
  return steps;
}

/** The grant's delegation for this key to this delegate; undefined where it has none or its signature is for another. */
function delegationStep({ grant }: SignedGrant, key: MovingKey, delegate: Uint8Array): Step | undefined {
  if (grant.onward === 'no') return undefined;
  const entry = grant.onward.find(({ basicUserKey }) => basicUserKey === key.name);
  if (entry === undefined) return undefined;
  const digest = delegationDigest(nameOf(delegate), key.nonce);
  const ref = refOne(key.nonce);
  if (!isApproved(grant, digest, ref, entry.signature)) return undefined;
  return step(grant.authority, digest, ref, entry.signature);
}

/** Puts the steps to the chip's evaluation; whatever it does not permit is `GrantChainInvalid`. */
function evaluated(
  grants: readonly SignedGrant[],
  steps: readonly Step[],
  basicUserKey: Uint8Array,
  nonce: Uint8Array,
): Chain {
  const [first] = grants;
  const last = grants.at(-1);
  const area = decodePublic(basicUserKey);
  if (first === undefined || last === undefined || area === undefined) throw invalid('there is none');
  const branches = bukBranches(nameOf(first.grant.authority), nonce);
  const verdict = evaluateChain({
    authPolicy: area.authPolicy,
    object: nameOf(basicUserKey),
    newParent: nameOf(last.grant.destinationKey),
    steps,
    branches,
    // Whether the user authorises shows at the chip only.
    user: true,
  });
  if (verdict.kind === 'refused') throw invalid(explain(verdict.reason));
  return { grants, steps, branches };
}

function explain(reason: ChainReason): string {
  switch (reason) {
    case 'empty':
      return 'there is no approval';
    case 'signer':
      return 'a signer is not an authority';
    case 'signature':
      return 'an approval is not signed by its authority';
    case 'mismatch':
      return 'an approval is for another destination, key or authority';
    case 'branch':
      return 'they end at another authority than the one fixed in the key';
    case 'authority':
      return 'the key has another policy than its root authority and nonce make';
    case 'irregular':
      return 'a delegation is not bound to this key alone';
    case 'user':
      return 'the user has not authorised it';
  }
}

function notDelegated(held: readonly SignedGrant[], candidate: SignedGrant): Error {
  const newest = held.at(-1);
  if (newest !== undefined) return fail('OnwardNotDelegated', { serial: newest.grant.serial });
  return invalid(
    `grant ${candidate.grant.serial} is signed by another authority than the one fixed in the key`,
  );
}

function requireLength(grants: readonly SignedGrant[]): void {
  if (grants.length <= maximumChainLength) return;
  throw invalid(
    `${String(grants.length)} grants would be needed, at most ${String(maximumChainLength)} are possible`,
  );
}

function step(
  authority: Uint8Array,
  approvedPolicy: Uint8Array,
  policyRef: Uint8Array,
  signature: Uint8Array,
): Step {
  return { authority, approvedPolicy, policyRef, signature };
}

function invalid(problem: string): Error {
  return fail('GrantChainInvalid', { problem });
}
