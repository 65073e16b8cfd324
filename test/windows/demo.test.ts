/**
 * The whole demonstration on three simulated Windows computers, through the module in a Windows PowerShell engine and the
 * Windows executable, step for step as `npm run demo` tells it: with software chips, and with three TPMs through TPM Base Services.
 * Only the keys are not used through the certificate store (ruling 20): they go in and out by thumbprint, and the testkit
 * opens all three environments.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Narrator } from '../../scripts/demo/narrator.ts';
import type { DemoChip } from '../../scripts/demo/simulated-computer.ts';
import { Demonstration } from '../../scripts/demo/story.ts';
import { builtModule } from '../testkit/executable.ts';
import { StoreAndOpen, windowsGround } from '../testkit/windows/demo.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';
import { haveWindows } from '../testkit/windows/lane.ts';

async function tell(chip: DemoChip): Promise<string> {
  const folder = await makeWindowsFolder();
  const lines: string[] = [];
  const demonstration = new Demonstration({
    folder,
    module: join(await builtModule(), 'SPMigration.psd1'),
    chip,
    say: new Narrator((line) => lines.push(line)),
    ground: windowsGround,
    keys: (letters) => new StoreAndOpen(letters, folder),
  });
  try {
    await demonstration.run();
  } catch (error) {
    throw new Error(`it stopped behind:\n${lines.join('\n')}`, { cause: error });
  } finally {
    await demonstration.close();
  }
  return lines.join('\n');
}

/** Outcomes of the table at the end, in their order. */
function outcomes(told: string): readonly string[] {
  const table = told.slice(told.indexOf('All at a glance'));
  return [...table.matchAll(/^ +\d+ {2}.* {2}(done|refused: \w+)$/gm)].map(([, outcome = '']) => outcome);
}

describe.skipIf(!haveWindows())('the demonstration on Windows', { timeout: 900_000 }, () => {
  // With them the lane migrates in other tests, too (windows/migration, windows/quick-start).
  it.runIf(process.env.SPMIGRATION_FULL === '1')('with software chips', async () => {
    const told = await tell('software');
    expect(outcomes(told).filter((outcome) => outcome !== 'done')).toEqual([
      'refused: DestinationNotAuthorized',
      'refused: FingerprintMismatch',
      'refused: PasswordRejected',
      'refused: ArchiveNotForThisPlatform',
      'refused: ArchiveDamaged',
      'refused: PasswordRejected',
      'refused: GrantRevoked',
    ]);
    expect(outcomes(told)).toHaveLength(22);
    // The plan that -WhatIf shows, and that a second import changes nothing.
    expect(told).toContain('fits this computer: True; case: Install');
    expect(told).toContain('What if: Import the environment');
    expect(told.match(/imported once more, unchanged: True/g)).toHaveLength(2);
    // Written where the person said, in Windows' words.
    expect(told).toMatch(/C:\\users\\Jörg Ünïcode 日本\\AppData\\Local\\Temp\\.*\\share/);
  });

  it('with three TPMs', async () => {
    const told = await tell('tpm2');
    const refusals = outcomes(told).filter((outcome) => outcome !== 'done');
    expect(refusals).toContain('refused: DestinationNotAttested');
    for (const code of ['FingerprintMismatch', 'ArchiveNotForThisPlatform', 'ArchiveDamaged', 'GrantRevoked'])
      expect(refusals).toContain(`refused: ${code}`);
    expect(told).toContain('wrong passwords that the TPM of PC-A counts: 1; locked out: False');
    expect(told.match(/: no key and no session is loaded/g)).toHaveLength(3);
  });
});
