# One conversation with the core program for one invocation of a cmdlet (design page 7, ruling 15). Nothing is started yet:
# the first request does that. Preferences are taken from the caller, because functions of a module do not see what the
# calling script has set, and are applied wherever this module writes or asks.
function New-SPConversation {
    param(
        $Cmdlet,

        [switch]
        $Force
    )
    Assert-SPFullLanguage -Cmdlet $Cmdlet
    $preference = @{}
    foreach ($name in @(
            'ErrorActionPreference', 'WarningPreference', 'VerbosePreference', 'ProgressPreference',
            'ConfirmPreference', 'WhatIfPreference')) {
        $preference[$name] = $Cmdlet.SessionState.PSVariable.GetValue($name)
    }
    $bound = $Cmdlet.MyInvocation.BoundParameters
    $stops = $preference['ErrorActionPreference'] -eq 'Stop'
    if ($bound.ContainsKey('ErrorAction')) {
        $stops = $bound['ErrorAction'] -eq 'Stop'
    }
    if ($bound.ContainsKey('WhatIf')) {
        $preference['WhatIfPreference'] = [bool]$bound['WhatIf']
    }
    # -Force and -Confirm:$false both say: this is confirmed. An explicit -Confirm asks in any case.
    $confirmed = [bool]$Force
    if ($bound.ContainsKey('Confirm')) {
        $confirmed = -not [bool]$bound['Confirm']
    }
    if ($confirmed) {
        $preference['ConfirmPreference'] = [System.Management.Automation.ConfirmImpact]::None
    }
    @{
        Cmdlet     = $Cmdlet
        Preference = $preference
        Confirmed  = $confirmed
        Child      = $null
        LastId     = 0
        Progress   = $null
        # The change that is being made, for the event log of Windows, and whether that is written; see EventLog.ps1.
        Change     = $null
        EventLog   = $null
        # Whether an error of one item ends the cmdlet, because the caller wants it so.
        Stops      = $stops
        # What is being worked on, and what became of each item before it; see Write-SPSummary.
        Item       = ''
        Done       = [System.Collections.Generic.List[string]]::new()
        Failed     = [System.Collections.Generic.List[string]]::new()
        Summarized = $false
    }
}

# In Constrained Language neither a process nor an error record can be made, so this one error comes from the only command
# that may make one there. It is the only use of a command outside Microsoft.PowerShell.Core.
function Assert-SPFullLanguage {
    param(
        $Cmdlet
    )
    $mode = $ExecutionContext.SessionState.LanguageMode
    if ($mode -ne 'FullLanguage') {
        $text = Get-SPErrorText -Code 'ConstrainedLanguage'
        # Write-Error names in the error id whom this variable names: the public cmdlet.
        $MyInvocation = $Cmdlet.MyInvocation
        Microsoft.PowerShell.Utility\Write-Error -ErrorId 'ConstrainedLanguage' -Category $text['Category'] `
            -Message ($text['Message'] -replace '\{mode\}', $mode) -RecommendedAction $text['Hint'] -ErrorAction Stop
    }
}

# Tells the rest and lets the child end: it does so at the end of its input. Called from `end`; where `end` does not run, the child ends by
# itself ten seconds after its last answer.
function Close-SPConversation {
    param(
        $Conversation
    )
    Write-SPSummary -Conversation $Conversation
    $child = $Conversation['Child']
    if ($null -ne $child) {
        $Conversation['Child'] = $null
        try {
            $child['Input'].Dispose()
        } catch [System.Management.Automation.MethodInvocationException] {
            # The child has ended already, and with it the pipe: that is what was wanted.
            $child['Input'] = $null
        }
        $child['Process'].Dispose()
    }
}
