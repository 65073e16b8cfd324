/**
 * `-WhatIf` never changes a byte, and what only reads does not either (design page 4, rule 3). Every cmdlet of the schema
 * has its place in one story of four simulated computers: each one that can change something is first run with `-WhatIf`,
 * with the hash of everything before and after it, and then really, which must change something; a cmdlet without a place
 * fails the test. With the quick executable.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeIdentity } from '../../core/src/format/identity-v1.ts';
import { cmdlets } from '../../psmodule/schema/cmdlets.ts';
import { quickModule } from '../testkit/quick-executable.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';
import { storeDoubles } from '../testkit/windows/store.ts';
import { has } from '../testkit/requirement.ts';
import { attestedIdentity } from '../testkit/vectors/attestation-world.ts';
import { fingerprintOf } from '../testkit/world.ts';

/** A step of the story: where, and a pipeline that ends with the cmdlet, so that a switch can be put behind it. */
type Step = readonly [computer: string, pipeline: string];

const STORY: readonly Step[] = [
  // Platforms, of a fleet and with owners of their own.
  ['PC-A', 'New-SPMigrationAuthority -Path srv -Name Fleet -OwnerPassword $owner'],
  ['PC-F', 'Initialize-SPMigrationPlatform -AuthorityPath srv/Fleet.spauthority.pub'],
  ['PC-A', 'Initialize-SPMigrationPlatform -OwnerPassword $owner -OwnerPasswordBackupPath srv'],
  ['PC-B', 'Initialize-SPMigrationPlatform -OwnerPassword $owner -MinimumLength 8'],
  ['PC-A', 'Get-SPMigrationStatus'],
  // A person and her keys.
  ['PC-A', 'Initialize-SPMigrationUser -Password $p'],
  ['PC-A', 'Test-SPMigration -Role Source'],
  ['PC-A', 'New-SPMigrationCredential -Subject Anna -FriendlyName Anna -Password $p'],
  [
    'PC-A',
    'New-SPMigrationCredential -Subject Next -FriendlyName Next -Request -RequestPath srv/n.csr -Password $p',
  ],
  ['PC-A', 'Complete-SPMigrationCredential -Path srv/n.cer -Password $p'],
  ['PC-A', 'Add-SPMigrationCredential -Path srv/old.pfx -PfxPassword $pfx -Password $p'],
  ['PC-A', 'Get-SPMigrationCredential'],
  ['PC-A', 'Enable-SPMigrationFeature -Feature Efs -Credential Anna -Password $p'],
  ['PC-A', 'Get-SPMigrationFeature'],
  // From PC-A to PC-B.
  ['PC-B', 'Export-SPMigrationIdentity -Path srv'],
  ['PC-A', 'Get-SPMigrationIdentity -Path srv/PC-B.spid'],
  ['PC-A', 'New-SPMigrationChallenge -Path srv/PC-T.spid -OwnerPassword $owner'],
  ['PC-A', 'Grant-SPMigrationAccess -Path srv/PC-B.spid -OwnerPassword $owner'],
  ['PC-A', 'Get-SPMigrationAccess'],
  ['PC-A', 'Export-SPMigration -Path srv/x.sparc -Destination PC-B -Password $p -NewTransferCode'],
  ['PC-B', 'Get-SPMigrationArchive -Path srv/x.sparc'],
  ['PC-B', 'Test-SPMigrationArchive -Path srv/x.sparc -ForThisComputer'],
  [
    'PC-B',
    'Import-SPMigration -Path srv/x.sparc -Password $p -TransferCode $last.TransferCode -ReceiptPath srv',
  ],
  ['PC-B', 'Install-SPMigrationCredential -Credential Anna -Password $p -AllowUnprotectedStore'],
  // What the person changes later.
  ['PC-A', 'Disable-SPMigrationFeature -Feature Efs -Password $p'],
  ['PC-A', 'Undo-SPMigration -Password $p'],
  ['PC-A', 'Remove-SPMigrationCredential -Credential old -Password $p'],
  ['PC-A', 'Remove-SPMigrationCredential -Credential old -Permanent -Password $p'],
  ['PC-A', 'Set-SPMigrationPassword -Password $p -NewPassword $p2'],
  ['PC-A', 'Initialize-SPMigrationUser -NewKey -Password $p2 -NewPassword $p'],
  ['PC-A', 'Get-SPMigrationHistory'],
  // What owners take back.
  ['PC-A', 'Set-SPMigrationOwnerPassword -OwnerPassword $owner -NewPassword $owner2'],
  ['PC-A', 'Get-SPMigrationAccess | Revoke-SPMigrationAccess -OwnerPassword $owner2'],
  [
    'PC-A',
    'Grant-SPMigrationAccess -Path srv/PC-B.spid -AuthorityPath srv/Fleet.spauthority -OutputPath srv -OwnerPassword $owner',
  ],
  [
    'PC-A',
    'Revoke-SPMigrationAccess -Serial $last.Serial -AuthorityPath srv/Fleet.spauthority -OutputPath srv -OwnerPassword $owner',
  ],
  ['PC-F', 'Add-SPMigrationRevocation -Path srv/*.sprevoked'],
  // The end.
  ['PC-B', 'Remove-SPMigrationArchive -Path srv/x.sparc'],
  ['PC-B', 'Remove-SPMigrationUser'],
];

/** What is refused leaves no trace of a look either. */
const REFUSED: readonly (readonly [...Step, code: string])[] = [
  ['PC-A', 'Export-SPMigration -Path srv/y.sparc -Destination PC-F -Password $p', 'DestinationNotAuthorized'],
  [
    'PC-A',
    `Grant-SPMigrationAccess -Path srv/PC-B.spid -Fingerprint ${'f'.repeat(40)} -OwnerPassword $owner2`,
    'FingerprintMismatch',
  ],
  ['PC-A', 'Import-SPMigration -Path srv/old.pfx -Password $p', 'WrongFileKind'],
  [
    'PC-A',
    'Export-SPMigrationIdentity -Path srv -ChallengePath srv/PC-T.spchallenge',
    'AttestationUnsupported',
  ],
  ['PC-A', 'New-SPMigrationChallenge -Path srv/PC-B.spid -OwnerPassword $owner', 'IdentityNotEndorsed'],
  ['PC-F', 'Undo-SPMigration -Password $p', 'NothingToUndo'],
  ['PC-B', 'Initialize-SPMigrationPlatform -OwnerPassword $owner', 'PlatformAlreadyInitialized'],
  ['PC-A', 'Initialize-SPMigrationUser -Password $p', 'UserAlreadyInitialized'],
];

/** The cmdlet that a pipeline ends with. */
const cmdletOf = (pipeline: string): string => /(\S+-SPMigration\S*)[^|]*$/.exec(pipeline)?.[1] ?? '';
const changing = new Set(cmdlets.filter(({ impact }) => impact !== 'None').map(({ name }) => name));

describe.skipIf(!havePowerShell() || !has('openssl'))('-WhatIf', { timeout: 120_000 }, () => {
  let place: string;
  /** For what PowerShell itself keeps, at times of its own. */
  let cache: string;
  let session: PowerShellSession;

  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), 'spmigration wh\u00e4t-if '));
    for (const name of ['PC-A', 'PC-B', 'PC-F', 'srv', 'home']) mkdirSync(join(place, name), { mode: 0o700 });
    cache = mkdtempSync(join(tmpdir(), 'spmigration-cache-'));
    makePfx();
    // Of a computer with a TPM, which is not in this story.
    const tpm = encodeIdentity({ ...attestedIdentity, rehearsal: true });
    writeFileSync(join(place, 'srv/PC-T.spid'), tpm);
    const env = { HOME: join(place, 'home'), XDG_CACHE_HOME: cache };
    session = await openSession({ env, timeoutMs: 110_000 });
    const { errors } = await session.invoke(
      `Import-Module -Name ([System.IO.Path]::Combine($data.module, 'SPMigration.psd1'))
       $place = $data.place
       function Get-Secret([string] $text) { [System.Net.NetworkCredential]::new('', $text).SecurePassword }
       $owner = Get-Secret 'the first owner'; $owner2 = Get-Secret 'the second owner'; $pfx = Get-Secret 'from-file'
       $p = Get-Secret 'P\u00e4ssw\u00f6rd of Anna'; $p2 = Get-Secret 'another one of Anna'
       # The store makes its folder when it is first opened.
       $store = [System.Security.Cryptography.X509Certificates.X509Store]::new('My', 'CurrentUser')
       $store.Open('ReadWrite'); $store.Dispose()
       ${storeDoubles}`,
      { module: await quickModule(), place },
    );
    expect(errors).toEqual([]);
  }, 240_000);
  afterAll(async () => {
    await session.close();
    for (const folder of [place, cache]) rmSync(folder, { recursive: true, force: true });
  });

  const run = ([computer, pipeline]: Step, rest: string) =>
    session.invoke(
      `$env:SPMIGRATION_HOME = "$place/${computer}"; Set-Location -LiteralPath $place; ${pipeline} ${rest}`,
    );
  const hash = (): Promise<readonly string[]> => fingerprintOf(place);

  it('has a place in this story for every cmdlet', () => {
    const here = new Set(STORY.map(([, pipeline]) => cmdletOf(pipeline)));
    expect([...here].sort()).toEqual(cmdlets.map(({ name }) => name).sort());
  });

  const rows = STORY.map((step) => [...step, step] as const);
  it.each(rows)('on %s: %s', async (_, pipeline, step) => {
    const before = await hash();
    const changes = changing.has(cmdletOf(pipeline));
    if (changes) {
      const { errors, output, text } = await run(step, '-WhatIf');
      expect([errors, output]).toEqual([[], []]);
      expect(text).toMatch(/^What if: /);
      expect(await hash()).toEqual(before);
    }
    const done = await run(step, changes ? '-Confirm:$false -OutVariable last' : '');
    expect(done.errors).toEqual([]);
    if (changes) expect(await hash()).not.toEqual(before);
    else expect(await hash()).toEqual(before);
    if (pipeline.includes('-Request ')) issueCertificate();
  });

  it.each(REFUSED.map((step) => [...step, step] as const))(
    'on %s: %s is refused as %s',
    async (_computer, pipeline, code, [computer]) => {
      const before = await hash();
      const { errors } = await run([computer, pipeline], '-WhatIf');
      expect(errors.map(({ id }) => id)).toEqual([`${code},${cmdletOf(pipeline)}`]);
      expect(await hash()).toEqual(before);
    },
  );

  function openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: join(place, 'srv'), stdio: 'ignore' });
  }

  function makePfx(): void {
    const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', 'old.key'];
    openssl('req', '-x509', ...key, '-out', 'old.pem', '-subj', '/CN=old');
    const into = ['-name', 'old', '-out', 'old.pfx', '-passout', 'pass:from-file'];
    openssl('pkcs12', '-export', '-inkey', 'old.key', '-in', 'old.pem', ...into);
  }

  /** What a certification authority would do with the request. */
  function issueCertificate(): void {
    const authority = ['-CA', 'old.pem', '-CAkey', 'old.key', '-days', '30'];
    openssl('x509', '-req', '-in', 'n.csr', ...authority, '-out', 'n.cer');
  }
});
