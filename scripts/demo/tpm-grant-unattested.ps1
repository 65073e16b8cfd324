# The owner lets the keys go to a computer whose TPM was not asked.
param([string] $Identity, [string] $Fingerprint, [securestring[]] $Secret)
$owner = $Secret[0]
Grant-SPMigrationAccess -Path $Identity -Fingerprint $Fingerprint -AllowUnattested -OwnerPassword $owner -Force
