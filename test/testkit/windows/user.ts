/**
 * The user of the lane's Windows, for computers that the testkit itself plays: what it writes there the Windows programs
 * find as their user's, and it opens what they have written.
 */
import { basename } from 'node:path';
import type { Machine } from '../../../core/src/compose.ts';
import { createFileSystem } from '../../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../../core/src/adapters/system/processes.ts';
import type { AccountPort } from '../../../core/src/ports/account.ts';
import { WINDOWS_USER } from '../../../scripts/windows/lane.ts';

/** As Wine makes it: of no domain, the first account. */
export const windowsSid = 'S-1-5-21-0-0-0-1000';

export const windowsMachine: Machine = {
  disk: createFileSystem(process.platform),
  processes: createProcesses(process.platform),
  callerFolder: WINDOWS_USER,
};

/** The user, who administers the rehearsal in `home`. */
export function windowsAccount(home: string): AccountPort {
  return {
    current: () => Promise.resolve({ id: `sid:${windowsSid}`, name: WINDOWS_USER }),
    isAdministrator: () => Promise.resolve(true),
    isServiceAccount: () => Promise.resolve(false),
    computerName: () => Promise.resolve(basename(home)),
  };
}
