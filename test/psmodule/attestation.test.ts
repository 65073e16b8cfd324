/**
 * The proof of a TPM from PowerShell, with the built module, the quick executable and simulated TPMs: question, answer and grant as
 * owner and administrator type them, as objects in a pipeline, and as rows of a table. What is refused has tests of its own.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quickModule } from '../testkit/quick-executable.ts';
import { openSession, type PowerShellSession, type SessionResult } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';
import { hasSwtpm, Swtpm } from '../testkit/swtpm.ts';

const PRELUDE = String.raw`
Import-Module -Name ([System.IO.Path]::Combine($data.module, 'SPMigration.psd1'))
Set-Location -LiteralPath $data.folder
$tpm = @{ 'PC-A' = $data.a; 'PC-B' = $data.b }
$owner = [System.Net.NetworkCredential]::new('', 'the owner of all').SecurePassword
$ConfirmPreference = 'None'
function Switch-Computer([string] $name) {
    $env:SPMIGRATION_HOME = [System.IO.Path]::Combine($pwd.ProviderPath, $name)
    $env:SPMIGRATION_TPM = $tpm[$name]
}`;

describe.skipIf(!havePowerShell() || !hasSwtpm())('the proof of a TPM', { timeout: 120_000 }, () => {
  let folder: string;
  let session: PowerShellSession;
  let tpms: readonly Swtpm[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'spmigration pr\u00f6of '));
    for (const name of ['PC-A', 'PC-B', 'srv', 'srv/answers']) mkdirSync(join(folder, name), { mode: 0o700 });
    const [a, b] = [await Swtpm.start(), await Swtpm.start()];
    tpms = [a, b];
    session = await openSession({ timeoutMs: 110_000 });
    const data = { module: await quickModule(), folder, a: a.address, b: b.address };
    expect((await session.invoke(PRELUDE, data)).errors).toEqual([]);
    for (const computer of ['PC-A', 'PC-B'])
      await on(computer, '$null = Initialize-SPMigrationPlatform -OwnerPassword $owner');
  }, 240_000);
  afterAll(async () => {
    await session.close();
    for (const tpm of tpms) await tpm.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function on<T = Record<string, unknown>>(
    computer: string,
    script: string,
  ): Promise<SessionResult<T>> {
    const done = await session.invoke<T>(`Switch-Computer '${computer}'\n${script}`);
    expect(done.errors).toEqual([]);
    return done;
  }

  const idsOf = async (computer: string, script: string): Promise<readonly string[]> =>
    (await session.invoke(`Switch-Computer '${computer}'\n${script}`)).errors.map(({ id }) => id);

  it('goes from question to answer to grant', async () => {
    await on('PC-B', '$identity = Export-SPMigrationIdentity -Path srv');
    const { output: asked } = await on<string>(
      'PC-A',
      `$challenge = Get-SPMigrationIdentity -Path srv/*.spid | Where-Object Proof -eq Claimed |
           New-SPMigrationChallenge -OwnerPassword $owner
       $challenge.PSObject.TypeNames[0]; [string]$challenge.Created.Kind
       [System.IO.Path]::GetFileName($challenge.Path)`,
    );
    expect(asked).toEqual(['SPMigration.Challenge', 'Utc', 'PC-B.spchallenge']);
    const { output: answered } = await on<string>(
      'PC-B',
      `$answer = Export-SPMigrationIdentity -Path srv/answers -ChallengePath srv/PC-B.spchallenge
       $answer.PSObject.TypeNames[0]; [System.IO.Path]::GetFileName($answer.Path)
       [string]($answer.EndorsementFingerprint -eq $identity.EndorsementFingerprint)`,
    );
    expect(answered).toEqual(['SPMigration.Attestation', 'PC-B.spattestation', 'True']);
    const { output: seen } = await on<string>(
      'PC-A',
      `$proof = @{ AttestationPath = $answer.Path; EndorsementKeyFingerprint = $answer.EndorsementFingerprint }
       $known = Get-SPMigrationIdentity -Path srv/PC-B.spid @proof
       $known.Proof; [string]($known.AttestationPath -eq $answer.Path)
       (Grant-SPMigrationAccess -Path srv/PC-B.spid -Fingerprint $known.Fingerprint @proof -OwnerPassword $owner).Destination`,
    );
    expect(seen).toEqual(['Attested', 'True', 'PC-B']);
  });

  it('is not taken from the object that claims it: its own fingerprint vouches for nothing', async () => {
    const piped = '$known | Grant-SPMigrationAccess -OwnerPassword $owner -WarningAction SilentlyContinue';
    expect(await idsOf('PC-A', piped)).toEqual(['EndorsementKeyUntrusted,Grant-SPMigrationAccess']);
    const again = `${piped} -EndorsementKeyFingerprint $answer.EndorsementFingerprint`;
    expect((await on('PC-A', `(${again}).State`)).output).toEqual(['Valid']);
  });

  it('comes from the columns of a table, and an empty one says nothing', async () => {
    await on(
      'PC-A',
      '$rows = @([pscustomobject]@{ Path = "srv/PC-B.spid"; AttestationPath = $answer.Path; EndorsementKeyFingerprint = $answer.EndorsementFingerprint }, [pscustomobject]@{ Path = "srv/PC-B.spid"; AttestationPath = ""; EndorsementKeyFingerprint = "" })',
    );
    const table = '$rows | Grant-SPMigrationAccess -OwnerPassword $owner -WarningAction SilentlyContinue';
    expect(await idsOf('PC-A', `$null = ${table}`)).toEqual([
      'DestinationNotAttested,Grant-SPMigrationAccess',
    ]);
  });

  it('is missed unless the owner says that it is not needed, which is said back', async () => {
    const bare =
      'Grant-SPMigrationAccess -Path srv/PC-B.spid -Fingerprint $known.Fingerprint -OwnerPassword $owner';
    expect(await idsOf('PC-A', bare)).toEqual(['DestinationNotAttested,Grant-SPMigrationAccess']);
    expect(await idsOf('PC-A', `${bare} -Force`)).toEqual(['DestinationNotAttested,Grant-SPMigrationAccess']);
    const { output } = await on<string>(
      'PC-A',
      `$null = ${bare} -AllowUnattested -WarningVariable warned -WarningAction SilentlyContinue
       $warned.Message
       (Get-SPMigrationHistory | Where-Object Operation -eq 'access-grant' | Select-Object -Last 1).Summary`,
    );
    expect(output[0]).toMatch(/From PC-B on no chip is known to guard these keys/);
    expect(output[1]).toContain('guard: given up');
  });

  it('by a manufacturer takes files and folders, relative to the location', async () => {
    writeFileSync(join(folder, 'srv/broken.cer'), 'no certificate');
    const by = (path: string): string =>
      `Get-SPMigrationIdentity -Path srv/PC-B.spid -AttestationPath srv/answers/PC-B.spattestation -TpmManufacturerPath ${path}`;
    expect(await idsOf('PC-A', by('srv/broken.cer'))).toEqual([
      'CertificateMalformed,Get-SPMigrationIdentity',
    ]);
    expect(await idsOf('PC-A', by('srv/answers'))).toEqual(['ParameterInvalid,Get-SPMigrationIdentity']);
    expect(await idsOf('PC-A', by('srv/none.cer'))).toEqual(['FileNotFound,Get-SPMigrationIdentity']);
  });
});
