function Export-SPMigration {
    <#
    .SYNOPSIS
    Exports your environment of the Security Platform into an archive for one granted destination.

    .DESCRIPTION
    The user's step on the source. It needs a grant of the owner for the destination and your password; neither is enough
    alone. The archive can be opened on that destination only, with the same password. Nothing changes here.

    With -NewTransferCode a thief of the archive and of the destination computer cannot even try passwords: a random code of 16
    letters and digits is needed besides. It is made here, for each archive another one. It is shown once, where the host has a
    screen that a person sees: not with -NonInteractive, not where the output goes to a file or another program, not in a
    service or a job. In every case the result has it as TransferCode, a SecureString, as Import-SPMigration -TransferCode takes
    it. It is kept nowhere; without it, export again. A transcript that is running records what the screen shows.

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

    .PARAMETER NewTransferCode
    Makes a transfer code, without which the archive cannot be opened.

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

    .EXAMPLE
    $archive = Export-SPMigration -Path \\srv\archives -Destination PC-B -Password $password -NewTransferCode

    Shows a transfer code to write down; $archive.TransferCode is the same for a script.

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
        $NewTransferCode,

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
            $code = $null
            if ($NewTransferCode) {
                $code = New-SPTransferCode
            }
            Invoke-SPChange -Conversation $core -Operation 'export' -Parameter $parameter `
                -Secret @{ password = $Password; transferCode = $code } -RequiredSecret 'password' -TransferCode $code
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
