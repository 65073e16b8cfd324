/**
 * What a person changes later and takes back, with the built module and the quick executable: removal and undo with the
 * certificate store, passwords and keys, transfer codes, the owner's password. It is about what the module makes of it:
 * typed objects whose members fit the next cmdlet, and the store's certificates. What the operations mean has its own tests.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quickModule } from '../testkit/quick-executable.ts';
import { openSession, type PowerShellSession, type SessionResult } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';

const PRELUDE = String.raw`
Import-Module -Name ([System.IO.Path]::Combine($data.module, 'SPMigration.psd1'))
Set-Location -LiteralPath $data.folder
function Get-Secret([string] $text) { [System.Net.NetworkCredential]::new('', $text).SecurePassword }
$owner = Get-Secret 'the owner of all'; $owner2 = Get-Secret 'the owner, changed'
$p = Get-Secret 'P\u00e4ssw\u00f6rd \u6f22\u5b57 one'; $p2 = Get-Secret 'the second, of 22 char.'
function Switch-Computer([string] $name) {
    [System.Environment]::SetEnvironmentVariable('SPMIGRATION_HOME', [System.IO.Path]::Combine($pwd.ProviderPath, $name))
}
function Get-Store {
    $store = [System.Security.Cryptography.X509Certificates.X509Store]::new('My', 'CurrentUser')
    $store.Open('ReadOnly'); $store.Certificates; $store.Dispose()
}`;

describe.skipIf(!havePowerShell())('a change of mind', { timeout: 120_000 }, () => {
  let folder: string;
  let session: PowerShellSession;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'spmigration ch\u00e4nges '));
    for (const name of ['PC-A', 'PC-B', 'home', 'sh\u00e4re [1]'])
      mkdirSync(join(folder, name), { mode: 0o700 });
    session = await openSession({ env: { HOME: join(folder, 'home') }, timeoutMs: 110_000 });
    const { errors } = await session.invoke(PRELUDE, { module: await quickModule(), folder });
    expect(errors).toEqual([]);
    await on('PC-B', 'Initialize-SPMigrationPlatform -OwnerPassword $owner');
    await on(
      'PC-A',
      `$null = Initialize-SPMigrationPlatform -OwnerPassword $owner -OwnerPasswordBackupPath 'sh\u00e4re [1]/A.spownerbackup'
       $null = Initialize-SPMigrationUser -Password $p
       foreach ($name in 'Anna 2025', 'Anna 2026') {
           $null = New-SPMigrationCredential -Subject 'Anna' -FriendlyName $name -Algorithm P-256 -Password $p
       }
       $null = Enable-SPMigrationFeature -Feature Efs -Credential 'Anna 2025' -Password $p`,
    );
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

  it('shows in the history which generation each event made', async () => {
    const { output } = await on<{ Operation: string; Generation: number | null }>(
      'PC-A',
      `Get-SPMigrationHistory | Where-Object Generation | Select-Object -Property Operation, Generation`,
    );
    expect(output.map(({ Operation, Generation }) => `${Operation} ${Generation}`)).toEqual([
      'user-initialize 1',
      'credential-new 2',
      'credential-new 3',
      'feature-enable 4',
    ]);
  });

  it('takes back the last change, and with it what it changed in the features', async () => {
    const { output } = await on(
      'PC-A',
      `$null = Enable-SPMigrationFeature -Feature Efs -Credential 'Anna 2026' -Password $p
       $undone = Undo-SPMigration -Password $p -Force
       $undone
       (Get-SPMigrationFeature | Where-Object Feature -eq Efs).Label
       $undone.PSObject.TypeNames[0]; $undone.Items[0].PSObject.TypeNames[0]`,
    );
    expect(output).toMatchObject([
      {
        Kind: 'Generation',
        Restored: 4,
        Generation: 6,
        SetAside: null,
        FeaturesActive: ['Efs'],
        Uninstall: [],
      },
      'Anna 2025',
      'SPMigration.Undo',
      'SPMigration.ImportItem',
    ]);
  });

  it('is shown before, and asked about', async () => {
    const { text } = await on('PC-A', 'Undo-SPMigration -Password $p -WhatIf');
    expect(text).toContain('What if: ');
    expect(text).toContain('Anna 2026');
    const { errors } = await session.invoke('Undo-SPMigration -Password $p');
    expect(errors).toMatchObject([{ id: 'ConfirmationRequired,Undo-SPMigration', terminating: true }]);
  });

  it('takes a credential that leaves out of the certificate store', async () => {
    const { output } = await on<unknown>(
      'PC-A',
      `$null = New-SPMigrationCredential -Subject 'Short' -FriendlyName 'Short' -Algorithm P-256 -Password $p
       $installed = Install-SPMigrationCredential -Credential Short -Password $p -AllowUnprotectedStore
       @(Get-Store).Count
       $undone = Undo-SPMigration -Password $p -Force
       $undone.Uninstall -join ' ' -eq $installed.Thumbprint
       @(Get-Store).Count`,
    );
    expect(output).toEqual([1, true, 0]);
  });

  it('brings removed credentials back by the pipeline, alone', async () => {
    const { output } = await on<string>(
      'PC-A',
      `$null = Remove-SPMigrationCredential -Credential 'Anna 2026' -Password $p -Force
       $null = Get-SPMigrationCredential -IncludeSetAside | Where-Object Label -eq Short |
           Remove-SPMigrationCredential -Permanent -Password $p -Force
       Get-SPMigrationCredential -IncludeSetAside | ForEach-Object { "$($_.Label) $($_.State) $([bool]$_.SetAsideIn)" }
       $undone = Get-SPMigrationCredential -IncludeSetAside | Where-Object State -eq SetAside | Undo-SPMigration -Password $p -Force
       @($undone).ForEach({ $_.Kind })
       Get-SPMigrationCredential | ForEach-Object { "$($_.Label) $($_.State)" }`,
    );
    expect(output.slice(0, 3).toSorted()).toEqual([
      'Anna 2025 Active False',
      'Anna 2026 SetAside True',
      'Credential',
    ]);
    expect(output.slice(3).toSorted()).toEqual(['Anna 2025 Active', 'Anna 2026 Retained']);
  });

  it('changes the password by its rules, and opens with the new one only', async () => {
    const refused = await session.invoke(
      'Set-SPMigrationPassword -Password $p -NewPassword $p2 -MinimumLength 30',
    );
    expect(refused.errors).toMatchObject([{ id: 'PasswordUnacceptable,Set-SPMigrationPassword' }]);
    const missing = await session.invoke('Set-SPMigrationPassword -Password $p');
    expect(missing.errors).toMatchObject([{ id: 'NewPasswordRequired,Set-SPMigrationPassword' }]);
    const { output } = await on(
      'PC-A',
      'Set-SPMigrationPassword -Password $p -NewPassword $p2 -MinimumLength 22 -RequireComplexity; Get-SPMigrationStatus',
    );
    expect(output).toMatchObject([{ NotOpened: [], Quarantined: 0 }, { OtherPasswordGenerations: [] }]);
    expect(output[0]?.Rewritten).toBeGreaterThan(3);
    const { errors } = await session.invoke('Disable-SPMigrationFeature Efs -Password $p');
    expect(errors).toMatchObject([{ id: 'PasswordRejected,Disable-SPMigrationFeature' }]);
  });

  it('gives the environment a new key, which the other computer merges with both passwords', async () => {
    await on('PC-B', `$identity = Export-SPMigrationIdentity -Path 'sh\u00e4re [1]'`);
    const { output } = await on(
      'PC-A',
      `$null = Grant-SPMigrationAccess -LiteralPath $identity.Path -Fingerprint $identity.Fingerprint -OwnerPassword $owner -Force
       $null = Export-SPMigration -Path 'sh\u00e4re [1]/first.sparc' -Destination PC-B -Password $p2
       Initialize-SPMigrationUser -NewKey -Password $p2 -NewPassword $p -Confirm:$false
       $null = Grant-SPMigrationAccess -LiteralPath $identity.Path -Fingerprint $identity.Fingerprint -OwnerPassword $owner -Force
       $second = Export-SPMigration -Path 'sh\u00e4re [1]/second.sparc' -Destination PC-B -Password $p -NewTransferCode`,
    );
    expect(output).toMatchObject([{ PasswordChanged: true, NotOpened: [] }]);
    expect(output[0]?.BasicUserKey).not.toBe(output[0]?.Replaced);
    const { output: imported } = await on(
      'PC-B',
      `Import-SPMigration -LiteralPath 'sh\u00e4re [1]/first.sparc' -Password $p2
       Import-SPMigration -LiteralPath 'sh\u00e4re [1]/second.sparc' -Password $p -CurrentPassword $p2 -TransferCode $second.TransferCode -ReceiptPath 'sh\u00e4re [1]' -Confirm:$false`,
    );
    expect(imported).toMatchObject([
      { Case: 'Install', Rekey: false, ReceiptPath: null },
      {
        Case: 'Merge',
        Rekey: true,
        ReceiptPath: expect.stringMatching(/sh\u00e4re \[1\]\/.*\.spreceipt$/) as unknown,
      },
    ]);
  });

  it('opens an archive with its transfer code, typed by a person, and with no other', async () => {
    const { output } = await on<boolean>(
      'PC-B',
      `(Get-SPMigrationArchive -LiteralPath 'sh\u00e4re [1]/second.sparc').TransferCodeRequired`,
    );
    expect(output).toEqual([true]);
    const attempt = `Import-SPMigration -LiteralPath 'sh\u00e4re [1]/second.sparc' -Password $p`;
    const ids = async (code: string): Promise<readonly string[]> =>
      (await session.invoke(`${attempt} ${code}`)).errors.map(({ id }) => id);
    expect(await ids('')).toEqual(['TransferCodeRequired,Import-SPMigration']);
    expect(await ids(`-TransferCode (Get-Secret 'ABCD')`)).toEqual([
      'TransferCodeMalformed,Import-SPMigration',
    ]);
    expect(await ids(`-TransferCode (Get-Secret 'ABCD-EFGH-JKMN-PQRS')`)).toEqual([
      'PasswordRejected,Import-SPMigration',
    ]);
    const typed = `[System.Net.NetworkCredential]::new('', $second.TransferCode).Password.ToLower().Replace('-', ' ')`;
    const { output: again } = await on('PC-B', `${attempt} -TransferCode (Get-Secret (${typed}))`);
    expect(again).toMatchObject([{ Case: 'Merge', Unchanged: true }]);
  });

  it('shows a receipt and archives to be of this history', async () => {
    const { output } = await on<{ Passed: boolean }>(
      'PC-A',
      `Test-SPMigration -Role Source -Evidence 'sh\u00e4re [[]1]/*.sparc', 'sh\u00e4re [[]1]/*.spreceipt' -Detailed
       Test-SPMigration -Role Source -Evidence 'sh\u00e4re [1]/first.sparc', 'sh\u00e4re [1]/second.sparc' -MaximumPasswordAgeDays 1`,
    );
    expect(output.at(-1)).toBe(true);
    expect(output.slice(0, -1).filter(({ Passed }) => !Passed)).toEqual([]);
  });

  it('changes the Owner Password with the one before, and with its backup', async () => {
    const { output } = await on(
      'PC-A',
      `Set-SPMigrationOwnerPassword -OwnerPassword $owner -NewPassword $owner2 -Confirm:$false
       Get-SPMigrationAccess | Select-Object -First 1 | Revoke-SPMigrationAccess -OwnerPassword $owner2 -Force`,
    );
    expect(output).toHaveLength(2);
    const { errors } = await session.invoke(
      'Get-SPMigrationAccess | Select-Object -Last 1 | Revoke-SPMigrationAccess -OwnerPassword $owner -Force',
    );
    expect(errors).toMatchObject([{ id: 'OwnerPasswordRejected,Revoke-SPMigrationAccess' }]);
    const { output: forgotten } = await on(
      'PC-A',
      `Set-SPMigrationOwnerPassword -OwnerPasswordFile 'sh\u00e4re [1]/A.spownerbackup' -NewPassword $owner -OwnerPasswordBackupPath 'sh\u00e4re [1]/new.spownerbackup'
       Get-SPMigrationAccess | Select-Object -Last 1 | Revoke-SPMigrationAccess -OwnerPasswordFile 'sh\u00e4re [1]/new.spownerbackup' -Force`,
    );
    expect(forgotten).toMatchObject([
      { BackupPath: join(folder, 'sh\u00e4re [1]/new.spownerbackup') },
      { Revoked: 2 },
    ]);
    const older = await session.invoke(
      `Set-SPMigrationOwnerPassword -OwnerPasswordFile 'sh\u00e4re [1]/A.spownerbackup' -NewPassword $owner2`,
    );
    expect(older.errors).toMatchObject([{ id: 'OwnerPasswordRejected,Set-SPMigrationOwnerPassword' }]);
  });
});
