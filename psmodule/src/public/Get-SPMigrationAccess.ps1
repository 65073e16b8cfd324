function Get-SPMigrationAccess {
    <#
    .SYNOPSIS
    Lists grants of the Security Platform that let keys of this computer move.

    .DESCRIPTION
    Shows each grant with its destination, its time and its state, and in plain words what it allows. The objects can be
    piped to Export-SPMigration and to Revoke-SPMigrationAccess.

    .PARAMETER Destination
    Only grants for this destination: a computer name or a fingerprint.

    .PARAMETER Serial
    Only the grant with this serial.

    .PARAMETER GrantPath
    Grant files, or folders with them, besides those of this computer.

    .EXAMPLE
    Get-SPMigrationAccess -Destination PC-B | Export-SPMigration -Path \\srv\archives -Password $password

    Exports to PC-B under the grant that names it.

    .OUTPUTS
    SPMigration.Access

    .LINK
    Grant-SPMigrationAccess
    #>
    [CmdletBinding()]
    [OutputType('SPMigration.Access')]
    param(
        [Parameter(Position = 0, ValueFromPipelineByPropertyName)]
        [string]
        $Destination,

        [Parameter(ValueFromPipelineByPropertyName)]
        [string]
        $Serial,

        [Parameter(ValueFromPipelineByPropertyName)]
        [string[]]
        $GrantPath
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'Destination', 'Serial'
        $parameter['GrantPath'] = Resolve-SPPathList -Conversation $core -Path $GrantPath -Name 'GrantPath'
        Invoke-SPQuery -Conversation $core -Operation 'access-list' -Parameter $parameter
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
