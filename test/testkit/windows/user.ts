/**
 * The user of the lane's Windows, for computers that the testkit itself plays: what it writes there the Windows programs
 * find as their user's, and it opens what they have written.
 */
import { basename } from 'node:path';
import type { Machine } from '../../../core/src/compose.ts';
import { createFileSystem } from '../../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../../core/src/adapters/system/processes.ts';
import { WINDOWS_USER } from '../../../scripts/windows/lane.ts';

/** As Wine makes it: of no domain, the first account. */
export const windowsSid = 'S-1-5-21-0-0-0-1000';

/** The computer in `home`, a rehearsal that this user administers; with the disk as Windows shows it, without owners and modes. */
export function windowsMachine(home: string): Machine {
  return {
    disk: createFileSystem('win32'),
    processes: createProcesses(process.platform),
    caller: {
      uid: undefined,
      folder: WINDOWS_USER,
      account: {
        current: () => Promise.resolve({ id: `sid:${windowsSid}`, name: WINDOWS_USER }),
        isAdministrator: () => Promise.resolve(true),
        isServiceAccount: () => Promise.resolve(false),
        computerName: () => Promise.resolve(basename(home)),
      },
    },
  };
}
