/** The receipt of an import as plain values: what was imported where, and the head of the importer's history after it. */
import type { ArchiveId, GrantSerial, TpmName } from './ids.ts';
import type { Account } from './platform.ts';
import type { ImportAction, ImportCase } from './import-plan.ts';
import type { Instant } from './time.ts';

export interface Receipt {
  readonly archive: ArchiveId;
  readonly imported: Instant;
  readonly rehearsal: boolean;
  readonly sourceComputer: string;
  /** Name of the source's storage key. */
  readonly sourceKey: TpmName;
  /** Account id at the source, as the archive says. */
  readonly sourceAccount: string;
  readonly destinationComputer: string;
  /** Name of this platform's storage key. */
  readonly destinationKey: TpmName;
  /** Who imported. */
  readonly account: Account;
  readonly basicUserKey: TpmName;
  readonly case: ImportCase;
  /** Whether the key here was continued by the archive's. */
  readonly rekey: boolean;
  /** Generation that is the present one after the import. */
  readonly generation: number;
  /** Serial of the grant for this move. */
  readonly grant: GrantSerial;
  /** How many credentials met each fate. */
  readonly counts: Readonly<Record<ImportAction, number>>;
  /** Head of the importer's history after the import's line, 32 bytes; empty where it could not be recorded. */
  readonly historyHead: Uint8Array;
}
