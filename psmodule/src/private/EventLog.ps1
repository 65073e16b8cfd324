# The event log of Windows: one event for each change that was made, and one for each that was refused or failed
# (docs/spec/event-log.md). Not for a rehearsal, and only where Initialize-SPMigrationPlatform has registered the source. An
# event never has a secret, and one that cannot be written never ends a cmdlet.

# A change begins: what fails while it is there is told as a refusal of it. What is only looked at (-WhatIf) is none.
function Start-SPEventChange {
    param(
        $Conversation,

        [string]
        $Operation
    )
    $Conversation['Change'] = $null
    if (-not $Conversation['Preference']['WhatIfPreference']) {
        $Conversation['Change'] = @{ Operation = $Operation; Plan = $null }
    }
}

# Tells that the change was made: its plan, who made it, and the ids in its results.
function Write-SPDoneEvent {
    param(
        $Conversation,

        [string]
        $Operation,

        [hashtable]
        $Plan,

        $Result
    )
    if (-not (Test-SPEventLog -Conversation $Conversation)) {
        return
    }
    $ids = [System.Collections.Generic.List[string]]::new()
    foreach ($one in $Result) {
        foreach ($name in -split $script:EventProperties) {
            $property = $one.PSObject.Properties[$name]
            if ($null -ne $property -and '' -cne [string]$property.Value -and $ids.Count -lt 20) {
                $ids.Add((ConvertTo-SPEventText -Text "$($name): $($property.Value)"))
            }
        }
    }
    Write-SPEvent -Conversation $Conversation -Operation $Operation -Plan $Plan -Id $ids.ToArray()
}

# Tells that the change that was begun was not made, or not wholly, and why.
function Write-SPFailureEvent {
    param(
        $Conversation,

        [System.Management.Automation.ErrorRecord]
        $ErrorRecord
    )
    $change = $Conversation['Change']
    if ($null -eq $change -or -not (Test-SPEventLog -Conversation $Conversation)) {
        return
    }
    Write-SPEvent -Conversation $Conversation -Operation $change['Operation'] -Plan $change['Plan'] -ErrorRecord $ErrorRecord
}

# Puts an event together. Its strings have fixed places; the first is all that Event Viewer shows as the event's text.
function Write-SPEvent {
    param(
        $Conversation,

        [string]
        $Operation,

        [hashtable]
        $Plan,

        [string[]]
        $Id = @(),

        [System.Management.Automation.ErrorRecord]
        $ErrorRecord
    )
    $ErrorActionPreference = 'Stop'
    $cmdlet = $Conversation['Cmdlet'].MyInvocation.MyCommand.Name
    $title = $Operation
    $target = $Conversation['Item']
    if ($null -ne $Plan) {
        $title = $Plan['Action']
        $target = $Plan['Target']
    }
    $target = ConvertTo-SPEventText -Text $target
    $title = "$(ConvertTo-SPEventText -Text $title): $target"
    $number = [int]($script:EventNumbers -creplace "^(.* )?$Operation=([0-9]+).*", '$2')
    $type = 'Information'
    $code = ''
    $lines = [System.Collections.Generic.List[string]]::new()
    if ($null -eq $ErrorRecord) {
        $number += $script:DoneEvents
        $lines.Add($title)
    } else {
        $number += $script:NotDoneEvents
        $type = 'Warning'
        if ((-split $script:FaultCategories) -ccontains [string]$ErrorRecord.CategoryInfo.Category) {
            $type = 'Error'
        }
        $known = $ErrorRecord.Exception.Data['SPMigration']
        $code = $known['Code']
        $lines.Add("Not done: $title")
        $lines.Add("$($code): $(ConvertTo-SPEventText -Text $known['Message'] -Limit 2000)")
    }
    try {
        $account = Get-SPEventAccount
        $name = ConvertTo-SPEventText -Text $account['Name']
        $lines.Add("Operation: $Operation, by $cmdlet")
        $lines.Add("Account: $name, $($account['Id'])")
        $lines.AddRange($Id)
        $strings = @(($lines -join "`r`n"), $Operation, $cmdlet, $target, $code, $name, $account['Id'], $script:ModuleVersion) + $Id
        Write-SPEventRecord -Number $number -Type $type -Text $strings
    } catch [System.Management.Automation.RuntimeException] {
        # Told once for each cmdlet: the next one would meet the same.
        $Conversation['EventLog'] = $false
        $WarningPreference = $Conversation['Preference']['WarningPreference']
        $Conversation['Cmdlet'].WriteWarning(
            "The event log of Windows did not take an event of this: $($_.Exception.GetBaseException().Message)")
    }
}

# Whether events are written: on Windows, outside of rehearsals, and where the source is registered. Asked once for a cmdlet.
function Test-SPEventLog {
    param(
        $Conversation
    )
    $ErrorActionPreference = 'Stop'
    if ($null -ne $Conversation['EventLog']) {
        return $Conversation['EventLog']
    }
    $Conversation['EventLog'] = $false
    if (-not (Test-SPEventLogHere)) {
        return $false
    }
    $problem = 'its log Application has no source SPMigration.'
    try {
        $Conversation['EventLog'] = Test-SPEventSource
    } catch [System.Management.Automation.RuntimeException] {
        $problem = $_.Exception.GetBaseException().Message
    }
    if (-not $Conversation['EventLog']) {
        $VerbosePreference = $Conversation['Preference']['VerbosePreference']
        $Conversation['Cmdlet'].WriteVerbose("Nothing is written to the event log of Windows: $problem")
    }
    return $Conversation['EventLog']
}

# Registers the source, so that this and all later changes on this computer are told. It is made by the first cmdlet that an
# administrator runs; what cannot be registered is told, and the platform is there all the same.
function Initialize-SPEventLog {
    param(
        $Conversation
    )
    $ErrorActionPreference = 'Stop'
    if (-not (Test-SPEventLogHere)) {
        return
    }
    try {
        Register-SPEventSource
    } catch [System.Management.Automation.RuntimeException] {
        $WarningPreference = $Conversation['Preference']['WarningPreference']
        $Conversation['Cmdlet'].WriteWarning(
            "The source SPMigration could not be registered in the event log of Windows: $($_.Exception.GetBaseException().Message)")
    }
    $Conversation['EventLog'] = $null
}

# One line of an event. Names in it come from files of other people: a control character could begin a line of its own, and %1
# or %%1 would be filled in again by whoever shows the event.
function ConvertTo-SPEventText {
    param(
        [string]
        $Text,

        [int]
        $Limit = 500
    )
    $unfit = '[\x00-\x1F\x7F-\x9F\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069\uFFFE\uFFFF]' +
        '|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]'
    if ($Text.Length -gt $Limit) {
        $Text = $Text.Substring(0, $Limit) + '...'
    }
    return $Text -replace $unfit, [string][char]0xFFFD -replace '%(?=[%0-9])', [string][char]0xFF05
}

# The rest is Windows itself; tests put doubles in its place.

function Test-SPEventLogHere {
    return [System.IO.Path]::DirectorySeparatorChar -eq '\' -and
        -not [System.Environment]::GetEnvironmentVariable('SPMIGRATION_HOME')
}

function Test-SPEventSource {
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey(
        'SYSTEM\CurrentControlSet\Services\EventLog\Application\SPMigration')
    if ($null -eq $key) {
        return $false
    }
    $key.Dispose()
    return $true
}

# By the registry, as EventLog.CreateEventSource does it: that would name the file of messages of the PowerShell that runs now,
# whose folder goes with its next update. That of .NET Framework is a part of Windows; for each id it shows the first string.
function Register-SPEventSource {
    $key = [Microsoft.Win32.Registry]::LocalMachine.CreateSubKey(
        'SYSTEM\CurrentControlSet\Services\EventLog\Application\SPMigration')
    try {
        $key.SetValue('EventMessageFile', '%SystemRoot%\Microsoft.NET\Framework64\v4.0.30319\EventLogMessages.dll',
            [Microsoft.Win32.RegistryValueKind]::ExpandString)
        # Errors, warnings and information.
        $key.SetValue('TypesSupported', 7, [Microsoft.Win32.RegistryValueKind]::DWord)
    } finally {
        $key.Dispose()
    }
}

# Who runs this: the event's own field for it stays empty, because .NET does not fill it in.
function Get-SPEventAccount {
    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    try {
        return @{ Name = $identity.Name; Id = $identity.User.Value }
    } finally {
        $identity.Dispose()
    }
}

function Write-SPEventRecord {
    param(
        [int]
        $Number,

        [string]
        $Type,

        [string[]]
        $Text
    )
    $ErrorActionPreference = 'Stop'
    $log = [System.Diagnostics.EventLog]::new('Application', '.', 'SPMigration')
    try {
        $log.WriteEvent([System.Diagnostics.EventInstance]::new($Number, 0, $Type), [object[]]$Text)
    } finally {
        $log.Dispose()
    }
}
