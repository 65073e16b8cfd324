function Get-SPMigrationFeature {
    <#
    .SYNOPSIS
    Shows the features of the Security Platform and the credentials that they use.

    .DESCRIPTION
    Shows for SecureEmail, Efs and SecureDrive whether it is enabled, with which credential, and which one is proposed. After
    an import features are not enabled until Enable-SPMigrationFeature says so.

    .EXAMPLE
    Get-SPMigrationFeature | Where-Object { -not $_.Enabled -and $_.Proposed }

    Shows the features that could be enabled.

    .OUTPUTS
    SPMigration.Feature

    .LINK
    Enable-SPMigrationFeature
    #>
    [CmdletBinding()]
    [OutputType('SPMigration.Feature')]
    param()
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        Invoke-SPQuery -Conversation $core -Operation 'feature-list'
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
