# The certificate store of the person, CurrentUser\My: where installed credentials are used by other programs.

# Puts the certificate with its private key into the store, not exportable, and its issuers where chains are looked for.
# Returns the thumbprint.
function Install-SPCertificate {
    param(
        [byte[]]
        $Pfx,

        [string]
        $OneTimeSecret
    )
    $ErrorActionPreference = 'Stop'
    $flags = [System.Security.Cryptography.X509Certificates.X509KeyStorageFlags]'UserKeySet, PersistKeySet'
    $certificates = [System.Security.Cryptography.X509Certificates.X509Certificate2Collection]::new()
    $certificates.Import($Pfx, $OneTimeSecret, $flags)
    foreach ($certificate in $certificates) {
        if ($certificate.HasPrivateKey) {
            Add-SPStoreCertificate -StoreName 'My' -Certificate $certificate
            $certificate.Thumbprint
        } elseif ($certificate.Subject -cne $certificate.Issuer) {
            # Roots are left out: whom to trust is not this module's decision.
            Add-SPStoreCertificate -StoreName 'CertificateAuthority' -Certificate $certificate
        }
        $certificate.Dispose()
    }
}

function Add-SPStoreCertificate {
    param(
        [System.Security.Cryptography.X509Certificates.StoreName]
        $StoreName,

        $Certificate
    )
    $store = [System.Security.Cryptography.X509Certificates.X509Store]::new($StoreName, 'CurrentUser')
    try {
        $store.Open('ReadWrite')
        $store.Add($Certificate)
    } finally {
        $store.Dispose()
    }
}

# Takes out of the store, together with their keys, the certificates that a result names: their credentials are gone. One that
# stays is an error, and the others go. The core keeps each recorded until it is told that it is out, so what stays is named
# again by the next change.
function Uninstall-SPCertificate {
    param(
        $Conversation,

        $Result
    )
    if ($null -eq $Result.PSObject.Properties['Uninstall'] -or $Result.Uninstall.Count -eq 0) {
        return
    }
    $ErrorActionPreference = 'Stop'
    $gone = [System.Collections.Generic.List[string]]::new()
    $left = [System.Collections.Generic.List[System.Management.Automation.ErrorRecord]]::new()
    foreach ($thumbprint in $Result.Uninstall) {
        try {
            Remove-SPStoreCertificate -Thumbprint $thumbprint
            $gone.Add($thumbprint)
        } catch [System.Management.Automation.MethodInvocationException] {
            $left.Add((New-SPModuleError -Code 'StorageFailed' -Target $thumbprint -Detail @{
                        path = 'CurrentUser\My'; problem = $_.Exception.GetBaseException().Message }))
        }
    }
    if ($gone.Count -gt 0) {
        $problem = Clear-SPEfsKey -Thumbprint $gone.ToArray()
        if ($null -ne $problem) {
            $left.Add($problem)
        }
        $null = Invoke-SPCore -Conversation $Conversation -Operation 'credential-uninstalled' -Mode 'run' `
            -Parameter @{ Thumbprint = $gone.ToArray() }
    }
    # Afterwards: an error may end the cmdlet, where the caller wants it so.
    foreach ($errorRecord in $left) {
        Write-SPError -Conversation $Conversation -ErrorRecord $errorRecord
    }
}

function Remove-SPStoreCertificate {
    param(
        [string]
        $Thumbprint
    )
    $store = [System.Security.Cryptography.X509Certificates.X509Store]::new('My', 'CurrentUser')
    try {
        $store.Open('ReadWrite')
        foreach ($certificate in $store.Certificates.Find('FindByThumbprint', $Thumbprint, $false)) {
            Remove-SPPersistedKey -Certificate $certificate
            $store.Remove($certificate)
        }
    } finally {
        $store.Dispose()
    }
}

# Removing a certificate from a Windows store leaves its key behind; elsewhere both are one file.
function Remove-SPPersistedKey {
    param(
        $Certificate
    )
    if (-not $Certificate.HasPrivateKey) {
        return
    }
    $key = [System.Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($Certificate)
    if ($null -eq $key) {
        $key = [System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPrivateKey($Certificate)
    }
    if ($key -is [System.Security.Cryptography.RSACng] -or $key -is [System.Security.Cryptography.ECDsaCng]) {
        $key.Key.Delete()
    } elseif ($key -is [System.Security.Cryptography.RSACryptoServiceProvider]) {
        $key.PersistKeyInCsp = $false
        $key.Clear()
    }
}

# 32 random bytes as text: protects one PKCS#12 between this process and its child, and is worth nothing afterwards.
function New-SPOneTimeSecret {
    $bytes = [byte[]]::new(32)
    $random = [System.Security.Cryptography.RandomNumberGenerator]::Create()
    try {
        $random.GetBytes($bytes)
    } finally {
        $random.Dispose()
    }
    [System.Convert]::ToBase64String($bytes)
}
