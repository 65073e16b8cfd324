# Sees on a real Windows what the tests cannot see elsewhere: the rows of the first part of docs/windows-checklist.md. Needs
# Windows PowerShell 5.1 or PowerShell 7, the installed module, and the folder windows-check beside this file; no right is needed, elevated it
# sees more. It works in rehearsals below $env:TEMP, and takes back what it does elsewhere (certificate store, policy), which
# -WhatIf leaves out. Writes one line for each row: passed, failed, or not done and why. Passed is only what was seen happening.
[CmdletBinding(SupportsShouldProcess)]
param(
    # The report; its twin for programs has .json instead of the extension.
    [string]
    $ReportPath = 'windows-check.txt',

    # Rows to run, with wildcards and commas: 'C*', 'A6,J*'. Without it all.
    [string[]]
    $Row = '*',

    # Name or path of the module.
    [string]
    $Module = 'SPMigration'
)

$ErrorActionPreference = 'Stop'
if ([System.IO.Path]::DirectorySeparatorChar -ne '\') {
    throw 'This looks at Windows.'
}
# The cmdlets of the module obey the preferences of whoever calls them: they must act, and ask nobody.
$leaveAlone = [bool]$WhatIfPreference
$WhatIfPreference = $false
$ConfirmPreference = 'None'
$ProgressPreference = 'SilentlyContinue'

foreach ($part in 'frame', 'rehearsal', 'package', 'computer', 'files', 'consoles', 'certificates', 'tpm') {
    . ([System.IO.Path]::Combine($PSScriptRoot, 'windows-check', "$part.ps1"))
}

$check = New-CheckRun -Module $Module -LeaveAlone $leaveAlone
$report = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($ReportPath)
$before = [System.Environment]::CurrentDirectory
$kept = @{}
foreach ($name in 'SPMIGRATION_HOME', 'SPMIGRATION_TPM', 'SPMIGRATION_COMPUTER') {
    $kept[$name] = [System.Environment]::GetEnvironmentVariable($name)
}
try {
    foreach ($one in Get-CheckRow) {
        # With -File a list comes as one text.
        if (@($Row -split ',' | Where-Object { $one.No -like $_ }).Count -gt 0) {
            $result = Invoke-CheckRow -Check $check -Row $one
            Write-Host (Format-CheckResult -Result $result)
            # Each time: should a row end this process, the report says up to where it came.
            Write-CheckReport -Check $check -Path $report
        }
    }
} finally {
    foreach ($name in $kept.Keys) {
        [System.Environment]::SetEnvironmentVariable($name, $kept[$name])
    }
    [System.Environment]::CurrentDirectory = $before
    Remove-CheckFolder -Path $check.Root
}
if (@($check.Results | Where-Object { $_.Result -eq 'failed' }).Count -gt 0) {
    exit 1
}
