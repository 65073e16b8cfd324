function Remove-SPMigrationCredential {
    <#
    .SYNOPSIS
    Removes a credential from your environment of the Security Platform on this computer.

    .DESCRIPTION
    Removes the key and its certificate. If it was installed, it is taken out of your certificate store as well. What is
    encrypted for it cannot be read here afterwards. A credential that a feature uses is refused as CredentialInUse.

    The states of your environment that are kept still hold it, so Undo-SPMigration can bring it back. With -Permanent it is
    taken out of all of them, and of the environments in quarantine that the password opens; the result names those that it
    does not open. No import brings it back then, unless -IncludeRemoved is given. That cannot be undone. Archives that have
    left this computer still hold it.

    .PARAMETER Credential
    Its id, its thumbprint, or a friendly name that fits only one.

    .PARAMETER Permanent
    Removes it for good, also where it is only set aside.

    .PARAMETER Password
    Your Basic User Password.

    .PARAMETER Force
    Does not ask.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    Remove-SPMigrationCredential -Credential 'Anna 2019' -Password $password -WhatIf

    Shows what would be removed.

    .EXAMPLE
    Remove-SPMigrationCredential -Credential 'Anna 2019' -Permanent -Password $password

    Removes it for good.

    .OUTPUTS
    SPMigration.CredentialRemoval

    .LINK
    Get-SPMigrationCredential
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    [OutputType('SPMigration.CredentialRemoval')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [string]
        $Credential,

        [switch]
        $Permanent,

        [securestring]
        $Password,

        [switch]
        $Force,

        [switch]
        $AllowServiceAccount
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet -Force:$Force
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'Credential', 'Permanent', 'AllowServiceAccount'
        Invoke-SPChange -Conversation $core -Operation 'credential-remove' -Parameter $parameter `
            -Secret @{ password = $Password } -RequiredSecret 'password'
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
