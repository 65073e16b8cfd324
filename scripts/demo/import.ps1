# Anna, on the destination: first a look at what would happen, then the import.
param([string] $Path)
. $PSScriptRoot/Prelude.ps1
$password = Read-Secret
$test = Test-SPMigrationArchive -Path $Path -ForThisComputer -Detailed
"fits this computer: $($test.Fits); case: $($test.Case)"
Import-SPMigration -Path $Path -Password $password -EnableFeature -WhatIf
$result = Import-SPMigration -Path $Path -Password $password -EnableFeature
$result
$again = Import-SPMigration -Path $Path -Password $password -EnableFeature
"imported once more, unchanged: $($again.Unchanged)"
