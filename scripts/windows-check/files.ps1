# Section C: files and folders as Windows has them.

Add-CheckRow -No 'C1' -What 'names that Windows keeps for itself' -Run {
    param($Check)
    $folder = New-CheckFolder -Check $Check -Name 'C1'
    New-CheckComputer -Folder $folder -Name 'PC-A'
    foreach ($name in 'con', 'nul', 'x.', 'a:b', 'com1.spid', 'CONOUT$', 'lpt9.spid') {
        $refusal = Get-CheckRefusal -Of { Export-SPMigrationIdentity -Path "$folder\$name" }
        Assert-CheckEqual -What "the answer to $name" -Is $refusal -Expected 'PathUnusable'
        "${name}: $refusal"
    }
    $left = @([System.IO.Directory]::GetFileSystemEntries($folder))
    Assert-CheckEqual -What 'what is in the folder' -Is ($left -join ',') -Expected "$folder\PC-A"
}

Add-CheckRow -No 'C2' -What 'paths beyond 260 characters' -Run {
    param($Check)
    $folder = New-CheckFolder -Check $Check -Name 'C2'
    $deep = $folder
    while ($deep.Length -lt 320) {
        $deep += '\' + ('deep ' * 10) + 'end'
    }
    try {
        [void][System.IO.Directory]::CreateDirectory($deep)
    } catch [System.IO.PathTooLongException] {
        # .NET Framework does not reach so far where LongPathsEnabled is off; the command processor does.
        $made = Invoke-CheckProgram -Path "$env:SystemRoot\System32\cmd.exe" -Arguments "/d /s /c `"mkdir `"\\?\$deep`"`""
        Assert-CheckEqual -What "making the folder: $($made.Problem)" -Is $made.ExitCode -Expected 0
    }
    New-CheckComputer -Folder $deep -Name 'PC-A' -User
    $null = New-SPMigrationCredential -Subject 'Anna' -Password $script:CheckPassword
    $identity = Export-SPMigrationIdentity -Path $deep
    Assert-Check -That "$($identity.Path.Length) characters are more than 300" -Is ($identity.Path.Length -gt 300)
    $read = Get-SPMigrationIdentity -LiteralPath $identity.Path
    Assert-CheckEqual -What 'the fingerprint' -Is $read.Fingerprint -Expected $identity.Fingerprint
    "$($identity.Path.Length) characters"
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Control\FileSystem')
    if ($null -ne $key) {
        "LongPathsEnabled is '$($key.GetValue('LongPathsEnabled'))'"
        $key.Dispose()
    }
}

Add-CheckRow -No 'C3' -What 'UNC paths' -Run {
    param($Check)
    $folder = New-CheckFolder -Check $Check -Name 'C3'
    $share = '\\localhost\' + $folder.Replace(':', '$')
    if (-not [System.IO.Directory]::Exists($share)) {
        Stop-CheckRow -Why "there is no $share for this account: it takes an elevated PowerShell"
    }
    New-CheckComputer -Folder $folder -Name 'PC-A'
    $identity = Export-SPMigrationIdentity -Path $share
    Assert-CheckEqual -What 'where it lies' -Is ([System.IO.File]::Exists("$folder\PC-A.spid")) -Expected 'True'
    foreach ($path in "$share\PC-A.spid", "$share\*.spid") {
        $read = Get-SPMigrationIdentity -Path $path
        Assert-CheckEqual -What "the fingerprint in $path" -Is $read.Fingerprint -Expected $identity.Fingerprint
        $path
    }
}

Add-CheckRow -No 'C4' -What 'paths with brackets, drives of PowerShell' -Run {
    param($Check)
    $folder = New-CheckFolder -Check $Check -Name 'C4\a [1]'
    New-CheckComputer -Folder $folder -Name 'PC-A'
    $identity = Export-SPMigrationIdentity -Path $folder
    Assert-CheckEqual -What 'where it lies' -Is ([System.IO.File]::Exists("$folder\PC-A.spid")) -Expected 'True'
    $provider = $ExecutionContext.SessionState.Provider.GetOne('FileSystem')
    $drive = [System.Management.Automation.PSDriveInfo]::new('SPCheck', $provider, $folder, '', $null)
    $null = $ExecutionContext.SessionState.Drive.New($drive, 'Global')
    try {
        foreach ($path in "$folder\PC-A.spid", 'SPCheck:\PC-A.spid', 'SPCheck:\*.spid') {
            $read = Get-SPMigrationIdentity -Path $path
            Assert-CheckEqual -What "the fingerprint in $path" -Is $read.Fingerprint -Expected $identity.Fingerprint
            $path
        }
        $null = Export-SPMigrationIdentity -Path 'SPCheck:\second.spid'
        Assert-CheckEqual -What 'where the second lies' -Is ([System.IO.File]::Exists("$folder\second.spid")) -Expected 'True'
    } finally {
        $ExecutionContext.SessionState.Drive.Remove('SPCheck', $true, 'Global')
    }
}

# Holds a file open as programs do that only read: nobody can replace it meanwhile. Returns what must be ended.
function Lock-CheckFile {
    param(
        [string]
        $Path,

        [int]
        $Milliseconds
    )
    $holder = New-CheckShell
    $stream = [System.IO.File]::Open($Path, 'Open', 'Read', 'Read')
    $null = $holder.AddScript('param($stream, $ms) [System.Threading.Thread]::Sleep($ms); $stream.Dispose()').AddArgument($stream).AddArgument($Milliseconds)
    @{ Shell = $holder; Handle = $holder.BeginInvoke() }
}

Add-CheckRow -No 'C5' -What 'a rename over a file that is being read' -Run {
    param($Check)
    New-CheckComputer -Folder (New-CheckFolder -Check $Check -Name 'C5') -Name 'PC-A' -User
    $current = [System.IO.Path]::Combine((Get-SPMigrationStatus).EnvironmentPath, 'current')
    $old = [System.BitConverter]::ToString([System.IO.File]::ReadAllBytes($current))
    $held = Lock-CheckFile -Path $current -Milliseconds 15000
    $refusal = Get-CheckRefusal -Of { New-SPMigrationCredential -Subject 'Anna' -Algorithm P-256 -Password $script:CheckPassword }
    $stillHeld = -not $held.Handle.IsCompleted
    $null = $held.Shell.EndInvoke($held.Handle)
    Assert-Check -That 'the file was held until the answer came' -Is $stillHeld
    Assert-CheckEqual -What 'while it is held' -Is $refusal -Expected 'StorageDenied'
    $now = [System.BitConverter]::ToString([System.IO.File]::ReadAllBytes($current))
    Assert-Check -That 'the old state is there' -Is ($now -ceq $old)
    "held for good: $refusal"
    # As long as it takes to get to the rename, and a little longer.
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $null = New-SPMigrationCredential -Subject 'Ben' -Algorithm P-256 -Password $script:CheckPassword
    $usual = $watch.ElapsedMilliseconds
    $held = Lock-CheckFile -Path $current -Milliseconds ($usual + 300)
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $null = New-SPMigrationCredential -Subject 'Clara' -Algorithm P-256 -Password $script:CheckPassword
    $null = $held.Shell.EndInvoke($held.Handle)
    Assert-CheckEqual -What 'credentials' -Is @(Get-SPMigrationCredential).Count -Expected 2
    "held for $($usual + 300) ms: done in $($watch.ElapsedMilliseconds) ms (without: $usual ms)"
}

Add-CheckRow -No 'C6' -What 'a file or folder that is read-only' -Run {
    param($Check)
    $folder = New-CheckFolder -Check $Check -Name 'C6'
    New-CheckComputer -Folder $folder -Name 'PC-A'
    $kept = "$folder\kept.spid"
    [System.IO.File]::WriteAllText($kept, 'something else')
    [System.IO.File]::SetAttributes($kept, 'ReadOnly')
    $refusal = Get-CheckRefusal -Of { Export-SPMigrationIdentity -Path $kept -Force }
    Assert-CheckEqual -What 'a read-only file' -Is $refusal -Expected 'StorageDenied'
    Assert-CheckEqual -What 'its content' -Is ([System.IO.File]::ReadAllText($kept)) -Expected 'something else'
    "read-only file: $refusal"
    $closed = New-CheckFolder -Check $Check -Name 'C6\closed'
    $null = & "$env:SystemRoot\System32\icacls.exe" $closed /deny "*$($Check.Sid):(OI)(CI)(W)"
    try {
        $isClosed = $false
        try {
            [System.IO.File]::WriteAllText("$closed\probe", 'x')
            [System.IO.File]::Delete("$closed\probe")
        } catch [System.UnauthorizedAccessException] {
            $isClosed = $true
        }
        if (-not $isClosed) {
            Stop-CheckRow -Why "the read-only file was seen ($refusal), but this Windows lets write where icacls denied it"
        }
        $refusal = Get-CheckRefusal -Of { Export-SPMigrationIdentity -Path $closed }
        Assert-CheckEqual -What 'a folder without the right to write' -Is $refusal -Expected 'StorageDenied'
        "folder without the right to write: $refusal"
    } finally {
        $null = & "$env:SystemRoot\System32\icacls.exe" $closed /remove:d "*$($Check.Sid)"
    }
}

# Whether a process has, or had, the lock of an environment.
function Test-CheckLock {
    param(
        [string]
        $Folder
    )
    [System.IO.Directory]::GetFiles($Folder, 'lock*').Count -gt 0
}

Add-CheckRow -No 'C7' -What 'the lock of a process that was killed' -Run {
    param($Check)
    New-CheckComputer -Folder (New-CheckFolder -Check $Check -Name 'C7') -Name 'PC-A' -User
    $environment = (Get-SPMigrationStatus).EnvironmentPath
    # While this is open a change has its lock and waits, for a second: time enough to be killed.
    $held = [System.IO.File]::Open([System.IO.Path]::Combine($environment, 'current'), 'Open', 'Read', 'Read')
    $process = Start-CheckProgram -Path $Check.Executable -Arguments 'credential-new Anna --algorithm P-256 --password-stdin --yes'
    $bytes = [System.Text.UTF8Encoding]::new($false).GetBytes("$script:CheckPasswordText`n")
    $process.StandardInput.BaseStream.Write($bytes, 0, $bytes.Length)
    $process.StandardInput.BaseStream.Dispose()
    while (-not $process.HasExited -and -not (Test-CheckLock -Folder $environment)) {
        [System.Threading.Thread]::Sleep(1)
    }
    if (-not $process.HasExited) {
        $process.Kill()
    }
    $process.WaitForExit()
    $process.Dispose()
    $held.Dispose()
    if (-not (Test-CheckLock -Folder $environment)) {
        Stop-CheckRow -Why 'it could not be killed while it had the lock'
    }
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $null = New-SPMigrationCredential -Subject 'Ben' -Algorithm P-256 -Password $script:CheckPassword
    $time = $watch.ElapsedMilliseconds
    Assert-CheckEqual -What 'credentials' -Is ((Get-SPMigrationCredential).Label -join ',') -Expected 'Ben'
    Assert-Check -That 'no lock is left' -Is (-not (Test-CheckLock -Folder $environment))
    "the lock was taken away; the next change took $time ms"
}
