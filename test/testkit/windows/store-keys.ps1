# Anna where the keys in the certificate store cannot be used (Wine): her RSA key goes in, and the certificate of her other one,
# whose key this store cannot take; both are found by their thumbprints, and taken out by them. Wine keeps additions and forgets
# removals when a store is closed; so it is closed last, and what other tests have left there is left alone.
param([string] $Certificate, [securestring[]] $Secret)
$password = $Secret[0]
$credentials = @(Get-SPMigrationCredential)
foreach ($installed in $credentials | Where-Object KeyAlgorithm -Like 'RSA*' | Install-SPMigrationCredential -Password $password) {
    "installed $($installed.Thumbprint): $($installed.Installed)"
}
$store = [System.Security.Cryptography.X509Certificates.X509Store]::new('My', 'CurrentUser')
$store.Open('ReadWrite')
try {
    $others = @($store.Certificates | ForEach-Object Thumbprint | Where-Object { $credentials.Thumbprint -notcontains $_ })
    $store.Add([System.Security.Cryptography.X509Certificates.X509Certificate2]::new($Certificate))
    foreach ($credential in $credentials) {
        $found = $store.Certificates.Find('FindByThumbprint', $credential.Thumbprint, $false)
        "found $($found.Count) for $($credential.Label): $($found[0].Subject), $([System.Convert]::ToBase64String($found[0].GetPublicKey()))"
        $store.Remove($found[0])
        "left of $($credential.Label): $($store.Certificates.Find('FindByThumbprint', $credential.Thumbprint, $false).Count)"
    }
    "others are as they were: $("$(@($store.Certificates | ForEach-Object Thumbprint))" -ceq "$others")"
} finally {
    $store.Dispose()
}
