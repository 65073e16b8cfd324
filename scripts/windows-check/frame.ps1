# Rows, their results, and the report. A row is a block that returns what it measured; it fails by any error, and is not done where
# Stop-CheckRow says why. A row that measured nothing has seen nothing, and is not done either.

$script:CheckRows = [System.Collections.Generic.List[object]]::new()

function Add-CheckRow {
    param(
        # As in docs/windows-checklist.md.
        [string]
        $No,

        [string]
        $What,

        # What it changes outside of its own folders, and takes back.
        [string]
        $Changes = '',

        [scriptblock]
        $Run
    )
    $script:CheckRows.Add([pscustomobject]@{ No = $No; What = $What; Changes = $Changes; Run = $Run })
}

function Get-CheckRow {
    $script:CheckRows.ToArray()
}

# The row cannot be seen here.
function Stop-CheckRow {
    param(
        [string]
        $Why
    )
    throw [System.OperationCanceledException]::new($Why)
}

function Assert-Check {
    param(
        [string]
        $That,

        [bool]
        $Is
    )
    if (-not $Is) {
        throw [System.InvalidOperationException]::new("not so: $That")
    }
}

function Assert-CheckEqual {
    param(
        [string]
        $What,

        $Is,

        $Expected
    )
    if ([string]$Is -cne [string]$Expected) {
        throw [System.InvalidOperationException]::new("$What is '$Is' and not '$Expected'")
    }
}

# Runs what must end with an error of the module; returns its code.
function Get-CheckRefusal {
    param(
        [scriptblock]
        $Of
    )
    try {
        $null = & $Of
    } catch {
        return ($_.FullyQualifiedErrorId -split ',')[0]
    }
    return 'no error'
}

function New-CheckRun {
    param(
        [string]
        $Module,

        [bool]
        $LeaveAlone
    )
    Import-Module -Name $Module -ErrorAction Stop
    $loaded = Get-Module -Name 'SPMigration'
    $root = [System.IO.Path]::Combine([System.IO.Path]::GetTempPath(), "spmigration-check-$([System.Guid]::NewGuid().ToString('N'))")
    # Nobody else can have made it: SYSTEM's folder for temporary files is open to all.
    [void][System.IO.Directory]::CreateDirectory($root)
    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = [System.Security.Principal.WindowsPrincipal]::new($identity)
    [pscustomobject]@{
        Base       = $loaded.ModuleBase
        Version    = [string]$loaded.Version
        Executable = [System.IO.Path]::Combine($loaded.ModuleBase, 'bin\win-x64\spmigration.exe')
        Root       = $root
        Sid        = $identity.User.Value
        Elevated   = $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
        LeaveAlone = $LeaveAlone
        Results    = [System.Collections.Generic.List[object]]::new()
    }
}

function Invoke-CheckRow {
    param(
        $Check,

        $Row
    )
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $result = 'passed'
    $why = ''
    $measured = [System.Collections.Generic.List[string]]::new()
    [System.Environment]::SetEnvironmentVariable('SPMIGRATION_HOME', $null)
    [System.Environment]::SetEnvironmentVariable('SPMIGRATION_TPM', $null)
    try {
        if ($Row.Changes -and $Check.LeaveAlone) {
            Stop-CheckRow -Why "with -WhatIf it leaves alone: $($Row.Changes)"
        }
        foreach ($line in & $Row.Run $Check) {
            $measured.Add([string]$line)
        }
        if ($measured.Count -eq 0) {
            Stop-CheckRow -Why 'nothing was measured'
        }
    } catch [System.OperationCanceledException] {
        $result = 'not done'
        $why = $_.Exception.Message
    } catch {
        $result = 'failed'
        $message = $_.Exception.Message -replace '\s+', ' '
        if ($message.Length -gt 600) {
            $message = $message.Substring(0, 600) + ' ...'
        }
        $why = $message
        # What an assertion threw has no other id than its text.
        if ($_.FullyQualifiedErrorId -cne $_.Exception.Message) {
            $why += " [$($_.FullyQualifiedErrorId)]"
        }
        $why += " ($($_.InvocationInfo.ScriptName -replace '^.*\\'), line $($_.InvocationInfo.ScriptLineNumber))"
    }
    $made = [pscustomobject]@{
        No       = $Row.No
        What     = $Row.What
        Result   = $result
        Why      = $why -replace '\s+', ' '
        Measured = $measured.ToArray()
        Seconds  = [System.Math]::Round($watch.Elapsed.TotalSeconds, 1)
    }
    $Check.Results.Add($made)
    return $made
}

function Format-CheckResult {
    param(
        $Result
    )
    $line = "$($Result.No.PadRight(4))$($Result.Result.PadRight(9)) $($Result.What)"
    if ($Result.Why) {
        $line += ": $($Result.Why)"
    }
    if ($Result.Measured.Count -gt 0) {
        $line += " | $($Result.Measured -join '; ')"
    }
    return "$line ($($Result.Seconds.ToString([System.Globalization.CultureInfo]::InvariantCulture)) s)"
}

# What the report says of the computer, because a result holds for it only.
function Get-CheckHead {
    param(
        $Check
    )
    $windows = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SOFTWARE\Microsoft\Windows NT\CurrentVersion')
    $product = ''
    if ($null -ne $windows) {
        $product = "$($windows.GetValue('ProductName')) $($windows.GetValue('DisplayVersion')), build $($windows.GetValue('CurrentBuild')).$($windows.GetValue('UBR'))"
        $windows.Dispose()
    }
    $wine = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SOFTWARE\Wine')
    $head = [ordered]@{
        Windows    = $product.Trim()
        System     = [System.Environment]::OSVersion.VersionString
        PowerShell = "$($PSVersionTable.PSVersion) $($PSVersionTable.PSEdition)"
        Runtime    = [string][System.Environment]::Version
        Module     = "$($Check.Version) in $($Check.Base)"
        Elevated   = [string]$Check.Elevated
        Culture    = [System.Globalization.CultureInfo]::CurrentCulture.Name
        Date       = [System.DateTime]::UtcNow.ToString('u')
    }
    if ($null -ne $wine) {
        $wine.Dispose()
        $head['Wine'] = 'This is Wine. It is no evidence for Windows.'
    }
    return $head
}

function Write-CheckReport {
    param(
        $Check,

        [string]
        $Path
    )
    $head = Get-CheckHead -Check $Check
    $counts = [ordered]@{}
    foreach ($kind in 'passed', 'failed', 'not done') {
        $counts[$kind] = @($Check.Results | Where-Object { $_.Result -eq $kind }).Count
    }
    $lines = [System.Collections.Generic.List[string]]::new()
    $lines.Add('SPMigration on Windows: rows of docs/windows-checklist.md')
    foreach ($name in $head.Keys) {
        $lines.Add("$("$($name):".PadRight(12))$($head[$name])")
    }
    $lines.Add('')
    foreach ($result in $Check.Results) {
        $lines.Add((Format-CheckResult -Result $result))
    }
    $lines.Add('')
    $lines.Add("$($counts['passed']) passed, $($counts['failed']) failed, $($counts['not done']) not done")
    [System.IO.File]::WriteAllLines($Path, $lines.ToArray())
    $data = [ordered]@{ Head = $head; Counts = $counts; Rows = $Check.Results.ToArray() }
    [System.IO.File]::WriteAllText([System.IO.Path]::ChangeExtension($Path, '.json'), (ConvertTo-Json -InputObject $data -Depth 5))
}

# Also what lies beyond 260 characters, which .NET Framework does not reach.
function Remove-CheckFolder {
    param(
        [string]
        $Path
    )
    if (-not [System.IO.Directory]::Exists($Path)) {
        return
    }
    $null = Invoke-CheckProgram -Path "$env:SystemRoot\System32\attrib.exe" -Arguments "-R `"$Path\*`" /S /D"
    $null = Invoke-CheckProgram -Path "$env:SystemRoot\System32\cmd.exe" -Arguments "/d /s /c `"rd /s /q `"\\?\$Path`"`""
    if ([System.IO.Directory]::Exists($Path)) {
        [System.IO.Directory]::Delete($Path, $true)
    }
}
