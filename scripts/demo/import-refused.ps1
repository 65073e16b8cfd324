# What a destination refuses: $Id says why.
param([string] $Path, [string] $Id)
. $PSScriptRoot/Prelude.ps1
$password = Read-Secret
Show-Refusal $Id { Import-SPMigration -Path $Path -Password $password }
