function Get-SPMigrationHistory {
    <#
    .SYNOPSIS
    Shows what was done on this computer with keys of the Security Platform.

    .DESCRIPTION
    Returns the events of the computer and of your environment, oldest first, failures included. Each event carries the hash of
    the one before, so that a missing or changed one is noticed. Generation is the state of your environment that the event
    made; Undo-SPMigration -Generation brings its content back.

    .EXAMPLE
    Get-SPMigrationHistory | Where-Object Operation -eq 'access-grant'

    Shows who was granted what.

    .EXAMPLE
    Get-SPMigrationHistory | Where-Object Generation | Format-Table Time, Operation, Generation

    Shows which states of your environment there were, and what made them.

    .OUTPUTS
    SPMigration.HistoryEvent

    .LINK
    Get-SPMigrationStatus
    #>
    [CmdletBinding()]
    [OutputType('SPMigration.HistoryEvent')]
    param()
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        Invoke-SPQuery -Conversation $core -Operation 'history'
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
