/**
 * One afternoon: three computers, each with its own PowerShell session, folders and certificate store; Anna, who moves from
 * PC-A to PC-B and on to PC-C; Ben, whose environment is on PC-C already; their owners. Passwords change in between, keys are
 * replaced, set aside, brought back, revoked, made anew and removed for good. After every step the state is asked for through
 * the module, and real letters (.NET's CMS) show that what was encrypted before can still be read.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtModule } from '../testkit/executable.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';

const PRELUDE = String.raw`
Import-Module -Name ([System.IO.Path]::Combine($data.module, 'SPMigration.psd1'))
Set-Location -LiteralPath $data.share
function Get-Secret([string] $text) { [System.Net.NetworkCredential]::new('', $text).SecurePassword }
$owner = Get-Secret "the owner of $($data.name)"
$anna = Get-Secret 'Annas Pässwörd 1'; $anna2 = Get-Secret 'Annas second Pässwörd'; $anna3 = Get-Secret 'Annas third, after the theft'
$ben = Get-Secret 'Bens password 漢字'
function Get-Store {
    $store = [System.Security.Cryptography.X509Certificates.X509Store]::new('My', 'CurrentUser')
    $store.Open('ReadOnly'); $store.Certificates; $store.Dispose()
}
# A letter for the credential with this name, as anybody who has the certificate could write it.
function Write-Letter([string] $name, [string] $text, [string] $file) {
    $thumbprint = (Get-SPMigrationCredential | Where-Object Label -eq $name).Thumbprint
    $certificate = Get-Store | Where-Object Thumbprint -eq $thumbprint
    $content = [System.Security.Cryptography.Pkcs.ContentInfo]::new([System.Text.Encoding]::UTF8.GetBytes($text))
    $letter = [System.Security.Cryptography.Pkcs.EnvelopedCms]::new($content)
    $letter.Encrypt([System.Security.Cryptography.Pkcs.CmsRecipient]::new($certificate))
    [System.IO.File]::WriteAllBytes([System.IO.Path]::Combine($pwd.ProviderPath, $file), $letter.Encode())
}
function Read-Letter([string] $file) {
    $letter = [System.Security.Cryptography.Pkcs.EnvelopedCms]::new()
    $letter.Decode([System.IO.File]::ReadAllBytes([System.IO.Path]::Combine($pwd.ProviderPath, $file)))
    $store = [System.Security.Cryptography.X509Certificates.X509Store]::new('My', 'CurrentUser')
    $store.Open('ReadOnly')
    $letter.Decrypt($store.Certificates)
    $store.Dispose()
    [System.Text.Encoding]::UTF8.GetString($letter.ContentInfo.Content)
}
# One line for each credential: name, state, features.
function Get-State { Get-SPMigrationCredential | Sort-Object -Property Label | ForEach-Object { "$($_.Label): $($_.State) $($_.Features -join ',')".Trim() } }
function Get-Identity([string] $name) { Get-SPMigrationIdentity -Path "$name.spid" }`;

type Name = 'PC-A' | 'PC-B' | 'PC-C';
const names: readonly Name[] = ['PC-A', 'PC-B', 'PC-C'];

describe.skipIf(!havePowerShell())('an afternoon', { timeout: 300_000 }, () => {
  let folder: string;
  const sessions = new Map<Name, PowerShellSession>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'spmigration afternoon '));
    const share = join(folder, 'share');
    mkdirSync(share);
    const module = await builtModule();
    for (const name of names) {
      const [home, state] = [join(folder, `home ${name}`), join(folder, name)];
      for (const one of [home, state]) mkdirSync(one, { mode: 0o700 });
      const session = await openSession({
        env: { HOME: home, SPMIGRATION_HOME: state, XDG_DATA_HOME: undefined },
        timeoutMs: 120_000,
      });
      sessions.set(name, session);
      expect((await session.invoke(PRELUDE, { module, share, name })).errors).toEqual([]);
      await on(name, '$null = Initialize-SPMigrationPlatform -OwnerPassword $owner');
      await on(name, '$null = Export-SPMigrationIdentity -Path .');
    }
  }, 240_000);
  afterAll(async () => {
    for (const session of sessions.values()) await session.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function sessionOf(name: Name): PowerShellSession {
    const session = sessions.get(name);
    if (session === undefined) throw new Error(`no session on ${name}`);
    return session;
  }

  /** What a script answers on one computer; no error. */
  async function on<T = string>(name: Name, script: string): Promise<readonly T[]> {
    const { output, errors } = await sessionOf(name).invoke<T>(script);
    expect([script, errors]).toEqual([script, []]);
    return output;
  }

  /** The error id that a script ends with, and that nothing came out. */
  async function refused(name: Name, script: string): Promise<string> {
    const { output, errors } = await sessionOf(name).invoke(script);
    expect(output).toEqual([]);
    return errors.map(({ id }) => id.split(',')[0] ?? '').join();
  }

  const state = (name: Name): Promise<readonly string[]> => on(name, 'Get-State');

  /** The owner of one computer grants another, having compared the fingerprint that its owner read out. */
  async function grant(from: Name, to: Name, more = ''): Promise<void> {
    const [fingerprint] = await on(to, '(Get-SPMigrationStatus).Fingerprint');
    await on(
      from,
      `$null = Grant-SPMigrationAccess -Path ${to}.spid -Fingerprint '${fingerprint ?? ''}' -OwnerPassword $owner -Force ${more}`,
    );
  }

  const exportTo = async (from: Name, to: Name, password: string, file: string): Promise<void> => {
    await on(from, `$null = Export-SPMigration -Path ${file} -Destination ${to} -Password ${password}`);
  };

  it('goes as its people would expect', async () => {
    // 1 Anna begins on PC-A: a certificate for mail and an old one for files.
    await on('PC-A', '$null = Initialize-SPMigrationUser -Password $anna');
    for (const [name, algorithm] of [
      ['Anna mail', 'RSA-3072'],
      ['Anna files 2025', 'RSA-3072'],
    ] as const) {
      await on(
        'PC-A',
        `$null = New-SPMigrationCredential -Subject 'Anna Müller' -FriendlyName '${name}' -Algorithm ${algorithm} -Password $anna`,
      );
    }
    await on(
      'PC-A',
      `$null = Enable-SPMigrationFeature -Feature SecureEmail -Credential 'Anna mail' -Password $anna
       $null = Enable-SPMigrationFeature -Feature Efs -Credential 'Anna files 2025' -Password $anna
       $null = Get-SPMigrationCredential | Install-SPMigrationCredential -Password $anna -AllowUnprotectedStore
       Write-Letter 'Anna files 2025' 'written on PC-A in 2025' old-letter.p7m`,
    );
    expect(await state('PC-A')).toEqual(['Anna files 2025: Active Efs', 'Anna mail: Active SecureEmail']);

    // 2 Without a grant nothing leaves; with one it moves to PC-B.
    const exporting = 'Export-SPMigration -Path first.sparc -Destination PC-B -Password $anna';
    expect(await refused('PC-A', exporting)).toBe('DestinationNotAuthorized');
    await grant('PC-A', 'PC-B');
    await exportTo('PC-A', 'PC-B', '$anna', 'first.sparc');
    expect(await on('PC-B', 'Test-SPMigrationArchive -Path first.sparc -ForThisComputer')).toEqual([true]);
    expect(await refused('PC-C', 'Import-SPMigration -Path first.sparc -Password $anna')).toBe(
      'ArchiveNotForThisPlatform',
    );
    expect(
      await on(
        'PC-B',
        '(Import-SPMigration -Path first.sparc -Password $anna -EnableFeature -ReceiptPath .).Case',
      ),
    ).toEqual(['Install']);
    expect(await state('PC-B')).toEqual(await state('PC-A'));

    // 3 She changes her password on PC-B and gets a new certificate for files there; the old letter can still be read.
    await on('PC-B', '$null = Set-SPMigrationPassword -Password $anna -NewPassword $anna2');
    expect(await refused('PC-B', 'Disable-SPMigrationFeature -Feature Efs -Password $anna')).toBe(
      'PasswordRejected',
    );
    await on(
      'PC-B',
      `$null = New-SPMigrationCredential -Subject 'Anna Müller' -FriendlyName 'Anna files 2026' -Algorithm RSA-3072 -Password $anna2
       $null = Enable-SPMigrationFeature -Feature Efs -Credential 'Anna files 2026' -Password $anna2
       $null = Get-SPMigrationCredential | Install-SPMigrationCredential -Password $anna2 -AllowUnprotectedStore
       Write-Letter 'Anna files 2026' 'written on PC-B in 2026' new-letter.p7m`,
    );
    expect(await state('PC-B')).toEqual([
      'Anna files 2025: Retained',
      'Anna files 2026: Active Efs',
      'Anna mail: Active SecureEmail',
    ]);
    expect(await on('PC-B', 'Read-Letter old-letter.p7m')).toEqual(['written on PC-A in 2025']);

    // 4 Back to PC-A as a merge: the archive's password is the second one, PC-A's is still the first.
    await grant('PC-B', 'PC-A');
    await exportTo('PC-B', 'PC-A', '$anna2', 'back.sparc');
    expect(await refused('PC-A', 'Import-SPMigration -Path back.sparc -Password $anna2')).toBe(
      'PasswordRejected',
    );
    expect(
      await on('PC-A', '(Import-SPMigration -Path back.sparc -Password $anna2 -CurrentPassword $anna).Case'),
    ).toEqual(['Merge']);
    expect(await state('PC-A')).toEqual(await state('PC-B'));
    await on(
      'PC-A',
      '$null = Get-SPMigrationCredential | Install-SPMigrationCredential -Password $anna -AllowUnprotectedStore',
    );
    expect(await on('PC-A', 'Read-Letter old-letter.p7m; Read-Letter new-letter.p7m')).toEqual([
      'written on PC-A in 2025',
      'written on PC-B in 2026',
    ]);
    // The kept one is made active again, and that is undone.
    await on(
      'PC-A',
      "$null = Enable-SPMigrationFeature -Feature Efs -Credential 'Anna files 2025' -Password $anna",
    );
    expect((await state('PC-A'))[0]).toBe('Anna files 2025: Active Efs');
    await on('PC-A', '$null = Undo-SPMigration -Password $anna -Force');
    expect(await state('PC-A')).toEqual(await state('PC-B'));

    // 5 PC-C is Ben's. Anna's keys would replace his: refused, then allowed, and he gets his back.
    await on(
      'PC-C',
      `$null = Initialize-SPMigrationUser -Password $ben
       $null = New-SPMigrationCredential -Subject Ben -FriendlyName 'Ben files' -Algorithm RSA-3072 -Password $ben
       $null = Enable-SPMigrationFeature -Feature Efs -Credential 'Ben files' -Password $ben
       $null = Get-SPMigrationCredential | Install-SPMigrationCredential -Password $ben -AllowUnprotectedStore
       Write-Letter 'Ben files' 'only for Ben' ben-letter.p7m`,
    );
    await grant('PC-B', 'PC-C');
    await exportTo('PC-B', 'PC-C', '$anna2', 'onward.sparc');
    expect(await refused('PC-C', 'Import-SPMigration -Path onward.sparc -Password $anna2')).toBe(
      'ImportWouldReplace',
    );
    expect(await state('PC-C')).toEqual(['Ben files: Active Efs']);
    const [replaced] = await on<{ Case: string; Quarantine: string }>(
      'PC-C',
      'Import-SPMigration -Path onward.sparc -Password $anna2 -AllowReplace -EnableFeature -Force | Select-Object -Property Case, Quarantine',
    );
    expect(replaced?.Case).toBe('Replace');
    expect(await state('PC-C')).toEqual(await state('PC-B'));
    // Ben's certificate has left the store with him; his letter cannot be opened.
    expect((await sessionOf('PC-C').invoke('Read-Letter ben-letter.p7m')).errors).toHaveLength(1);
    expect(await refused('PC-C', 'Undo-SPMigration -Password $anna2 -Force')).toBe('PasswordRejected');
    await on('PC-C', '$null = Undo-SPMigration -Password $ben -Force');
    expect(await state('PC-C')).toEqual(['Ben files: Active Efs']);
    await on(
      'PC-C',
      '$null = Get-SPMigrationCredential | Install-SPMigrationCredential -Password $ben -AllowUnprotectedStore',
    );
    expect(await on('PC-C', 'Read-Letter ben-letter.p7m')).toEqual(['only for Ben']);
    await on('PC-C', '$null = Undo-SPMigration -Password $anna2 -Force');
    expect(await state('PC-C')).toEqual(await state('PC-B'));

    // 6 The owner of PC-B takes the grant for PC-C back: no export, and no import of what was exported before.
    await exportTo('PC-B', 'PC-C', '$anna2', 'late.sparc');
    await on(
      'PC-B',
      `$null = Get-SPMigrationAccess -Destination PC-C | Revoke-SPMigrationAccess -Reason 'PC-C is Bens' -OwnerPassword $owner
       Copy-Item -Path (Get-ChildItem -Path (Join-Path -Path $env:SPMIGRATION_HOME -ChildPath platform/public/revocations)).FullName -Destination .`,
    );
    expect(
      await refused('PC-B', 'Export-SPMigration -Path more.sparc -Destination PC-C -Password $anna2'),
    ).toBe('GrantRevoked');
    expect(await refused('PC-C', 'Import-SPMigration -Path late.sparc -Password $anna2 -GrantPath .')).toBe(
      'GrantRevoked',
    );
    await on('PC-C', '$null = Get-ChildItem -Path *.sprevoked | Add-SPMigrationRevocation');
    expect(await refused('PC-C', 'Import-SPMigration -Path late.sparc -Password $anna2 -Force')).toBe(
      'GrantRevoked',
    );

    // 7 PC-A was stolen: a new key on PC-B, which PC-C continues with, once the owner has granted again.
    await on('PC-B', '$null = Initialize-SPMigrationUser -NewKey -Password $anna2 -NewPassword $anna3');
    await grant('PC-B', 'PC-C');
    await exportTo('PC-B', 'PC-C', '$anna3', 'new-key.sparc');
    expect(await refused('PC-C', 'Import-SPMigration -Path new-key.sparc -Password $anna3')).toBe(
      'CurrentPasswordRequired',
    );
    expect(
      await on(
        'PC-C',
        'Import-SPMigration -Path new-key.sparc -Password $anna3 -CurrentPassword $anna2 | ForEach-Object { "$($_.Case) $($_.Rekey)" }',
      ),
    ).toEqual(['Merge True']);
    expect(await on('PC-C', '(Get-SPMigrationStatus).BasicUserKey')).toEqual(
      await on('PC-B', '(Get-SPMigrationStatus).BasicUserKey'),
    );
    expect(await state('PC-C')).toEqual(await state('PC-B'));
    expect(await refused('PC-C', 'Disable-SPMigrationFeature -Feature Efs -Password $anna2')).toBe(
      'PasswordRejected',
    );

    // 8 The old certificate goes for good, and an import does not bring it back.
    await on(
      'PC-C',
      "$null = Remove-SPMigrationCredential -Credential 'Anna files 2025' -Permanent -Password $anna3 -Force",
    );
    await exportTo('PC-B', 'PC-C', '$anna3', 'again.sparc');
    await on('PC-C', '$null = Import-SPMigration -Path again.sparc -Password $anna3');
    expect(await state('PC-C')).toEqual(['Anna files 2026: Active Efs', 'Anna mail: Active SecureEmail']);
    await on('PC-C', '$null = Import-SPMigration -Path again.sparc -Password $anna3 -IncludeRemoved');
    expect(await state('PC-C')).toEqual(await state('PC-B'));

    // 9 Ben still has his environment in quarantine, and the records of all three hold, also against what left them.
    expect(
      await on(
        'PC-C',
        'Get-SPMigrationCredential -IncludeSetAside | Where-Object State -eq SetAside | ForEach-Object Label',
      ),
    ).toContain('Ben files');
    const evidence =
      'Test-SPMigration -Evidence (Get-ChildItem -Path *.sparc, *.spreceipt).FullName -Detailed';
    for (const name of names) {
      const failed = await on(
        name,
        `${evidence} | Where-Object { -not $_.Passed -and $_.Name -match 'Evidence|History' } | ForEach-Object Message`,
      );
      expect([name, failed]).toEqual([name, []]);
    }
    expect(
      await on('PC-B', "@(Get-SPMigrationHistory | Where-Object Outcome -eq 'GrantRevoked').Count"),
    ).toEqual([1]);
  });
});
