/**
 * What guards the platform's private storage key: a TPM 2.0 or the software chip. Both speak TPM structures (TPMT_PUBLIC,
 * TPM2B_PRIVATE bodies, the duplication format of TPM 2.0 Part 1, clause 23), so that they exchange archives. One
 * contract suite (`test/contract/chip.ts`) runs over every adapter. Failures are codes of our catalogue; only the
 * adapters' `to-error.ts` know response codes.
 */
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import type { KeyBlob } from '../domain/environment.ts';
import type { ChipKind } from '../domain/platform.ts';

/** One signed step of a policy chain: the move first, then each delegation back to the root authority. */
export interface PolicyStep {
  /** TPMT_PUBLIC of the signer. */
  readonly authority: Uint8Array;
  /** The digest that was approved, 32 bytes. */
  readonly approvedPolicy: Uint8Array;
  readonly policyRef: Uint8Array;
  /** r ‖ s, 64 bytes, ECDSA P-256 with SHA-256 over `approvedPolicy ‖ policyRef`. */
  readonly signature: Uint8Array;
}

/** Everything the policy of a Basic User Key demands for one duplication. */
export interface DuplicationRequest {
  /** TPMT_PUBLIC of the destination's storage key. */
  readonly newParent: Uint8Array;
  readonly steps: readonly PolicyStep[];
  /** The two branches of the key's PolicyOR, in order: PA(root, refAny), PA(root, refOne). */
  readonly branches: readonly [Uint8Array, Uint8Array];
  /** 16 bytes, AES-128-CFB inner wrapper. */
  readonly innerKey: SecretBytes;
}

export interface Duplicate {
  /** Body of TPM2B_PRIVATE. */
  readonly duplicate: Uint8Array;
  /** Body of TPM2B_ENCRYPTED_SECRET. */
  readonly seed: Uint8Array;
}

/** A Basic User Key loaded together with the user's authValue. Dispose it on every path. */
export interface LoadedBasicUserKey {
  /** Makes a sealed object below the key. The key's authValue was given at loading. */
  sealVaultKey(vaultKey: SecretBytes, authValue: SecretBytes): Promise<KeyBlob>;
  /** Opens a sealed object below the key. `PasswordRejected` where either authValue is wrong. */
  openVaultKey(blob: KeyBlob, authValue: SecretBytes): Promise<SecretBytes>;
  /**
   * The same key under another authValue: its new private blob, for this chip only (TPM2_ObjectChangeAuth). Needs the
   * present authValue (`PasswordRejected`); the loaded key and the old blob keep it.
   */
  changeAuth(authValue: SecretBytes): Promise<KeyBlob>;
  /**
   * Hands the key over to another storage key. The chip itself checks approvals, destination and authValue:
   * `DestinationNotAuthorized` or `PasswordRejected` where its policy is not met.
   */
  duplicate(request: DuplicationRequest): Promise<Duplicate>;
  dispose(): Promise<void>;
}

/** The chip's public description for status and display. */
export interface ChipDescription {
  readonly kind: ChipKind;
  /** Plain words, e.g. `Software chip`. */
  readonly model: string;
  /** How strongly the separation of owner and user is enforced, in one sentence. */
  readonly enforcement: string;
  /** Undefined for the software chip, as all below. */
  readonly manufacturer?: string;
  readonly firmware?: string;
  readonly lockOut?: LockOut;
  /** The storage hierarchy is switched off: nothing can be made or used there. */
  readonly storageDisabled?: boolean;
  /** Only who knows the password of the TPM's owner hierarchy can make a storage key. */
  readonly ownerPasswordSet?: boolean;
}

/** A TPM's own defence against guessing, which all its users share (TPM 2.0 Part 1, clause 19.8). */
export interface LockOut {
  readonly lockedOut: boolean;
  /** Wrong authorizations that still count. */
  readonly failedTries: number;
  readonly maximumTries: number;
  /** Until the next try is possible; 0 where it is possible now, or where only a reset helps. */
  readonly atMostSeconds: number;
}

/** By what a TPM can be recognised as that very TPM (TCG EK Credential Profile for TPM 2.0). */
export interface Endorsement {
  /** TPMT_PUBLIC of the endorsement key: ECC P-256 or RSA-2048, `restricted decrypt fixedTPM`. */
  readonly key: Uint8Array;
  /** Its manufacturer's certificate, DER; undefined where the TPM holds none. */
  readonly certificate: Uint8Array | undefined;
}

/** A secret that only the TPM with one endorsement key gives out, and only while it holds one storage key. */
export interface Credential {
  /** Body of TPM2B_ID_OBJECT. */
  readonly credentialBlob: Uint8Array;
  /** Body of TPM2B_ENCRYPTED_SECRET. */
  readonly secret: Uint8Array;
}

export interface Chip {
  describe(): Promise<ChipDescription>;
  /** `AttestationUnsupported` where the chip is no TPM. */
  endorsement(): Promise<Endorsement>;
  /**
   * The secret in a credential made for this chip's endorsement and storage key (TPM2_ActivateCredential), at most 32
   * bytes. `CredentialNotForThisChip` where it was made for another one or changed; `AttestationUnsupported`.
   */
  activateCredential(credential: Credential): Promise<SecretBytes>;
  /** Makes the storage key if there is none yet; answers its TPMT_PUBLIC. Needs an administrator. */
  provision(): Promise<Uint8Array>;
  /** TPMT_PUBLIC of the storage key; `PlatformNotInitialized` where there is none. */
  storageKey(): Promise<Uint8Array>;
  /** A new Basic User Key: `policy` is its authPolicy (32 bytes). `private` is for this chip only. */
  createBasicUserKey(policy: Uint8Array, authValue: SecretBytes): Promise<KeyBlob>;
  /**
   * Takes a handed-over key under this chip's storage key. `ArchiveNotForThisPlatform` where it was made for another
   * storage key or changed, `PasswordRejected` where the inner key is wrong (the two may be indistinguishable to a TPM).
   */
  importBasicUserKey(publicArea: Uint8Array, handedOver: Duplicate, innerKey: SecretBytes): Promise<KeyBlob>;
  /** `StorageKeyChanged` where the blob is not this storage key's. A wrong authValue shows only at its first use. */
  loadBasicUserKey(blob: KeyBlob, authValue: SecretBytes): Promise<LoadedBasicUserKey>;
}
