# A change: the core plans it, the plan is shown (-WhatIf) or confirmed, and exactly that plan is applied (design page 4,
# "Plan -> apply"; page 7, rulings 15 and 16).
function Invoke-SPChange {
    param(
        $Conversation,

        [string]
        $Operation,

        [hashtable]
        $Parameter = @{},

        # By the protocol's names; what is $null was not given.
        [hashtable]
        $Secret = @{},

        # The secret that `apply` needs where the plan does not.
        [string]
        $RequiredSecret,

        # A warning with this code means that `apply` will refuse: then nobody is asked in vain.
        [string]
        $RefusedBy,

        # A code that was made for this change: it becomes a member of the result, and a person sees it once.
        [securestring]
        $TransferCode
    )
    $Conversation['Item'] = Get-SPItemName -Parameter $Parameter
    Start-SPEventChange -Conversation $Conversation -Operation $Operation
    $told = @{}
    $whatIf = [bool]$Conversation['Preference']['WhatIfPreference']
    $unsaid = $RefusedBy
    if ($whatIf) {
        $unsaid = ''
    }
    try {
        $confirmedPlan = $null
        $request = @{ Conversation = $Conversation; Operation = $Operation; Parameter = $Parameter; Told = $told }
        for ($attempt = 1; $attempt -le 3; $attempt++) {
            $planned = Invoke-SPCore @request -Mode 'plan' -Secret $Secret -Unsaid $unsaid -WhatIf:$whatIf
            $plan = $planned['Plan']
            if (-not $planned['Ok'] -or $null -eq $plan) {
                return
            }
            if ($Operation -ceq 'platform-initialize' -and (Test-SPEventLogHere)) {
                $plan['Lines'] = @($plan['Lines']) +
                    'The event log of Windows gets the source SPMigration in its log Application: changes are told there.'
            }
            if (-not $whatIf) {
                $Conversation['Change']['Plan'] = $plan
            }
            if ($plan['Id'] -cne $confirmedPlan) {
                $refused = $RefusedBy -and $planned['Refusals'].ContainsKey($RefusedBy)
                if (-not $whatIf) {
                    Assert-SPSecret -Conversation $Conversation -Secret $Secret -Name $RequiredSecret
                }
                if (-not $refused -or $whatIf) {
                    if (-not (Confirm-SPPlan -Conversation $Conversation -Plan $plan)) {
                        return
                    }
                }
                $confirmedPlan = $plan['Id']
            }
            $applied = Invoke-SPCore @request -Mode 'apply' -PlanId $confirmedPlan
            if ($applied['Begun']) {
                if ($applied['Ok']) {
                    $Conversation['Done'].Add($plan['Target'])
                    if ($Operation -ceq 'platform-initialize') {
                        Initialize-SPEventLog -Conversation $Conversation
                    }
                    # Before the results: whoever takes only the first of them ends this cmdlet there.
                    Write-SPDoneEvent -Conversation $Conversation -Operation $Operation -Plan $plan -Result $applied['Results']
                }
                foreach ($result in $applied['Results']) {
                    Complete-SPChange -Conversation $Conversation -Operation $Operation -Result $result
                    if ($null -ne $TransferCode) {
                        Show-SPTransferCode -Conversation $Conversation -Code $TransferCode -Path $result.Path
                        $result.PSObject.Properties.Add([psnoteproperty]::new('TransferCode', $TransferCode))
                    }
                    $Conversation['Cmdlet'].WriteObject($result)
                }
                return
            }
            # The child ended while a person was thinking. Another makes the plan again; if it is the same, it stays confirmed.
        }
        Stop-SPCmdlet -Conversation $Conversation -Code 'CoreCrashed' -Detail @{ tail = 'it ended before each of three attempts' }
    } finally {
        $Conversation['Change'] = $null
    }
}

# What a change asks for outside of the core: certificates leave the store with their credentials, Windows' file encryption
# follows the feature.
function Complete-SPChange {
    param(
        $Conversation,

        [string]
        $Operation,

        $Result
    )
    Uninstall-SPCertificate -Conversation $Conversation -Result $Result
    if ('feature-enable', 'import', 'undo', 'credential-installed' -ccontains $Operation) {
        Sync-SPEfsKey -Conversation $Conversation -Enabling:($Operation -ceq 'feature-enable' -and $Result.Feature -eq 'Efs')
    } elseif ($Operation -ceq 'feature-disable' -and $Result.Feature -eq 'Efs') {
        Write-SPEfsRest -Conversation $Conversation
    }
}

# A missing secret is its own error, and nothing is asked before it is known.
function Assert-SPSecret {
    param(
        $Conversation,

        [hashtable]
        $Secret,

        [string]
        $Name
    )
    if ($Name -and $null -eq $Secret[$Name]) {
        if ($Name -eq 'ownerPassword') {
            Stop-SPCmdlet -Conversation $Conversation -Code 'OwnerPasswordRequired'
        }
        Stop-SPCmdlet -Conversation $Conversation -Code 'PasswordRequired' -Detail @{ which = 'the Basic User Password' }
    }
}
