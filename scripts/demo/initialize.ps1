# The administrator of a computer: once, before anything else.
. $PSScriptRoot/Prelude.ps1
$owner = Read-Secret
$status = Initialize-SPMigrationPlatform -OwnerPassword $owner
"$($status.Computer) is initialized; its fingerprint is $($status.Fingerprint)"
