function Install-SPMigrationCredential {
    <#
    .SYNOPSIS
    Puts a credential of the Security Platform into your certificate store, where other programs use it.

    .DESCRIPTION
    The key and its certificate go into CurrentUser\My, not exportable, and its issuers to where chains are looked for. It is
    taken out again when the credential or your environment is removed or replaced. Nothing is written to a file on the way.

    On Linux the store of .NET keeps private keys in files without protection, so it needs -AllowUnprotectedStore.

    .PARAMETER Credential
    Its id, its thumbprint, or a friendly name that fits only one.

    .PARAMETER Password
    Your Basic User Password.

    .PARAMETER AllowUnprotectedStore
    Accepts a certificate store that keeps private keys without protection; without it that is StoreUnprotected.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    Get-SPMigrationFeature | Where-Object Enabled | Install-SPMigrationCredential -Password $password

    Installs the credentials that features use.

    .OUTPUTS
    SPMigration.Credential

    .LINK
    Remove-SPMigrationCredential
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('SPMigration.Credential')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [string]
        $Credential,

        [securestring]
        $Password,

        [switch]
        $AllowUnprotectedStore,

        [switch]
        $AllowServiceAccount
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name @(
            'Credential', 'AllowUnprotectedStore', 'AllowServiceAccount')
        Install-SPCredential -Conversation $core -Parameter $parameter -Password $Password
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
