/**
 * The pipelines that the product promises (design page 4) with the built module and the quick executable: two rehearsal
 * computers of one fleet authority, a CSV of fingerprints, grants into exports, archives into tests into imports, credentials
 * into features and into the certificate store and back. Each step uses what the one before left.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quickModule } from '../testkit/quick-executable.ts';
import { openSession, type PowerShellSession, type SessionResult } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';
import { has } from '../testkit/requirement.ts';
import { windowsLane } from '../testkit/windows/lane.ts';
import { emptyCertificateStore, storeDoubles } from '../testkit/windows/store.ts';

const onWindows = windowsLane() !== undefined;

const PRELUDE = String.raw`
Import-Module -Name ([System.IO.Path]::Combine($data.module, 'SPMigration.psd1'))
Set-Location -LiteralPath $data.folder
function ConvertTo-Secret([string] $text) {
    $secret = [securestring]::new()
    foreach ($character in $text.ToCharArray()) { $secret.AppendChar($character) }
    $secret
}
$owner = ConvertTo-Secret 'Owner Pässwörd'
$p = ConvertTo-Secret 'Basic User Pässwörd'
$pfxPassword = ConvertTo-Secret 'from-file'
function Switch-Computer([string] $name) {
    [System.Environment]::SetEnvironmentVariable('SPMIGRATION_HOME', [System.IO.Path]::Combine($pwd.ProviderPath, $name))
}
function Get-Store {
    $store = [System.Security.Cryptography.X509Certificates.X509Store]::new('My', 'CurrentUser')
    $store.Open('ReadOnly'); $store.Certificates; $store.Dispose()
}`;

describe.skipIf(!havePowerShell() || !has('openssl'))('pipeline', { timeout: 120_000 }, () => {
  let folder: string;
  let session: PowerShellSession;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'spmigration p\u00efpes '));
    for (const name of ['PC-A', 'PC-B', 'PC-C', 'home', 'archives', 'identities'])
      mkdirSync(join(folder, name), { mode: 0o700 });
    for (const name of ['anna', 'old']) makePfx(folder, name);
    emptyCertificateStore();
    session = await openSession({ env: { HOME: join(folder, 'home') }, timeoutMs: 110_000 });
    const prelude = `${PRELUDE}\n${storeDoubles}`;
    const { errors } = await session.invoke(prelude, { module: await quickModule(), folder });
    expect(errors).toEqual([]);
  }, 240_000);
  afterAll(async () => {
    await session.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a script on one computer and expects no error. */
  async function on<T = Record<string, unknown>>(
    computer: string,
    script: string,
    data?: unknown,
  ): Promise<SessionResult<T>> {
    const outcome = await session.invoke<T>(`Switch-Computer ${computer}\n${script}`, data);
    expect(outcome.errors).toEqual([]);
    return outcome;
  }

  it('of a fleet and its users sets everything up', async () => {
    const { output } = await on(
      'PC-A',
      `$authority = New-SPMigrationAuthority -Path . -Name Fleet -OwnerPassword $owner
       foreach ($name in 'PC-A', 'PC-B', 'PC-C') {
           Switch-Computer $name
           $null = Initialize-SPMigrationPlatform -AuthorityPath $authority.PublicPath
       }
       Switch-Computer PC-A
       $null = Initialize-SPMigrationUser -Password $p
       Get-SPMigrationStatus`,
    );
    expect(output).toMatchObject([
      { Computer: 'PC-A', Authority: 'Fleet', UserInitialized: true, Rehearsal: true },
    ]);
  });

  it('of files adds each of their keys', async () => {
    const { output } = await on<{ Label: string; Change: string }>(
      'PC-A',
      `Get-ChildItem *.pfx | Add-SPMigrationCredential -PfxPassword $pfxPassword -Password $p`,
    );
    expect(output.map(({ Label, Change }) => `${Label} ${Change}`)).toEqual(['anna Added', 'old Added']);
  });

  it('of retained credentials enables them', async () => {
    const { output } = await on<{ Label: string }>(
      'PC-A',
      `Get-SPMigrationCredential | Where-Object State -eq Retained | Enable-SPMigrationFeature -Feature Efs -Password $p`,
    );
    expect(output.map(({ Label }) => Label).sort()).toEqual(['anna', 'old']);
    // The older one once more, whichever came last: it can be made active again at any time.
    const { output: states } = await on<{ Label: string; State: string }>(
      'PC-A',
      `$null = Get-SPMigrationCredential old | Enable-SPMigrationFeature Efs -Password $p
       Get-SPMigrationCredential`,
    );
    expect(states.map(({ Label, State }) => `${Label} ${State}`).sort()).toEqual([
      'anna Retained',
      'old Active',
    ]);
  });

  it('of a CSV with fingerprints grants each destination, and refuses one that does not match', async () => {
    const outcome = await session.invoke<{ Destination: string }>(
      `$rows = foreach ($name in 'PC-B', 'PC-C') {
           Switch-Computer $name
           $identity = Export-SPMigrationIdentity -Path identities
           $fingerprint = $identity.Fingerprint
           if ($name -eq 'PC-C') { $fingerprint = $fingerprint -replace '^....', 'ffff' }
           "$($identity.Path),$fingerprint,*"
       }
       [System.IO.File]::WriteAllLines([System.IO.Path]::Combine($pwd.ProviderPath, 'fingerprints.csv'), @('Path,Fingerprint,User') + $rows)
       Switch-Computer PC-A
       Import-Csv .\\fingerprints.csv | Grant-SPMigrationAccess -OwnerPassword $owner -ValidUntil (Get-Date).AddDays(14) -Force -AuthorityPath ./Fleet.spauthority -OutputPath .`,
    );
    expect(outcome.output).toMatchObject([{ Destination: 'PC-B', State: 'Valid' }]);
    expect(outcome.errors).toMatchObject([
      { id: 'FingerprintMismatch,Grant-SPMigrationAccess', terminating: false },
    ]);
  });

  it('of an identity object does not count as a comparison of fingerprints', async () => {
    const { warnings, output } = await on(
      'PC-A',
      `Get-SPMigrationIdentity -Path identities/PC-C.spid |
           Grant-SPMigrationAccess -OwnerPassword $owner -Force -AuthorityPath ./Fleet.spauthority -OutputPath identities`,
    );
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('was not compared');
    expect(output).toMatchObject([{ Destination: 'PC-C' }]);
  });

  it('of grants exports to their destinations', async () => {
    const { output } = await on<{ Path: string; Destination: string }>(
      'PC-A',
      `Get-SPMigrationAccess -Destination PC-B -GrantPath . | Export-SPMigration -Path archives -Password $p`,
    );
    expect(output).toMatchObject([{ Destination: 'PC-B', Credentials: 2 }]);
  });

  it('of archives tests them and imports those that fit', async () => {
    await on(
      'PC-A',
      `Get-SPMigrationAccess -Destination PC-C -GrantPath identities | Export-SPMigration -Path archives -Password $p`,
    );
    const { output } = await on(
      'PC-B',
      `Get-ChildItem archives/*.sparc | Test-SPMigrationArchive -ForThisComputer -Detailed | Where-Object Fits | Import-SPMigration -Password $p -EnableFeature`,
    );
    expect(output).toMatchObject([{ Case: 'Install', FeaturesActive: ['Efs'], SourceComputer: 'PC-A' }]);
    const { output: tested } = await on<boolean>(
      'PC-B',
      'Test-SPMigrationArchive archives/*.sparc -ForThisComputer',
    );
    expect(tested).toEqual([true, false]);
  });

  it('of features installs their credentials in the certificate store', async () => {
    const { output } = await on(
      'PC-B',
      `Get-SPMigrationFeature | Where-Object Enabled | Install-SPMigrationCredential -Password $p -AllowUnprotectedStore`,
    );
    expect(output).toMatchObject([{ Label: 'old', Installed: true }]);
    const { output: subjects } = await on(
      'PC-B',
      'Get-Store | ForEach-Object { "$($_.Subject) $($_.HasPrivateKey)" }',
    );
    expect(subjects).toEqual(['CN=old True']);
  });

  // Wine's store gives no private key back.
  it.skipIf(onWindows)('of certificates of the store adds their keys, known ones as Unchanged', async () => {
    const { output } = await on('PC-B', 'Get-Store | Add-SPMigrationCredential -Password $p');
    expect(output).toMatchObject([{ Label: 'old', Change: 'Unchanged' }]);
  });

  it('of credentials removes them and takes them out of the store', async () => {
    const { output } = await on<number>(
      'PC-B',
      `$null = Disable-SPMigrationFeature Efs -Password $p
       $null = Get-SPMigrationCredential | Remove-SPMigrationCredential -Password $p -Force
       @(Get-SPMigrationCredential).Count; @(Get-Store).Count`,
    );
    // Wine's store forgets that something was removed.
    expect(output).toEqual([0, onWindows ? 1 : 0]);
  });

  it('of archives removes them', async () => {
    const { output } = await on(
      'PC-B',
      'Get-SPMigrationArchive archives/*.sparc | Remove-SPMigrationArchive -Force; @(Get-ChildItem archives).Count',
    );
    expect(output).toMatchObject([{}, {}, 0]);
  });
});

function makePfx(folder: string, name: string): void {
  const at = (ending: string) => join(folder, `${name}.${ending}`);
  const run = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  run(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    at('key'),
    '-out',
    at('pem'),
    '-subj',
    `/CN=${name}`,
  );
  run(
    'pkcs12',
    '-export',
    '-inkey',
    at('key'),
    '-in',
    at('pem'),
    '-name',
    name,
    '-out',
    at('pfx'),
    '-passout',
    'pass:from-file',
  );
  rmSync(at('key'));
}
