/**
 * Grants, delegations, revocation lists and registrations as plain values (design/3 and rulings 1 to 6).
 * Leaves out signatures' verification and TPM digests (`sealing/grants.ts`).
 */
import type { AuthorityFingerprint, GrantSerial, IdentityFingerprint, TpmName } from './ids.ts';
import type { Account } from './platform.ts';
import type { Instant } from './time.ts';

/** Everyone, or the listed ones. */
export type Scope<T> = 'any' | readonly T[];

/** One signature that lets one Basic User Key of another root authority move (under its refOne), or be moved on. */
export interface KeyApproval {
  readonly basicUserKey: TpmName;
  /** 16 bytes. */
  readonly nonce: Uint8Array;
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array;
}

/** The owner's signed permission for one destination. Display fields (`computer`, `fingerprint`) never decide. */
export interface Grant {
  readonly serial: GrantSerial;
  readonly rehearsal: boolean;
  /** TPMT_PUBLIC of the signer. */
  readonly authority: Uint8Array;
  readonly source: Scope<TpmName>;
  readonly destinationComputer: string;
  readonly destinationFingerprint: IdentityFingerprint;
  /** TPMT_PUBLIC of the destination's storage key: its Name decides, and the source's chip needs the whole area. */
  readonly destinationKey: Uint8Array;
  /** Account ids (`sid:…`, `uid:…`) or exact UPNs (`upn:…`). */
  readonly user: Scope<string>;
  readonly basicUserKey: Scope<TpmName>;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** `no`, or a delegation to the destination's authority key for each known key; none is needed where that is the root. */
  readonly onward: 'no' | readonly KeyApproval[];
  /** r ‖ s under refAny over the move: one for any key, or one that includes the object for each listed key. */
  readonly approval: readonly { readonly basicUserKey: TpmName | 'any'; readonly signature: Uint8Array }[];
  /** Approvals under refOne for known keys of another root authority. */
  readonly move: readonly KeyApproval[];
  /** SHA-256 head of the signer's history, empty where there is none. */
  readonly historyHead: Uint8Array;
}

/** A grant with the signature line it carried and the exact bytes of its file. */
export interface SignedGrant {
  readonly grant: Grant;
  readonly signer: AuthorityFingerprint;
  readonly signature: Uint8Array;
  /** The whole file; what is signed is everything before the signature line. */
  readonly bytes: Uint8Array;
}

export interface RevocationList {
  readonly authority: Uint8Array;
  readonly rehearsal: boolean;
  readonly number: number;
  readonly issued: Instant;
  readonly revoked: readonly { readonly serial: GrantSerial; readonly reason: string }[];
}

export interface SignedRevocationList {
  readonly list: RevocationList;
  readonly signer: AuthorityFingerprint;
  readonly signature: Uint8Array;
  readonly bytes: Uint8Array;
}

/** What a user leaves in `platform/users/` so that the owner can delegate for this key. */
export interface Registration {
  readonly account: Account;
  readonly rehearsal: boolean;
  /** TPMT_PUBLIC. */
  readonly basicUserKey: Uint8Array;
  readonly nonce: Uint8Array;
  /** TPMT_PUBLIC of the root authority. */
  readonly rootAuthority: Uint8Array;
  /** Files of the grants by which the key came here, oldest first; empty where it was made here. */
  readonly grants: readonly Uint8Array[];
}

/** Most grants in a chain: the first move and four onward ones. */
export const maximumChainLength = 5;
export const defaultGrantDays = 30;
