function Export-SPMigration {
    <#
    .SYNOPSIS
    Exports your environment of the Security Platform into an archive for one granted destination.

    .DESCRIPTION
    The user's step on the source. It needs a grant of the owner for the destination and your password; neither is enough
    alone. The archive can be opened on that destination only, with the same password. Nothing changes here.

    .PARAMETER Path
    The archive to write, or a folder for the default name.

    .PARAMETER Destination
    The destination: a computer name or a fingerprint.

    .PARAMETER Serial
    The serial of the grant to use, which decides the destination.

    .PARAMETER GrantPath
    Grant files, or folders with them, besides those of this computer.

    .PARAMETER Password
    Your Basic User Password.

    .PARAMETER Force
    Overwrites a file that exists.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    Export-SPMigration -Path \\srv\archives -Destination PC-B -Password $password

    Exports to PC-B.

    .EXAMPLE
    Get-SPMigrationAccess -Destination PC-B | Export-SPMigration -Path \\srv\archives -Password $password

    The same under the grants that are listed.

    .OUTPUTS
    SPMigration.Archive

    .LINK
    Import-SPMigration
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('SPMigration.Archive')]
    param(
        [Parameter(Mandatory, Position = 0)]
        [string]
        $Path,

        [Parameter(Position = 1, ValueFromPipelineByPropertyName)]
        [string]
        $Destination,

        [Parameter(ValueFromPipelineByPropertyName)]
        [string]
        $Serial,

        [Parameter(ValueFromPipelineByPropertyName)]
        [string[]]
        $GrantPath,

        [securestring]
        $Password,

        [switch]
        $Force,

        [switch]
        $AllowServiceAccount
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet -Force:$Force
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'Destination', 'Serial', 'AllowServiceAccount'
        if ($Serial) {
            # A serial names one grant; the destination's name, which piped grants carry as well, may fit several.
            $parameter.Remove('Destination')
        }
        $parameter['GrantPath'] = Resolve-SPPathList -Conversation $core -Path $GrantPath -Name 'GrantPath'
        $parameter['Overwrite'] = $Force
        foreach ($output in Resolve-SPPath -Conversation $core -Path $Path) {
            $parameter['Path'] = $output
            Invoke-SPChange -Conversation $core -Operation 'export' -Parameter $parameter `
                -Secret @{ password = $Password } -RequiredSecret 'password'
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
