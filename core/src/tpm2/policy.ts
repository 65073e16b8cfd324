/**
 * Policy digests, computed as a TPM computes them (TPM 2.0 Part 3, clause 23), and the one policy of this product:
 *
 *     PolicyOR( PolicyAuthorize(authority, refAny), PolicyAuthorize(authority, refOne) ), then PolicyAuthValue
 *
 * The order is the separation of owner and user: what an authority signs can never include the user's authorization,
 * as PolicyAuthValue comes after. refAny stands for every key of the authority, refOne for the one key with this nonce
 * (ruling 1); a delegation can be expressed under refOne only. Proven on swtpm: reference/tpm.md, last chapter.
 * All digests are 32 bytes, Names 34 (`name.ts`).
 */
import { concat, utf8 } from '../bytes/bytes.ts';
import { ByteWriter } from '../bytes/reader.ts';
import { sha256 } from '../crypto/hash.ts';
import { CC, digestBytes } from './constants.ts';

/** Length of the nonce that makes a key's refOne, in bytes. */
export const nonceBytes = 16;

/** Where every policy session begins, and where PolicyAuthorize and PolicyOR begin again. */
const policyStart = new Uint8Array(digestBytes);

/** policyRef of approvals for every key of an authority. */
export const REF_ANY: Uint8Array = sha256(utf8('spmigration/v1 any'));

/** policyRef of approvals and delegations for the one key with this nonce (16 bytes, public). */
export function refOne(nonce: Uint8Array): Uint8Array {
  if (nonce.length !== nonceBytes) throw new RangeError('the nonce of a Basic User Key has 16 bytes');
  return sha256(utf8('spmigration/v1 one'), nonce);
}

/** PolicyDuplicationSelect at the start of a session. With `object` the digest holds for that object only. */
export function policyDuplicationSelect(object: Uint8Array | undefined, newParent: Uint8Array): Uint8Array {
  const included = object === undefined ? Uint8Array.of(0) : Uint8Array.of(1);
  return sha256(
    policyStart,
    command(CC.PolicyDuplicationSelect),
    object ?? new Uint8Array(0),
    newParent,
    included,
  );
}

/** PolicyAuthorize: whatever was approved, the digest is now that of signer and policyRef alone. */
export function policyAuthorize(keySign: Uint8Array, policyRef: Uint8Array): Uint8Array {
  // PolicyUpdate hashes twice (Part 3, clause 23.2.3): first command and Name, then policyRef.
  return sha256(sha256(policyStart, command(CC.PolicyAuthorize), keySign), policyRef);
}

/** PolicyOR: the order and number of the branches are part of the digest. */
export function policyOr(branches: readonly Uint8Array[]): Uint8Array {
  return sha256(policyStart, command(CC.PolicyOR), ...branches);
}

/** PolicyAuthValue on top of `policyDigest`. */
export function policyAuthValue(policyDigest: Uint8Array): Uint8Array {
  return sha256(policyDigest, command(CC.PolicyAuthValue));
}

/** The two branches of a Basic User Key's policy, in their order. `authorityName` is the root authority's Name. */
export function bukBranches(
  authorityName: Uint8Array,
  nonce: Uint8Array,
): [any: Uint8Array, one: Uint8Array] {
  return [policyAuthorize(authorityName, REF_ANY), policyAuthorize(authorityName, refOne(nonce))];
}

/** authPolicy of a Basic User Key. */
export function bukPolicy(authorityName: Uint8Array, nonce: Uint8Array): Uint8Array {
  return policyAuthValue(policyOr(bukBranches(authorityName, nonce)));
}

/** What an authority approves so that a key may move to `newParentName`; for every key, or for the one `object`. */
export function moveDigest(object: Uint8Array | undefined, newParentName: Uint8Array): Uint8Array {
  return policyDuplicationSelect(object, newParentName);
}

/** What an authority approves, under the key's refOne, so that `delegateName` may approve moves of this one key. */
export function delegationDigest(delegateName: Uint8Array, nonce: Uint8Array): Uint8Array {
  return policyAuthorize(delegateName, refOne(nonce));
}

/** The message that is signed (with SHA-256) to approve a digest: TPM 2.0 Part 3, clause 23.16, aHash. */
export function approvalMessage(approvedPolicy: Uint8Array, policyRef: Uint8Array): Uint8Array {
  return concat(approvedPolicy, policyRef);
}

function command(code: number): Uint8Array {
  return new ByteWriter().u32(code).done();
}
