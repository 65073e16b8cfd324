# The administrator of the destination: its public file, and its fingerprint for the telephone.
param([string] $Path)
Export-SPMigrationIdentity -Path $Path -Force
