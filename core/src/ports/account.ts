/** Who calls, according to the operating system. `NotAdministrator` and `ServiceAccount` are decided here only. */
import type { Account } from '../domain/platform.ts';
import type { PlatformId } from '../domain/ids.ts';

export interface AccountPort {
  /** The calling account. Linux ids name the platform, so its id is an argument (undefined before initialization). */
  current(platform: PlatformId | undefined): Promise<Account>;
  /** Whether the caller may administer the platform; in a rehearsal, whether it owns SPMIGRATION_HOME. */
  isAdministrator(): Promise<boolean>;
  isServiceAccount(): Promise<boolean>;
  /** Name of this computer, as it shows in identities. */
  computerName(): Promise<string>;
}
