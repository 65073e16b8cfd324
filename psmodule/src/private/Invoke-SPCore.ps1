# One request to the core program and all the records that answer it: the one place that knows the process protocol's field
# names (docs/spec/process-protocol.md). Results, errors, warnings and progress come out through the public cmdlet.

# Sends a request and receives its answer. Returns a hashtable: Ok (no error), Begun (false: the child ended before it took
# up an `apply`, so the plan has to be made again), Results, Plan, Secrets.
function Invoke-SPCore {
    param(
        $Conversation,

        [string]
        $Operation,

        [ValidateSet('run', 'plan', 'apply')]
        [string]
        $Mode = 'run',

        [hashtable]
        $Parameter = @{},

        [hashtable]
        $Secret = @{},

        [string]
        $PlanId,

        # The plan is only looked at: it leaves no trace, in no history either.
        [switch]
        $WhatIf,

        # Results go into the pipeline as they come; without it they are in what is returned.
        [switch]
        $Stream,

        # Warnings that were shown already, as keys.
        [hashtable]
        $Told = @{},

        # The code of a warning that is not shown, because an error will say the same.
        [string]
        $Unsaid
    )
    $ErrorActionPreference = 'Stop'
    $request = @{ v = 1; cmd = $Operation; mode = $Mode; params = ConvertTo-SPParameter -Parameter $Parameter }
    if ($PlanId) {
        $request['planId'] = $PlanId
    }
    if ($WhatIf) {
        $request['whatIf'] = $true
    }
    # A missing secret is not sent; the core says which one it needs.
    $secrets = @{}
    foreach ($name in $Secret.Keys) {
        if ($null -ne $Secret[$name]) {
            $secrets[$name] = $Secret[$name]
        }
    }
    $cmdlet = $Conversation['Cmdlet']
    $Conversation['Progress'] = @{
        Clock      = [System.Diagnostics.Stopwatch]::StartNew()
        Last       = -1000
        Record     = $null
        ActivityId = [System.Math]::Abs($cmdlet.GetHashCode())
    }
    for ($attempt = 1; $true; $attempt++) {
        $answer = @{
            Id       = 0
            Ok       = $false
            Begun    = $true
            Ended    = $false
            Answered = $false
            Results  = [System.Collections.Generic.List[object]]::new()
            Plan     = $null
            Refusals = @{}
            Secrets  = @{}
        }
        try {
            if ($null -eq $Conversation['Child']) {
                Start-SPChild -Conversation $Conversation
            }
            $Conversation['LastId']++
            $answer['Id'] = $Conversation['LastId']
            $request['id'] = $answer['Id']
            $bytes = ConvertTo-SPRequest -Request $request -Secret $secrets
            try {
                $sent = Send-SPChild -Child $Conversation['Child'] -Bytes $bytes
            } finally {
                [System.Array]::Clear($bytes, 0, $bytes.Length)
            }
            # Even if it could not be sent, the child may have said why before it ended.
            Receive-SPAnswer -Conversation $Conversation -Answer $answer -Stream:$Stream -Told $Told `
                -Unsaid $Unsaid
            if ($answer['Ended']) {
                return $answer
            }
            $exitCode = Wait-SPChildEnd -Child $Conversation['Child']
            $mayRepeat = $exitCode -eq 0 -and -not $answer['Answered'] -and $attempt -lt 3
            if (-not $mayRepeat) {
                Stop-SPCrashed -Conversation $Conversation
            }
        } finally {
            # Only .NET here: while a pipeline is being stopped, a command in `finally` may not run to its end.
            if (-not $answer['Ended'] -and $null -ne $Conversation['Child']) {
                $child = $Conversation['Child']
                $Conversation['Child'] = $null
                try {
                    $child['Input'].Dispose()
                } catch [System.Management.Automation.MethodInvocationException] {
                    $child['Input'] = $null
                }
                if (-not $child['Process'].WaitForExit(5000)) {
                    $child['Process'].Kill()
                }
                $child['Process'].Dispose()
            }
            $shown = $Conversation['Progress']['Record']
            if ($null -ne $shown) {
                $Conversation['Progress']['Record'] = $null
                # A record of its own: whoever keeps the ones before would see them change.
                $record = [System.Management.Automation.ProgressRecord]::new($shown.ActivityId, $shown.Activity, $shown.StatusDescription)
                $record.RecordType = [System.Management.Automation.ProgressRecordType]::Completed
                $cmdlet.WriteProgress($record)
            }
        }
        # The child had ended by itself after ten idle seconds: another takes the request (ruling 15).
        if ($Mode -eq 'apply') {
            $answer['Begun'] = $false
            return $answer
        }
    }
}

# Receives records until the request's `end` or the end of the child's output.
function Receive-SPAnswer {
    param(
        $Conversation,

        [hashtable]
        $Answer,

        [switch]
        $Stream,

        [hashtable]
        $Told,

        [string]
        $Unsaid
    )
    $child = $Conversation['Child']
    $cmdlet = $Conversation['Cmdlet']
    $failed = $false
    while (-not $Answer['Ended']) {
        $record = Read-SPRecord -Child $child
        if ($null -eq $record) {
            return
        }
        if ($record['t'] -eq 'hello') {
            $child['Greeted'] = $true
            if ($record['version'] -cne $script:ModuleVersion) {
                Stop-SPCmdlet -Conversation $Conversation -Code 'CoreVersionMismatch' `
                    -Detail @{ module = $script:ModuleVersion; core = $record['version'] }
            }
            continue
        }
        if ($record['t'] -eq 'error' -and -not $record['id']) {
            # Not about this request but about the conversation: ProtocolUnsupported.
            Stop-SPPipeline -Conversation $Conversation -ErrorRecord (ConvertTo-SPErrorRecord -Record $record)
        }
        if ($record['id'] -ne $Answer['Id']) {
            Stop-SPCmdlet -Conversation $Conversation -Code 'CoreCrashed' `
                -Detail @{ tail = "it answered request $($record['id']) instead of $($Answer['Id'])" }
        }
        $Answer['Answered'] = $true
        switch ($record['t']) {
            'progress' {
                Write-SPProgress -Conversation $Conversation -Activity $record['activity'] -Status $record['status'] `
                    -Percent ([int]$record['percent'])
            }
            'verbose' {
                $VerbosePreference = $Conversation['Preference']['VerbosePreference']
                $cmdlet.WriteVerbose($record['message'])
            }
            'warning' {
                if ($record['code']) {
                    $Answer['Refusals'][$record['code']] = $true
                }
                # A plan and its apply make the same checks, so they have the same to say.
                $said = $Told.ContainsKey($record['message']) -or ($Unsaid -and $record['code'] -ceq $Unsaid)
                if (-not $said) {
                    $Told[$record['message']] = $true
                    $WarningPreference = $Conversation['Preference']['WarningPreference']
                    $cmdlet.WriteWarning($record['message'])
                }
            }
            'plan' {
                $Answer['Plan'] = @{
                    Id     = $record['planId']
                    Action = $record['action']
                    Target = $record['target']
                    Impact = $record['impact']
                    Lines  = $record['lines']
                }
            }
            'result' {
                $object = ConvertTo-SPObject -Type $record['type'] -Value $record['value']
                if ($Stream) {
                    $cmdlet.WriteObject($object)
                } else {
                    $Answer['Results'].Add($object)
                }
            }
            'secret' {
                $bytes = Read-SPBytes -Child $child -Count $record['bytes']
                if ($null -eq $bytes) {
                    return
                }
                $Answer['Secrets'][$record['name']] = $bytes
            }
            'error' {
                $failed = $true
                $errorRecord = ConvertTo-SPErrorRecord -Record $record
                if ($script:EndingErrors -ccontains $record['code']) {
                    Stop-SPPipeline -Conversation $Conversation -ErrorRecord $errorRecord
                }
                Write-SPError -Conversation $Conversation -ErrorRecord $errorRecord
            }
            'end' {
                $Answer['Ended'] = $true
                $Answer['Ok'] = $record['ok'] -and -not $failed
            }
        }
    }
}

# Parameters as the protocol has them: names in lower camel case; what is empty or off is left out. A number was given, also 0.
function ConvertTo-SPParameter {
    param(
        [hashtable]
        $Parameter
    )
    $params = @{}
    foreach ($name in $Parameter.Keys) {
        $value = $Parameter[$name]
        if ($value -is [System.Management.Automation.SwitchParameter]) {
            $value = [bool]$value
        }
        if ($value -is [System.Array]) {
            $value = @(foreach ($item in $value) {
                    if ($item) {
                        $item
                    }
                })
            if ($value.Count -eq 0) {
                continue
            }
        } elseif (-not $value -and $value -isnot [int]) {
            continue
        }
        $params[$name.Substring(0, 1).ToLowerInvariant() + $name.Substring(1)] = $value
    }
    return $params
}

function ConvertTo-SPErrorRecord {
    param(
        [hashtable]
        $Record
    )
    $detail = @{}
    if ($null -ne $Record['details']) {
        $detail = $Record['details']
    }
    New-SPErrorRecord -Code $Record['code'] -Category $Record['category'] -Message $Record['message'] -Hint $Record['hint'] `
        -Target $Record['target'] -Detail $detail
}

# Says why the child ended without the answer it owed.
function Stop-SPCrashed {
    param(
        $Conversation
    )
    $child = $Conversation['Child']
    $tail = [System.Text.Encoding]::UTF8.GetString($child['Tail'].ToArray()).Trim()
    if (-not $child['Greeted'] -and $tail -match 'libatomic\.so') {
        Stop-SPCmdlet -Conversation $Conversation -Code 'CoreLibraryMissing'
    }
    if (-not $tail) {
        $exitCode = 'none'
        if ($child['Process'].HasExited) {
            $exitCode = $child['Process'].ExitCode
        }
        $tail = "exit code $exitCode, no text"
    }
    Stop-SPCmdlet -Conversation $Conversation -Code 'CoreCrashed' -Detail @{ tail = $tail }
}
