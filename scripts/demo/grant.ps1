# The owner of the source: permits exactly one destination, after comparing fingerprints.
param([string] $Identity, [string] $Fingerprint, [securestring[]] $Secret)
$owner = $Secret[0]
Grant-SPMigrationAccess -Path $Identity -Fingerprint $Fingerprint -OwnerPassword $owner -Force
