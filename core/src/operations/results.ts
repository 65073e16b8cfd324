/**
 * What operations answer, as plain values: the types of `docs/spec/process-protocol.md`. Instants are numbers here; the
 * rpc format and the command line turn them into text.
 */
import type { Proof } from '../domain/attestation.ts';
import type { Feature } from '../domain/environment.ts';
import type { ImportItem } from '../domain/import-plan.ts';
import type { UndoItem } from '../domain/undo-plan.ts';
import type { Instant } from '../domain/time.ts';

export interface AuthorityResult {
  readonly path: string;
  readonly publicPath: string;
  readonly fingerprint: string;
  readonly backupPath: string | null;
  readonly rehearsal: boolean;
}

export interface StatusResult {
  readonly computer: string;
  readonly initialized: boolean;
  readonly platformId: string | null;
  readonly fingerprint: string | null;
  readonly chip: 'software' | 'tpm2' | null;
  readonly chipModel: string | null;
  readonly enforcement: string | null;
  /** Of a TPM; null for the software chip. */
  readonly chipManufacturer: string | null;
  readonly chipFirmware: string | null;
  /** Wrong authorizations that a TPM still counts, whoever made them. */
  readonly chipFailedTries: number;
  readonly chipLockedOut: boolean;
  /** Until a TPM's next try is possible, at most; 0 where it is possible now, or where only a reset helps. */
  readonly chipLockedOutSeconds: number;
  /** Why the chip cannot be asked, or used; null where it can. */
  readonly chipProblem: string | null;
  readonly authority: 'Local' | 'Fleet' | null;
  readonly authorityFingerprint: string | null;
  readonly rehearsal: boolean;
  readonly account: string;
  readonly accountName: string;
  readonly administrator: boolean;
  readonly userInitialized: boolean;
  readonly basicUserKey: string | null;
  readonly generation: number | null;
  readonly credentials: number;
  /** Credentials that are not here, and can be brought back from a kept generation or from quarantine. */
  readonly setAside: number;
  readonly quarantined: number;
  /** Wrong tries at the password of the environment that still count. */
  readonly failedAttempts: number;
  /** Until the next try; 0 where it is allowed now. */
  readonly lockedOutSeconds: number;
  /** Kept generations that another password opens, newest first. */
  readonly otherPasswordGenerations: readonly number[];
  /** When the password came to this computer, as far as the history tells. */
  readonly passwordSet: Instant | null;
  readonly platformPath: string;
  readonly environmentPath: string | null;
  readonly version: string;
  readonly initializedAt: Instant | null;
}

export interface CheckResult {
  readonly name: string;
  readonly passed: boolean;
  readonly code: string | null;
  readonly message: string;
  readonly hint: string | null;
}

export interface HistoryEventResult {
  readonly scope: 'platform' | 'user';
  readonly number: number;
  readonly time: Instant;
  readonly operation: string;
  readonly outcome: string;
  readonly account: string;
  /** The generation that it made the present one; null where it made none. */
  readonly generation: number | null;
  readonly summary: string;
  readonly hash: string;
}

export interface IdentityResult {
  readonly path: string;
  readonly computer: string;
  readonly fingerprint: string;
  readonly chip: 'software' | 'tpm2';
  readonly proof: Proof;
  /** Of the endorsement key that it names; null where it names none. */
  readonly endorsementFingerprint: string | null;
  /** Whether it carries a certificate of that key. */
  readonly endorsementCertificate: boolean;
  /** The attestation that proves it; null where none was given. */
  readonly attestationPath: string | null;
  readonly rehearsal: boolean;
  readonly authorityFingerprint: string;
  readonly storageKeyName: string;
  readonly created: Instant;
}

export interface ChallengeResult {
  readonly path: string;
  /** The computer that is asked, and the fingerprint of its identity. */
  readonly computer: string;
  readonly fingerprint: string;
  readonly endorsementFingerprint: string;
  readonly authorityFingerprint: string;
  readonly rehearsal: boolean;
  readonly created: Instant;
}

export interface AttestationResult {
  readonly path: string;
  readonly computer: string;
  readonly challengePath: string;
  readonly endorsementFingerprint: string;
  readonly storageKeyName: string;
  /** Of the authority that asked. */
  readonly authorityFingerprint: string;
  readonly rehearsal: boolean;
  readonly created: Instant;
}

export type AccessState = 'Valid' | 'NotYetValid' | 'Expired' | 'Revoked';

export interface AccessResult {
  readonly serial: string;
  readonly destination: string;
  readonly fingerprint: string;
  readonly state: AccessState;
  readonly validFrom: Instant;
  readonly validUntil: Instant;
  readonly user: readonly string[];
  readonly source: readonly string[];
  readonly basicUserKey: readonly string[];
  readonly onward: boolean;
  readonly authorityFingerprint: string;
  readonly rehearsal: boolean;
  readonly reason: string | null;
  readonly meaning: string;
  readonly path: string;
  readonly grantPath: string;
}

export interface RevocationResult {
  readonly serial: string | null;
  readonly authorityFingerprint: string;
  readonly number: number;
  readonly revoked: number;
  readonly path: string;
}

export interface PasswordChangeResult {
  readonly account: string;
  /** The present generation; its number stays. */
  readonly generation: number;
  /** How many generations were encrypted anew. */
  readonly rewritten: number;
  /** One text for each generation that is still under an older password. */
  readonly notOpened: readonly string[];
  /** Environments in quarantine, which keep their passwords. */
  readonly quarantined: number;
}

export interface KeyChangeResult {
  readonly account: string;
  readonly basicUserKey: string;
  readonly replaced: string;
  readonly generation: number;
  readonly rewritten: number;
  readonly notOpened: readonly string[];
  readonly passwordChanged: boolean;
}

export interface UndoResult {
  readonly account: string;
  readonly kind: 'Generation' | 'Quarantine' | 'Credential';
  /** Number of the generation whose content came back. */
  readonly restored: number;
  /** Number of the generation that is the present one now. */
  readonly generation: number;
  /** Quarantine that holds what was here before; null where nothing was set aside. */
  readonly setAside: string | null;
  readonly items: readonly UndoItem[];
  readonly featuresActive: readonly Feature[];
  readonly uninstall: readonly string[];
}

export interface UninstallationResult {
  /** Thumbprints that were recorded and are no more. */
  readonly uninstalled: readonly string[];
}

export interface UserRemovalResult {
  readonly account: string;
  readonly quarantine: string;
  readonly uninstall: readonly string[];
}

export interface CredentialResult {
  readonly credential: string;
  readonly label: string;
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly thumbprint: string | null;
  readonly notBefore: Instant | null;
  readonly notAfter: Instant | null;
  readonly keyAlgorithm: string;
  readonly state: 'Active' | 'Retained' | 'Pending' | 'SetAside';
  /** Where it can be brought back from: `generation 5`, `quarantine 3`; null for one that is here. */
  readonly setAsideIn: string | null;
  readonly features: readonly Feature[];
  readonly proposed: readonly Feature[];
  readonly origin: string;
  readonly emailAddresses: readonly string[];
  readonly added: Instant;
  readonly installed: boolean;
  readonly requestPath: string | null;
  readonly change: 'Added' | 'Unchanged' | null;
}

export interface CredentialRemovalResult {
  readonly credential: string;
  readonly label: string;
  readonly permanent: boolean;
  /** Generations that were encrypted anew without it, those in quarantine included. */
  readonly rewritten: number;
  /** One text for each place that could not be opened and may still hold it. */
  readonly notOpened: readonly string[];
  readonly uninstall: readonly string[];
}

export interface InstallableCredentialResult {
  readonly credential: string;
  readonly label: string;
  readonly thumbprint: string;
}

export interface FeatureResult {
  readonly feature: Feature;
  readonly enabled: boolean;
  readonly credential: string | null;
  readonly label: string | null;
  readonly thumbprint: string | null;
  readonly notAfter: Instant | null;
  readonly proposed: string | null;
}

export interface ArchiveResult {
  readonly path: string;
  readonly archive: string;
  readonly created: Instant;
  readonly sourceComputer: string;
  readonly sourceFingerprint: string;
  readonly account: string;
  readonly accountName: string;
  readonly destination: string;
  readonly basicUserKey: string;
  readonly generation: number;
  readonly credentials: number;
  /** The archive opens only together with its transfer code. */
  readonly transferCodeRequired: boolean;
  readonly rehearsal: boolean;
  readonly serial: string;
  readonly validUntil: Instant;
  readonly sizeBytes: number;
}

export interface ArchiveTestResult {
  readonly path: string;
  readonly fits: boolean;
  readonly case: 'Install' | 'Merge' | 'Replace' | 'NotKnown';
  readonly account: string;
  readonly destination: string;
  readonly reasons: readonly string[];
  readonly checks: readonly CheckResult[];
  readonly daysLeft: number | null;
}

export interface ArchiveRemovalResult {
  readonly path: string;
  readonly archive: string;
}

export interface ImportResult {
  readonly path: string;
  readonly archive: string;
  readonly case: 'Install' | 'Merge' | 'Replace';
  /** A merge in which the archive's key continued the one here. */
  readonly rekey: boolean;
  readonly receiptPath: string | null;
  readonly unchanged: boolean;
  readonly older: boolean;
  readonly items: readonly ImportItem[];
  readonly quarantine: string | null;
  readonly sourceAccount: string;
  readonly sourceComputer: string;
  readonly account: string;
  readonly generation: number;
  readonly featuresActive: readonly Feature[];
  readonly featuresProposed: readonly Feature[];
  readonly nextStep: string;
  readonly anyAuthorityTrusted: boolean;
  readonly uninstall: readonly string[];
}
