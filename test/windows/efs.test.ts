/**
 * The certificate with which Windows encrypts new files, in the registry of a Windows that is no rehearsal: what the module writes
 * there, read by Windows' own program and by .NET. Wine's store takes the certificates with their keys and says that it has them,
 * which is all that is asked of it here; what EFS itself makes of the value stands in docs/windows-checklist.md.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtModule } from '../testkit/executable.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { makePfx, pfxPassword } from '../testkit/windows/pfx.ts';
import { haveWindows, windowsPath } from '../testkit/windows/lane.ts';
import { temporaryFolder } from '../testkit/windows/folder.ts';
import { removeRealPlatform } from '../testkit/windows/real.ts';
import { emptyCertificateStore, reg, regQuery, storeDoubles } from '../testkit/windows/store.ts';

const keys = String.raw`HKCU\Software\Microsoft\Windows NT\CurrentVersion\EFS\CurrentKeys`;
const READ_BY_NET = String.raw`
$key = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Software\Microsoft\Windows NT\CurrentVersion\EFS\CurrentKeys')
try { [string]$key.GetValueKind('CertificateHash'); [System.BitConverter]::ToString($key.GetValue('CertificateHash')) } finally { $key.Dispose() }`;

describe.skipIf(!haveWindows())(
  'the certificate that Windows encrypts files with',
  { timeout: 240_000 },
  () => {
    let session: PowerShellSession;
    let folder: string;

    beforeAll(async () => {
      await removeRealPlatform();
      emptyCertificateStore();
      reg('delete', keys, '/f');
      folder = await mkdtemp(join(temporaryFolder(), 'spmigration '));
      for (const name of ['first', 'second']) makePfx(folder, name, 'RSA');
      session = await openSession({ env: { SPMIGRATION_HOME: undefined } });
      const { errors } = await session.invoke(
        `Import-Module -Name $data.module
       ${storeDoubles}
       $s = ConvertTo-SecureString -String 'Annas eigenes Passwort' -AsPlainText -Force
       $pfx = ConvertTo-SecureString -String $data.pfxPassword -AsPlainText -Force
       $place = $data.folder
       $null = Initialize-SPMigrationPlatform -OwnerPassword $s
       $null = Initialize-SPMigrationUser -Password $s
       $null = Add-SPMigrationCredential -Path "$place\\*.pfx" -PfxPassword $pfx -Password $s`,
        {
          module: windowsPath(join(await builtModule(), 'SPMigration.psd1')),
          folder: windowsPath(folder),
          pfxPassword,
        },
      );
      expect(errors).toEqual([]);
    });
    afterAll(async () => {
      await session.close();
      await rm(folder, { recursive: true, force: true });
      await removeRealPlatform();
      emptyCertificateStore();
      reg('delete', keys, '/f');
    });

    /** SHA-1 over the certificate as OpenSSL made it, in lower-case hex. */
    const thumbprint = (name: string): string =>
      createHash('sha1')
        .update(new X509Certificate(readFileSync(join(folder, `${name}.pem`))).raw)
        .digest('hex');
    const hash = () => regQuery(keys).CertificateHash;
    const run = async (script: string) => {
      const { errors, warnings, output } = await session.invoke(script);
      expect(errors).toEqual([]);
      return { warnings, output };
    };

    it('is the installed one of the feature Efs, byte for byte, and follows it', async () => {
      // Enabled, and not in the store yet: Windows keeps what it has, and the person is told.
      const enabled = await run(
        '$null = Enable-SPMigrationFeature -Feature Efs -Credential first -Password $s',
      );
      expect(enabled.warnings).toEqual([
        expect.stringContaining('Windows does not encrypt files for first yet'),
      ]);
      expect(hash()).toBeUndefined();

      await run('$null = Install-SPMigrationCredential first -Password $s');
      expect(hash()).toEqual(['REG_BINARY', thumbprint('first').toUpperCase()]);
      expect((await run(READ_BY_NET)).output).toEqual([
        'Binary',
        thumbprint('first').toUpperCase().match(/../g)?.join('-'),
      ]);

      await run('$null = Install-SPMigrationCredential second -Password $s');
      expect(hash()?.[1]).toBe(thumbprint('first').toUpperCase());
      await run('$null = Enable-SPMigrationFeature -Feature Efs -Credential second -Password $s');
      expect(hash()).toEqual(['REG_BINARY', thumbprint('second').toUpperCase()]);
      expect(thumbprint('second')).not.toBe(thumbprint('first'));

      const disabled = await run('$null = Disable-SPMigrationFeature -Feature Efs -Password $s');
      expect(disabled.warnings).toEqual([
        expect.stringContaining('Windows goes on encrypting new files for second'),
      ]);
      expect(hash()?.[1]).toBe(thumbprint('second').toUpperCase());
      await run('$null = Remove-SPMigrationCredential first -Password $s -Force');
      expect(hash()?.[1]).toBe(thumbprint('second').toUpperCase());
      await run('$null = Remove-SPMigrationCredential second -Password $s -Force');
      expect(hash()).toBeUndefined();
    });

    it('is not touched by a rehearsal on the same computer', async () => {
      const other = 'AB'.repeat(20);
      reg('add', keys, '/v', 'CertificateHash', '/t', 'REG_BINARY', '/d', other, '/f');
      const { warnings } = await run(
        `$env:SPMIGRATION_HOME = [System.IO.Path]::Combine($place, 'PC-A')
       [void][System.IO.Directory]::CreateDirectory($env:SPMIGRATION_HOME)
       $null = Initialize-SPMigrationPlatform -OwnerPassword $s
       $null = Initialize-SPMigrationUser -Password $s
       $null = Add-SPMigrationCredential -Path "$place\\first.pfx" -PfxPassword $pfx -Password $s
       $null = Install-SPMigrationCredential first -Password $s
       $null = Enable-SPMigrationFeature -Feature Efs -Credential first -Password $s
       $null = Disable-SPMigrationFeature -Feature Efs -Password $s
       $env:SPMIGRATION_HOME = $null`,
      );
      expect(warnings).toEqual([]);
      expect(hash()).toEqual(['REG_BINARY', other]);
    });
  },
);
