# Section A: the package, its start, and one whole migration.

Add-CheckRow -No 'A1' -What 'import' -Run {
    param($Check)
    $ran = Invoke-CheckLines -Environment @{ TEMP = $null; TMP = $null; HOME = $null; SPMIGRATION_HOME = $null } -Lines @"
Import-Module -Name '$($Check.Base -replace "'", "''")\SPMigration.psd1'
"cmdlets=`$(@(Get-Command -Module SPMigration).Count)"
"@
    Assert-CheckEqual -What 'what the import said' -Is $ran.Problem -Expected ''
    Assert-Check -That 'it ended' -Is $ran.Ended
    $here = @(Get-Command -Module SPMigration).Count
    Assert-Check -That "it has cmdlets ($here)" -Is ($here -gt 20)
    Assert-CheckEqual -What 'cmdlets' -Is $ran.Values['cmdlets'] -Expected $here
    "$here cmdlets"
}

Add-CheckRow -No 'A2' -What 'import where only signed scripts run' -Run {
    param($Check)
    if ($null -eq (Get-Command -Name 'Get-AuthenticodeSignature' -ErrorAction Ignore)) {
        Stop-CheckRow -Why 'this engine knows no signatures'
    }
    $files = 'SPMigration.psd1', 'SPMigration.psm1', 'SPMigration.format.ps1xml', 'bin\win-x64\spmigration.exe'
    $states = foreach ($file in $files) {
        "$file $((Get-AuthenticodeSignature -LiteralPath ([System.IO.Path]::Combine($Check.Base, $file))).Status)"
    }
    $ran = Invoke-CheckLines -Policy 'AllSigned' -Lines @"
Import-Module -Name '$($Check.Base -replace "'", "''")\SPMigration.psd1'
"@
    $isSigned = @($states | Where-Object { $_ -notlike '* Valid' }).Count -eq 0
    if (-not $isSigned) {
        Assert-Check -That 'AllSigned refuses what is not signed' -Is (-not $ran.Ended)
        Stop-CheckRow -Why "the package is not signed by a publisher whom this computer trusts, and is refused, which is right ($($states -join ', '))"
    }
    Assert-CheckEqual -What 'what the import said' -Is $ran.Problem -Expected ''
    Assert-Check -That 'it ended' -Is $ran.Ended
    $states
}

Add-CheckRow -No 'A3' -What 'the package is whole' -Run {
    param($Check)
    $algorithm = [System.Security.Cryptography.SHA256]::Create()
    $lines = [System.IO.File]::ReadAllLines([System.IO.Path]::Combine($Check.Base, 'SHA256SUMS'))
    $named = foreach ($line in $lines) {
        $expected, $name = $line -split '  ', 2
        $stream = [System.IO.File]::OpenRead([System.IO.Path]::Combine($Check.Base, $name))
        $digest = [System.BitConverter]::ToString($algorithm.ComputeHash($stream)).Replace('-', '')
        $stream.Dispose()
        Assert-CheckEqual -What "SHA-256 of $name" -Is $digest.ToLowerInvariant() -Expected $expected
        $name
    }
    $files = [System.IO.Directory]::GetFiles($Check.Base, '*', [System.IO.SearchOption]::AllDirectories)
    Assert-CheckEqual -What 'the number of files with a checksum' -Is @($named).Count -Expected ($files.Count - 1)
    "$(@($named).Count) files"
}

Add-CheckRow -No 'A4' -What 'version resource' -Run {
    param($Check)
    $info = [System.Diagnostics.FileVersionInfo]::GetVersionInfo($Check.Executable)
    Assert-CheckEqual -What 'ProductName' -Is $info.ProductName -Expected 'SPMigration'
    Assert-CheckEqual -What 'OriginalFilename' -Is $info.OriginalFilename -Expected 'spmigration.exe'
    Assert-CheckEqual -What 'FileVersion' -Is $info.FileVersion -Expected "$($Check.Version).0"
    Assert-CheckEqual -What 'ProductVersion' -Is $info.ProductVersion -Expected "$($Check.Version).0"
    Assert-Check -That 'FileDescription names the product' -Is $info.FileDescription.StartsWith('SPMigration: ')
    "$($info.ProductName) $($info.FileVersion), $($info.CompanyName)"
}

Add-CheckRow -No 'A5' -What 'the executable starts' -Run {
    param($Check)
    $times = foreach ($try in 1..3) {
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        $ran = Invoke-CheckProgram -Path $Check.Executable -Arguments '--version'
        Assert-CheckEqual -What 'exit code' -Is $ran.ExitCode -Expected 0
        Assert-CheckEqual -What 'version' -Is $ran.Output.Trim() -Expected $Check.Version
        $watch.ElapsedMilliseconds
    }
    "--version in $($times -join ', ') ms"
    $node = Get-Command -Name 'node.exe' -CommandType Application -ErrorAction Ignore
    if ($null -ne $node) {
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        $null = Invoke-CheckProgram -Path @($node)[0].Path -Arguments '-e 0'
        "node.exe -e 0 in $($watch.ElapsedMilliseconds) ms"
    }
}

# One step onward: the one computer permits it, the other takes the keys.
function Move-CheckKeys {
    param(
        [string]
        $Folder,

        [string]
        $From,

        [string]
        $To
    )
    New-CheckComputer -Folder $Folder -Name $To
    $identity = Export-SPMigrationIdentity -Path $Folder
    Enter-CheckComputer -Folder $Folder -Name $From
    $null = Grant-SPMigrationAccess -Path $identity.Path -Fingerprint $identity.Fingerprint -OwnerPassword $script:CheckOwner -Force
    $archive = Export-SPMigration -Path $Folder -Destination $To -Password $script:CheckPassword
    Enter-CheckComputer -Folder $Folder -Name $To
    Assert-Check -That "$To says that the archive fits" -Is ($archive | Test-SPMigrationArchive -ForThisComputer)
    $imported = $archive | Import-SPMigration -Password $script:CheckPassword -EnableFeature -Force
    Assert-CheckEqual -What "the case on $To" -Is $imported.Case -Expected 'Install'
}

Add-CheckRow -No 'A6' -What 'a migration from PC-A to PC-B and on to PC-C' -Run {
    param($Check)
    $folder = New-CheckFolder -Check $Check -Name 'A6'
    New-CheckComputer -Folder $folder -Name 'PC-A' -User
    $made = New-SPMigrationCredential -Subject 'Anna' -EmailAddress 'anna@example.org' -Password $script:CheckPassword
    $null = Enable-SPMigrationFeature -Feature SecureEmail -Credential $made.Credential -Password $script:CheckPassword
    Move-CheckKeys -Folder $folder -From 'PC-A' -To 'PC-B'
    Move-CheckKeys -Folder $folder -From 'PC-B' -To 'PC-C'
    $found = @(Get-SPMigrationCredential)
    Assert-CheckEqual -What 'credentials on PC-C' -Is $found.Count -Expected 1
    Assert-CheckEqual -What 'thumbprint on PC-C' -Is $found[0].Thumbprint -Expected $made.Thumbprint
    Assert-CheckEqual -What 'state on PC-C' -Is $found[0].State -Expected 'Active'
    Assert-CheckEqual -What 'features on PC-C' -Is ($found[0].Features -join ',') -Expected 'SecureEmail'
    Assert-Check -That 'PC-C is in order' -Is (Test-SPMigration -Role Destination)
    "thumbprint $($made.Thumbprint)"
}

Add-CheckRow -No 'A7' -What 'results are read in Windows PowerShell 5.1' -Run {
    param($Check)
    if ($PSVersionTable.PSEdition -ne 'Desktop') {
        Stop-CheckRow -Why 'this is not Windows PowerShell 5.1'
    }
    Enter-CheckComputer -Folder (New-CheckFolder -Check $Check -Name 'A7') -Name 'PC-A'
    $status = Get-SPMigrationStatus
    Assert-CheckEqual -What 'Rehearsal' -Is $status.Rehearsal -Expected 'True'
    $loaded = [System.AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq 'System.Runtime.Serialization' }
    Assert-Check -That 'System.Runtime.Serialization is loaded' -Is ($null -ne $loaded)
    $loaded.FullName
}

Add-CheckRow -No 'A8' -What 'errors show the next step once' -Run {
    param($Check)
    $folder = New-CheckFolder -Check $Check -Name 'A8'
    $seen = $null
    try {
        $null = Get-SPMigrationIdentity -Path "$folder\no.spid" -ErrorAction Stop
    } catch {
        $seen = $_
    }
    Assert-Check -That 'it is an error' -Is ($null -ne $seen)
    $hint = $seen.ErrorDetails.RecommendedAction
    Assert-CheckEqual -What 'its code' -Is (($seen.FullyQualifiedErrorId -split ',')[0]) -Expected 'FileNotFound'
    Assert-Check -That 'it has a next step' -Is ($hint.Length -gt 10)
    $shown = ($seen | Out-String -Width 1000) -replace '\s+', ' '
    $times = ([regex]::Matches($shown, [regex]::Escape(($hint -replace '\s+', ' ')))).Count
    Assert-CheckEqual -What 'how often the next step is shown' -Is $times -Expected 1
    $seen.FullyQualifiedErrorId
}

Add-CheckRow -No 'A9' -What 'a module folder that cannot be written' -Run {
    param($Check)
    $probe = [System.IO.Path]::Combine($Check.Base, "check-$PID")
    $isClosed = $false
    try {
        [System.IO.File]::WriteAllText($probe, 'x')
        [System.IO.File]::Delete($probe)
    } catch [System.UnauthorizedAccessException] {
        $isClosed = $true
    }
    if (-not $isClosed) {
        Stop-CheckRow -Why "this account may write in $($Check.Base)"
    }
    New-CheckComputer -Folder (New-CheckFolder -Check $Check -Name 'A9') -Name 'PC-A' -User
    $null = New-SPMigrationCredential -Subject 'Anna' -Algorithm P-256 -Password $script:CheckPassword
    Assert-CheckEqual -What 'credentials' -Is @(Get-SPMigrationCredential).Count -Expected 1
    "works in $($Check.Base)"
}
