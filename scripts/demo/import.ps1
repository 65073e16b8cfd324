# Anna, on the destination: the import, and the same once more, which changes nothing.
param([string] $Path, [securestring[]] $Secret)
$password = $Secret[0]
Import-SPMigration -Path $Path -Password $password -EnableFeature
$again = Import-SPMigration -Path $Path -Password $password -EnableFeature
"imported once more, unchanged: $($again.Unchanged)"
