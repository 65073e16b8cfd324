# Anybody on the computer: which chip guards the keys, and what that is worth. It needs no password.
$status = Get-SPMigrationStatus
"$($status.Computer): $($status.ChipModel)"
"    enforced: $($status.Enforcement)"
