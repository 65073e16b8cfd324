/** Everything an operation may reach, as one value that `compose.ts` builds and tests replace piece by piece. */
import type { TpmName, PlatformId } from '../domain/ids.ts';
import type { ChipKind } from '../domain/platform.ts';
import type { AccountPort } from './account.ts';
import type { ArchiveContainer } from './archive-container.ts';
import type { Chip } from './chip.ts';
import type { EnvironmentStore } from './environment-store.ts';
import type { Files } from './files.ts';
import type { History } from './history.ts';
import type { PlatformStore } from './platform-store.ts';
import type { Clock, PolicyPort, Random } from './surroundings.ts';

export interface Ports {
  /**
   * The chip of this kind. `recorded` is the storage key (TPMT_PUBLIC) of an initialized platform: a TPM with another one is
   * `StorageKeyChanged` before anything secret is sent to it. Nothing is asked of a chip before it is used.
   */
  readonly chip: (kind: ChipKind, recorded?: Uint8Array) => Promise<Chip>;
  readonly platform: PlatformStore;
  /** The calling account's store on the platform with this id and storage key. */
  readonly environment: (platform: PlatformId, storageKey: TpmName) => EnvironmentStore;
  readonly archives: ArchiveContainer;
  readonly files: Files;
  readonly account: AccountPort;
  readonly policy: PolicyPort;
  /** The user's chain lies in the folder of the platform with this id; undefined: only the platform's chain can be used. */
  readonly history: (platform: PlatformId | undefined) => History;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether the system keeps private keys of its certificate store under protection (not on Linux). */
  readonly certificateStoreProtected: boolean;
  /** Whether SPMIGRATION_HOME makes this a rehearsal. */
  readonly rehearsal: boolean;
}
