# The administrator of the destination lets its TPM answer, and reads out by what that TPM is known again.
param([string] $Path, [string] $Challenge)
$answer = Export-SPMigrationIdentity -Path $Path -ChallengePath $Challenge
"written: $($answer.Path)"
"$($answer.Computer) has answered; its endorsement key has the fingerprint $($answer.EndorsementFingerprint)"
