# The owner of the source: two fingerprints were compared, that of the computer and that of its TPM, and the TPM has answered.
param([string] $Identity, [string] $Fingerprint, [string] $Attestation, [string] $EndorsementKeyFingerprint, [securestring[]] $Secret)
$owner = $Secret[0]
$attested = @{ AttestationPath = $Attestation; EndorsementKeyFingerprint = $EndorsementKeyFingerprint }
(Get-SPMigrationIdentity -Path $Identity @attested | Format-List -Property Computer, Proof | Out-String).Trim()
Grant-SPMigrationAccess -Path $Identity -Fingerprint $Fingerprint @attested -OwnerPassword $owner -Force
