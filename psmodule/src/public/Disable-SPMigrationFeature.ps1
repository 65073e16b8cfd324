function Disable-SPMigrationFeature {
    <#
    .SYNOPSIS
    Lets a feature of the Security Platform use no credential any more.

    .DESCRIPTION
    The credential stays in the environment as Retained; nothing encrypted is lost.

    On Windows, EFS goes on with the certificate that it uses, as long as that is in the certificate store; a warning says so.
    Enabling another credential for Efs changes it, and Remove-SPMigrationCredential takes the certificate out of the store.

    .PARAMETER Feature
    SecureEmail, Efs or SecureDrive.

    .PARAMETER Password
    Your Basic User Password.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    Disable-SPMigrationFeature -Feature Efs -Password $password

    Disables file encryption with your environment.

    .OUTPUTS
    SPMigration.Feature

    .LINK
    Enable-SPMigrationFeature
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('SPMigration.Feature')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipelineByPropertyName)]
        [ValidateSet('SecureEmail', 'Efs', 'SecureDrive')]
        [string]
        $Feature,

        [securestring]
        $Password,

        [switch]
        $AllowServiceAccount
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'Feature', 'AllowServiceAccount'
        Invoke-SPChange -Conversation $core -Operation 'feature-disable' -Parameter $parameter `
            -Secret @{ password = $Password } -RequiredSecret 'password'
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
