/**
 * What a grant and a revocation list prove by themselves: that their signer, whose key is in them, signed exactly this
 * text, and that every approval in a grant is one for this destination (docs/spec/grant.md, "Verifying"). Leaves out
 * whether the signer may decide (`chain.ts`) and whether the grant fits the move at hand (`check-grant.ts`). A grant's
 * `onward` names the destination's authority by signature only: it is verified in a chain, against the next signer.
 */
import { fromHex } from '../bytes/bytes.ts';
import { verify } from '../crypto/signature.ts';
import { fail } from '../domain/error.ts';
import type { Grant, SignedGrant, SignedRevocationList } from '../domain/grant.ts';
import type { AuthorityFingerprint, TpmName } from '../domain/ids.ts';
import { signedPart } from '../format/signed-text.ts';
import { nameOf } from '../tpm2/name.ts';
import { approvalMessage, moveDigest, REF_ANY, refOne } from '../tpm2/policy.ts';
import { authorityPoint, isStorageKey } from '../tpm2/templates.ts';
import { authorityFingerprint } from './fingerprints.ts';

/** `SignatureInvalid`, or `GrantMalformed` where its destination is no storage key. `path` is for messages. */
export function verifyGrant(signed: SignedGrant, path: string): void {
  const { grant } = signed;
  verifySignatureLine(signed, grant.authority, path);
  if (!isStorageKey(grant.destinationKey)) {
    throw fail('GrantMalformed', {
      path,
      problem: 'its "destination-key" is not the public area of a storage key',
    });
  }
  const destination = nameOf(grant.destinationKey);
  for (const { basicUserKey, signature } of grant.approval) {
    const object = basicUserKey === 'any' ? undefined : nameBytes(basicUserKey);
    if (isApproved(grant, moveDigest(object, destination), REF_ANY, signature)) continue;
    throw fail('SignatureInvalid', {
      path,
      problem: `its approval for ${basicUserKey} is not for this destination`,
    });
  }
  for (const { basicUserKey, nonce, signature } of grant.move) {
    const digest = moveDigest(nameBytes(basicUserKey), destination);
    if (isApproved(grant, digest, refOne(nonce), signature)) continue;
    throw fail('SignatureInvalid', {
      path,
      problem: `its move of ${basicUserKey} is not for this destination`,
    });
  }
}

/** `SignatureInvalid`. `path` is for messages. */
export function verifyRevocationList(signed: SignedRevocationList, path: string): void {
  verifySignatureLine(signed, signed.list.authority, path);
}

/** Whether the grant's authority approved this digest under this policyRef, as a chip would verify it. */
export function isApproved(
  grant: Grant,
  approvedPolicy: Uint8Array,
  policyRef: Uint8Array,
  signature: Uint8Array,
): boolean {
  const point = authorityPoint(grant.authority);
  if (point === undefined) return false;
  return verify(point.x, point.y, approvalMessage(approvedPolicy, policyRef), signature);
}

/** A Name as the 34 bytes that digests are made of. */
export function nameBytes(name: TpmName): Uint8Array {
  const bytes = fromHex(name);
  if (bytes === undefined) throw new RangeError('not a Name');
  return bytes;
}

interface SignedFile {
  readonly signer: AuthorityFingerprint;
  readonly signature: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * The line names the authority whose key is in the file, and that key signed everything before it. `SignatureInvalid`. `path`
 * is for messages.
 */
export function verifySignatureLine(file: SignedFile, authority: Uint8Array, path: string): void {
  const point = authorityPoint(authority);
  if (point === undefined) {
    throw fail('SignatureInvalid', { path, problem: 'the key in it is not an authority key' });
  }
  if (file.signer !== authorityFingerprint(authority)) {
    throw fail('SignatureInvalid', {
      path,
      problem: 'its last line names another authority than the file itself',
    });
  }
  if (!verify(point.x, point.y, signedPart(file.bytes), file.signature)) {
    throw fail('SignatureInvalid', { path, problem: 'the text is not what the authority signed' });
  }
}
