# Windows' Encrypting File System: which certificate of the store it encrypts new files with. It finds that certificate by its
# SHA-1 thumbprint in the person's registry. Old certificates stay in the store, so files encrypted with them stay readable.

# Lets EFS use the credential of the feature Efs, if it is in the store with its key. Where it is not, nothing changes: EFS
# would make a key of its own for a certificate that it does not find.
function Sync-SPEfsKey {
    param(
        $Conversation
    )
    $ErrorActionPreference = 'Stop'
    if (-not (Test-SPEfsHere)) {
        return
    }
    $known = Invoke-SPCore -Conversation $Conversation -Operation 'feature-list'
    foreach ($feature in $known['Results']) {
        if ($feature.Feature -ne 'Efs' -or -not $feature.Enabled -or -not $feature.Thumbprint) {
            continue
        }
        if (-not (Test-SPInstalledKey -Thumbprint $feature.Thumbprint)) {
            continue
        }
        try {
            Set-SPEfsKey -Thumbprint $feature.Thumbprint
        } catch [System.Management.Automation.MethodInvocationException] {
            Write-SPError -Conversation $Conversation -ErrorRecord (
                New-SPModuleError -Code 'StorageFailed' -Target $feature.Label -Detail @{
                    path = 'HKCU\Software\Microsoft\Windows NT\CurrentVersion\EFS\CurrentKeys'
                    problem = $_.Exception.GetBaseException().Message })
            return
        }
        $VerbosePreference = $Conversation['Preference']['VerbosePreference']
        $Conversation['Cmdlet'].WriteVerbose("Windows encrypts new files for $($feature.Label) ($($feature.Thumbprint)).")
    }
}

# Only on Windows, and not for a rehearsal: its keys must never become those that real files are encrypted with.
function Test-SPEfsHere {
    return [System.IO.Path]::DirectorySeparatorChar -eq '\' -and
        -not [System.Environment]::GetEnvironmentVariable('SPMIGRATION_HOME')
}

# Whether the person's store has the certificate together with its private key.
function Test-SPInstalledKey {
    param(
        [string]
        $Thumbprint
    )
    $store = [System.Security.Cryptography.X509Certificates.X509Store]::new('My', 'CurrentUser')
    try {
        $store.Open('ReadOnly')
        foreach ($certificate in $store.Certificates.Find('FindByThumbprint', $Thumbprint, $false)) {
            if ($certificate.HasPrivateKey) {
                return $true
            }
        }
        return $false
    } finally {
        $store.Dispose()
    }
}

# A thumbprint as its bytes, 20 of SHA-1.
function ConvertFrom-SPThumbprint {
    param(
        [string]
        $Thumbprint
    )
    $bytes = [byte[]]::new($Thumbprint.Length / 2)
    for ($index = 0; $index -lt $bytes.Length; $index++) {
        $bytes[$index] = [System.Convert]::ToByte($Thumbprint.Substring(2 * $index, 2), 16)
    }
    return , $bytes
}

# The registry value by which EFS knows its current key.
function Set-SPEfsKey {
    param(
        [string]
        $Thumbprint
    )
    $bytes = ConvertFrom-SPThumbprint -Thumbprint $Thumbprint
    $key = [Microsoft.Win32.Registry]::CurrentUser.CreateSubKey('Software\Microsoft\Windows NT\CurrentVersion\EFS\CurrentKeys')
    try {
        $key.SetValue('CertificateHash', $bytes, [Microsoft.Win32.RegistryValueKind]::Binary)
    } finally {
        $key.Dispose()
    }
}
