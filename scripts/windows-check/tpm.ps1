# Section I: the real TPM through TPM Base Services, in a rehearsal that leaves nothing in it. PC-A and PC-C have software chips,
# PC-B has the TPM. Later rows need what earlier ones made, and say so where it is missing.

$script:CheckTpm = @{ Folder = ''; Plan = ''; Platform = $false; User = $false }

# Goes to one of the three; the TPM is the computer's own.
function Enter-CheckTpm {
    param(
        [string]
        $Name
    )
    Enter-CheckComputer -Folder $script:CheckTpm.Folder -Name $Name
    [System.Environment]::SetEnvironmentVariable('SPMIGRATION_TPM', 'tbs')
}

function Measure-CheckTpm {
    param(
        [string]
        $What,

        [scriptblock]
        $Run
    )
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $null = & $Run
    "$What in $($watch.ElapsedMilliseconds) ms"
}

function Stop-CheckTpmWithout {
    param(
        [string]
        $What
    )
    if (-not $script:CheckTpm[$What]) {
        Stop-CheckRow -Why "it needs what an earlier row makes: $What"
    }
}

Add-CheckRow -No 'I1' -What 'the TPM, and the plan for it' -Run {
    param($Check)
    $script:CheckTpm['Folder'] = New-CheckFolder -Check $Check -Name 'I'
    Enter-CheckTpm -Name 'PC-B'
    $ran = Invoke-CheckProgram -Path $Check.Executable -Arguments 'platform-initialize --chip Tpm2 --owner-password-stdin --what-if' -Text "the owner of a rehearsal`n"
    if ($ran.Problem -match 'ChipNotFound') {
        Stop-CheckRow -Why "there is no TPM: $($ran.Problem -replace '\s+', ' ')"
    }
    Assert-Check -That "the plan can be made: $($ran.Problem -replace '\s+', ' ')" -Is ($ran.ExitCode -eq 0)
    $script:CheckTpm['Plan'] = ($ran.Output -replace '\s+', ' ').Trim()
    $script:CheckTpm['Plan']
}

Add-CheckRow -No 'I2' -What 'a platform on the TPM' -Run {
    param($Check)
    Stop-CheckTpmWithout -What 'Plan'
    if ($script:CheckTpm['Plan'] -notmatch 'is used as it is there') {
        Stop-CheckRow -Why 'the TPM has no storage key yet; one that is made here would stay in it'
    }
    Enter-CheckTpm -Name 'PC-B'
    Measure-CheckTpm -What 'initialized' -Run { Initialize-SPMigrationPlatform -Chip Tpm2 -OwnerPassword $script:CheckOwner }
    Assert-CheckEqual -What 'Chip' -Is (Get-SPMigrationStatus).Chip -Expected 'tpm2'
    $script:CheckTpm['Platform'] = $true
}

Add-CheckRow -No 'I3' -What 'status of the TPM' -Run {
    param($Check)
    Stop-CheckTpmWithout -What 'Platform'
    Enter-CheckTpm -Name 'PC-B'
    $status = Get-SPMigrationStatus
    Assert-CheckEqual -What 'ChipProblem' -Is $status.ChipProblem -Expected ''
    Assert-Check -That 'the maker is named' -Is ([string]$status.ChipManufacturer -ne '')
    "$($status.ChipModel) (maker $($status.ChipManufacturer)), failed tries $($status.ChipFailedTries)"
}

Add-CheckRow -No 'I4' -What 'a user and a key on the TPM' -Run {
    param($Check)
    Stop-CheckTpmWithout -What 'Platform'
    Enter-CheckTpm -Name 'PC-B'
    Measure-CheckTpm -What 'user' -Run { Initialize-SPMigrationUser -Password $script:CheckPassword }
    Measure-CheckTpm -What 'credential' -Run { New-SPMigrationCredential -Subject 'Anna' -Algorithm P-256 -Password $script:CheckPassword }
    Assert-CheckEqual -What 'credentials' -Is @(Get-SPMigrationCredential).Count -Expected 1
    $script:CheckTpm['User'] = $true
}

Add-CheckRow -No 'I5' -What 'identity, challenge, proof' -Run {
    param($Check)
    Stop-CheckTpmWithout -What 'Platform'
    $folder = $script:CheckTpm['Folder']
    Enter-CheckTpm -Name 'PC-B'
    $identity = Export-SPMigrationIdentity -Path $folder
    Assert-Check -That 'it names an endorsement key' -Is ([string]$identity.EndorsementFingerprint -ne '')
    New-CheckComputer -Folder $folder -Name 'PC-A' -User
    $challenge = New-SPMigrationChallenge -Path $identity.Path -OwnerPassword $script:CheckOwner
    Enter-CheckTpm -Name 'PC-B'
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $answer = Export-SPMigrationIdentity -Path $folder -ChallengePath $challenge.Path
    $time = $watch.ElapsedMilliseconds
    Enter-CheckTpm -Name 'PC-A'
    $known = Get-SPMigrationIdentity -Path $identity.Path -AttestationPath $answer.Path -EndorsementKeyFingerprint $answer.EndorsementFingerprint
    Assert-CheckEqual -What 'Proof' -Is $known.Proof -Expected 'Attested'
    "answered in $time ms; certificate of the endorsement key: $($identity.EndorsementCertificate)"
}

Add-CheckRow -No 'I6' -What 'export from the TPM' -Run {
    param($Check)
    Stop-CheckTpmWithout -What 'User'
    $folder = $script:CheckTpm['Folder']
    New-CheckComputer -Folder $folder -Name 'PC-C'
    $identity = Export-SPMigrationIdentity -Path $folder
    Enter-CheckTpm -Name 'PC-B'
    $null = Grant-SPMigrationAccess -Path $identity.Path -Fingerprint $identity.Fingerprint -AllowUnattested -OwnerPassword $script:CheckOwner -Force
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $archive = Export-SPMigration -Path $folder -Destination PC-C -Password $script:CheckPassword
    $time = $watch.ElapsedMilliseconds
    Enter-CheckTpm -Name 'PC-C'
    $imported = $archive | Import-SPMigration -Password $script:CheckPassword -Force
    Assert-CheckEqual -What 'the case on PC-C' -Is $imported.Case -Expected 'Install'
    "exported in $time ms, and it opens on PC-C"
}

Add-CheckRow -No 'I7' -What 'import into the TPM' -Run {
    param($Check)
    Stop-CheckTpmWithout -What 'Platform'
    $folder = [System.IO.Path]::Combine($script:CheckTpm['Folder'], 'import')
    [void][System.IO.Directory]::CreateDirectory($folder)
    # Another computer of the same TPM, on which nobody has a key yet.
    Enter-CheckTpm -Name 'PC-D'
    $null = Initialize-SPMigrationPlatform -Chip Tpm2 -OwnerPassword $script:CheckOwner
    $identity = Export-SPMigrationIdentity -Path $folder
    New-CheckComputer -Folder $script:CheckTpm['Folder'] -Name 'PC-E' -User
    $made = New-SPMigrationCredential -Subject 'Eva' -Algorithm P-256 -Password $script:CheckPassword
    $null = Grant-SPMigrationAccess -Path $identity.Path -Fingerprint $identity.Fingerprint -OwnerPassword $script:CheckOwner -Force
    $archive = Export-SPMigration -Path $folder -Destination PC-D -Password $script:CheckPassword
    Enter-CheckTpm -Name 'PC-D'
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $imported = $archive | Import-SPMigration -Password $script:CheckPassword -Force
    $time = $watch.ElapsedMilliseconds
    Assert-CheckEqual -What 'the case' -Is $imported.Case -Expected 'Install'
    Assert-CheckEqual -What 'the thumbprint' -Is (Get-SPMigrationCredential).Thumbprint -Expected $made.Thumbprint
    "imported in $time ms"
}

Add-CheckRow -No 'I8' -What 'another password' -Run {
    param($Check)
    Stop-CheckTpmWithout -What 'User'
    Enter-CheckTpm -Name 'PC-B'
    $new = New-CheckSecret -Text 'another password of Anna'
    Measure-CheckTpm -What 'changed' -Run { Set-SPMigrationPassword -Password $script:CheckPassword -NewPassword $new }
    $null = New-SPMigrationCredential -Subject 'with the new one' -Algorithm P-256 -Password $new
    Assert-CheckEqual -What 'credentials' -Is @(Get-SPMigrationCredential).Count -Expected 2
}
