function New-SPMigrationAuthority {
    <#
    .SYNOPSIS
    Makes an authority for a fleet of computers of the Security Platform.

    .DESCRIPTION
    Whoever decides for a fleet runs this once, on any computer. It writes two files: the authority itself, locked by the
    Owner Password, which is kept safe, and its public half, which every computer of the fleet is initialized with.

    .PARAMETER Path
    The file to write, or a folder for the default name. The public half is written beside it.

    .PARAMETER Name
    A name for people, which becomes part of the file's default name.

    .PARAMETER OwnerPassword
    The password that locks the authority, 8 to 255 characters.

    .PARAMETER OwnerPasswordBackupPath
    A file or folder to which a backup of the Owner Password is written. Keep it offline and apart from the authority.

    .PARAMETER MinimumLength
    Refuses an Owner Password with fewer characters than this, 6 to 255. Without it: 8.

    .PARAMETER RequireComplexity
    Refuses an Owner Password without three of these: lower case letters, upper case letters, digits, other characters.

    .PARAMETER Force
    Overwrites files that exist.

    .EXAMPLE
    New-SPMigrationAuthority -Path D:\Vault -Name Contoso -OwnerPassword $owner -OwnerPasswordBackupPath E:\

    Makes the authority of the fleet and a backup on a medium of its own.

    .OUTPUTS
    SPMigration.Authority

    .LINK
    Initialize-SPMigrationPlatform
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('SPMigration.Authority')]
    param(
        [Parameter(Mandatory, Position = 0)]
        [string]
        $Path,

        [string]
        $Name,

        [securestring]
        $OwnerPassword,

        [string]
        $OwnerPasswordBackupPath,

        [int]
        $MinimumLength,

        [switch]
        $RequireComplexity,

        [switch]
        $Force
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet -Force:$Force
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'Name', 'MinimumLength', 'RequireComplexity'
        $parameter['BackupPath'] = Resolve-SPPath -Conversation $core -Path $OwnerPasswordBackupPath `
            -Name 'OwnerPasswordBackupPath'
        $parameter['Overwrite'] = $Force
        foreach ($output in Resolve-SPPath -Conversation $core -Path $Path) {
            $parameter['Path'] = $output
            Invoke-SPChange -Conversation $core -Operation 'authority-new' -Parameter $parameter `
                -Secret @{ ownerPassword = $OwnerPassword } -RequiredSecret 'ownerPassword'
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
