function Complete-SPMigrationCredential {
    <#
    .SYNOPSIS
    Completes a requested credential of the Security Platform with its issued certificate.

    .DESCRIPTION
    Takes the certificate that a certification authority issued for a request of New-SPMigrationCredential -Request. Which
    credential it belongs to is found by its key.

    .PARAMETER Path
    The issued certificate, with its chain if there is one; wildcards are allowed.

    .PARAMETER LiteralPath
    The issued certificate, taken as it is written.

    .PARAMETER Credential
    The credential that is expected; without it the certificate's key decides.

    .PARAMETER Password
    Your Basic User Password.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    Complete-SPMigrationCredential -Path .\anna.cer -Password $password

    Completes the credential whose request was answered.

    .OUTPUTS
    SPMigration.Credential

    .LINK
    New-SPMigrationCredential
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', DefaultParameterSetName = 'Path')]
    [OutputType('SPMigration.Credential')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName, ParameterSetName = 'Path')]
        [string[]]
        $Path,

        [Parameter(Mandatory, ValueFromPipelineByPropertyName, ParameterSetName = 'LiteralPath')]
        [Alias('PSPath', 'FullName')]
        [string[]]
        $LiteralPath,

        [Parameter(ValueFromPipelineByPropertyName)]
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
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'Credential', 'AllowServiceAccount'
        foreach ($file in Resolve-SPInput -Conversation $core -Path $Path -LiteralPath $LiteralPath) {
            $parameter['Path'] = $file
            Invoke-SPChange -Conversation $core -Operation 'credential-complete' -Parameter $parameter `
                -Secret @{ password = $Password } -RequiredSecret 'password'
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
