# Adds one certificate object with its key: exported as PKCS#12 under a one-time secret, in memory only (ruling 17).
function Add-SPCredentialFromStore {
    param(
        $Conversation,

        [System.Security.Cryptography.X509Certificates.X509Certificate2]
        $Certificate,

        [hashtable]
        $Parameter,

        [securestring]
        $Password
    )
    $name = "$($Certificate.Subject) ($($Certificate.Thumbprint))"
    $Conversation['Item'] = $name
    Start-SPEventChange -Conversation $Conversation -Operation 'credential-add'
    if (-not $Certificate.HasPrivateKey) {
        Write-SPError -Conversation $Conversation -ErrorRecord (
            New-SPModuleError -Code 'PfxWithoutKey' -Detail @{ path = $name } -Target $Certificate.Thumbprint)
        return
    }
    $oneTimeSecret = New-SPOneTimeSecret
    try {
        $pfx = $Certificate.Export('Pfx', $oneTimeSecret)
    } catch [System.Security.Cryptography.CryptographicException] {
        Write-SPError -Conversation $Conversation -ErrorRecord (
            New-SPModuleError -Code 'KeyNotExportable' -Detail @{ certificate = $name } -Target $Certificate.Thumbprint)
        return
    }
    try {
        $Parameter['Origin'] = 'store'
        $Parameter['Name'] = $name
        Invoke-SPChange -Conversation $Conversation -Operation 'credential-add' -Parameter $Parameter `
            -Secret @{ password = $Password; pfx = $pfx; pfxPassword = $oneTimeSecret } -RequiredSecret 'password'
    } finally {
        [System.Array]::Clear($pfx, 0, $pfx.Length)
    }
}
