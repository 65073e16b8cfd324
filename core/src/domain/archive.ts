/** The archive (the file that travels) as plain values; until `environment` opens, every manifest field is a claim. */
import type { ArchiveId, IdentityFingerprint, TpmName } from './ids.ts';
import type { Account } from './platform.ts';
import type { Instant } from './time.ts';

export interface Manifest {
  readonly archive: ArchiveId;
  readonly created: Instant;
  readonly rehearsal: boolean;
  readonly sourceComputer: string;
  readonly sourceFingerprint: IdentityFingerprint;
  /** Name of the source's storage key. */
  readonly sourceKey: TpmName;
  readonly account: Account;
  readonly destinationComputer: string;
  /** Name of the destination's storage key. */
  readonly destinationKey: TpmName;
  readonly basicUserKey: TpmName;
  readonly nonce: Uint8Array;
  /** The source's generation number: decides "older". */
  readonly generation: number;
  readonly credentials: number;
  readonly activeFeatures: number;
  readonly passwordSalt: Uint8Array;
  readonly transferCode: boolean;
  /** Claim, repeated from inside the environment. */
  readonly replaces: readonly TpmName[];
  /** Size and SHA-256 of each small entry. */
  readonly entries: Readonly<
    Record<SummedEntry, { readonly sizeBytes: number; readonly sha256: Uint8Array }>
  >;
  readonly environmentBytes: number;
  readonly historyHead: Uint8Array;
}

/** Entries in this order, exactly these. */
export const archiveEntries = [
  'manifest',
  'grants',
  'buk.public',
  'buk.duplicate',
  'buk.seed',
  'vault-key.public',
  'vault-key.private',
  'environment',
  'sums',
] as const;
export type ArchiveEntry = (typeof archiveEntries)[number];
export type SummedEntry = Exclude<ArchiveEntry, 'manifest' | 'environment' | 'sums'>;

/** The raw entries of an archive whose structure was checked. */
export type ArchiveParts = Readonly<Record<ArchiveEntry, Uint8Array>>;

/** Upper bounds in bytes, checked before anything is read into memory. */
export const archiveEntryLimits: Readonly<Record<ArchiveEntry, number>> = {
  manifest: 128 * 1024,
  grants: 5 * 4 * 1024 * 1024,
  'buk.public': 1024,
  'buk.duplicate': 4096,
  'buk.seed': 1024,
  'vault-key.public': 1024,
  'vault-key.private': 4096,
  environment: 64 * 1024 * 1024,
  sums: 1024,
};
