/**
 * A double of the event log of Windows for a session with the fake module: `$data` is its manifest. It keeps what is written
 * (`Get-Log written`), and `Set-Log` makes it refuse, or be without its source. `$s` is a secret.
 */

import type { Act } from './fake-core.ts';
import { plan, result } from './fake-module.ts';
import { sampleOf } from './result-samples.ts';

/** An event as the log would get it. */
export interface WrittenEvent {
  readonly number: number;
  readonly type: string;
  readonly text: readonly string[];
}

/** Text of the secret `$s`. */
export const logSecret = 'geheim-5731';

export const LOG_DOUBLES = String.raw`
Import-Module -Name $data -Force
$s = [securestring]::new(); foreach ($c in '${logSecret}'.ToCharArray()) { $s.AppendChar($c) }
& (Get-Module SPMigration) {
    $script:log = @{ here = $true; source = $true; refuses = $false; unreadable = $false; registered = 0; asked = 0; written = @() }
    function script:Test-SPEventLogHere { $script:log['here'] }
    function script:Test-SPEventSource {
        $script:log['asked']++
        if ($script:log['unreadable']) { [void][System.IO.File]::ReadAllText('/no/such/file') }
        $script:log['source']
    }
    function script:Register-SPEventSource {
        if ($script:log['refuses']) { [void][System.IO.File]::ReadAllText('/no/such/file') }
        $script:log['registered']++; $script:log['source'] = $true
    }
    function script:Get-SPEventAccount { @{ Name = 'CONTOSO\anna'; Id = 'S-1-5-21-1-2-3-1001' } }
    function script:Write-SPEventRecord($Number, $Type, $Text) {
        if ($script:log['refuses']) { [void][System.IO.File]::ReadAllText('/no/such/file') }
        $script:log['written'] += @{ number = $Number; type = $Type; text = $Text }
    }
    function script:Test-SPEfsHere { $false }
}
function Set-Log([hashtable] $values) { & (Get-Module SPMigration) { foreach ($k in $args[0].Keys) { $script:log[$k] = $args[0][$k] } } $values }
function Get-Log($name) { & (Get-Module SPMigration) { $script:log[$args[0]] } $name }`;

/** What the fake core says to an operation's plan and its apply. */
export const change = (
  operation: string,
  applied: Act,
  planned: Act = plan('p1'),
): Record<string, readonly Act[]> => ({
  [`${operation}:plan`]: [planned],
  [`${operation}:apply`]: [applied],
});
/** A grant. */
export const access = (rest: Readonly<Record<string, unknown>> = {}): Act =>
  result('Access', {
    ...sampleOf('Access'),
    serial: '00112233445566778899aabbccddeeff',
    destination: 'PC-B',
    fingerprint: '0123 4567',
    authorityFingerprint: '89ab cdef',
    basicUserKey: [],
    path: String.raw`C:\Grants\PC-B.spgrant`,
    ...rest,
  });
/** Commands that grant once, and for two items of a pipeline. */
export const grant =
  "Grant-SPMigrationAccess -LiteralPath /a.spid -OwnerPassword $s -Force -Fingerprint '0123 4567'";
export const grantTwo = `[pscustomobject]@{ LiteralPath = '/a' }, [pscustomobject]@{ LiteralPath = '/b' } | ${grant.replace('-LiteralPath /a.spid', '')}`;
