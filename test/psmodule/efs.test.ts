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
    $script:efs = @{ here = $true; installed = @(); set = @(); current = ''; removed = 0; refuses = $false }
    function script:Test-SPEfsHere { $script:efs['here'] }
    function script:Test-SPInstalledKey($Thumbprint) { $script:efs['installed'] -contains $Thumbprint }
    function script:Set-SPEfsKey($Thumbprint) {
        if ($script:efs['refuses']) { [void][System.IO.File]::ReadAllText('/no/such/file') }
        $script:efs['set'] += $Thumbprint
    }
    function script:Get-SPEfsKey { $script:efs['current'] }
    function script:Remove-SPEfsKey {
        if ($script:efs['refuses']) { [void][System.IO.File]::ReadAllText('/no/such/file') }
        $script:efs['current'] = ''; $script:efs['removed']++
    }
    function script:Remove-SPStoreCertificate { }
    function script:Install-SPCertificate { $script:efs['installed'] += '${THUMBPRINT}'; '${THUMBPRINT}' }
}
function Set-Double([hashtable] $values) { & (Get-Module SPMigration) { foreach ($k in $args[0].Keys) { $script:efs[$k] = $args[0][$k] } } $values }
function Get-Double($name) { & (Get-Module SPMigration) { $script:efs[$args[0]] } $name }
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

  it('that does not follow what was enabled is told, with the step that is missing', async () => {
    const enabled = { ...sampleOf('Feature'), feature: 'Efs' };
    fake.script({
      ...change('feature-enable', 'Feature'),
      'feature-enable:apply': [result('Feature', enabled)],
    });
    const enabling = `$null = ${enable}`;
    const told = await session.invoke(enabling);
    expect(told.errors).toEqual([]);
    expect(told.warnings).toEqual([
      'Windows does not encrypt files for Anna yet: its certificate is not in the certificate store. ' +
        'Install-SPMigrationCredential puts it there.',
    ]);
    // Elsewhere, and for other features, there is nothing to say.
    const rehearsal = await session.invoke(`Set-Double @{ here = $false }; ${enabling}`);
    expect(rehearsal.warnings).toEqual([]);
    fake.script({
      ...change('feature-enable', 'Feature'),
      'feature-enable:apply': [result('Feature', { ...enabled, feature: 'SecureEmail' })],
    });
    const other = await session.invoke(
      `Set-Double @{ here = $true }; ${enabling.replace('Efs', 'SecureEmail')}`,
    );
    expect([other.errors, other.warnings]).toEqual([[], []]);
  });

  describe('with the feature disabled', () => {
    const disable = '$null = Disable-SPMigrationFeature -Feature Efs -Password $s';
    const answers = {
      'feature-disable:plan': [plan('p1')],
      'feature-disable:apply': [
        result('Feature', {
          feature: 'Efs',
          enabled: false,
          credential: null,
          label: null,
          thumbprint: null,
        }),
      ],
      'credential-list': [
        result('Credential', { ...sampleOf('Credential'), label: 'Mail', thumbprint: 'FF' }),
        result('Credential', { ...sampleOf('Credential'), label: 'Anna', thumbprint: THUMBPRINT }),
      ],
    };

    it('is left as it is, and that is told', async () => {
      fake.script(answers);
      const { errors, warnings } = await session.invoke(
        `Set-Double @{ current = '${THUMBPRINT}' }; ${disable}`,
      );
      expect(errors).toEqual([]);
      expect(warnings).toEqual([
        'Windows goes on encrypting new files for Anna, whose certificate is in the certificate store. ' +
          'Enable another credential for Efs to change that; Remove-SPMigrationCredential takes it out.',
      ]);
      expect((await session.invoke('Get-Double current; Get-Double removed')).output).toEqual([
        THUMBPRINT,
        0,
      ]);
    });

    it.each([
      ['has no key', "@{ current = '' }"],
      ['has a key of somebody else', "@{ current = 'AB' }"],
      ['is a rehearsal’s', `@{ here = $false; current = '${THUMBPRINT}' }`],
    ])('is nobody’s business where it %s', async (_, doubles) => {
      fake.script(answers);
      const { errors, warnings } = await session.invoke(`Set-Double ${doubles}; ${disable}`);
      expect([errors, warnings]).toEqual([[], []]);
    });
  });

  describe('with its credential removed', () => {
    const remove = '$null = Remove-SPMigrationCredential Anna -Password $s -Force';
    const removal = (...uninstall: readonly string[]): Record<string, readonly Act[]> => ({
      'credential-remove:plan': [plan('p1')],
      'credential-remove:apply': [
        result('CredentialRemoval', { ...sampleOf('CredentialRemoval'), uninstall }),
      ],
      'credential-uninstalled': [result('Uninstallation', { uninstalled: uninstall })],
    });

    it.each([
      ['names none any more', `@{ current = '${THUMBPRINT}' }`, ['', 1]],
      ['keeps another one', "@{ current = 'AB' }", ['AB', 0]],
      ['is left alone in a rehearsal', `@{ here = $false; current = '${THUMBPRINT}' }`, [THUMBPRINT, 0]],
    ])('%s', async (_, doubles, left) => {
      fake.script(removal('EE', THUMBPRINT));
      const { errors } = await session.invoke(`Set-Double ${doubles}; ${remove}`);
      expect(errors).toEqual([]);
      expect((await session.invoke('Get-Double current; Get-Double removed')).output).toEqual(left);
    });

    it('keeps one that is not in the certificate store at all', async () => {
      fake.script(removal());
      await session.invoke(`Set-Double @{ current = '${THUMBPRINT}' }; ${remove}`);
      expect((await session.invoke('Get-Double removed')).output).toEqual([0]);
    });

    it('that stays is an error, and the certificate is out all the same', async () => {
      fake.script(removal(THUMBPRINT));
      const { errors } = await session.invoke(
        `Set-Double @{ current = '${THUMBPRINT}'; refuses = $true }; ${remove}`,
      );
      expect(errors).toMatchObject([
        { id: 'StorageFailed,Remove-SPMigrationCredential', target: THUMBPRINT },
      ]);
      expect(errors[0]?.message).toContain('CurrentKeys');
      expect(fake.core.asked().map(({ operation }) => operation)).toContain('credential-uninstalled');
    });
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
