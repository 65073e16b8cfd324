# Anna, on the source: her decision that the keys go.
param([string] $Path, [string] $Destination)
. $PSScriptRoot/Prelude.ps1
$password = Read-Secret
Export-SPMigration -Path $Path -Destination $Destination -Password $password
