/**
 * A platform that is no rehearsal, on this worker's Windows: what lies where Windows keeps such things, which chip is chosen
 * where there is a TPM and where there is none, and that a rehearsal beside it shares nothing with it.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { StatusResult } from '../../core/src/operations/results.ts';
import { WINDOWS_USER } from '../../scripts/windows/lane.ts';
import { WindowsComputer } from '../testkit/windows/computer.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';
import { driveC, haveWindows } from '../testkit/windows/lane.ts';
import { WindowsTpm } from '../testkit/windows/tpm.ts';

const owner = 'the owner of this computer';
const password = 'Annas eigenes Passwort';
const initialize = ['platform-initialize', '--owner-password-stdin', '--yes'];
const makeUser = ['user-initialize', '--password-stdin', '--yes'];

const platformFolder = (): string => join(driveC(), 'ProgramData/SPMigration');
const userFolder = (): string => join(driveC(), 'users', WINDOWS_USER, 'AppData/Local/SPMigration');

describe.skipIf(!haveWindows())('a real platform', { timeout: 300_000 }, () => {
  afterEach(async () => {
    for (const folder of [platformFolder(), userFolder()]) await rm(folder, { recursive: true, force: true });
  });

  it('has a software chip where there is no TPM, and lies in ProgramData and in the user’s AppData', async () => {
    const computer = WindowsComputer.real();
    const status = await computer.result<StatusResult>(initialize, [owner]);
    expect(status).toMatchObject({
      rehearsal: false,
      chip: 'software',
      platformPath: 'C:\\ProgramData\\SPMigration',
    });
    const user = await computer.result<StatusResult>(makeUser, [password]);
    const folder = `C:\\users\\${WINDOWS_USER}\\AppData\\Local\\SPMigration\\${String(status.platformId)}`;
    expect(user).toMatchObject({ userInitialized: true, environmentPath: folder });
    expect((await readdir(platformFolder())).sort()).toEqual(['private', 'public', 'users']);
    expect(await readdir(userFolder())).toEqual([status.platformId]);
    const current = join(userFolder(), String(status.platformId), 'current');
    expect((await stat(current)).isFile()).toBe(true);

    // A rehearsal on the same computer knows nothing of it.
    const rehearsal = await WindowsComputer.make(await makeWindowsFolder(), 'PC-A');
    expect(await rehearsal.result<StatusResult>(['status'])).toMatchObject({
      initialized: false,
      rehearsal: true,
    });
  });

  it('has the TPM as its chip where there is one, and does not go on without it', async () => {
    const tpm = await WindowsTpm.start();
    try {
      const computer = WindowsComputer.real(tpm);
      const status = await computer.result<StatusResult>(initialize, [owner]);
      expect(status).toMatchObject({ rehearsal: false, chip: 'tpm2', chipManufacturer: 'IBM' });
      await computer.result(makeUser, [password]);
      expect(await tpm.swtpm.leftLoaded()).toEqual([]);
      // The same computer with Wine's own TPM Base Services, which have no TPM.
      const without = WindowsComputer.real();
      const adding = ['credential-new', 'Anna', '--password-stdin', '--yes'];
      expect(await without.refusal(adding, [password])).toBe('ChipNotFound');
    } finally {
      await tpm.stop();
    }
  });
});
