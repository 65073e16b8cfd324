function Enable-SPMigrationFeature {
    <#
    .SYNOPSIS
    Makes a credential the active one for a feature of the Security Platform.

    .DESCRIPTION
    Each feature uses one credential. The one that was active before stays in the environment as Retained, and can be made
    active again in the same way at any time.

    On Windows, EFS encrypts new files for the credential of the feature Efs as soon as that is in the certificate store
    (Install-SPMigrationCredential), before or afterwards; until then a warning says that it does not. Files that were
    encrypted for an older one still open, as long as that one is in the store too. A rehearsal changes nothing of it.

    .PARAMETER Feature
    SecureEmail, Efs or SecureDrive.

    .PARAMETER Credential
    The credential: its id, its thumbprint, or a friendly name that fits only one. Without it: the proposed one.

    .PARAMETER Password
    Your Basic User Password.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    Enable-SPMigrationFeature -Feature SecureEmail -Password $password

    Enables e-mail with the proposed credential, for example after an import.

    .EXAMPLE
    Get-SPMigrationCredential 'Anna 2019' | Enable-SPMigrationFeature -Feature Efs -Password $password

    Makes an older credential active again.

    .OUTPUTS
    SPMigration.Feature

    .LINK
    Get-SPMigrationFeature
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('SPMigration.Feature')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipelineByPropertyName)]
        [ValidateSet('SecureEmail', 'Efs', 'SecureDrive')]
        [string]
        $Feature,

        [Parameter(Position = 1, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [string]
        $Credential,

        [securestring]
        $Password,

        [switch]
        $AllowServiceAccount
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'Feature', 'Credential', 'AllowServiceAccount'
        Invoke-SPChange -Conversation $core -Operation 'feature-enable' -Parameter $parameter `
            -Secret @{ password = $Password } -RequiredSecret 'password'
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
