function Revoke-SPMigrationAccess {
    <#
    .SYNOPSIS
    Revokes grants of the Security Platform.

    .DESCRIPTION
    Puts the serial of a grant on the authority's signed revocation list. A revoked grant lets nothing move any more wherever
    the list is known: on this computer at once, on others after Add-SPMigrationRevocation. It cannot be taken back; grant
    again instead. Keys that moved already stay where they are.

    .PARAMETER Serial
    The serial of the grant.

    .PARAMETER Reason
    Why, in a few words. It is shown to those who try to use the grant.

    .PARAMETER OwnerPassword
    The Owner Password of this computer or of the authority file.

    .PARAMETER AuthorityPath
    The authority file of a fleet.

    .PARAMETER OutputPath
    Where the revocation list is written: a file, or a folder for the default name. Needed with -AuthorityPath.

    .PARAMETER OwnerPasswordFile
    A backup of the Owner Password, used instead of -OwnerPassword.

    .PARAMETER Force
    Does not ask, and overwrites a file that exists.

    .EXAMPLE
    Get-SPMigrationAccess -Destination PC-B | Revoke-SPMigrationAccess -Reason 'PC-B was stolen' -OwnerPassword $owner

    Revokes every grant for PC-B.

    .OUTPUTS
    SPMigration.Revocation

    .LINK
    Add-SPMigrationRevocation
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('SPMigration.Revocation')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [string]
        $Serial,

        [string]
        $Reason,

        [securestring]
        $OwnerPassword,

        [string]
        $AuthorityPath,

        [string]
        $OutputPath,

        [string]
        $OwnerPasswordFile,

        [switch]
        $Force
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet -Force:$Force
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'Serial', 'Reason'
        $parameter['AuthorityPath'] = Resolve-SPPath -Conversation $core -Path $AuthorityPath -Name 'AuthorityPath'
        $parameter['OutputPath'] = Resolve-SPPath -Conversation $core -Path $OutputPath -Name 'OutputPath'
        $parameter['BackupPath'] = Resolve-SPPath -Conversation $core -Path $OwnerPasswordFile -Name 'OwnerPasswordFile'
        $parameter['Overwrite'] = $Force
        $required = 'ownerPassword'
        if ($OwnerPasswordFile) {
            $required = $null
        }
        Invoke-SPChange -Conversation $core -Operation 'access-revoke' -Parameter $parameter `
            -Secret @{ ownerPassword = $OwnerPassword } -RequiredSecret $required
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
