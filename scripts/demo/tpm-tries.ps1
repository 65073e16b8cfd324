# What the TPM itself has counted: every wrong password, by whichever program of this computer.
$status = Get-SPMigrationStatus
"wrong passwords that the TPM of $($status.Computer) counts: $($status.ChipFailedTries); locked out: $($status.ChipLockedOut)"
