# The owner changes their mind.
param([string] $Destination)
. $PSScriptRoot/Prelude.ps1
$owner = Read-Secret
Get-SPMigrationAccess -Destination $Destination | Revoke-SPMigrationAccess -OwnerPassword $owner -Reason 'the computer was stolen' -Confirm:$false
