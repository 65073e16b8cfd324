/**
 * The active credential of the feature Efs becomes the one that Windows' file encryption uses, if it is in the certificate
 * store, and only then. The registry and the system are doubles here, and the core is a fake; what only a real Windows can
 * show stands in docs/windows-checklist.md.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Act } from '../testkit/fake-core.ts';
import { failure, makeFakeModule, plan, result, type FakeModule } from '../testkit/fake-module.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';
import { sampleOf } from '../testkit/result-samples.ts';

const THUMBPRINT = '00112233445566778899AABBCCDDEEFF01234567';
const DOUBLES = String.raw`
Import-Module -Name $data -Force
$s = [securestring]::new(); $s.AppendChar('x')
& (Get-Module SPMigration) {
    $script:efs = @{ here = $true; installed = @(); set = @(); refuses = $false }
    function script:Test-SPEfsHere { $script:efs['here'] }
    function script:Test-SPInstalledKey($Thumbprint) { $script:efs['installed'] -contains $Thumbprint }
    function script:Set-SPEfsKey($Thumbprint) {
        if ($script:efs['refuses']) { [void][System.IO.File]::ReadAllText('/no/such/file') }
        $script:efs['set'] += $Thumbprint
    }
    function script:Install-SPCertificate { $script:efs['installed'] += '${THUMBPRINT}'; '${THUMBPRINT}' }
}
function Set-Double([hashtable] $values) { & (Get-Module SPMigration) { foreach ($k in $args[0].Keys) { $script:efs[$k] = $args[0][$k] } } $values }
function Get-EfsKey { & (Get-Module SPMigration) { $script:efs['set'] } }`;

describe.skipIf(!havePowerShell())("Windows' file encryption", { timeout: 120_000 }, () => {
  let fake: FakeModule;
  let session: PowerShellSession;

  beforeAll(async () => {
    fake = await makeFakeModule();
    session = await openSession({ env: { SPMIGRATION_HOME: undefined } });
  });
  beforeEach(async () => {
    expect((await session.invoke(DOUBLES, fake.manifest)).errors).toEqual([]);
  });
  afterAll(async () => {
    await session.close();
    fake.remove();
  });

  const feature = (rest: Readonly<Record<string, unknown>> = {}): Act =>
    result('Feature', {
      feature: 'Efs',
      enabled: true,
      credential: 'c1',
      label: 'Anna',
      thumbprint: THUMBPRINT,
      ...rest,
    });
  const change = (operation: string, type: 'Feature' | 'ImportResult' | 'Undo', efs: Act = feature()) => ({
    [`${operation}:plan`]: [plan('p1')],
    [`${operation}:apply`]: [result(type, sampleOf(type))],
    'feature-list': [
      result('Feature', { feature: 'SecureEmail', enabled: true, thumbprint: 'FF' }),
      efs,
      result('Feature', { feature: 'SecureDrive', enabled: false, thumbprint: null }),
    ],
  });
  const enable = 'Enable-SPMigrationFeature Efs -Password $s';

  it.each([
    [enable, 'feature-enable', 'Feature'],
    ['Import-SPMigration -LiteralPath /a -Password $s -EnableFeature', 'import', 'ImportResult'],
    ['Undo-SPMigration -Password $s -Force', 'undo', 'Undo'],
  ] as const)('uses the installed credential after %s', async (command, operation, type) => {
    fake.script(change(operation, type));
    const { output, errors } = await session.invoke(
      `Set-Double @{ installed = '${THUMBPRINT}' }; $null = ${command}; Get-EfsKey`,
    );
    expect(errors).toEqual([]);
    expect(output).toEqual([THUMBPRINT]);
  });

  it('uses a credential that is active already once it is installed', async () => {
    fake.script({
      'credential-list': [result('Credential', { ...sampleOf('Credential'), thumbprint: THUMBPRINT })],
      'credential-install': [
        { record: { t: 'secret', name: 'pfx', bytes: 1 } },
        { raw: 'AA==' },
        result('InstallableCredential', { credential: 'c1', label: 'Anna', thumbprint: THUMBPRINT }),
      ],
      'credential-installed': [result('Credential', sampleOf('Credential'))],
      'feature-list': [feature()],
    });
    const { output, errors } = await session.invoke(
      '$null = Install-SPMigrationCredential Anna -Password $s; Get-EfsKey',
    );
    expect(errors).toEqual([]);
    expect(output).toEqual([THUMBPRINT]);
  });

  it.each([
    ['the credential is not in the store', '@{ installed = @() }', feature()],
    ['the system has no such file encryption', `@{ here = $false; installed = '${THUMBPRINT}' }`, feature()],
    ['the feature is off', `@{ installed = '${THUMBPRINT}' }`, feature({ enabled: false, thumbprint: null })],
    ['another credential is active', `@{ installed = '${THUMBPRINT}' }`, feature({ thumbprint: 'AB' })],
  ])('is left as it is where %s', async (_, doubles, efs) => {
    fake.script(change('feature-enable', 'Feature', efs));
    const { output, errors } = await session.invoke(
      `Set-Double ${doubles}; $null = ${enable}; @(Get-EfsKey).Count`,
    );
    expect(errors).toEqual([]);
    expect(output).toEqual([0]);
  });

  it.each([
    ['-WhatIf', { 'feature-enable:plan': [plan('p1')] }],
    [
      '',
      {
        'feature-enable:plan': [plan('p1')],
        'feature-enable:apply': [failure('EnvironmentBusy', 'ResourceExists')],
      },
    ],
  ] as const)('is left as it is by what changes nothing (%s)', async (option, answers) => {
    fake.script({ 'feature-list': [feature()], ...answers });
    const { output } = await session.invoke(
      `Set-Double @{ installed = '${THUMBPRINT}' }; $null = ${enable} ${option} 2>$null; @(Get-EfsKey).Count`,
    );
    expect(output).toEqual([0]);
    expect(fake.core.asked().map(({ operation }) => operation)).not.toContain('feature-list');
  });

  it('that cannot be told is an error, and the change itself stays done', async () => {
    fake.script(change('feature-enable', 'Feature'));
    const { output, errors } = await session.invoke(
      `Set-Double @{ installed = '${THUMBPRINT}'; refuses = $true }; ${enable}`,
    );
    expect(output).toHaveLength(1);
    expect(errors).toMatchObject([{ id: 'StorageFailed,Enable-SPMigrationFeature', target: 'Anna' }]);
    expect(errors[0]?.message).toContain('CurrentKeys');
  });

  it('is said only where it is asked for', async () => {
    fake.script(change('feature-enable', 'Feature'));
    const quiet = await session.invoke(`Set-Double @{ installed = '${THUMBPRINT}' }; $null = ${enable}`);
    expect(quiet).toMatchObject({ verbose: [], warnings: [], text: '' });
    const told = await session.invoke(`$null = ${enable} -Verbose`);
    expect(told.verbose.join()).toContain(THUMBPRINT);
  });

  it('is not looked for outside of Windows, and not in a rehearsal', async () => {
    const { output } = await session.invoke(
      `Import-Module -Name $data -Force
       & (Get-Module SPMigration) { Test-SPEfsHere; $env:SPMIGRATION_HOME = '/x'; Test-SPEfsHere; $env:SPMIGRATION_HOME = $null }`,
      fake.manifest,
    );
    expect(output).toEqual([process.platform === 'win32', false]);
  });

  it('gets the thumbprint as bytes', async () => {
    const { output } = await session.invoke(
      `& (Get-Module SPMigration) { $b = ConvertFrom-SPThumbprint -Thumbprint '${THUMBPRINT}'; $b.GetType().Name; $b -join ' ' }`,
    );
    expect(output).toEqual(['Byte[]', [...Buffer.from(THUMBPRINT, 'hex')].join(' ')]);
  });

  it('is asked of the store with the key, as the store really is', async () => {
    const { output, errors } = await session.invoke(
      `Import-Module -Name $data -Force
       & (Get-Module SPMigration) { Test-SPInstalledKey -Thumbprint '${THUMBPRINT}' }`,
      fake.manifest,
    );
    expect([output, errors]).toEqual([[false], []]);
  });
});
