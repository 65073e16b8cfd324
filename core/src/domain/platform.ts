/** A platform (one computer with its chip and its state) and the accounts on it, as plain values. */
import type { IdentityFingerprint, PlatformId, TpmName } from './ids.ts';
import type { Instant } from './time.ts';

export type ChipKind = 'tpm2' | 'software';

/** Who a person is to the operating system. Only `id` decides (and an exact `upn` in grants); `name` is for display. */
export interface Account {
  /** `sid:S-1-…` or `uid:<n>@<platform id>`. */
  readonly id: string;
  readonly name: string;
  /** Of a domain's account, where the system tells it; may take a while to be found, so read it only where it is needed. */
  readonly upn?: string | undefined;
}

/** The destination's public file. `storageKey` and `authorityKey` are TPMT_PUBLIC. */
export interface Identity {
  readonly computer: string;
  readonly chip: ChipKind;
  readonly rehearsal: boolean;
  readonly storageKey: Uint8Array;
  readonly authorityKey: Uint8Array;
  /** The endorsement (`format/endorsement-v1.ts`); empty where the platform has no TPM, or one without an endorsement key. */
  readonly attestation: Uint8Array;
  readonly created: Instant;
}

/** What initialisation leaves in `platform/public/platform`: this computer's settings. */
export interface PlatformSettings {
  readonly computer: string;
  readonly chip: ChipKind;
  readonly rehearsal: boolean;
  /** TPMT_PUBLIC of the storage key recorded at initialisation; another one later is `StorageKeyChanged`. */
  readonly storageKey: Uint8Array;
  /** TPMT_PUBLIC of the authority whose signature permits destinations for keys made here. */
  readonly authorityKey: Uint8Array;
  /** `local`: its private half is in `platform/private`; `fleet`: only its public half is here. */
  readonly authority: 'local' | 'fleet';
  readonly created: Instant;
}

/** A platform's identifiers, computed from its storage key. */
export interface PlatformIds {
  readonly storageKeyName: TpmName;
  readonly platformId: PlatformId;
  readonly fingerprint: IdentityFingerprint;
}
