function Get-SPMigrationCredential {
    <#
    .SYNOPSIS
    Lists the credentials of your environment of the Security Platform.

    .DESCRIPTION
    Shows each credential with its certificate, its state (Active in a feature, Retained, Pending) and its features. It needs
    no password; private keys stay where they are.

    With -IncludeSetAside it shows also those that kept states and environments in quarantine hold and the present state does
    not: their state is SetAside, and SetAsideIn says where they are. Undo-SPMigration brings them back.

    .PARAMETER Credential
    Only this one: its id, its thumbprint, or a friendly name that fits only one.

    .PARAMETER IncludeSetAside
    Shows also what was removed or replaced and can be brought back.

    .EXAMPLE
    Get-SPMigrationCredential | Where-Object State -eq Retained | Enable-SPMigrationFeature -Feature Efs -Password $password

    Makes an older credential the active one again.

    .OUTPUTS
    SPMigration.Credential

    .LINK
    Add-SPMigrationCredential
    #>
    [CmdletBinding()]
    [OutputType('SPMigration.Credential')]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [string]
        $Credential,

        [switch]
        $IncludeSetAside
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'Credential', 'IncludeSetAside'
        Invoke-SPQuery -Conversation $core -Operation 'credential-list' -Parameter $parameter
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
