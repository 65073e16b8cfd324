# Windows' Encrypting File System: which certificate of the store it encrypts new files with. It finds that certificate by its
# SHA-1 thumbprint in the person's registry. Old certificates stay in the store, so files encrypted with them stay readable.

# Lets EFS use the credential of the feature Efs, if it is in the store with its key. Where it is not, nothing changes: EFS
# would make a key of its own for a certificate that it does not find. Whoever has just enabled it is told.
function Sync-SPEfsKey {
    param(
        $Conversation,

        [switch]
        $Enabling
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
            if ($Enabling) {
                $WarningPreference = $Conversation['Preference']['WarningPreference']
                $Conversation['Cmdlet'].WriteWarning("Windows does not encrypt files for $($feature.Label) yet: its certificate is " +
                    'not in the certificate store. Install-SPMigrationCredential puts it there.')
            }
            continue
        }
        try {
            Set-SPEfsKey -Thumbprint $feature.Thumbprint
        } catch [System.Management.Automation.MethodInvocationException] {
            Write-SPError -Conversation $Conversation -ErrorRecord (
                New-SPEfsError -Target $feature.Label -Problem $_.Exception.GetBaseException().Message)
            return
        }
        $VerbosePreference = $Conversation['Preference']['VerbosePreference']
        $Conversation['Cmdlet'].WriteVerbose("Windows encrypts new files for $($feature.Label) ($($feature.Thumbprint)).")
    }
}

# Says after the feature Efs was disabled that Windows goes on with a credential of this environment, if it does: what is in the
# certificate store is the person's, and without its setting EFS would take the same certificate again, or make another.
function Write-SPEfsRest {
    param(
        $Conversation
    )
    $ErrorActionPreference = 'Stop'
    if (-not (Test-SPEfsHere)) {
        return
    }
    $current = Get-SPEfsKey
    if (-not $current) {
        return
    }
    $known = Invoke-SPCore -Conversation $Conversation -Operation 'credential-list'
    foreach ($credential in $known['Results']) {
        if ($credential.Thumbprint -ceq $current) {
            $WarningPreference = $Conversation['Preference']['WarningPreference']
            $Conversation['Cmdlet'].WriteWarning("Windows goes on encrypting new files for $($credential.Label), whose certificate is in " +
                'the certificate store. Enable another credential for Efs to change that; Remove-SPMigrationCredential takes it out.')
            return
        }
    }
}

# Takes the setting away where it names one of these certificates, which have left the store: nothing of them stays behind. Returns
# an error record where that cannot be done.
function Clear-SPEfsKey {
    param(
        [string[]]
        $Thumbprint
    )
    $ErrorActionPreference = 'Stop'
    if (-not (Test-SPEfsHere)) {
        return
    }
    $current = ''
    try {
        $current = Get-SPEfsKey
        if ($Thumbprint -ccontains $current) {
            Remove-SPEfsKey
        }
    } catch [System.Management.Automation.MethodInvocationException] {
        return New-SPEfsError -Target $current -Problem $_.Exception.GetBaseException().Message
    }
}

function New-SPEfsError {
    param(
        [string]
        $Target,

        [string]
        $Problem
    )
    New-SPModuleError -Code 'StorageFailed' -Target $Target -Detail @{ path = "HKCU\$script:EfsKeyPath"; problem = $Problem }
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

# The rest is the registry value by which EFS knows its current key, read as a thumbprint, '' where there is none. Tests put doubles
# in its place.

$script:EfsKeyPath = 'Software\Microsoft\Windows NT\CurrentVersion\EFS\CurrentKeys'

function Set-SPEfsKey {
    param(
        [string]
        $Thumbprint
    )
    $bytes = ConvertFrom-SPThumbprint -Thumbprint $Thumbprint
    $key = [Microsoft.Win32.Registry]::CurrentUser.CreateSubKey($script:EfsKeyPath)
    try {
        $key.SetValue('CertificateHash', $bytes, [Microsoft.Win32.RegistryValueKind]::Binary)
    } finally {
        $key.Dispose()
    }
}

function Get-SPEfsKey {
    $key = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey($script:EfsKeyPath)
    if ($null -eq $key) {
        return ''
    }
    try {
        $bytes = $key.GetValue('CertificateHash')
    } finally {
        $key.Dispose()
    }
    if ($bytes -isnot [byte[]]) {
        return ''
    }
    return [System.BitConverter]::ToString($bytes).Replace('-', '')
}

function Remove-SPEfsKey {
    $key = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey($script:EfsKeyPath, $true)
    try {
        $key.DeleteValue('CertificateHash', $false)
    } finally {
        $key.Dispose()
    }
}
