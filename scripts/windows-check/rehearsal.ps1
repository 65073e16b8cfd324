# Simulated computers to check with, secrets for them, and programs that run beside this one.

function New-CheckSecret {
    param(
        [string]
        $Text
    )
    $secret = [System.Security.SecureString]::new()
    foreach ($character in $Text.ToCharArray()) {
        $secret.AppendChar($character)
    }
    return $secret
}

# Worth nothing: they protect keys that this check makes and throws away.
$script:CheckOwner = New-CheckSecret -Text 'the owner of a rehearsal'
$script:CheckPasswordText = "Annas Passwort $([char]0xe4)$([char]0xf6)$([char]0xfc)"
$script:CheckPassword = New-CheckSecret -Text $script:CheckPasswordText

# Goes to a simulated computer of a row.
function Enter-CheckComputer {
    param(
        [string]
        $Folder,

        [string]
        $Name
    )
    $computer = [System.IO.Path]::Combine($Folder, $Name)
    [System.Environment]::SetEnvironmentVariable('SPMIGRATION_HOME', $computer)
}

# A folder for one row.
function New-CheckFolder {
    param(
        $Check,

        [string]
        $Name
    )
    $folder = [System.IO.Path]::Combine($Check.Root, $Name)
    [void][System.IO.Directory]::CreateDirectory($folder)
    return $folder
}

# A computer with a software chip, and with a user where one is wanted; this session is on it afterwards.
function New-CheckComputer {
    param(
        [string]
        $Folder,

        [string]
        $Name,

        [switch]
        $User
    )
    Enter-CheckComputer -Folder $Folder -Name $Name
    $null = Initialize-SPMigrationPlatform -Chip Software -OwnerPassword $script:CheckOwner
    if ($User) {
        $null = Initialize-SPMigrationUser -Password $script:CheckPassword
    }
}

# The engine that runs this script, as a program.
function Get-CheckEngine {
    foreach ($name in 'powershell.exe', 'pwsh.exe') {
        $file = [System.IO.Path]::Combine($PSHOME, $name)
        if ([System.IO.File]::Exists($file)) {
            return $file
        }
    }
    return [System.Diagnostics.Process]::GetCurrentProcess().MainModule.FileName
}

# A second session in this process, with what the engine itself has.
function New-CheckShell {
    [powershell]::Create([System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
}

# Starts a program without a window of its own. Its standard input is open; what it writes is UTF-8.
function Start-CheckProgram {
    param(
        [string]
        $Path,

        [string]
        $Arguments,

        [hashtable]
        $Environment = @{}
    )
    $start = [System.Diagnostics.ProcessStartInfo]::new($Path, $Arguments)
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = [System.Text.UTF8Encoding]::new($false)
    foreach ($name in $Environment.Keys) {
        if ($null -eq $Environment[$name]) {
            $start.EnvironmentVariables.Remove($name)
        } else {
            $start.EnvironmentVariables[$name] = $Environment[$name]
        }
    }
    return [System.Diagnostics.Process]::Start($start)
}

# Runs a program to its end.
function Invoke-CheckProgram {
    param(
        [string]
        $Path,

        [string]
        $Arguments,

        [hashtable]
        $Environment = @{},

        [string]
        $Text = '',

        [int]
        $Seconds = 120
    )
    $process = Start-CheckProgram -Path $Path -Arguments $Arguments -Environment $Environment
    try {
        $output = $process.StandardOutput.ReadToEndAsync()
        $problem = $process.StandardError.ReadToEndAsync()
        $bytes = [System.Text.UTF8Encoding]::new($false).GetBytes($Text)
        $process.StandardInput.BaseStream.Write($bytes, 0, $bytes.Length)
        $process.StandardInput.BaseStream.Dispose()
        if (-not $process.WaitForExit(1000 * $Seconds)) {
            $process.Kill()
            throw [System.TimeoutException]::new("$Path was still running after $Seconds seconds")
        }
        [pscustomobject]@{ ExitCode = $process.ExitCode; Output = $output.Result; Problem = $problem.Result }
    } finally {
        $process.Dispose()
    }
}

# Runs PowerShell lines in a process of their own, which may end badly without ending this one. They write `name=value`, and `done` last.
function Invoke-CheckLines {
    param(
        [string]
        $Lines,

        [string]
        $Policy = 'RemoteSigned',

        [hashtable]
        $Environment = @{},

        # Of the console in which it runs; 0: whichever there is.
        [int]
        $CodePage = 0
    )
    $text = "`$ErrorActionPreference = 'Stop'; `$ProgressPreference = 'SilentlyContinue'; `$ConfirmPreference = 'None'`r`n$Lines`r`n'done'"
    $encoded = [System.Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes($text))
    $arguments = "-NoLogo -NoProfile -NonInteractive -ExecutionPolicy $Policy -OutputFormat Text -EncodedCommand $encoded"
    $path = Get-CheckEngine
    if ($CodePage -ne 0) {
        $arguments = "/d /s /c `"chcp $CodePage >nul & `"$path`" $arguments`""
        $path = "$env:SystemRoot\System32\cmd.exe"
    }
    $ran = Invoke-CheckProgram -Path $path -Arguments $arguments -Environment $Environment
    $values = @{}
    foreach ($line in $ran.Output -split '\r?\n') {
        $at = $line.IndexOf('=')
        if ($at -gt 0) {
            $values[$line.Substring(0, $at)] = $line.Substring($at + 1)
        }
    }
    $ended = ($ran.Output.TrimEnd() -split '\r?\n')[-1] -ceq 'done'
    [pscustomobject]@{ Ended = $ended; ExitCode = $ran.ExitCode; Values = $values; Problem = ($ran.Problem -replace '\s+', ' ').Trim() }
}

# Programs of this very module that are running.
function Get-CheckChild {
    param(
        $Check
    )
    foreach ($process in [System.Diagnostics.Process]::GetProcessesByName('spmigration')) {
        try {
            if ($process.MainModule.FileName -eq $Check.Executable) {
                $process
            }
        } catch [System.ComponentModel.Win32Exception] {
            # It has just ended, or is somebody else's.
            $process.Dispose()
        } catch [System.InvalidOperationException] {
            $process.Dispose()
        }
    }
}

# Waits until none is left; returns how long that took.
function Wait-CheckChildren {
    param(
        $Check,

        [int]
        $Seconds = 15
    )
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while (@(Get-CheckChild -Check $Check).Count -gt 0) {
        Assert-Check -That "no spmigration.exe is left after $Seconds seconds" -Is ($watch.Elapsed.TotalSeconds -lt $Seconds)
        [System.Threading.Thread]::Sleep(200)
    }
    return [System.Math]::Round($watch.Elapsed.TotalSeconds, 1)
}
