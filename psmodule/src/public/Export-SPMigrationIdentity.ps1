function Export-SPMigrationIdentity {
    <#
    .SYNOPSIS
    Writes the public identity of this computer, for the owner of a source computer to grant.

    .DESCRIPTION
    The first step of a migration, on the destination. The file holds no secret. Whoever grants the move compares its
    fingerprint with the one shown here, over another channel than the file came on: that is what keeps a swapped file out.

    .PARAMETER Path
    The file to write, or a folder for the default name.

    .PARAMETER Force
    Overwrites a file that exists.

    .EXAMPLE
    Export-SPMigrationIdentity -Path \\srv\identities | Format-List Path, Fingerprint

    Writes the identity into the folder and shows what to read out to the owner.

    .OUTPUTS
    SPMigration.Identity

    .LINK
    Grant-SPMigrationAccess
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('SPMigration.Identity')]
    param(
        [Parameter(Mandatory, Position = 0)]
        [string]
        $Path,

        [switch]
        $Force
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet -Force:$Force
    }
    process {
        foreach ($output in Resolve-SPPath -Conversation $core -Path $Path) {
            Invoke-SPChange -Conversation $core -Operation 'identity-export' -Parameter @{ Path = $output; Overwrite = $Force }
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
