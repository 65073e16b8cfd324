function Remove-SPMigrationArchive {
    <#
    .SYNOPSIS
    Removes archives of the Security Platform.

    .DESCRIPTION
    Deletes the file of an archive after showing what is in it. A file that is no archive is refused, so that a wrong wildcard
    deletes nothing else.

    .PARAMETER Path
    Archives (.sparc); wildcards are allowed.

    .PARAMETER LiteralPath
    Archives, taken as they are written.

    .PARAMETER Force
    Does not ask.

    .EXAMPLE
    Remove-SPMigrationArchive -Path .\anna@PC-B.sparc

    Removes an archive that was imported.

    .OUTPUTS
    SPMigration.ArchiveRemoval

    .LINK
    Get-SPMigrationArchive
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High', DefaultParameterSetName = 'Path')]
    [OutputType('SPMigration.ArchiveRemoval')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName, ParameterSetName = 'Path')]
        [string[]]
        $Path,

        [Parameter(Mandatory, ValueFromPipelineByPropertyName, ParameterSetName = 'LiteralPath')]
        [Alias('PSPath', 'FullName')]
        [string[]]
        $LiteralPath,

        [switch]
        $Force
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet -Force:$Force
    }
    process {
        foreach ($file in Resolve-SPInput -Conversation $core -Path $Path -LiteralPath $LiteralPath) {
            Invoke-SPChange -Conversation $core -Operation 'archive-remove' -Parameter @{ Path = $file }
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
