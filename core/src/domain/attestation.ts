/**
 * How a computer proves which chip guards its storage key, as plain values (docs/spec/attestation.md): the endorsement in an
 * identity, an owner's challenge, and the answer that only one TPM can give. Leaves out signatures, and who vouches for an
 * endorsement key (`sealing/attestation.ts`).
 */
import type { AuthorityFingerprint } from './ids.ts';
import type { Instant } from './time.ts';

/** By what a TPM can be recognised as that very TPM. */
export interface Endorsement {
  /** TPMT_PUBLIC of the endorsement key. */
  readonly key: Uint8Array;
  /** Its manufacturer's certificate, DER; undefined where the TPM holds none. */
  readonly certificate: Uint8Array | undefined;
}

/** An owner's question to one storage key in one TPM. `destinationComputer` is for display. */
export interface Challenge {
  /** TPMT_PUBLIC of the signer. */
  readonly authority: Uint8Array;
  readonly rehearsal: boolean;
  readonly destinationComputer: string;
  /** TPMT_PUBLIC of the storage key. */
  readonly destinationKey: Uint8Array;
  /** TPMT_PUBLIC of the endorsement key. */
  readonly endorsementKey: Uint8Array;
  readonly created: Instant;
  /** SHA-256 over label and secret, 32 bytes: by it the owner knows the secret again. */
  readonly commitment: Uint8Array;
  /** Body of TPM2B_ID_OBJECT, 68 bytes. */
  readonly credentialBlob: Uint8Array;
  /** Body of TPM2B_ENCRYPTED_SECRET: 68 bytes for an ECC endorsement key, 256 for an RSA one. */
  readonly encryptedSecret: Uint8Array;
}

/** A challenge with the signature line it carried and the exact bytes of its file. */
export interface SignedChallenge {
  readonly challenge: Challenge;
  readonly signer: AuthorityFingerprint;
  readonly signature: Uint8Array;
  /** The whole file; what is signed is everything before the signature line. */
  readonly bytes: Uint8Array;
}

/** What a destination answers. It is not signed: that the secret is right is the proof. */
export interface Attestation {
  /** The challenge's file, byte for byte. */
  readonly challenge: Uint8Array;
  /** The secret that the TPM gave out, 32 bytes; public from now on. */
  readonly answer: Uint8Array;
  /** For display. */
  readonly created: Instant;
}

/**
 * What is known about the chip behind an identity. `Attested`: its storage key is in a TPM whose endorsement key somebody
 * vouches for. `Claimed`: it says so. `Software`: it says that it has none.
 */
export type Proof = 'Attested' | 'Claimed' | 'Software';

/** Length of a challenge's secret in bytes. */
export const challengeSecretBytes = 32;

/** How long an answer counts from the making of its challenge. */
export const attestationDays = 30;
