/** Policies in a session (TPM 2.0 Part 3, clauses 20 and 23); what they compute is in `../policy.ts`. */
import { ByteWriter } from '../../bytes/reader.ts';
import { entityOf, maximumTpm2b, type Command, type Entity } from '../command.ts';
import { ALG, digestBytes } from '../constants.ts';
import type { Session } from '../session.ts';

/** TPMT_TK_VERIFIED: a TPM's own word that it has verified a signature. It holds until the TPM is cleared. */
export interface Ticket {
  readonly tag: number;
  readonly hierarchy: number;
  readonly digest: Uint8Array;
}

/** TPM2_PolicyDuplicationSelect, Part 3, clause 23.15. `objectIncluded`: the digest holds for that object only. */
export function TPM2_PolicyDuplicationSelect(
  session: Session,
  objectName: Uint8Array,
  newParentName: Uint8Array,
  objectIncluded: boolean,
): Command<void> {
  const parameters = new ByteWriter().sized16(objectName).sized16(newParentName);
  return onSession('PolicyDuplicationSelect', session, parameters.u8(objectIncluded ? 1 : 0).done());
}

/** TPM2_VerifySignature, Part 3, clause 20.1: `signature` is r ‖ s of ECDSA with SHA-256, 64 bytes. */
export function TPM2_VerifySignature(
  key: Entity,
  digest: Uint8Array,
  signature: Uint8Array,
): Command<Ticket> {
  const half = signature.length / 2;
  return {
    name: 'VerifySignature',
    handles: [key],
    authorized: 0,
    parameters: new ByteWriter()
      .sized16(digest)
      .u16(ALG.ECDSA)
      .u16(ALG.SHA256)
      .sized16(signature.subarray(0, half))
      .sized16(signature.subarray(half))
      .done(),
    read: (reader) => ({
      tag: reader.u16(),
      hierarchy: reader.u32(),
      digest: reader.sized16(maximumTpm2b),
    }),
  };
}

/** TPM2_PolicyAuthorize, Part 3, clause 23.16. `keySign` is the signer's Name. */
export function TPM2_PolicyAuthorize(
  session: Session,
  approvedPolicy: Uint8Array,
  policyRef: Uint8Array,
  keySign: Uint8Array,
  { tag, hierarchy, digest }: Ticket,
): Command<void> {
  const parameters = new ByteWriter().sized16(approvedPolicy).sized16(policyRef).sized16(keySign);
  return onSession('PolicyAuthorize', session, parameters.u16(tag).u32(hierarchy).sized16(digest).done());
}

/** TPM2_PolicyOR, Part 3, clause 23.6: two to eight branches. */
export function TPM2_PolicyOR(session: Session, branches: readonly Uint8Array[]): Command<void> {
  const parameters = new ByteWriter().u32(branches.length);
  for (const branch of branches) parameters.sized16(branch);
  return onSession('PolicyOR', session, parameters.done());
}

/** TPM2_PolicyAuthValue, Part 3, clause 23.17: from here on the object's authValue is in the session's HMAC. */
export function TPM2_PolicyAuthValue(session: Session): Command<void> {
  return {
    ...onSession('PolicyAuthValue', session, new Uint8Array()),
    read: () => {
      session.requireAuthValue();
    },
  };
}

/** TPM2_PolicySecret, Part 3, clause 23.4: whoever knows an entity's authValue, once, without expiry. */
export function TPM2_PolicySecret(entity: Entity, session: Session): Command<void> {
  const nothing = new Uint8Array();
  return {
    name: 'PolicySecret',
    handles: [entity, entityOf(session.handle)],
    authorized: 1,
    // nonceTPM, cpHashA, policyRef, expiration
    parameters: new ByteWriter().sized16(nothing).sized16(nothing).sized16(nothing).u32(0).done(),
    read: (reader) => {
      reader.sized16(digestBytes); // timeout
      reader.take(6);
      reader.sized16(maximumTpm2b); // ticket
    },
  };
}

function onSession(
  name: 'PolicyDuplicationSelect' | 'PolicyAuthorize' | 'PolicyOR' | 'PolicyAuthValue',
  session: Session,
  parameters: Uint8Array,
): Command<void> {
  return {
    name,
    handles: [entityOf(session.handle)],
    authorized: 0,
    parameters,
    read: () => undefined,
  };
}
