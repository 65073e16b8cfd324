/**
 * The event log on a Windows that is no rehearsal: the source that the platform gets, as Windows' own program for the registry reads
 * it, and that changes go through .NET's event log without a word of complaint. Wine says that it has written an event and keeps
 * none: what is written is in test/psmodule/event-log.test.ts, and how it shows in docs/windows-checklist.md.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { builtModule } from '../testkit/executable.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { WINDOWS_USER } from '../../scripts/windows/lane.ts';
import { haveWindows, windowsPath } from '../testkit/windows/lane.ts';
import { removeRealPlatform } from '../testkit/windows/real.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';
import { reg, regQuery } from '../testkit/windows/store.ts';
import { windowsSid } from '../testkit/windows/user.ts';

const source = String.raw`HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\SPMigration`;

describe.skipIf(!haveWindows())('the event log', { timeout: 120_000 }, () => {
  let session: PowerShellSession;

  beforeEach(async () => {
    await removeRealPlatform();
    reg('delete', source, '/f');
    session = await openSession({ env: { SPMIGRATION_HOME: undefined } });
    const { errors } = await session.invoke(
      `Import-Module -Name $data
       $s = ConvertTo-SecureString -String 'the owner of this computer' -AsPlainText -Force`,
      windowsPath(join(await builtModule(), 'SPMigration.psd1')),
    );
    expect(errors).toEqual([]);
  });
  afterEach(async () => {
    await session.close();
    await removeRealPlatform();
    reg('delete', source, '/f');
  });

  it('gets its source with the platform, is told nothing before, and takes changes and refusals after', async () => {
    const folder = windowsPath(await makeWindowsFolder());
    const before = await session.invoke<{ readonly Path: string }>(
      `New-SPMigrationAuthority -Path $data -Name Before -OwnerPassword $s -Verbose`,
      folder,
    );
    expect([before.output.length, before.errors, before.warnings]).toEqual([1, [], []]);
    expect(before.verbose.filter((line) => line.includes('event log'))).toEqual([
      'Nothing is written to the event log of Windows: its log Application has no source SPMigration.',
    ]);

    const planned = await session.invoke('Initialize-SPMigrationPlatform -OwnerPassword $s -WhatIf');
    expect(planned.text).toContain(
      'The event log of Windows gets the source SPMigration in its log Application',
    );
    expect(regQuery(source)).toEqual({});

    const { output, errors, warnings } = await session.invoke(
      'Initialize-SPMigrationPlatform -OwnerPassword $s',
    );
    expect([output.length, errors, warnings]).toEqual([1, [], []]);
    expect(regQuery(source)).toEqual({
      EventMessageFile: [
        'REG_EXPAND_SZ',
        String.raw`%SystemRoot%\Microsoft.NET\Framework64\v4.0.30319\EventLogMessages.dll`,
      ],
      TypesSupported: ['REG_DWORD', '0x7'],
    });

    const after = await session.invoke('Initialize-SPMigrationUser -Password $s -Verbose');
    expect([after.output.length, after.errors, after.warnings]).toEqual([1, [], []]);
    expect(after.verbose.filter((line) => line.includes('event log'))).toEqual([]);
    const refused = await session.invoke('Initialize-SPMigrationPlatform -OwnerPassword $s');
    expect(refused.errors).toMatchObject([
      { id: 'PlatformAlreadyInitialized,Initialize-SPMigrationPlatform' },
    ]);
    expect(refused.warnings).toEqual([]);

    const account = await session.invoke('& (Get-Module SPMigration) { Get-SPEventAccount }');
    expect(account.output).toEqual([
      {
        Id: windowsSid,
        Name: expect.stringMatching(new RegExp(String.raw`^[^\\]+\\${WINDOWS_USER}$`)) as string,
      },
    ]);
  });
});
