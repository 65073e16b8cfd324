# The administrator of a computer: once, before anything else.
param([securestring[]] $Secret)
$owner = $Secret[0]
$status = Initialize-SPMigrationPlatform -OwnerPassword $owner
"$($status.Computer) is initialized; its fingerprint is $($status.Fingerprint)"
