function Import-SPMigration {
    <#
    .SYNOPSIS
    Imports an archive of the Security Platform that was made for this computer.

    .DESCRIPTION
    The user's step on the destination. Before anything changes, everything is checked and a plan is made, key by key; -WhatIf
    prints that very plan. Without an environment here it is installed. With the same Basic User Key the archive is merged:
    its credentials become active, those that were here are kept as Retained. Another Basic User Key is refused as
    ImportWouldReplace unless -AllowReplace is given and confirmed; the old environment is then set aside, not destroyed, and
    Undo-SPMigration brings it back.

    An archive opens with the password of the time when it was made. If yours is another one here, a merge needs it besides, as
    -CurrentPassword. The same lets an archive merge whose key continues the one that is here (Initialize-SPMigrationUser
    -NewKey on another computer): then key and password of the archive become those of this computer.

    .PARAMETER Path
    Archives (.sparc); wildcards are allowed.

    .PARAMETER LiteralPath
    Archives, taken as they are written.

    .PARAMETER Password
    The Basic User Password that the archive was made with.

    .PARAMETER CurrentPassword
    Your Basic User Password on this computer, where it is another one than the archive's.

    .PARAMETER TransferCode
    The code that was shown when the archive was made with -NewTransferCode. Case, spaces and hyphens do not matter.

    .PARAMETER GrantPath
    Folders with revocation lists to honour, besides those of this computer.

    .PARAMETER EnableFeature
    Enables the features for which the archive proposes credentials.

    .PARAMETER IncludeRemoved
    Brings back also what was removed here for good (Remove-SPMigrationCredential -Permanent).

    .PARAMETER AllowReplace
    Allows an archive with another Basic User Key to take the place of your environment here. It is confirmed besides.

    .PARAMETER ReceiptPath
    A file, or a folder for the default name, to which a receipt is written for the owner of the source computer.

    .PARAMETER Force
    Does not ask, and overwrites a receipt that exists. It skips no check and does not replace -AllowReplace.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    Import-SPMigration -Path \\srv\archives\anna@PC-B.sparc -Password $password -WhatIf

    Shows what the import would do, key by key.

    .EXAMPLE
    Get-ChildItem \\srv\archives\*.sparc | Test-SPMigrationArchive -ForThisComputer -Detailed | Where-Object Fits | Import-SPMigration -Password $password -EnableFeature

    Imports the archives that fit this computer.

    .EXAMPLE
    Import-SPMigration -Path .\anna@PC-B.sparc -Password $password -TransferCode (Read-Host -AsSecureString 'Transfer code')

    Imports an archive that was made with a transfer code.

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

        [securestring]
        $CurrentPassword,

        [Parameter(ValueFromPipelineByPropertyName)]
        [securestring]
        $TransferCode,

        [string[]]
        $GrantPath,

        [switch]
        $EnableFeature,

        [switch]
        $IncludeRemoved,

        [switch]
        $AllowReplace,

        [string]
        $ReceiptPath,

        [switch]
        $Force,

        [switch]
        $AllowServiceAccount
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet -Force:$Force
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name @(
            'EnableFeature', 'IncludeRemoved', 'AllowReplace', 'AllowServiceAccount')
        $parameter['GrantPath'] = Resolve-SPPathList -Conversation $core -Path $GrantPath -Name 'GrantPath'
        $parameter['ReceiptPath'] = Resolve-SPPath -Conversation $core -Path $ReceiptPath -Name 'ReceiptPath'
        $secret = @{ password = $Password; currentPassword = $CurrentPassword; transferCode = $TransferCode }
        $parameter['Overwrite'] = $Force
        foreach ($file in Resolve-SPInput -Conversation $core -Path $Path -LiteralPath $LiteralPath) {
            $parameter['Path'] = $file
            Invoke-SPChange -Conversation $core -Operation 'import' -Parameter $parameter `
                -Secret $secret -RequiredSecret 'password' -RefusedBy 'ImportWouldReplace'
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
