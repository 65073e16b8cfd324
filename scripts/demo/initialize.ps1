# The administrator of a computer: once, before anything else.
param([string] $Chip, [securestring[]] $Secret)
$owner = $Secret[0]
$status = Initialize-SPMigrationPlatform -Chip $Chip -OwnerPassword $owner
"$($status.Computer) is initialized; its fingerprint is $($status.Fingerprint)"
