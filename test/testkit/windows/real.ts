/** What belongs to a platform that is no rehearsal, on the Windows of this worker. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WINDOWS_USER } from '../../../scripts/windows/lane.ts';
import { driveC } from './lane.ts';

/** Takes the platform and the user's environment away. */
export async function removeRealPlatform(): Promise<void> {
  for (const folder of ['ProgramData/SPMigration', `users/${WINDOWS_USER}/AppData/Local/SPMigration`])
    await rm(join(driveC(), folder), { recursive: true, force: true });
}
