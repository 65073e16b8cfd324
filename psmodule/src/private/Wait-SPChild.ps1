# Reading and writing the child's streams. Everything waits in slices of 100 ms at most, so that Ctrl+C works, and takes in
# what the child says on stderr meanwhile, so that no pipe fills up (pitfalls 5 to 7).

# Waits for one task.
function Wait-SPChild {
    param(
        $Child,

        [System.Threading.Tasks.Task]
        $Task
    )
    while (-not $Task.IsCompleted) {
        $tasks = [System.Collections.Generic.List[System.Threading.Tasks.Task]]::new()
        $tasks.Add($Task)
        if ($null -ne $Child['ErrorRead']) {
            $tasks.Add($Child['ErrorRead'])
        }
        [void][System.Threading.Tasks.Task]::WaitAny($tasks.ToArray(), 100)
        Receive-SPErrorText -Child $Child
    }
}

# Keeps the last 16 KiB of stderr, which say why a child crashed.
function Receive-SPErrorText {
    param(
        $Child
    )
    while ($null -ne $Child['ErrorRead'] -and $Child['ErrorRead'].IsCompleted) {
        $count = 0
        if (-not $Child['ErrorRead'].IsFaulted) {
            $count = $Child['ErrorRead'].Result
        }
        $Child['ErrorRead'] = $null
        if ($count -gt 0) {
            $tail = $Child['Tail']
            if ($tail.Length + $count -gt 16384) {
                $kept = $tail.ToArray()
                $tail.SetLength(0)
                $from = [Math]::Max(0, $kept.Length - 8192)
                $tail.Write($kept, $from, $kept.Length - $from)
            }
            $tail.Write($Child['ErrorBuffer'], 0, $count)
            $Child['ErrorRead'] = $Child['Errors'].ReadAsync($Child['ErrorBuffer'], 0, $Child['ErrorBuffer'].Length)
        }
    }
}

# Writes to the child; $false when it no longer reads.
function Send-SPChild {
    param(
        $Child,

        [byte[]]
        $Bytes
    )
    try {
        $write = $Child['Input'].WriteAsync($Bytes, 0, $Bytes.Length)
        Wait-SPChild -Child $Child -Task $write
        if ($write.IsFaulted) {
            return $false
        }
        $flush = $Child['Input'].FlushAsync()
        Wait-SPChild -Child $Child -Task $flush
        return -not $flush.IsFaulted
    } catch [System.Management.Automation.MethodInvocationException] {
        if ($_.Exception.GetBaseException() -is [System.IO.IOException]) {
            return $false
        }
        throw
    }
}

# Reads more of stdout into the buffer; $false at its end.
function Read-SPChild {
    param(
        $Child
    )
    if ($null -eq $Child['OutputRead']) {
        $held = $Child['End'] - $Child['Start']
        if ($Child['Start'] -gt 0) {
            [System.Array]::Copy($Child['Buffer'], $Child['Start'], $Child['Buffer'], 0, $held)
            $Child['Start'] = 0
            $Child['End'] = $held
        }
        if ($held -eq $Child['Buffer'].Length) {
            $larger = [byte[]]::new(2 * $held)
            [System.Array]::Copy($Child['Buffer'], 0, $larger, 0, $held)
            $Child['Buffer'] = $larger
        }
        $Child['OutputRead'] = $Child['Output'].ReadAsync($Child['Buffer'], $Child['End'], $Child['Buffer'].Length - $Child['End'])
    }
    Wait-SPChild -Child $Child -Task $Child['OutputRead']
    $read = $Child['OutputRead']
    $Child['OutputRead'] = $null
    if ($read.IsFaulted -or $read.Result -eq 0) {
        return $false
    }
    $Child['End'] += $read.Result
    return $true
}

# The next record of the child as a hashtable; $null at the end of its output.
function Read-SPRecord {
    param(
        $Child
    )
    $searched = 0
    while ($true) {
        $from = $Child['Start'] + $searched
        $at = [System.Array]::IndexOf($Child['Buffer'], [byte]10, $from, $Child['End'] - $from)
        if ($at -ge 0) {
            $start = $Child['Start']
            $Child['Start'] = $at + 1
            return ConvertFrom-SPJson -Buffer $Child['Buffer'] -Offset $start -Count ($at - $start)
        }
        $searched = $Child['End'] - $Child['Start']
        if (-not (Read-SPChild -Child $Child)) {
            return $null
        }
    }
}

# Exactly so many raw bytes, which follow a `secret` record; $null at the end of the output.
function Read-SPBytes {
    param(
        $Child,

        [int]
        $Count
    )
    while ($Child['End'] - $Child['Start'] -lt $Count) {
        if (-not (Read-SPChild -Child $Child)) {
            return $null
        }
    }
    $bytes = [byte[]]::new($Count)
    [System.Array]::Copy($Child['Buffer'], $Child['Start'], $bytes, 0, $Count)
    [System.Array]::Clear($Child['Buffer'], $Child['Start'], $Count)
    $Child['Start'] += $Count
    return , $bytes
}

# Waits for the child's end, up to five seconds, and takes in the rest of stderr. Returns the exit code, or $null.
function Wait-SPChildEnd {
    param(
        $Child
    )
    $ended = $false
    for ($slice = 0; $slice -lt 50 -and -not $ended; $slice++) {
        $ended = $Child['Process'].WaitForExit(100)
        Receive-SPErrorText -Child $Child
    }
    if (-not $ended) {
        return $null
    }
    for ($slice = 0; $slice -lt 10 -and $null -ne $Child['ErrorRead']; $slice++) {
        [void]$Child['ErrorRead'].Wait(100)
        Receive-SPErrorText -Child $Child
    }
    return $Child['Process'].ExitCode
}
