# What the source refuses: $Id says why.
param([string] $Path, [string] $Destination, [string] $Id)
. $PSScriptRoot/Prelude.ps1
$password = Read-Secret
Show-Refusal $Id { Export-SPMigration -Path $Path -Destination $Destination -Password $password -Force }
