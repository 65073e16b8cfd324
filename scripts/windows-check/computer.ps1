# Sections B, H, J and S: who it runs as, the folder of the real platform, the policy of the computer, the event log.

Add-CheckRow -No 'B1' -What 'SID of the caller' -Run {
    param($Check)
    $ran = Invoke-CheckProgram -Path $Check.Executable -Arguments 'status --json'
    $status = ConvertFrom-Json -InputObject $ran.Output
    Assert-CheckEqual -What 'account' -Is $status.account -Expected "sid:$($Check.Sid)"
    "$($status.accountName) is $($status.account)"
}

Add-CheckRow -No 'B2' -What 'administrator' -Run {
    param($Check)
    $groups = (Invoke-CheckProgram -Path "$env:SystemRoot\System32\whoami.exe" -Arguments '/groups /fo csv /nh').Output
    # The mandatory level tells an elevated process from another one, whoever is asked about groups.
    $level = [regex]::Match($groups, 'S-1-16-(\d+)').Groups[1].Value
    if ($level -eq '') {
        Stop-CheckRow -Why 'this Windows tells no mandatory level, so nothing says who is elevated'
    }
    $isHigh = [int]$level -ge 12288
    Assert-CheckEqual -What 'the group Administrators counts' -Is $Check.Elevated -Expected $isHigh
    $status = ConvertFrom-Json -InputObject (Invoke-CheckProgram -Path $Check.Executable -Arguments 'status --json').Output
    Assert-CheckEqual -What 'administrator' -Is $status.administrator -Expected $isHigh
    "mandatory level $level, administrator: $($status.administrator)"
}

# Who may do what with a file or folder, by SID; inherited or not.
function Get-CheckAccess {
    param(
        [string]
        $Path
    )
    foreach ($rule in (Get-Acl -LiteralPath $Path).GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier])) {
        [pscustomobject]@{
            Sid = $rule.IdentityReference.Value; Rights = [int]$rule.FileSystemRights; Allow = $rule.AccessControlType -eq 'Allow'
            OnThis = -not ($rule.PropagationFlags -band [System.Security.AccessControl.PropagationFlags]::InheritOnly)
        }
    }
}

# The real platform's folder, where there is one and this Windows tells access lists as they are.
function Get-CheckPlatform {
    param(
        $Check
    )
    if ($null -eq (Get-Command -Name 'Get-Acl' -ErrorAction Ignore)) {
        Stop-CheckRow -Why 'this engine reads no access lists'
    }
    # What an access list says is worth nothing where nobody obeys it.
    $probe = New-CheckFolder -Check $Check -Name "acl-$([System.Guid]::NewGuid().ToString('N'))"
    $null = & "$env:SystemRoot\System32\icacls.exe" $probe /deny "*$($Check.Sid):(OI)(CI)(W)"
    $isObeyed = $false
    try {
        [System.IO.File]::WriteAllText("$probe\probe", 'x')
    } catch [System.UnauthorizedAccessException] {
        $isObeyed = $true
    }
    $null = & "$env:SystemRoot\System32\icacls.exe" $probe /remove:d "*$($Check.Sid)"
    if (-not $isObeyed) {
        Stop-CheckRow -Why 'this Windows lets write where icacls denied it'
    }
    $folder = "$env:ProgramData\SPMigration"
    if (-not [System.IO.Directory]::Exists($folder)) {
        Stop-CheckRow -Why 'this computer has no platform yet: Initialize-SPMigrationPlatform, elevated, and run it again'
    }
    return $folder
}

Add-CheckRow -No 'J1' -What 'no policy' -Run {
    param($Check)
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('Software\Policies\SPMigration')
    if ($null -ne $key) {
        $key.Dispose()
        Stop-CheckRow -Why 'this computer has a policy'
    }
    New-CheckComputer -Folder (New-CheckFolder -Check $Check -Name 'J1') -Name 'PC-A'
    $status = Get-SPMigrationStatus
    Assert-CheckEqual -What 'Rehearsal' -Is $status.Rehearsal -Expected 'True'
    'rehearsals are allowed'
}

# Sets the policy of this computer for as long as the block runs; an elevated process can, where there is none.
function Use-CheckPolicy {
    param(
        $Check,

        [string]
        $Name,

        $Value,

        [scriptblock]
        $Run
    )
    if (-not $Check.Elevated) {
        Stop-CheckRow -Why 'it takes an elevated PowerShell'
    }
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('Software\Policies\SPMigration')
    if ($null -ne $key) {
        $key.Dispose()
        Stop-CheckRow -Why 'this computer has a policy, which is left alone'
    }
    $made = [Microsoft.Win32.Registry]::LocalMachine.CreateSubKey('Software\Policies\SPMigration')
    try {
        $made.SetValue($Name, $Value)
        & $Run
    } finally {
        # Only what was set here: group policy may have written meanwhile.
        $made.DeleteValue($Name, $false)
        $empty = $made.ValueCount -eq 0 -and $made.SubKeyCount -eq 0
        $made.Dispose()
        if ($empty) {
            [Microsoft.Win32.Registry]::LocalMachine.DeleteSubKey('Software\Policies\SPMigration', $false)
        }
    }
}

Add-CheckRow -No 'J2' -What 'a policy that counts' -Changes 'the policy of this computer' -Run {
    param($Check)
    Enter-CheckComputer -Folder (New-CheckFolder -Check $Check -Name 'J2') -Name 'PC-A'
    $refusal = Use-CheckPolicy -Check $Check -Name 'AllowRehearsal' -Value 0 -Run { Get-CheckRefusal -Of { Get-SPMigrationStatus } }
    Assert-CheckEqual -What 'AllowRehearsal 0' -Is $refusal -Expected 'RehearsalForbidden'
    Assert-CheckEqual -What 'afterwards' -Is (Get-CheckRefusal -Of { Get-SPMigrationStatus }) -Expected 'no error'
    "AllowRehearsal 0: $refusal"
}

Add-CheckRow -No 'J3' -What 'a malformed policy' -Changes 'the policy of this computer' -Run {
    param($Check)
    Enter-CheckComputer -Folder (New-CheckFolder -Check $Check -Name 'J3') -Name 'PC-A'
    foreach ($value in 7, 'yes') {
        $refusal = Use-CheckPolicy -Check $Check -Name 'AllowRehearsal' -Value $value -Run { Get-CheckRefusal -Of { Get-SPMigrationStatus } }
        Assert-CheckEqual -What "AllowRehearsal $value" -Is $refusal -Expected 'PolicyMalformed'
        "AllowRehearsal ${value}: $refusal"
    }
}

Add-CheckRow -No 'H1' -What 'owners of the platform''s folder' -Run {
    param($Check)
    $folder = Get-CheckPlatform -Check $Check
    foreach ($path in $folder, "$folder\public", "$folder\private", "$folder\users") {
        $owner = (Get-Acl -LiteralPath $path).GetOwner([System.Security.Principal.SecurityIdentifier]).Value
        Assert-Check -That "$path belongs to administrators or the system ($owner)" -Is ($owner -in 'S-1-5-32-544', 'S-1-5-18')
        "${path}: $owner"
    }
}

Add-CheckRow -No 'H2' -What 'access lists of the platform''s folder' -Run {
    param($Check)
    $folder = Get-CheckPlatform -Check $Check
    # What BUILTIN\Users may do with the folder itself (core/src/adapters/system/security-descriptor.ts).
    $expected = [ordered]@{ $folder = 0x1200A9; "$folder\public" = 0x1200A9; "$folder\private" = 0x120080; "$folder\users" = 0x1200A2 }
    foreach ($path in $expected.Keys) {
        Assert-Check -That "$path inherits nothing" -Is (Get-Acl -LiteralPath $path).AreAccessRulesProtected
        $rules = @(Get-CheckAccess -Path $path)
        $others = @($rules | Where-Object { $_.OnThis -and $_.Sid -notin 'S-1-5-18', 'S-1-5-32-544', 'S-1-5-32-545' })
        Assert-CheckEqual -What "accounts with rights on $path beside the system, administrators and users" -Is ($others.Sid -join ',') -Expected ''
        $users = 0
        foreach ($rule in $rules | Where-Object { $_.OnThis -and $_.Sid -eq 'S-1-5-32-545' }) {
            $users = $users -bor $rule.Rights
        }
        Assert-CheckEqual -What "rights of users on $path" -Is ('0x{0:x}' -f $users) -Expected ('0x{0:x}' -f $expected[$path])
        '{0}: 0x{1:x}' -f $path, $users
    }
    if (-not $Check.Elevated) {
        # What the lists say, tried.
        foreach ($path in $folder, "$folder\public", "$folder\private") {
            $isRefused = $false
            try {
                [System.IO.File]::WriteAllText("$path\check-$PID", 'x')
                [System.IO.File]::Delete("$path\check-$PID")
            } catch [System.UnauthorizedAccessException] {
                $isRefused = $true
            }
            Assert-Check -That "this account makes no file in $path" -Is $isRefused
        }
        'this account makes no file there'
    }
}

Add-CheckRow -No 'S1' -What 'event log' -Changes 'the event log: one event of a refused grant' -Run {
    param($Check)
    if ($null -eq (Get-Command -Name 'Get-WinEvent' -ErrorAction Ignore)) {
        Stop-CheckRow -Why 'this engine reads no event log'
    }
    $source = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Services\EventLog\Application\SPMigration')
    if ($null -eq $source) {
        Stop-CheckRow -Why 'the source is not registered: Initialize-SPMigrationPlatform, elevated, and run it again'
    }
    $source.Dispose()
    $folder = New-CheckFolder -Check $Check -Name 'S1'
    New-CheckComputer -Folder $folder -Name 'PC-A'
    $identity = Export-SPMigrationIdentity -Path $folder
    [System.Environment]::SetEnvironmentVariable('SPMIGRATION_HOME', $null)
    $since = [System.DateTime]::Now.AddSeconds(-2)
    # Refused, whoever asks: what a rehearsal made never mixes with what is real.
    $refusal = Get-CheckRefusal -Of { Grant-SPMigrationAccess -Path $identity.Path -Fingerprint $identity.Fingerprint -OwnerPassword $script:CheckOwner -Force }
    Assert-Check -That "the grant is refused ($refusal)" -Is ($refusal -ne 'no error')
    $events = @(Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = 'SPMigration'; StartTime = $since } -ErrorAction SilentlyContinue)
    $found = @($events | Where-Object { $_.Id -eq 2020 })
    Assert-CheckEqual -What 'events of the refused grant' -Is $found.Count -Expected 1
    Assert-Check -That "its message is readable ($($found[0].Message))" -Is ($found[0].Message -match $refusal -and $found[0].Message -notmatch 'description for Event')
    "$($found[0].Id) $($found[0].LevelDisplayName): $($found[0].Message -replace '\s+', ' ')"
}
