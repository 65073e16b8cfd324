# Says, when some items of a pipeline succeeded and others failed, which are which: otherwise the results alone would look
# like success (design page 1, "a half success that looks like success"). Given once, at the end of the cmdlet or just before
# an error ends it.
function Write-SPSummary {
    param(
        $Conversation,

        # An error ends the cmdlet: what would have come next is not tried.
        [switch]
        $Ending
    )
    $done = $Conversation['Done']
    $failed = $Conversation['Failed']
    if ($Conversation['Summarized'] -or $done.Count -eq 0 -or $failed.Count -eq 0) {
        return
    }
    $Conversation['Summarized'] = $true
    $lines = [System.Collections.Generic.List[string]]::new()
    $lines.Add("$($done.Count) done, $($failed.Count) not done.")
    foreach ($one in $failed) {
        $lines.Add("  not done: $one")
    }
    if ($Ending) {
        $lines.Add('  What would have come after that was not tried.')
    }
    # The results name what was done; here it is for who did not keep them.
    $shown = [System.Math]::Min($done.Count, 20)
    for ($index = 0; $index -lt $shown; $index++) {
        $lines.Add("  done: $($done[$index])")
    }
    if ($done.Count -gt $shown) {
        $lines.Add("  done: $($done.Count - $shown) more, see the results")
    }
    $WarningPreference = $Conversation['Preference']['WarningPreference']
    $Conversation['Cmdlet'].WriteWarning($lines -join "`n")
}

# What an item of the pipeline is called before its plan names it.
function Get-SPItemName {
    param(
        [hashtable]
        $Parameter
    )
    foreach ($name in 'Serial', 'Destination', 'Credential', 'Feature', 'Name', 'Path') {
        if ($Parameter[$name]) {
            return [string]$Parameter[$name]
        }
    }
    return ''
}
