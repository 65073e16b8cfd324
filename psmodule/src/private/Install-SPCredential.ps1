# Installs one credential: the core hands out its PKCS#12 under a one-time secret, the store takes it, the core records it.
function Install-SPCredential {
    param(
        $Conversation,

        [hashtable]
        $Parameter,

        [securestring]
        $Password
    )
    $ErrorActionPreference = 'Stop'
    $Conversation['Item'] = $Parameter['Credential']
    Start-SPEventChange -Conversation $Conversation -Operation 'credential-install'
    $found = Invoke-SPCore -Conversation $Conversation -Operation 'credential-list' `
        -Parameter @{ Credential = $Parameter['Credential'] }
    if (-not $found['Ok']) {
        return
    }
    if (-not $Conversation['Preference']['WhatIfPreference']) {
        Assert-SPSecret -Conversation $Conversation -Secret @{ password = $Password } -Name 'password'
    }
    foreach ($credential in $found['Results']) {
        $plan = @{
            Action = 'Install the credential'
            Target = $credential.Label
            Impact = 'medium'
            Lines  = @("$($credential.Subject), thumbprint $($credential.Thumbprint), is put into CurrentUser\My.")
        }
        if (-not (Confirm-SPPlan -Conversation $Conversation -Plan $plan)) {
            return
        }
        if ($null -ne $Conversation['Change']) {
            $Conversation['Change']['Plan'] = $plan
        }
        $Parameter['Credential'] = $credential.Credential
        $oneTimeSecret = New-SPOneTimeSecret
        $handed = Invoke-SPCore -Conversation $Conversation -Operation 'credential-install' -Parameter $Parameter `
            -Secret @{ password = $Password; oneTimeSecret = $oneTimeSecret }
        if (-not $handed['Ok']) {
            return
        }
        $pfx = $handed['Secrets']['pfx']
        try {
            $thumbprint = Install-SPCertificate -Pfx $pfx -OneTimeSecret $oneTimeSecret
        } catch [System.Management.Automation.MethodInvocationException] {
            Write-SPError -Conversation $Conversation -ErrorRecord (
                New-SPModuleError -Code 'StorageFailed' -Target $credential.Label -Detail @{
                    path = 'CurrentUser\My'; problem = $_.Exception.GetBaseException().Message })
            return
        } finally {
            [System.Array]::Clear($pfx, 0, $pfx.Length)
        }
        $recorded = Invoke-SPCore -Conversation $Conversation -Operation 'credential-installed' -Mode 'run' `
            -Parameter @{ Credential = $credential.Credential; Thumbprint = $thumbprint }
        if ($recorded['Ok']) {
            $Conversation['Done'].Add($credential.Label)
            Write-SPDoneEvent -Conversation $Conversation -Operation 'credential-install' -Plan $plan -Result $recorded['Results']
        }
        foreach ($result in $recorded['Results']) {
            Complete-SPChange -Conversation $Conversation -Operation 'credential-installed' -Result $result
            $Conversation['Cmdlet'].WriteObject($result)
        }
    }
}
