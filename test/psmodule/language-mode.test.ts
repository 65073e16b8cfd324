/**
 * The module where the system constrains it or gives it little: Constrained Language (an unsigned module under App Control)
 * is told as what it is, and neither a profile, nor HOME, nor TEMP is needed to load it (design page 4, rule 7). Leaves out
 * real App Control, which only Windows has: here the language mode is set before the module is loaded.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCatalogue } from '../../core/src/domain/error-catalogue.ts';
import { cmdlets } from '../../psmodule/schema/cmdlets.ts';
import { makeFakeModule, type FakeModule } from '../testkit/fake-module.ts';
import { havePowerShell, runPowerShell } from '../testkit/powershell.ts';

describe.skipIf(!havePowerShell())('surroundings', { timeout: 120_000 }, () => {
  let fake: FakeModule;
  beforeAll(async () => {
    fake = await makeFakeModule();
  });
  afterAll(() => {
    fake.remove();
  });

  const script = (text: string): string => {
    const file = join(fake.folder, 'script.ps1');
    writeFileSync(file, text);
    return file;
  };

  it('of Constrained Language are told by an error of its own, not at import', async () => {
    const { stdout } = await runPowerShell({
      file: script(`$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'
Import-Module -Name '${fake.manifest}'
'imported'
try { Get-SPMigrationStatus } catch { $_.FullyQualifiedErrorId; [string]$_.CategoryInfo.Category; [string]$_ }
`),
    });
    const message = errorCatalogue.ConstrainedLanguage.message.replace('{mode}', 'ConstrainedLanguage');
    expect(stdout.trim().split(/\r?\n/)).toEqual([
      'imported',
      'ConstrainedLanguage,Get-SPMigrationStatus',
      'NotImplemented',
      message,
    ]);
    expect(fake.core.pids()).toEqual([]);
  });

  it('without HOME and TEMP are enough, and importing starts nothing', async () => {
    const { stdout, stderr } = await runPowerShell({
      file: script(`Import-Module -Name '${fake.manifest}'
@(Get-Command -Module SPMigration).Count
`),
      env: { HOME: undefined, TEMP: undefined, TMP: undefined, TMPDIR: undefined },
    });
    expect([stdout.trim(), stderr]).toEqual([String(cmdlets.length), '']);
    expect(fake.core.pids()).toEqual([]);
  });
});
