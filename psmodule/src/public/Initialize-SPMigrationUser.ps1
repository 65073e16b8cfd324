function Initialize-SPMigrationUser {
    <#
    .SYNOPSIS
    Makes your Basic User Key and an empty environment in the Security Platform.

    .DESCRIPTION
    Run this once, on the first computer. The Basic User Key is the root of your keys; it is bound to the authority of this
    computer for its life and opens with your password only: nobody can reset it. On further computers import an archive
    instead, so that the key stays the same.

    .PARAMETER Password
    Your Basic User Password, 8 to 255 characters.

    .PARAMETER AllowServiceAccount
    Allows it for a service account; an environment belongs to a person otherwise.

    .EXAMPLE
    Initialize-SPMigrationUser -Password (Read-Host -AsSecureString 'Basic User Password')

    Sets you up on this computer.

    .OUTPUTS
    SPMigration.Status

    .LINK
    Add-SPMigrationCredential
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', PositionalBinding = $false)]
    [OutputType('SPMigration.Status')]
    param(
        [securestring]
        $Password,

        [switch]
        $AllowServiceAccount
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        Invoke-SPChange -Conversation $core -Operation 'user-initialize' `
            -Parameter @{ AllowServiceAccount = $AllowServiceAccount } `
            -Secret @{ password = $Password } -RequiredSecret 'password'
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
