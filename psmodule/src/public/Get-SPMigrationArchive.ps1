function Get-SPMigrationArchive {
    <#
    .SYNOPSIS
    Reads what archives of the Security Platform say about themselves.

    .DESCRIPTION
    Shows from whom, from where and to where an archive is, and under which grant. It needs no password and proves little:
    Test-SPMigrationArchive checks an archive.

    .PARAMETER Path
    Archives (.sparc); wildcards are allowed.

    .PARAMETER LiteralPath
    Archives, taken as they are written.

    .EXAMPLE
    Get-SPMigrationArchive -Path \\srv\archives\*.sparc

    Lists the archives of a share.

    .OUTPUTS
    SPMigration.Archive

    .LINK
    Test-SPMigrationArchive
    #>
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    [OutputType('SPMigration.Archive')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName, ParameterSetName = 'Path')]
        [string[]]
        $Path,

        [Parameter(Mandatory, ValueFromPipelineByPropertyName, ParameterSetName = 'LiteralPath')]
        [Alias('PSPath', 'FullName')]
        [string[]]
        $LiteralPath
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        foreach ($file in Resolve-SPInput -Conversation $core -Path $Path -LiteralPath $LiteralPath) {
            Invoke-SPQuery -Conversation $core -Operation 'archive-read' -Parameter @{ Path = $file }
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
