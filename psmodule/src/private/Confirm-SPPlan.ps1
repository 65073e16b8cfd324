# Shows a plan as PowerShell shows changes: -WhatIf prints it, -Confirm and the impact decide whether it is asked about.
function Confirm-SPPlan {
    param(
        $Conversation,

        [hashtable]
        $Plan
    )
    $ErrorActionPreference = 'Stop'
    $cmdlet = $Conversation['Cmdlet']
    # Where ShouldProcess looks; the caller's values, see New-SPConversation.
    $WhatIfPreference = $Conversation['Preference']['WhatIfPreference']
    $ConfirmPreference = $Conversation['Preference']['ConfirmPreference']
    $VerbosePreference = $Conversation['Preference']['VerbosePreference']
    $title = "$($Plan['Action']): $($Plan['Target'])"
    $text = $title
    foreach ($line in $Plan['Lines']) {
        $text += "`n  $line"
    }
    try {
        if (-not $cmdlet.ShouldProcess($text, "$text`nDo this?", $cmdlet.MyInvocation.MyCommand.Name)) {
            return $false
        }
        $asked = $cmdlet.MyInvocation.BoundParameters.ContainsKey('Confirm')
        if ($Plan['Impact'] -ne 'high' -or $asked -or $ConfirmPreference -eq 'None') {
            return $true
        }
        # A cmdlet declares one impact for all it does; where this plan's is higher, it is asked about all the same.
        $declared = [System.Management.Automation.CommandMetadata]::new($cmdlet.MyInvocation.MyCommand).ConfirmImpact
        return $declared -eq 'High' -or $cmdlet.ShouldContinue("$text`nDo this?", $cmdlet.MyInvocation.MyCommand.Name)
    } catch [System.Management.Automation.MethodInvocationException] {
        # The host has nobody to ask: -NonInteractive, a service, a job.
        Stop-SPCmdlet -Conversation $Conversation -Code 'ConfirmationRequired' -Detail @{ action = $title } -Target $Plan['Target']
    }
}
