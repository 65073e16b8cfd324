# Somebody put another computer's file where the identity was: the fingerprint tells.
param([string] $Identity, [string] $Fingerprint)
. $PSScriptRoot/Prelude.ps1
$owner = Read-Secret
Show-Refusal FingerprintMismatch { Grant-SPMigrationAccess -Path $Identity -Fingerprint $Fingerprint -OwnerPassword $owner -Force }
