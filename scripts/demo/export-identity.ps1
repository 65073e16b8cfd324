# The administrator of the destination: its public file, and its fingerprint for the telephone.
param([string] $Path)
. $PSScriptRoot/Prelude.ps1
Export-SPMigrationIdentity -Path $Path -Force
