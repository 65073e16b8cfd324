function Undo-SPMigration {
    <#
    .SYNOPSIS
    Brings back an earlier state of your environment of the Security Platform.

    .DESCRIPTION
    Without a choice it takes back the last change, and after an import that replaced your environment, or after
    Remove-SPMigrationUser, that one: the whole environment returns as it was, and opens with its own password. Undoing an undo
    is a redo. -WhatIf shows what would come back, and what would go.

    What comes back is content: credentials, and which features use them. It is kept under the present key and password; grants
    and revocations are never undone, and a credential that was removed for good stays removed. What is here now is kept, too.

    If a credential leaves by it that is installed in your certificate store, it is taken out there as well.

    .PARAMETER Generation
    The generation whose content returns; Get-SPMigrationHistory names the one that each event made.

    .PARAMETER Quarantine
    The environment in quarantine that returns, as the results of Import-SPMigration and Remove-SPMigrationUser name it.

    .PARAMETER Credential
    Only this credential comes back: its id, its thumbprint, or a friendly name that fits only one.
    Get-SPMigrationCredential -IncludeSetAside lists them.

    .PARAMETER Password
    Your Basic User Password; for an environment in quarantine, the one of that environment.

    .PARAMETER Force
    Does not ask.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    Undo-SPMigration -Password $password -WhatIf

    Shows what taking back the last change would bring back.

    .EXAMPLE
    Get-SPMigrationCredential -IncludeSetAside | Where-Object State -eq SetAside | Undo-SPMigration -Password $password

    Brings back the credentials that were removed, and nothing else of their time.

    .OUTPUTS
    SPMigration.Undo

    .LINK
    Get-SPMigrationHistory
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High', PositionalBinding = $false)]
    [OutputType('SPMigration.Undo')]
    param(
        [int]
        $Generation,

        [ValidateNotNullOrEmpty()]
        [string]
        $Quarantine,

        [Parameter(ValueFromPipelineByPropertyName)]
        [ValidateNotNullOrEmpty()]
        [string]
        $Credential,

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
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name @(
            'Generation', 'Quarantine', 'Credential', 'AllowServiceAccount')
        Invoke-SPChange -Conversation $core -Operation 'undo' -Parameter $parameter `
            -Secret @{ password = $Password } -RequiredSecret 'password'
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
