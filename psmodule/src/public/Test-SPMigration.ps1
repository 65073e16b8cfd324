function Test-SPMigration {
    <#
    .SYNOPSIS
    Tests whether this computer is ready for moving keys of the Security Platform.

    .DESCRIPTION
    Answers $true or $false; with -Detailed the single checks, each with what was found and what to do next. It needs no
    password and changes nothing.

    Grants, archives and receipts that left this computer carry the head of its history of that time. Given by -Evidence, they
    show whether the history here was cut off or written anew since then.

    .PARAMETER Role
    Source tests for exporting, Destination for importing; without it both are tested.

    .PARAMETER Detailed
    Returns each check instead of one truth value.

    .PARAMETER Evidence
    Grants, archives and receipts to compare the history with; wildcards are allowed.

    .PARAMETER MaximumPasswordAgeDays
    Tests also whether your Basic User Password is younger than so many days.

    .EXAMPLE
    if (-not (Test-SPMigration -Role Destination)) { Test-SPMigration -Role Destination -Detailed }

    Shows the checks if something is missing for an import.

    .EXAMPLE
    Test-SPMigration -Role Source -Evidence \\srv\archives\*.sparc -Detailed | Where-Object { -not $_.Passed }

    Compares the history with what left this computer, and shows what is not as it should be.

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
        $Detailed,

        [string[]]
        $Evidence,

        [int]
        $MaximumPasswordAgeDays
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'Role', 'MaximumPasswordAgeDays'
        $parameter['Evidence'] = @(Resolve-SPInput -Conversation $core -Path $Evidence -Name 'Evidence' -Whole)
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
