# One request as bytes: the JSON line and, behind it, its secrets. Secrets become bytes here, as late as can be, and only in
# arrays that are cleared: the caller clears what is returned once it is sent.
function ConvertTo-SPRequest {
    param(
        [hashtable]
        $Request,

        [hashtable]
        $Secret
    )
    $ErrorActionPreference = 'Stop'
    $frames = [System.Collections.Generic.List[byte[]]]::new()
    try {
        $announced = foreach ($name in $Secret.Keys) {
            $frame = ConvertTo-SPSecretBytes -Secret $Secret[$name]
            $frames.Add($frame)
            @{ name = $name; bytes = $frame.Length }
        }
        $Request['secrets'] = @($announced)
        $line = [System.Text.UTF8Encoding]::new($false).GetBytes((ConvertTo-SPJson -Value $Request) + "`n")
        $length = $line.Length
        foreach ($frame in $frames) {
            $length += $frame.Length
        }
        $bytes = [byte[]]::new($length)
        [System.Array]::Copy($line, $bytes, $line.Length)
        $at = $line.Length
        foreach ($frame in $frames) {
            [System.Array]::Copy($frame, 0, $bytes, $at, $frame.Length)
            $at += $frame.Length
        }
        return , $bytes
    } finally {
        foreach ($frame in $frames) {
            [System.Array]::Clear($frame, 0, $frame.Length)
        }
    }
}

# The bytes of one secret in a new array: a SecureString or a one-time secret in UTF-8, bytes as they are.
function ConvertTo-SPSecretBytes {
    param(
        $Secret
    )
    if ($Secret -is [byte[]]) {
        return , [byte[]]$Secret.Clone()
    }
    if ($Secret -is [string]) {
        return , [System.Text.UTF8Encoding]::new($false).GetBytes($Secret)
    }
    $characters = [char[]]::new($Secret.Length)
    $copy = [System.Runtime.InteropServices.Marshal]::SecureStringToBSTR($Secret)
    try {
        [System.Runtime.InteropServices.Marshal]::Copy($copy, $characters, 0, $characters.Length)
        return , [System.Text.UTF8Encoding]::new($false).GetBytes($characters)
    } finally {
        [System.Runtime.InteropServices.Marshal]::ZeroFreeBSTR($copy)
        [System.Array]::Clear($characters, 0, $characters.Length)
    }
}
