/**
 * What the module writes to the event log of Windows (docs/spec/event-log.md): which changes are told, with which number, type
 * and strings; names from files are event-text.test.ts's. The log, the registry and the account are
 * doubles here, and the core is a fake. Wine's event log takes everything and keeps nothing, so what a real one shows stands in
 * docs/windows-checklist.md; the registry of the source is in test/windows/event-log.test.ts.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { VERSION } from '../../core/src/version.ts';
import { makeCertificate } from '../testkit/certificates.ts';
import {
  LOG_DOUBLES,
  access,
  change,
  grant,
  grantTwo,
  logSecret,
  type WrittenEvent,
} from '../testkit/event-log.ts';
import type { Act } from '../testkit/fake-core.ts';
import { failure, makeFakeModule, plan, result, type FakeModule } from '../testkit/fake-module.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';
import { sampleOf } from '../testkit/result-samples.ts';

describe.skipIf(!havePowerShell())('the event log of Windows', { timeout: 120_000 }, () => {
  let fake: FakeModule;
  let session: PowerShellSession;

  beforeAll(async () => {
    fake = await makeFakeModule();
    session = await openSession({ env: { SPMIGRATION_HOME: undefined } });
  });
  beforeEach(async () => {
    expect((await session.invoke(LOG_DOUBLES, fake.manifest)).errors).toEqual([]);
  });
  afterAll(async () => {
    await session.close();
    fake.remove();
  });

  const written = async (): Promise<readonly WrittenEvent[]> =>
    (await session.invoke<WrittenEvent>(`Get-Log written`)).output;
  /** ShouldProcess says what it does as well. */
  const ofTheLog = (lines: readonly string[]): readonly string[] =>
    lines.filter((line) => line.includes('event log'));

  it('gets one event for a change: who did what to what, and the ids in the result', async () => {
    const planned = plan('p1', { action: 'Grant access', target: 'PC-B, fingerprint 0123 4567' });
    fake.script(change('access-grant', access(), planned));
    const { output, errors, warnings, verbose } = await session.invoke(`${grant} -Verbose`);
    expect([output.length, errors, warnings, ofTheLog(verbose)]).toEqual([1, [], [], []]);
    const ids = [
      'Serial: 00112233445566778899aabbccddeeff',
      'Destination: PC-B',
      'Fingerprint: 0123 4567',
      'AuthorityFingerprint: 89ab cdef',
      String.raw`Path: C:\Grants\PC-B.spgrant`,
    ];
    expect(await written()).toEqual([
      {
        number: 1020,
        type: 'Information',
        text: [
          [
            'Grant access: PC-B, fingerprint 0123 4567',
            'Operation: access-grant, by Grant-SPMigrationAccess',
            String.raw`Account: CONTOSO\anna, S-1-5-21-1-2-3-1001`,
            ...ids,
          ].join('\r\n'),
          'access-grant',
          'Grant-SPMigrationAccess',
          'PC-B, fingerprint 0123 4567',
          '',
          String.raw`CONTOSO\anna`,
          'S-1-5-21-1-2-3-1001',
          VERSION,
          ...ids,
        ],
      },
    ]);
  });

  it.each([
    ['DestinationNotAttested', 'PermissionDenied', 'Warning'],
    ['ArchiveDamaged', 'InvalidData', 'Warning'],
    ['ChipLost', 'DeviceError', 'Error'],
    ['StorageFailed', 'WriteError', 'Error'],
  ])('gets one event for a change that ends with %s', async (code, category, type) => {
    const planned = plan('p1', { action: 'Grant access', target: 'PC-B' });
    const message = `The fact of\n${code}.`;
    fake.script(change('access-grant', failure(code, category, { message }), planned));
    await session.invoke(`try { $null = ${grant} 2>$null } catch { }`);
    const [event, ...others] = await written();
    expect(others).toEqual([]);
    expect(event).toMatchObject({ number: 2020, type });
    expect(event?.text[0]?.split('\r\n')).toEqual([
      'Not done: Grant access: PC-B',
      `${code}: The fact of\ufffd${code}.`,
      'Operation: access-grant, by Grant-SPMigrationAccess',
      String.raw`Account: CONTOSO\anna, S-1-5-21-1-2-3-1001`,
    ]);
    expect(event?.text.slice(1, 5)).toEqual(['access-grant', 'Grant-SPMigrationAccess', 'PC-B', code]);
  });

  it('gets what is refused before there is a plan, under the name of the item', async () => {
    fake.script({ 'export:plan': [failure('DestinationNotAuthorized', 'PermissionDenied')] });
    await session.invoke('Export-SPMigration -Path /a -Destination PC-X -Password $s 2>$null');
    const [event] = await written();
    expect(event).toMatchObject({ number: 2060, type: 'Warning' });
    expect(event?.text.slice(3, 5)).toEqual(['PC-X', 'DestinationNotAuthorized']);
    expect(event?.text[0]).toContain('Not done: export: PC-X');
  });

  it('gets what the module itself refuses', async () => {
    fake.script(change('access-grant', access()));
    await session.invoke(
      "try { Grant-SPMigrationAccess -LiteralPath /a.spid -Fingerprint '01' -Force } catch { }",
    );
    expect(await written()).toMatchObject([{ number: 2020, type: 'Warning' }]);
    expect((await written())[0]?.text[4]).toBe('OwnerPasswordRequired');
  });

  it('gets an event for each item of a pipeline, in their order', async () => {
    fake.script({
      'access-grant:plan': [plan('p1')],
      'access-grant:apply': [access()],
    });
    await session.invoke(`$null = ${grantTwo}`);
    expect((await written()).map(({ number }) => number)).toEqual([1020, 1020]);
  });

  it('has the event before whoever takes the first result ends the pipeline', async () => {
    fake.script(change('access-grant', access()));
    const { output } = await session.invoke(`(${grant} | Select-Object -First 1).Destination`);
    expect(output).toEqual(['PC-B']);
    expect(await written()).toHaveLength(1);
  });

  it.each([
    ['a question', 'Get-SPMigrationStatus', { status: [result('Status', sampleOf('Status'))] }],
    ['-WhatIf', `${grant} -WhatIf`, { 'access-grant:plan': [plan('p1')] }],
    [
      '-WhatIf of what will be refused',
      `${grant} -WhatIf`,
      { 'access-grant:plan': [failure('DestinationNotAttested', 'PermissionDenied')] },
    ],
    [
      'a file that is not there',
      `Grant-SPMigrationAccess -Path '/no/such/*' -OwnerPassword $s`,
      { 'access-grant:plan': [plan('p1')] },
    ],
  ] as const)('gets nothing for %s', async (_, command, answers) => {
    fake.script(answers);
    await session.invoke(`$null = ${command} 2>$null`);
    expect(await written()).toEqual([]);
  });

  it('does not take a later item that was not found for a refusal of the one before', async () => {
    fake.script(change('access-grant', access()));
    const { errors } = await session.invoke(
      `$null = [pscustomobject]@{ Path = $data }, [pscustomobject]@{ Path = '/no/such/*' } | Grant-SPMigrationAccess -OwnerPassword $s -Fingerprint '01' -Force`,
      fake.manifest,
    );
    expect(errors.map(({ id }) => id)).toEqual(['FileNotFound,Grant-SPMigrationAccess']);
    expect((await written()).map(({ number }) => number)).toEqual([1020]);
  });

  it('says once that there is no source, and only where it is asked for', async () => {
    fake.script(change('access-grant', access()));
    const quiet = await session.invoke(`Set-Log @{ source = $false }; $null = ${grantTwo}`);
    expect([quiet.errors, quiet.warnings, quiet.verbose, quiet.text]).toEqual([[], [], [], '']);
    const told = await session.invoke(`$null = ${grantTwo} -Verbose`);
    expect(ofTheLog(told.verbose)).toEqual([
      'Nothing is written to the event log of Windows: its log Application has no source SPMigration.',
    ]);
    expect((await session.invoke('Get-Log asked')).output).toEqual([2]);
    expect(await written()).toEqual([]);
  });

  it('says why the source cannot be looked for, and goes on', async () => {
    fake.script(change('access-grant', access()));
    const { output, errors, verbose } = await session.invoke(
      `Set-Log @{ unreadable = $true }; ${grant} -Verbose`,
    );
    expect([output.length, errors]).toEqual([1, []]);
    expect(ofTheLog(verbose)).toEqual([expect.stringMatching(/^Nothing is written to .*: .*such/)]);
  });

  it('that takes no event is a warning, once, and the change is done', async () => {
    fake.script(change('access-grant', access()));
    const { output, errors, warnings } = await session.invoke(`Set-Log @{ refuses = $true }; ${grantTwo}`);
    expect([output.length, errors]).toEqual([2, []]);
    expect(warnings).toEqual([
      expect.stringMatching(/^The event log of Windows did not take an event of this: .*such/),
    ]);
  });

  it('is not looked for outside of Windows, and not in a rehearsal', async () => {
    const { output } = await session.invoke(
      `Import-Module -Name $data -Force
       & (Get-Module SPMigration) { Test-SPEventLogHere; $env:SPMIGRATION_HOME = '/x'; Test-SPEventLogHere; $env:SPMIGRATION_HOME = $null }`,
      fake.manifest,
    );
    expect(output).toEqual([process.platform === 'win32', false]);
  });

  describe('with the platform', () => {
    const initialize = 'Initialize-SPMigrationPlatform -OwnerPassword $s';
    const status = (): Act =>
      result('Status', { ...sampleOf('Status'), platformId: 'abab', fingerprint: '0123' });

    it('gets its source, as the plan says, and the first event', async () => {
      fake.script(change('platform-initialize', status()));
      const shown = await session.invoke(`Set-Log @{ source = $false }; ${initialize} -WhatIf`);
      expect(shown.text).toContain('The event log of Windows gets the source SPMigration');
      expect((await session.invoke('Get-Log registered')).output).toEqual([0]);
      const { errors, warnings } = await session.invoke(`$null = ${initialize}`);
      expect([errors, warnings]).toEqual([[], []]);
      expect((await session.invoke('Get-Log registered')).output).toEqual([1]);
      const [event] = await written();
      expect(event).toMatchObject({ number: 1001, type: 'Information' });
      expect(event?.text).toContain('PlatformId: abab');
    });

    it('gets none in a rehearsal', async () => {
      fake.script(change('platform-initialize', status()));
      const { text } = await session.invoke(
        `Set-Log @{ here = $false; source = $false }; $null = ${initialize}; ${initialize} -WhatIf`,
      );
      expect(text).not.toContain('event log');
      expect((await session.invoke('Get-Log registered')).output).toEqual([0]);
      expect(await written()).toEqual([]);
    });

    it('that cannot get one is there all the same, with a warning', async () => {
      fake.script(change('platform-initialize', status()));
      const { output, errors, warnings } = await session.invoke(
        `Set-Log @{ source = $false; refuses = $true }; ${initialize}`,
      );
      expect([output.length, errors]).toEqual([1, []]);
      expect(warnings).toEqual([
        expect.stringMatching(/^The source SPMigration could not be registered .*such/),
      ]);
    });
  });

  it('gets what is installed, and a key of the store that cannot be exported', async () => {
    fake.script({
      'credential-list': [
        result('Credential', { ...sampleOf('Credential'), label: 'Anna', credential: 'c1' }),
      ],
      'credential-install': [
        { record: { t: 'secret', name: 'pfx', bytes: 1 } },
        { raw: 'AA==' },
        result('InstallableCredential', { credential: 'c1', label: 'Anna', thumbprint: 'AB' }),
      ],
      'credential-installed': [
        result('Credential', { ...sampleOf('Credential'), credential: 'c1', thumbprint: 'AB' }),
      ],
    });
    const { errors } = await session.invoke(
      `& (Get-Module SPMigration) { function script:Install-SPCertificate { 'AB' } }
       $null = Install-SPMigrationCredential Anna -Password $s`,
    );
    expect(errors).toEqual([]);
    const [event, ...others] = await written();
    expect(others).toEqual([]);
    expect(event).toMatchObject({ number: 1043, type: 'Information' });
    expect(event?.text.slice(1, 4)).toEqual(['credential-install', 'Install-SPMigrationCredential', 'Anna']);
    expect(event?.text).toContain('Thumbprint: AB');
    const { certificate } = await makeCertificate('CN=Anna');
    await session.invoke(
      `Set-Log @{ written = @() }
       $bytes = [System.Convert]::FromBase64String($data)
       $certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($bytes)
       Add-SPMigrationCredential -Certificate $certificate -Password $s 2>$null`,
      Buffer.from(certificate).toString('base64'),
    );
    expect(await written()).toMatchObject([{ number: 2041, type: 'Warning' }]);
    expect((await written())[0]?.text[4]).toBe('PfxWithoutKey');
  });

  it('never gets a secret, nor a transfer code', async () => {
    fake.script(change('export', result('Archive', { ...sampleOf('Archive'), archive: 'a1' })));
    const { output } = await session.invoke<string>(
      `$a = Export-SPMigration -Path /a -Destination PC-B -Password $s -NewTransferCode
       [System.Net.NetworkCredential]::new('', $a.TransferCode).Password`,
    );
    const [code = ''] = output;
    expect(code).toMatch(/^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/);
    const events = JSON.stringify(await written());
    expect(events).toContain('Archive: a1');
    for (const secret of [logSecret, code, code.replaceAll('-', '')]) expect(events).not.toContain(secret);
  });
});
