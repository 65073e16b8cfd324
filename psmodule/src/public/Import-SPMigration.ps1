function Import-SPMigration {
    <#
    .SYNOPSIS
    Imports an archive of the Security Platform that was made for this computer.

    .DESCRIPTION
    The user's step on the destination. Before anything changes, everything is checked and a plan is made, key by key; -WhatIf
    prints that very plan. Without an environment here it is installed. With the same Basic User Key the archive is merged:
    its credentials become active, those that were here are kept as Retained. Another Basic User Key is refused as
    ImportWouldReplace unless -AllowReplace is given and confirmed; the old environment is then set aside, not destroyed.

    .PARAMETER Path
    Archives (.sparc); wildcards are allowed.

    .PARAMETER LiteralPath
    Archives, taken as they are written.

    .PARAMETER Password
    The Basic User Password that the archive was made with.

    .PARAMETER GrantPath
    Folders with revocation lists to honour, besides those of this computer.

    .PARAMETER EnableFeature
    Enables the features for which the archive proposes credentials.

    .PARAMETER AllowReplace
    Allows an archive with another Basic User Key to take the place of your environment here. It is confirmed besides.

    .PARAMETER Force
    Does not ask. It skips no check and does not replace -AllowReplace.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    Import-SPMigration -Path \\srv\archives\anna@PC-B.sparc -Password $password -WhatIf

    Shows what the import would do, key by key.

    .EXAMPLE
    Get-ChildItem \\srv\archives\*.sparc | Test-SPMigrationArchive -ForThisComputer -Detailed | Where-Object Fits | Import-SPMigration -Password $password -EnableFeature

    Imports the archives that fit this computer.

    .OUTPUTS
    SPMigration.ImportResult

    .LINK
    Test-SPMigrationArchive
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', DefaultParameterSetName = 'Path')]
    [OutputType('SPMigration.ImportResult')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName, ParameterSetName = 'Path')]
        [string[]]
        $Path,

        [Parameter(Mandatory, ValueFromPipelineByPropertyName, ParameterSetName = 'LiteralPath')]
        [Alias('PSPath', 'FullName')]
        [string[]]
        $LiteralPath,

        [securestring]
        $Password,

        [string[]]
        $GrantPath,

        [switch]
        $EnableFeature,

        [switch]
        $AllowReplace,

        [switch]
        $Force,

        [switch]
        $AllowServiceAccount
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet -Force:$Force
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'EnableFeature', 'AllowReplace', 'AllowServiceAccount'
        $parameter['GrantPath'] = Resolve-SPPathList -Conversation $core -Path $GrantPath -Name 'GrantPath'
        foreach ($file in Resolve-SPInput -Conversation $core -Path $Path -LiteralPath $LiteralPath) {
            $parameter['Path'] = $file
            Invoke-SPChange -Conversation $core -Operation 'import' -Parameter $parameter `
                -Secret @{ password = $Password } -RequiredSecret 'password' -RefusedBy 'ImportWouldReplace'
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
