function Get-SPMigrationIdentity {
    <#
    .SYNOPSIS
    Reads identity files of computers of the Security Platform.

    .DESCRIPTION
    Shows whose identity a file claims to be, and its fingerprint. It proves nothing by itself: compare the fingerprint with
    what Export-SPMigrationIdentity showed on that computer.

    .PARAMETER Path
    Identity files; wildcards are allowed.

    .PARAMETER LiteralPath
    Identity files, taken as they are written.

    .EXAMPLE
    Get-SPMigrationIdentity -Path \\srv\identities\*.spid

    Lists the computers that ask for a grant.

    .OUTPUTS
    SPMigration.Identity

    .LINK
    Grant-SPMigrationAccess
    #>
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    [OutputType('SPMigration.Identity')]
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
            Invoke-SPQuery -Conversation $core -Operation 'identity-read' -Parameter @{ Path = $file }
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
