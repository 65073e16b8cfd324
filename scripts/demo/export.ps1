# Anna, on the source: her decision that the keys go.
param([string] $Path, [string] $Destination, [securestring[]] $Secret)
$password = $Secret[0]
Export-SPMigration -Path $Path -Destination $Destination -Password $password
