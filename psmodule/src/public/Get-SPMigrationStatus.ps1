function Get-SPMigrationStatus {
    <#
    .SYNOPSIS
    Shows the state of this computer and of your environment in the Security Platform.

    .DESCRIPTION
    Tells whether the computer and you are set up, which chip guards the keys and what that is worth, who decides where keys
    may go, and where everything is kept. It needs no password and changes nothing.

    .EXAMPLE
    Get-SPMigrationStatus | Format-List

    Shows everything that is known.

    .OUTPUTS
    SPMigration.Status

    .LINK
    Test-SPMigration
    #>
    [CmdletBinding()]
    [OutputType('SPMigration.Status')]
    param()
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        Invoke-SPQuery -Conversation $core -Operation 'status'
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
