/** Folders on drive C: of the lane's Windows, for single tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { WINDOWS_USER } from '../../../scripts/windows/lane.ts';
import { driveC } from './lane.ts';

/** Where Windows keeps temporary files of the user, as Linux sees it. */
export function temporaryFolder(): string {
  return join(driveC(), 'users', WINDOWS_USER, 'AppData/Local/Temp');
}

/** An empty folder there, as Linux sees it (`windowsPath` says how Windows does). Call it inside a test; it ends with it. */
export async function makeWindowsFolder(): Promise<string> {
  const folder = await mkdtemp(join(temporaryFolder(), 'spmigration '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
