/**
 * Credentials between the environment and the certificate store of the system: PKCS#12 under a one-time secret both ways,
 * in memory only, and out of the store again with the results that say so (design page 7, ruling 17). The core is a fake
 * with PKCS#12 files that openssl made; HOME is a folder of the test, so the store is its own.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Act } from '../testkit/fake-core.ts';
import { failure, makeFakeModule, plan, result, type FakeModule } from '../testkit/fake-module.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';
import { has } from '../testkit/requirement.ts';

describe.skipIf(!havePowerShell() || !has('openssl'))('certificates', { timeout: 120_000 }, () => {
  let fake: FakeModule;
  let session: PowerShellSession;
  let pfxPath: string;
  let thumbprint: string;

  beforeAll(async () => {
    fake = await makeFakeModule();
    mkdirSync(join(fake.folder, 'home'));
    const at = (name: string) => join(fake.folder, name);
    pfxPath = at('anna.pfx');
    const openssl = (...args: readonly string[]) =>
      execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      at('k.pem'),
      '-out',
      at('c.pem'),
      '-subj',
      '/CN=Anna',
    );
    openssl(
      'pkcs12',
      '-export',
      '-inkey',
      at('k.pem'),
      '-in',
      at('c.pem'),
      '-out',
      pfxPath,
      '-passout',
      'pass:from-file',
    );
    thumbprint = openssl('x509', '-in', at('c.pem'), '-noout', '-fingerprint', '-sha1')
      .toString()
      .replace(/.*=|:|\s/g, '');
    session = await openSession({ env: { HOME: at('home') } });
    await session.invoke(
      `Import-Module -Name $data
       $password = [securestring]::new(); $password.AppendChar('x')
       function Get-Store { $s = [System.Security.Cryptography.X509Certificates.X509Store]::new('My', 'CurrentUser')
           $s.Open('ReadOnly'); $s.Certificates; $s.Dispose() }`,
      fake.manifest,
    );
  });
  afterAll(async () => {
    await session.close();
    fake.remove();
  });

  const credential = (rest: Readonly<Record<string, unknown>> = {}): Act =>
    result('Credential', {
      credential: 'c1',
      label: 'Anna',
      subject: 'CN=Anna',
      thumbprint,
      features: [],
      installed: true,
      ...rest,
    });

  it('that are piped go to the core as PKCS#12 under 32 random bytes', async () => {
    fake.script({
      'credential-add:plan': [plan('p1')],
      'credential-add:apply': [credential({ change: 'Added' })],
    });
    const { errors, output } = await session.invoke<{ Change: string }>(
      `$c = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($data, 'from-file', 'Exportable')
       $c | Add-SPMigrationCredential -Password $password`,
      pfxPath,
    );
    expect(errors).toEqual([]);
    expect(output).toMatchObject([{ Change: 'Added' }]);
    const [planned, applied] = fake.core.asked();
    expect(planned?.parameters).toEqual({ origin: 'store', name: `CN=Anna (${thumbprint})` });
    expect(Object.keys(planned?.secrets ?? {}).sort()).toEqual(['password', 'pfx', 'pfxPassword']);
    expect(Buffer.from(planned?.secrets.pfxPassword ?? '', 'base64')).toHaveLength(32);
    expect(planned?.secrets.pfx?.charCodeAt(0)).toBe(0x30); // a DER sequence
    expect(applied?.secrets).toEqual({});
  });

  it('without an exportable or any private key are errors of their own, and the others go on', async () => {
    fake.script({ 'credential-add:plan': [plan('p1')], 'credential-add:apply': [credential()] });
    // On Linux every key can be exported, so one refuses as Windows' stores do.
    const { errors, output } = await session.invoke(
      `class Locked : System.Security.Cryptography.X509Certificates.X509Certificate2 {
           Locked([string] $path, [string] $password) : base($path, $password) { }
           [byte[]] Export([System.Security.Cryptography.X509Certificates.X509ContentType] $type, [string] $password) {
               throw [System.Security.Cryptography.CryptographicException]::new('Key not valid for use in specified state.')
           }
       }
       $type = [System.Security.Cryptography.X509Certificates.X509Certificate2]
       $type::new($data.pem), [Locked]::new($data.pfx, 'from-file'), $type::new($data.pfx, 'from-file', 'Exportable') |
           Add-SPMigrationCredential -Password $password`,
      { pfx: pfxPath, pem: join(fake.folder, 'c.pem') },
    );
    expect(errors).toMatchObject([
      { id: 'PfxWithoutKey,Add-SPMigrationCredential', category: 'InvalidData', target: thumbprint },
      { id: 'KeyNotExportable,Add-SPMigrationCredential', category: 'NotImplemented', target: thumbprint },
    ]);
    expect(output).toHaveLength(1);
  });

  it('that are installed are in the store with their key, and recorded', async () => {
    fake.script({
      'credential-list': [credential({ installed: false })],
      'credential-install': [
        { record: { t: 'secret', name: 'pfx', bytes: readFileSync(pfxPath).length } },
        { raw: readFileSync(pfxPath).toString('base64') },
        result('InstallableCredential', { credential: 'c1', label: 'Anna', thumbprint }),
      ],
      'credential-installed': [credential()],
    });
    // The fake core cannot seal a file under the module's secret, so the module is told the one of the file at hand.
    const { errors, output } = await session.invoke<{ Installed: boolean }>(
      `& (Get-Module SPMigration) { function script:New-SPOneTimeSecret { 'from-file' } }
       Install-SPMigrationCredential Anna -Password $password -AllowUnprotectedStore`,
    );
    expect(errors).toEqual([]);
    expect(output).toMatchObject([{ Installed: true }]);
    expect(fake.core.asked().slice(1)).toMatchObject([
      {
        operation: 'credential-install',
        secrets: { oneTimeSecret: 'from-file' },
        parameters: { credential: 'c1', allowUnprotectedStore: true },
      },
      { operation: 'credential-installed', mode: 'run', parameters: { credential: 'c1', thumbprint } },
    ]);
    const store = await session.invoke<string>(
      'Get-Store | ForEach-Object { "$($_.Thumbprint) $($_.HasPrivateKey)" }',
    );
    expect(store.output).toEqual([`${thumbprint} True`]);
  });

  it('are shown and not installed with -WhatIf', async () => {
    fake.script({ 'credential-list': [credential()] });
    const { text, errors } = await session.invoke('Install-SPMigrationCredential Anna -WhatIf');
    expect(errors).toEqual([]);
    expect(text).toContain(thumbprint);
    expect(fake.core.asked()).toHaveLength(1);
  });

  it('that the core does not hand out are not installed', async () => {
    fake.script({
      'credential-list': [credential()],
      'credential-install': [failure('StoreUnprotected', 'NotImplemented')],
    });
    const { errors } = await session.invoke('Install-SPMigrationCredential Anna -Password $password');
    expect(errors).toMatchObject([{ id: 'StoreUnprotected,Install-SPMigrationCredential' }]);
    expect(fake.core.asked()).toHaveLength(2);
  });

  const removed = (uninstall: readonly string[]) => ({
    'credential-remove:plan': [plan('p1', { impact: 'high' })],
    'credential-remove:apply': [result('CredentialRemoval', { credential: 'c1', label: 'Anna', uninstall })],
    'credential-uninstalled': [result('Uninstallation', { uninstalled: uninstall })],
  });
  const remove = 'Remove-SPMigrationCredential c1 -Password $password -Force';

  it('that stay in the store are errors, and stay recorded; the others are told to be out', async () => {
    const other = '00'.repeat(20);
    fake.script(removed([thumbprint, other]));
    const { errors, output } = await session.invoke<{ Uninstall: string[] }>(
      `& (Get-Module SPMigration) {
           function script:Remove-SPStoreCertificate($Thumbprint) {
               if ($Thumbprint -ne '${other}') { [void][System.IO.File]::ReadAllText('/no/such/store') }
           }
       }
       ${remove}
       Import-Module -Name $data -Force`,
      fake.manifest,
    );
    expect(errors).toMatchObject([
      { id: 'StorageFailed,Remove-SPMigrationCredential', target: thumbprint, terminating: false },
    ]);
    expect(output).toHaveLength(1);
    expect(fake.core.asked().slice(2)).toMatchObject([
      { operation: 'credential-uninstalled', mode: 'run', parameters: { thumbprint: [other] } },
    ]);
    expect((await session.invoke('@(Get-Store).Count')).output).toEqual([1]);
  });

  it('are taken out of the store with the result that names them, and recorded', async () => {
    fake.script(removed([thumbprint]));
    const { errors, output } = await session.invoke<{ Uninstall: string[] }>(remove);
    expect(errors).toEqual([]);
    expect(output[0]?.Uninstall).toEqual([thumbprint]);
    expect((await session.invoke('@(Get-Store).Count')).output).toEqual([0]);
    expect(fake.core.asked().slice(2)).toMatchObject([
      { operation: 'credential-uninstalled', mode: 'run', parameters: { thumbprint: [thumbprint] } },
    ]);
  });
});
