# Somebody put another computer's file where the identity was: the fingerprint tells.
param([string] $Identity, [string] $Fingerprint, [securestring[]] $Secret)
$owner = $Secret[0]
Show-Refusal FingerprintMismatch { Grant-SPMigrationAccess -Path $Identity -Fingerprint $Fingerprint -OwnerPassword $owner -Force }
