function Remove-SPMigrationUser {
    <#
    .SYNOPSIS
    Removes your environment of the Security Platform from this computer.

    .DESCRIPTION
    The environment is set aside, not destroyed: it is kept in quarantine under its own password, and Undo-SPMigration brings
    it back. Certificates that were installed from it are taken out of your certificate store. What is encrypted with its keys
    cannot be read here until then. Your account is not touched.

    .PARAMETER Force
    Does not ask.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    Remove-SPMigrationUser -WhatIf

    Shows what would be removed.

    .OUTPUTS
    SPMigration.UserRemoval

    .LINK
    Undo-SPMigration
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    [OutputType('SPMigration.UserRemoval')]
    param(
        [switch]
        $Force,

        [switch]
        $AllowServiceAccount
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet -Force:$Force
    }
    process {
        Invoke-SPChange -Conversation $core -Operation 'user-remove' `
            -Parameter @{ AllowServiceAccount = $AllowServiceAccount }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
