function Test-SPMigration {
    <#
    .SYNOPSIS
    Tests whether this computer is ready for moving keys of the Security Platform.

    .DESCRIPTION
    Answers $true or $false; with -Detailed the single checks, each with what was found and what to do next. It needs no
    password and changes nothing.

    .PARAMETER Role
    Source tests for exporting, Destination for importing; without it both are tested.

    .PARAMETER Detailed
    Returns each check instead of one truth value.

    .EXAMPLE
    if (-not (Test-SPMigration -Role Destination)) { Test-SPMigration -Role Destination -Detailed }

    Shows the checks if something is missing for an import.

    .OUTPUTS
    System.Boolean, or SPMigration.Check with -Detailed

    .LINK
    Get-SPMigrationStatus
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    [OutputType('SPMigration.Check')]
    param(
        [Parameter(Position = 0)]
        [ValidateSet('Source', 'Destination')]
        [string]
        $Role,

        [switch]
        $Detailed
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'Role'
        if ($Detailed) {
            Invoke-SPQuery -Conversation $core -Operation 'platform-test' -Parameter $parameter
        } else {
            $answer = Invoke-SPCore -Conversation $core -Operation 'platform-test' -Parameter $parameter
            $failed = @($answer['Results'] | Where-Object { -not $_.Passed })
            $answer['Ok'] -and $failed.Count -eq 0
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
