# Sections F and G: the certificate store of the person, and the setting of file encryption in a rehearsal. Each row is a process of
# its own: what a store does with keys may end one.

$script:CheckStoreLines = @'
Import-Module -Name $env:CHECK_MODULE
$secret = [Security.SecureString]::new()
foreach ($one in 'Annas Passwort'.ToCharArray()) { $secret.AppendChar($one) }
$null = Initialize-SPMigrationPlatform -Chip Software -OwnerPassword $secret
$null = Initialize-SPMigrationUser -Password $secret
function Find-Certificate([string] $Thumbprint, [string] $Name = 'My') {
    $store = [Security.Cryptography.X509Certificates.X509Store]::new($Name, 'CurrentUser')
    $store.Open('ReadOnly')
    foreach ($found in $store.Certificates.Find('FindByThumbprint', $Thumbprint, $false)) { $found }
    $store.Dispose()
}
function Get-PrivateKey($Certificate) {
    $key = [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($Certificate)
    if ($null -eq $key) { $key = [Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPrivateKey($Certificate) }
    $key
}
function Test-Key($Certificate) {
    $data = [byte[]](1..32)
    $key = Get-PrivateKey $Certificate
    if ($key -is [Security.Cryptography.RSA]) {
        $made = $key.SignData($data, 'SHA256', [Security.Cryptography.RSASignaturePadding]::Pkcs1)
        $public = [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPublicKey($Certificate)
        return $public.VerifyData($data, $made, 'SHA256', [Security.Cryptography.RSASignaturePadding]::Pkcs1)
    }
    $made = $key.SignData($data, 'SHA256')
    [Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPublicKey($Certificate).VerifyData($data, $made, 'SHA256')
}
function Get-EfsValue {
    $key = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Software\Microsoft\Windows NT\CurrentVersion\EFS\CurrentKeys')
    if ($null -ne $key) { "[$([BitConverter]::ToString([byte[]]$key.GetValue('CertificateHash', [byte[]]@())))]"; $key.Dispose() } else { 'none' }
}
'@

# Runs lines after those above; returns what they wrote, or fails with what they said.
function Invoke-CheckStore {
    param(
        $Check,

        [string]
        $Name,

        [string]
        $Lines
    )
    $folder = New-CheckFolder -Check $Check -Name $Name
    # Longer than a command line: from a file, which is ours.
    $file = "$folder\lines.ps1"
    [System.IO.File]::WriteAllText($file, "$script:CheckStoreLines`r`n$Lines")
    $ran = Invoke-CheckLines -Policy 'Bypass' -Lines '. $env:CHECK_LINES' -Environment @{
        SPMIGRATION_HOME = "$folder\PC-A"; CHECK_MODULE = "$($Check.Base)\SPMigration.psd1"; CHECK_LINES = $file; CHECK_FOLDER = $folder
    }
    if ($ran.Values['stop']) {
        Stop-CheckRow -Why $ran.Values['stop']
    }
    Assert-Check -That "the process ended (exit code $($ran.ExitCode)): $($ran.Problem)" -Is $ran.Ended
    return $ran.Values
}

Add-CheckRow -No 'F1' -What 'keys of the certificate store come in' -Changes 'the certificate store' -Run {
    param($Check)
    $values = Invoke-CheckStore -Check $Check -Name 'F1' -Lines @'
if ($null -eq (Get-Command -Name New-SelfSignedCertificate -ErrorAction Ignore)) { 'stop=this engine makes no certificates in the store'; 'done'; exit }
$common = @{ CertStoreLocation = 'Cert:\CurrentUser\My'; NotAfter = [datetime]::Now.AddDays(2) }
$cng = 'Microsoft Software Key Storage Provider'
$made = [ordered]@{
    'CNG' = New-SelfSignedCertificate @common -Subject 'CN=Check CNG' -Provider $cng -KeyExportPolicy Exportable
    'CNG, not exportable' = New-SelfSignedCertificate @common -Subject 'CN=Check not exportable' -Provider $cng -KeyExportPolicy NonExportable
    'CAPI' = New-SelfSignedCertificate @common -Subject 'CN=Check CAPI' -Provider 'Microsoft Enhanced RSA and AES Cryptographic Provider' -KeySpec KeyExchange -KeyExportPolicy Exportable
    'EC' = New-SelfSignedCertificate @common -Subject 'CN=Check EC' -KeyAlgorithm ECDSA_nistP256 -CurveExport CurveName -Provider $cng -KeyExportPolicy Exportable
}
try {
    $thumbprints = @($made.Values | ForEach-Object Thumbprint)
    $added = @(Get-ChildItem Cert:\CurrentUser\My | Where-Object { $thumbprints -contains $_.Thumbprint } |
        Add-SPMigrationCredential -Password $secret -ErrorAction SilentlyContinue -ErrorVariable refused)
    foreach ($kind in $made.Keys) { "$kind=$(@($added | Where-Object Thumbprint -EQ $made[$kind].Thumbprint).Count)" }
    "refused=$(@($refused | Where-Object { $_.TargetObject -or $_.FullyQualifiedErrorId } | ForEach-Object { ($_.FullyQualifiedErrorId -split ',')[0] } | Sort-Object -Unique) -join ',')"
} finally {
    foreach ($one in $made.Values) { Remove-Item -LiteralPath "Cert:\CurrentUser\My\$($one.Thumbprint)" -DeleteKey }
}
'@
    foreach ($kind in 'CNG', 'CAPI', 'EC') {
        Assert-CheckEqual -What "added of $kind" -Is $values[$kind] -Expected 1
    }
    Assert-CheckEqual -What 'added of what is not exportable' -Is $values['CNG, not exportable'] -Expected 0
    Assert-CheckEqual -What 'refused' -Is $values['refused'] -Expected 'KeyNotExportable'
    'keys of CNG, CAPI and an elliptic curve; the one that is not exportable is KeyNotExportable'
}

$script:CheckInstallLines = @'
foreach ($algorithm in 'RSA-3072', 'P-256') {
    $one = New-SPMigrationCredential -Subject "Check $algorithm" -Algorithm $algorithm -Password $secret
    $null = Install-SPMigrationCredential -Credential $one.Credential -Password $secret
    $found = Find-Certificate $one.Thumbprint
    "$algorithm installed=$($found.HasPrivateKey)"
    "$algorithm signs=$(Test-Key $found)"
    $key = Get-PrivateKey $found
    $exported = 'refused'
    try { if ($key -is [Security.Cryptography.RSA]) { $null = $key.ExportParameters($true) } else { $null = $key.Key.Export('EccPrivateBlob') }; $exported = 'given out' } catch [Security.Cryptography.CryptographicException] { $exported = 'refused' }
    "$algorithm key=$exported"
    $container = ''
    if ($key -is [Security.Cryptography.RSACng] -or $key -is [Security.Cryptography.ECDsaCng]) { $container = $key.Key.KeyName }
    "$algorithm container=$container"
    $null = Remove-SPMigrationCredential -Credential $one.Credential -Password $secret -Force
    "$algorithm left=$(@(Find-Certificate $one.Thumbprint).Count)"
    if ($container) { "$algorithm container left=$([Security.Cryptography.CngKey]::Exists($container))" }
}
'@

Add-CheckRow -No 'F2' -What 'keys go to the certificate store' -Changes 'the certificate store' -Run {
    param($Check)
    $values = Invoke-CheckStore -Check $Check -Name 'F2' -Lines $script:CheckInstallLines
    foreach ($algorithm in 'RSA-3072', 'P-256') {
        Assert-CheckEqual -What "$algorithm is there with its key" -Is $values["$algorithm installed"] -Expected 'True'
        Assert-CheckEqual -What "$algorithm signs" -Is $values["$algorithm signs"] -Expected 'True'
        Assert-CheckEqual -What "the key of $algorithm" -Is $values["$algorithm key"] -Expected 'refused'
        "${algorithm}: signs, not exportable, container $($values["$algorithm container"])"
    }
}

Add-CheckRow -No 'F3' -What 'removal from the certificate store' -Changes 'the certificate store' -Run {
    param($Check)
    $values = Invoke-CheckStore -Check $Check -Name 'F3' -Lines $script:CheckInstallLines
    foreach ($algorithm in 'RSA-3072', 'P-256') {
        Assert-CheckEqual -What "certificates left of $algorithm" -Is $values["$algorithm left"] -Expected 0
        Assert-Check -That "the container of $algorithm was known" -Is ($values["$algorithm container"] -ne '')
        Assert-CheckEqual -What "the container of $algorithm is left" -Is $values["$algorithm container left"] -Expected 'False'
        "${algorithm}: container $($values["$algorithm container"]) is gone"
    }
}

Add-CheckRow -No 'F4' -What 'issuers' -Changes 'the certificate store' -Run {
    param($Check)
    $values = Invoke-CheckStore -Check $Check -Name 'F4' -Lines @'
$now = [DateTimeOffset]::UtcNow.AddDays(-1)
function New-Link([string] $Name, $Issuer, [bool] $IsAuthority) {
    $key = [Security.Cryptography.RSACng]::new(2048)
    $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new("CN=$Name", $key, 'SHA256', [Security.Cryptography.RSASignaturePadding]::Pkcs1)
    $request.CertificateExtensions.Add([Security.Cryptography.X509Certificates.X509BasicConstraintsExtension]::new($IsAuthority, $false, 0, $true))
    if ($null -eq $Issuer) { return $request.CreateSelfSigned($now, $now.AddDays(9)) }
    $serial = [guid]::NewGuid().ToByteArray(); $serial[0] = 1
    $made = $request.Create($Issuer, $now, $now.AddDays(8), $serial)
    [Security.Cryptography.X509Certificates.RSACertificateExtensions]::CopyWithPrivateKey($made, $key)
}
function Get-RootCount { $store = [Security.Cryptography.X509Certificates.X509Store]::new('Root', 'CurrentUser'); $store.Open('ReadOnly'); $store.Certificates.Count; $store.Dispose() }
$mark = [guid]::NewGuid().ToString('N')
$root = New-Link "Check root $mark" $null $true
$middle = New-Link "Check issuer $mark" $root $true
$leaf = New-Link "Check person $mark" $middle $false
$all = [Security.Cryptography.X509Certificates.X509Certificate2Collection]::new()
$null = $all.Add($leaf)
foreach ($one in $middle, $root) { $null = $all.Add([Security.Cryptography.X509Certificates.X509Certificate2]::new($one.RawData)) }
[IO.File]::WriteAllBytes("$env:CHECK_FOLDER\chain.pfx", $all.Export('Pfx', 'chain'))
$pfx = [Security.SecureString]::new(); foreach ($c in 'chain'.ToCharArray()) { $pfx.AppendChar($c) }
$roots = Get-RootCount
$one = Add-SPMigrationCredential -Path "$env:CHECK_FOLDER\chain.pfx" -PfxPassword $pfx -Password $secret
$null = Install-SPMigrationCredential -Credential $one.Credential -Password $secret
"issuer=$(@(Find-Certificate $middle.Thumbprint 'CA').Count)"
"root=$(@(Find-Certificate $root.Thumbprint 'Root').Count + @(Find-Certificate $root.Thumbprint 'CA').Count)"
"roots=$((Get-RootCount) - $roots)"
$null = Remove-SPMigrationCredential -Credential $one.Credential -Password $secret -Force
$store = [Security.Cryptography.X509Certificates.X509Store]::new('CA', 'CurrentUser'); $store.Open('ReadWrite')
foreach ($found in Find-Certificate $middle.Thumbprint 'CA') { $store.Remove($found) }
$store.Dispose()
'@
    Assert-CheckEqual -What 'the issuer in CertificateAuthority' -Is $values['issuer'] -Expected 1
    Assert-CheckEqual -What 'the root in any store' -Is $values['root'] -Expected 0
    Assert-CheckEqual -What 'new roots' -Is $values['roots'] -Expected 0
    'the issuer is in CertificateAuthority, the root nowhere'
}

Add-CheckRow -No 'G1' -What 'the key of file encryption in a rehearsal' -Changes 'the certificate store' -Run {
    param($Check)
    $values = Invoke-CheckStore -Check $Check -Name 'G1' -Lines @'
"before=$(Get-EfsValue)"
$one = New-SPMigrationCredential -Subject 'Check file encryption' -Password $secret
$null = Install-SPMigrationCredential -Credential $one.Credential -Password $secret
$null = Enable-SPMigrationFeature -Feature Efs -Credential $one.Credential -Password $secret
"enabled=$((Get-SPMigrationFeature | Where-Object Feature -EQ Efs).Thumbprint -eq $one.Thumbprint)"
"installed=$((Find-Certificate $one.Thumbprint).HasPrivateKey)"
"after=$(Get-EfsValue)"
$null = Remove-SPMigrationCredential -Credential $one.Credential -Password $secret -Force
'@
    Assert-CheckEqual -What 'the feature has the credential' -Is $values['enabled'] -Expected 'True'
    Assert-CheckEqual -What 'the credential is in the store' -Is $values['installed'] -Expected 'True'
    Assert-CheckEqual -What 'the value' -Is $values['after'] -Expected $values['before']
    "before and after: $($values['before'])"
}
