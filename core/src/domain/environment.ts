/**
 * The environment: everything that moves with a person. The public part can be read without the password (and is
 * unverified until one opens it); the private part holds the keys. States are derived, never stored, so that no two
 * records can contradict each other.
 */
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import type { ArchiveId, AuthorityFingerprint, CredentialId, TpmName } from './ids.ts';
import type { Instant } from './time.ts';

export const features = ['SecureEmail', 'Efs', 'SecureDrive'] as const;
/** What a credential is used for. */
export type Feature = (typeof features)[number];

/** `Pending`: waits for its issued certificate. */
export type CredentialState = 'Active' | 'Retained' | 'Pending';

/** How a credential came into this environment. */
export type CredentialOrigin = 'pfx' | 'store' | 'new' | 'migration';

/** The public half of a credential. */
export interface Credential {
  readonly id: CredentialId;
  /** Friendly name; for display. */
  readonly label: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** X.509 DER; undefined while a request waits for its certificate. */
  readonly certificate: Uint8Array | undefined;
  /** Issuers' certificates, DER, nearest first. */
  readonly chain: readonly Uint8Array[];
  /** PKCS#10 DER; only while `certificate` is undefined. */
  readonly request: Uint8Array | undefined;
  readonly origin: CredentialOrigin;
  readonly added: Instant;
  /** Where the private key is: in the private part under the vault key. Keys inside the chip come later. */
  readonly protection: 'vault';
}

export type FeatureAssignments = Readonly<Partial<Record<Feature, CredentialId>>>;

export interface PublicPart {
  /** Sorted by id. */
  readonly credentials: readonly Credential[];
  /** The active credential of each feature. */
  readonly features: FeatureAssignments;
  /** What an installed archive had active, until the person enables it. */
  readonly proposed: FeatureAssignments;
  /** TPMT_PUBLIC of the root authority fixed in the Basic User Key. */
  readonly rootAuthority: Uint8Array;
  /** Files of the grants by which the Basic User Key came here, oldest first. */
  readonly grants: readonly Uint8Array[];
}

export interface PrivatePart {
  /** PKCS#8 DER by credential id. */
  readonly keys: ReadonlyMap<CredentialId, SecretBytes>;
  /** Archives merged before: the newest generation of each source decides what is "older". */
  readonly importedArchives: readonly ImportedArchive[];
  /** Highest revocation list number met, by authority. */
  readonly revocationNumbers: readonly {
    readonly authority: AuthorityFingerprint;
    readonly number: number;
  }[];
  /** Credentials removed for good: an import does not revive them. */
  readonly tombstones: readonly CredentialId[];
  /** Basic User Keys that this one continues. */
  readonly replaces: readonly TpmName[];
}

export interface ImportedArchive {
  readonly archive: ArchiveId;
  readonly source: TpmName;
  readonly generation: number;
}

export interface Environment {
  readonly publicPart: PublicPart;
  readonly privatePart: PrivatePart;
}

/** A chip-protected object: TPMT_PUBLIC and the chip's private blob. */
export interface KeyBlob {
  readonly public: Uint8Array;
  readonly private: Uint8Array;
}

/** Header of a generation file: everything that is needed to open it except chip and password. */
export interface GenerationHeader {
  /** Platform id as hex. */
  readonly platformId: string;
  readonly generation: number;
  /** Number of the generation this one was made from; 0 for the first. */
  readonly parent: number;
  /** 16 bytes, Argon2id. */
  readonly passwordSalt: Uint8Array;
  /** 16 bytes, fresh for every writing. */
  readonly keySalt: Uint8Array;
  readonly basicUserKey: Uint8Array;
  readonly nonce: Uint8Array;
  /** On a TPM the chip's blob; on the software chip that blob sealed under the BUK wrapper key. */
  readonly basicUserKeyPrivate: Uint8Array;
  readonly vaultKey: KeyBlob;
}

/** State of one credential, derived. */
export function credentialState(credential: Credential, assignments: FeatureAssignments): CredentialState {
  if (credential.certificate === undefined) return 'Pending';
  return features.some((feature) => assignments[feature] === credential.id) ? 'Active' : 'Retained';
}

/** The features a credential is active in, in the fixed order. */
export function activeFeatures(id: CredentialId, assignments: FeatureAssignments): readonly Feature[] {
  return features.filter((feature) => assignments[feature] === id);
}

export const limits = {
  credentials: 10_000,
  chainCertificates: 10,
  certificateBytes: 64 * 1024,
  privateKeyBytes: 16 * 1024,
  labelCharacters: 256,
  importedArchives: 10_000,
  tombstones: 10_000,
  environmentBytes: 64 * 1024 * 1024,
} as const;
