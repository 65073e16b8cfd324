/**
 * The user of the lane's Windows, for computers that the testkit itself plays: what it writes there the Windows programs
 * find as their user's, and it opens what they have written.
 */
import { basename } from 'node:path';
import type { Machine } from '../../../core/src/compose.ts';
import type { AccessLists } from '../../../core/src/adapters/system/access-lists.ts';
import { createFileSystem } from '../../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../../core/src/adapters/system/processes.ts';
import { WINDOWS_USER } from '../../../scripts/windows/lane.ts';

/** As Wine makes it: of no domain, the first account. */
export const windowsSid = 'S-1-5-21-0-0-0-1000';

const owner = `sid:${windowsSid}`;
const everythingIsTheirs = { owner, access: { read: undefined, write: undefined, leave: undefined } };
const access: AccessLists = {
  covers: () => true,
  ofPath: () => everythingIsTheirs,
  ofOpen: () => everythingIsTheirs,
  sets: () => false,
  makeFolder: () => undefined,
  makeFile: () => undefined,
  setFolder: () => undefined,
};

/** The computer in `home`, a rehearsal that this user administers; with the disk as Windows shows it, without modes. */
export function windowsMachine(home: string): Machine {
  return {
    disk: createFileSystem('win32', access),
    processes: createProcesses(process.platform),
    caller: {
      owners: { caller: owner, ofPlatform: [owner] },
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
