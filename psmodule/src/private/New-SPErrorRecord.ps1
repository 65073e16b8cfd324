# Error records: the id is the catalogue's code, the category its class's, the message the fact and RecommendedAction the
# next step; the whole error is kept in the exception's Data (design page 4, rule 5).
function New-SPErrorRecord {
    param(
        [string]
        $Code,

        [string]
        $Category,

        [string]
        $Message,

        [string]
        $Hint,

        $Target,

        # A hashtable, because .NET Framework takes only serializable values.
        [hashtable]
        $Detail = @{}
    )
    $exception = [System.Exception]::new($Message)
    $exception.Data['SPMigration'] = @{ Code = $Code; Message = $Message; Hint = $Hint; Target = $Target; Details = $Detail }
    $record = [System.Management.Automation.ErrorRecord]::new($exception, $Code, $Category, $Target)
    $shown = $Message
    if ($PSVersionTable['PSEdition'] -eq 'Desktop' -and $Hint) {
        # PowerShell 7 shows the recommended action by itself; Windows PowerShell shows this text only.
        $shown = "$Message`n  Recommendation: $Hint"
    }
    $record.ErrorDetails = [System.Management.Automation.ErrorDetails]::new($shown)
    $record.ErrorDetails.RecommendedAction = $Hint
    return $record
}

# An error that the module itself finds; its words come from the catalogue all the same.
function New-SPModuleError {
    param(
        [string]
        $Code,

        [hashtable]
        $Detail = @{},

        $Target
    )
    $text = Get-SPErrorText -Code $Code
    $message = $text['Message']
    $hint = $text['Hint']
    foreach ($name in $Detail.Keys) {
        $message = $message.Replace("{$name}", [string]$Detail[$name])
        $hint = $hint.Replace("{$name}", [string]$Detail[$name])
    }
    New-SPErrorRecord -Code $Code -Category $text['Category'] -Message $message -Hint $hint -Target $Target -Detail $Detail
}

# Writes an error of one item; the cmdlet goes on with the next.
function Write-SPError {
    param(
        $Conversation,

        [System.Management.Automation.ErrorRecord]
        $ErrorRecord
    )
    Add-SPFailure -Conversation $Conversation -ErrorRecord $ErrorRecord
    if ($Conversation['Stops']) {
        Write-SPSummary -Conversation $Conversation -Ending
    }
    $ErrorActionPreference = $Conversation['Preference']['ErrorActionPreference']
    $Conversation['Cmdlet'].WriteError($ErrorRecord)
}

# Keeps for the summary, and tells the event log, that something was not done, and why.
function Add-SPFailure {
    param(
        $Conversation,

        [System.Management.Automation.ErrorRecord]
        $ErrorRecord
    )
    $about = [string]$ErrorRecord.TargetObject
    if (-not $about) {
        $about = $Conversation['Item']
    }
    $code = $ErrorRecord.Exception.Data['SPMigration']['Code']
    $Conversation['Failed'].Add("$about ($code)".TrimStart())
    Write-SPFailureEvent -Conversation $Conversation -ErrorRecord $ErrorRecord
}

# Ends the cmdlet with an error that every further item would meet too.
function Stop-SPPipeline {
    param(
        $Conversation,

        [System.Management.Automation.ErrorRecord]
        $ErrorRecord
    )
    Add-SPFailure -Conversation $Conversation -ErrorRecord $ErrorRecord
    Write-SPSummary -Conversation $Conversation -Ending
    $Conversation['Cmdlet'].ThrowTerminatingError($ErrorRecord)
}

# Ends the cmdlet with an error that the module found.
function Stop-SPCmdlet {
    param(
        $Conversation,

        [string]
        $Code,

        [hashtable]
        $Detail = @{},

        $Target
    )
    Stop-SPPipeline -Conversation $Conversation -ErrorRecord (New-SPModuleError -Code $Code -Detail $Detail -Target $Target)
}
