# The owner of the source: permits exactly one destination, after comparing fingerprints.
param([string] $Identity, [string] $Fingerprint)
. $PSScriptRoot/Prelude.ps1
$owner = Read-Secret
Grant-SPMigrationAccess -Path $Identity -Fingerprint $Fingerprint -OwnerPassword $owner -Force
