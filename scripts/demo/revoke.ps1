# The owner changes their mind.
param([string] $Destination, [securestring[]] $Secret)
$owner = $Secret[0]
Get-SPMigrationAccess -Destination $Destination | Revoke-SPMigrationAccess -OwnerPassword $owner -Reason 'the computer was stolen' -Confirm:$false
