function Test-SPMigrationArchive {
    <#
    .SYNOPSIS
    Tests whether archives of the Security Platform are whole, and whether they fit this computer.

    .DESCRIPTION
    Answers $true or $false for each archive; with -Detailed the checks, the reasons and the case that an import would be. It
    needs no password and changes nothing, so it can be done before the user is there. What only the password can show, the
    keys in the archive, is not tested.

    .PARAMETER Path
    Archives (.sparc); wildcards are allowed.

    .PARAMETER LiteralPath
    Archives, taken as they are written.

    .PARAMETER ForThisComputer
    Tests also whether the archive can be imported here, now and by you.

    .PARAMETER GrantPath
    Folders with revocation lists to honour, besides those of this computer.

    .PARAMETER Detailed
    Returns an object with the reasons for each archive instead of a truth value.

    .EXAMPLE
    Test-SPMigrationArchive -Path .\anna@PC-B.sparc -ForThisComputer -Detailed

    Tells whether it can be imported here, and if not, why.

    .OUTPUTS
    System.Boolean, or SPMigration.ArchiveTest with -Detailed

    .LINK
    Import-SPMigration
    #>
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    [OutputType([bool])]
    [OutputType('SPMigration.ArchiveTest')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName, ParameterSetName = 'Path')]
        [string[]]
        $Path,

        [Parameter(Mandatory, ValueFromPipelineByPropertyName, ParameterSetName = 'LiteralPath')]
        [Alias('PSPath', 'FullName')]
        [string[]]
        $LiteralPath,

        [switch]
        $ForThisComputer,

        [string[]]
        $GrantPath,

        [switch]
        $Detailed
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'ForThisComputer'
        $parameter['GrantPath'] = Resolve-SPPathList -Conversation $core -Path $GrantPath -Name 'GrantPath'
        foreach ($file in Resolve-SPInput -Conversation $core -Path $Path -LiteralPath $LiteralPath) {
            $parameter['Path'] = $file
            if ($Detailed) {
                Invoke-SPQuery -Conversation $core -Operation 'archive-test' -Parameter $parameter
            } else {
                $answer = Invoke-SPCore -Conversation $core -Operation 'archive-test' -Parameter $parameter
                $failed = @($answer['Results'] | Where-Object { -not $_.Fits })
                $answer['Ok'] -and $failed.Count -eq 0
            }
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
