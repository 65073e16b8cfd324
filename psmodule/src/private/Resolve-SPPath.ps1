# Paths as the person means them, relative to the PowerShell location and with its drives, turned into absolute paths of the
# file system: the core's own working directory is another one (pitfall 9).

# One path that need not exist, wildcards taken as they are; nothing for none. What is no file path is ParameterInvalid and
# ends the cmdlet: without what the caller asked for nothing is done.
function Resolve-SPPath {
    param(
        $Conversation,

        [string]
        $Path,

        [string]
        $Name = 'Path',

        # It belongs to one item of the pipeline: the error is written, and the others go on.
        [switch]
        $Item
    )
    if (-not $Path) {
        return
    }
    $ErrorActionPreference = 'Stop'
    $provider = $null
    $drive = $null
    try {
        $full = $Conversation['Cmdlet'].SessionState.Path.GetUnresolvedProviderPathFromPSPath(
            (ConvertTo-SPQualifiedPath -Path $Path), [ref]$provider, [ref]$drive)
        if ($provider.Name -ne 'FileSystem') {
            throw [System.NotSupportedException]::new("$Path is in $($provider.Name), not in the file system")
        }
        return [System.IO.Path]::GetFullPath($full)
    } catch [System.Management.Automation.RuntimeException] {
        $problem = $_.Exception.GetBaseException().Message
    } catch [System.NotSupportedException] {
        $problem = $_.Exception.Message
    }
    $errorRecord = New-SPModuleError -Code 'ParameterInvalid' -Detail @{ parameter = $Name; problem = $problem } -Target $Path
    if (-not $Item) {
        Stop-SPPipeline -Conversation $Conversation -ErrorRecord $errorRecord
    }
    Write-SPError -Conversation $Conversation -ErrorRecord $errorRecord
}

# Several paths under one name, as Resolve-SPPath; always a list, also of one.
function Resolve-SPPathList {
    param(
        $Conversation,

        [string[]]
        $Path,

        [string]
        $Name = 'Path'
    )
    $full = @(foreach ($one in $Path) {
            Resolve-SPPath -Conversation $Conversation -Path $one -Name $Name
        })
    return , $full
}

# Input files: -Path with wildcards, or -LiteralPath. A path that exists as it is written is meant as it is written, even if
# it has wildcard characters in it: objects of this module carry such paths in a property named Path.
function Resolve-SPInput {
    param(
        $Conversation,

        [string[]]
        $Path,

        [string[]]
        $LiteralPath,

        [string]
        $Name = 'Path',

        # They belong together: where one is missing, the cmdlet ends.
        [switch]
        $Whole
    )
    foreach ($one in $LiteralPath) {
        Resolve-SPPath -Conversation $Conversation -Path $one -Name 'LiteralPath' -Item
    }
    foreach ($one in $Path) {
        $full = Resolve-SPPath -Conversation $Conversation -Path $one -Name $Name -Item:(-not $Whole)
        if (-not $full) {
            continue
        }
        if ([System.IO.File]::Exists($full) -or [System.IO.Directory]::Exists($full)) {
            $full
            continue
        }
        if (-not [System.Management.Automation.WildcardPattern]::ContainsWildcardCharacters($one)) {
            # Escaped wildcard characters are those of the name.
            $meant = [System.Management.Automation.WildcardPattern]::Unescape($one)
            Resolve-SPPath -Conversation $Conversation -Path $meant -Name $Name -Item:(-not $Whole)
            continue
        }
        $matched = Expand-SPWildcard -Conversation $Conversation -Path $one
        if ($matched) {
            $matched
        } elseif ($Whole) {
            Stop-SPCmdlet -Conversation $Conversation -Code 'FileNotFound' -Detail @{ path = $full } -Target $full
        } else {
            Write-SPError -Conversation $Conversation -ErrorRecord (
                New-SPModuleError -Code 'FileNotFound' -Detail @{ path = $full } -Target $full)
        }
    }
}

# The files that a wildcard path matches, in the order of their names.
function Expand-SPWildcard {
    param(
        $Conversation,

        [string]
        $Path
    )
    $ErrorActionPreference = 'Stop'
    $provider = $null
    try {
        $found = $Conversation['Cmdlet'].SessionState.Path.GetResolvedProviderPathFromPSPath(
            (ConvertTo-SPQualifiedPath -Path $Path), [ref]$provider)
    } catch [System.Management.Automation.RuntimeException] {
        if ($_.Exception.GetBaseException() -isnot [System.Management.Automation.ItemNotFoundException]) {
            throw
        }
        return
    }
    foreach ($one in $found) {
        if ([System.IO.File]::Exists($one)) {
            $one
        }
    }
}

# UNC paths, and on Linux absolute ones, mean the file system also where the location is in another provider (Env:, Cert:).
function ConvertTo-SPQualifiedPath {
    param(
        [string]
        $Path
    )
    $unc = $Path.StartsWith('\\') -or $Path.StartsWith('//')
    $absolute = [System.IO.Path]::DirectorySeparatorChar -eq '/' -and $Path.StartsWith('/')
    if ($unc -or $absolute) {
        return 'Microsoft.PowerShell.Core\FileSystem::' + $Path
    }
    return $Path
}
