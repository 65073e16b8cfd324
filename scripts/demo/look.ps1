# Anna, on the destination: what would happen? The first needs no secret at all; -WhatIf shows the plan key by key.
param([string] $Path, [securestring[]] $Secret)
$password = $Secret[0]
$test = Test-SPMigrationArchive -Path $Path -ForThisComputer -Detailed
"fits this computer: $($test.Fits); case: $($test.Case)"
Import-SPMigration -Path $Path -Password $password -EnableFeature -WhatIf
