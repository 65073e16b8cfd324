# The keys would leave the protection of a TPM without anybody having said so.
param([string] $Identity, [string] $Fingerprint, [securestring[]] $Secret)
$owner = $Secret[0]
Show-Refusal DestinationNotAttested { Grant-SPMigrationAccess -Path $Identity -Fingerprint $Fingerprint -OwnerPassword $owner -Force }
