# Transfer codes: made here, because whoever exports must see the code, and the core program says no secret.

# A new code as a SecureString: 10 random bytes in the base32 of Crockford, in four groups with hyphens, as people type it.
function New-SPTransferCode {
    $bytes = New-SPTransferCodeBytes
    $characters = ConvertTo-SPTransferCodeText -Bytes $bytes
    $code = [securestring]::new()
    foreach ($character in $characters) {
        $code.AppendChar($character)
    }
    [System.Array]::Clear($bytes, 0, $bytes.Length)
    [System.Array]::Clear($characters, 0, $characters.Length)
    $code.MakeReadOnly()
    return $code
}

function New-SPTransferCodeBytes {
    $bytes = [byte[]]::new(10)
    $random = [System.Security.Cryptography.RandomNumberGenerator]::Create()
    try {
        $random.GetBytes($bytes)
    } finally {
        $random.Dispose()
    }
    return , $bytes
}

# Five bits for each character, the first byte's highest bits first. The letters I, L, O and U are none of the digits.
function ConvertTo-SPTransferCodeText {
    param(
        [byte[]]
        $Bytes
    )
    $digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
    $characters = [char[]]::new(19)
    $held = 0
    $bits = 0
    $at = 0
    foreach ($byte in $Bytes) {
        $held = ($held -shl 8) -bor $byte
        $bits += 8
        while ($bits -ge 5) {
            if ($at % 5 -eq 4) {
                $characters[$at] = '-'
                $at++
            }
            $bits -= 5
            $characters[$at] = $digits[($held -shr $bits) -band 31]
            $at++
            $held = $held -band ((1 -shl $bits) - 1)
        }
    }
    return , $characters
}

# Shows a code to the person at the screen, if there is one. It waits for nothing.
function Show-SPTransferCode {
    param(
        $Conversation,

        [securestring]
        $Code,

        [string]
        $Path
    )
    if (-not (Test-SPReader -Conversation $Conversation)) {
        return
    }
    $copy = [System.Runtime.InteropServices.Marshal]::SecureStringToBSTR($Code)
    try {
        # The host takes nothing but a string, which stays in memory until it is collected.
        $text = [System.Runtime.InteropServices.Marshal]::PtrToStringBSTR($copy)
    } finally {
        [System.Runtime.InteropServices.Marshal]::ZeroFreeBSTR($copy)
    }
    $screen = $Conversation['Cmdlet'].Host.UI
    $screen.WriteLine("Transfer code: $text")
    $screen.WriteLine("It opens $Path, is shown only now, and is kept nowhere. Write it down and keep it apart from the archive.")
}

# Whether a person sees what the host writes. In doubt there is none: a code that nobody reads must not be left in a log.
function Test-SPReader {
    param(
        $Conversation
    )
    $ErrorActionPreference = 'Stop'
    if (-not [System.Environment]::UserInteractive) {
        return $false
    }
    # By the beginning of its name, as PowerShell takes it.
    foreach ($argument in [System.Environment]::GetCommandLineArgs()) {
        if ($argument -match '^(-|--|/)noni[a-z]*$') {
            return $false
        }
    }
    $shown = $Conversation['Cmdlet'].Host
    if ($null -eq $shown -or $null -eq $shown.UI) {
        return $false
    }
    if ($shown.Name -eq 'ConsoleHost') {
        return -not [System.Console]::IsOutputRedirected
    }
    try {
        # Hosts without a screen of their own have no such size.
        return $shown.UI.RawUI.WindowSize.Width -gt 0
    } catch [System.Management.Automation.RuntimeException] {
        return $false
    }
}
