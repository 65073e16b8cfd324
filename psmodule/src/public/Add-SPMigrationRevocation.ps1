function Add-SPMigrationRevocation {
    <#
    .SYNOPSIS
    Makes a revocation list of the Security Platform known on this computer.

    .DESCRIPTION
    An administrator's step, on computers whose authority is kept elsewhere. The list's signature is checked; an older list
    than the one already known is refused.

    .PARAMETER Path
    Revocation lists (.sprevoked); wildcards are allowed.

    .PARAMETER LiteralPath
    Revocation lists, taken as they are written.

    .EXAMPLE
    Add-SPMigrationRevocation -Path \\srv\fleet\*.sprevoked

    Takes over the fleet's newest lists, for example in a startup script.

    .OUTPUTS
    SPMigration.Revocation

    .LINK
    Revoke-SPMigrationAccess
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', DefaultParameterSetName = 'Path')]
    [OutputType('SPMigration.Revocation')]
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
            Invoke-SPChange -Conversation $core -Operation 'revocation-add' -Parameter @{ Path = $file }
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
