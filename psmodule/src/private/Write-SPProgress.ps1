# Progress of a request: none within its first second, then at most four times a second (design page 4, rule 6).
function Write-SPProgress {
    param(
        $Conversation,

        [string]
        $Activity,

        [string]
        $Status,

        [int]
        $Percent
    )
    $progress = $Conversation['Progress']
    $now = $progress['Clock'].ElapsedMilliseconds
    if ($now -ge 1000 -and $now - $progress['Last'] -ge 250) {
        $ProgressPreference = $Conversation['Preference']['ProgressPreference']
        $progress['Last'] = $now
        $record = [System.Management.Automation.ProgressRecord]::new($progress['ActivityId'], $Activity, $Status)
        $record.PercentComplete = $Percent
        $progress['Record'] = $record
        $Conversation['Cmdlet'].WriteProgress($record)
    }
}
