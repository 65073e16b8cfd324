# What a destination refuses: $Id says why.
param([string] $Path, [string] $Id, [securestring[]] $Secret)
$password = $Secret[0]
Show-Refusal $Id { Import-SPMigration -Path $Path -Password $password }
