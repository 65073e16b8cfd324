# What the source refuses: $Id says why.
param([string] $Path, [string] $Destination, [string] $Id, [securestring[]] $Secret)
$password = $Secret[0]
Show-Refusal $Id { Export-SPMigration -Path $Path -Destination $Destination -Password $password -Force }
