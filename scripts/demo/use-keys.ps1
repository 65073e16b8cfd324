# Anna at work: both credentials into the certificate store, then two signatures and one message opened, all by .NET's
# own CMS classes.
param([string] $Folder, [string] $Received, [securestring[]] $Secret)
$password = $Secret[0]
# On Linux .NET keeps that store unencrypted; this is a demonstration, so it is accepted, and said.
Get-SPMigrationCredential | Install-SPMigrationCredential -Password $password -AllowUnprotectedStore:(-not $env:WINDIR) | Out-Null
$store = [System.Security.Cryptography.X509Certificates.X509Store]::new('My', 'CurrentUser')
$store.Open('ReadOnly')
try {
    foreach ($credential in Get-SPMigrationCredential) {
        $certificate = $store.Certificates.Find('FindByThumbprint', $credential.Thumbprint, $false)[0]
        $content = [System.Security.Cryptography.Pkcs.ContentInfo]::new([System.Text.Encoding]::UTF8.GetBytes("Signed with $($credential.Label)"))
        $message = [System.Security.Cryptography.Pkcs.SignedCms]::new($content)
        $signer = [System.Security.Cryptography.Pkcs.CmsSigner]::new($certificate)
        $signer.IncludeOption = 'EndCertOnly'
        $message.ComputeSignature($signer)
        [System.IO.File]::WriteAllBytes([System.IO.Path]::Combine($Folder, "$($credential.KeyAlgorithm).p7m"), $message.Encode())
        "signed with $($credential.Label) ($($credential.KeyAlgorithm))"
    }
    $letter = [System.Security.Cryptography.Pkcs.EnvelopedCms]::new()
    $letter.Decode([System.IO.File]::ReadAllBytes($Received))
    $letter.Decrypt($store.Certificates)
    "opened: $([System.Text.Encoding]::UTF8.GetString($letter.ContentInfo.Content).Trim())"
} finally {
    $store.Dispose()
}
