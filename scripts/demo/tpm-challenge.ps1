# The owner of the source asks the TPM of the destination whether it holds that storage key. The file permits nothing.
param([string] $Identity, [securestring[]] $Secret)
$owner = $Secret[0]
New-SPMigrationChallenge -Path $Identity -OwnerPassword $owner
