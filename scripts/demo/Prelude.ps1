# What every computer of the demonstration begins with: the module, and a way to show refusals. The steps' secrets reach
# PowerShell through its standard input, so that none is an argument, an environment variable or a file.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module $env:DEMO_MODULE

# Runs what must be refused, and shows the refusal's id and text. Anything else is a failure of the demonstration.
function Show-Refusal {
    param([string] $Id, [scriptblock] $Script)
    try {
        & $Script | Out-Null
    } catch {
        if ($_.FullyQualifiedErrorId -like "$Id,*") {
            "refused: $($_.FullyQualifiedErrorId)"
            "         $($_.Exception.Message)"
            return
        }
        throw
    }
    throw "This should have been refused with $Id."
}
