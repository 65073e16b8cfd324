# Anna, on her computer: a Basic User Key, her two credentials from PFX files, and what she uses them for.
param([string] $Mail, [string] $Sign, [securestring[]] $Secret)
$password = $Secret[0]
$pfx = $Secret[1]
$null = Initialize-SPMigrationUser -Password $password
$mailCredential = Add-SPMigrationCredential -Path $Mail -PfxPassword $pfx -Password $password
$null = Add-SPMigrationCredential -Path $Sign -PfxPassword $pfx -Password $password
$null = Enable-SPMigrationFeature -Feature SecureEmail -Credential $mailCredential.Credential -Password $password
Get-SPMigrationCredential
