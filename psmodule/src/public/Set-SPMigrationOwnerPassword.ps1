function Set-SPMigrationOwnerPassword {
    <#
    .SYNOPSIS
    Changes the Owner Password of this computer or of a fleet authority of the Security Platform.

    .DESCRIPTION
    The authority key stays the same, so grants and the keys of users do not notice. The present Owner Password opens it, or the
    backup file that was written before. That file goes on opening the key after the change; with -OwnerPasswordBackupPath a new
    one is written, and then the older one does not open it any more. Copies of a fleet's file that lie elsewhere still open
    with the old password.

    .PARAMETER OwnerPassword
    The present Owner Password.

    .PARAMETER NewPassword
    The new Owner Password, 8 to 255 characters.

    .PARAMETER AuthorityPath
    The authority file of a fleet; without it the authority of this computer.

    .PARAMETER OwnerPasswordFile
    A backup of the Owner Password, used instead of -OwnerPassword.

    .PARAMETER OwnerPasswordBackupPath
    A file or folder to which a new backup of the Owner Password is written. Keep it offline.

    .PARAMETER MinimumLength
    Refuses a new password with fewer characters than this, 6 to 255. Without it: 8.

    .PARAMETER RequireComplexity
    Refuses a new password without three of these: lower case letters, upper case letters, digits, other characters.

    .PARAMETER Force
    Overwrites a backup file that exists.

    .EXAMPLE
    Set-SPMigrationOwnerPassword -OwnerPassword $owner -NewPassword $newOwner

    Changes the Owner Password of this computer.

    .EXAMPLE
    Set-SPMigrationOwnerPassword -OwnerPasswordFile E:\PC-A.spownerbackup -NewPassword $newOwner -OwnerPasswordBackupPath E:\new.spownerbackup

    Sets a new Owner Password after the old one was forgotten, and writes a new backup.

    .OUTPUTS
    SPMigration.Authority

    .LINK
    Initialize-SPMigrationPlatform
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', PositionalBinding = $false)]
    [OutputType('SPMigration.Authority')]
    param(
        [securestring]
        $OwnerPassword,

        [securestring]
        $NewPassword,

        [string]
        $AuthorityPath,

        [string]
        $OwnerPasswordFile,

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
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'MinimumLength', 'RequireComplexity'
        $parameter['AuthorityPath'] = Resolve-SPPath -Conversation $core -Path $AuthorityPath -Name 'AuthorityPath'
        $parameter['BackupPath'] = Resolve-SPPath -Conversation $core -Path $OwnerPasswordFile -Name 'OwnerPasswordFile'
        $parameter['NewBackupPath'] = Resolve-SPPath -Conversation $core -Path $OwnerPasswordBackupPath `
            -Name 'OwnerPasswordBackupPath'
        $parameter['Overwrite'] = $Force
        Invoke-SPChange -Conversation $core -Operation 'authority-password' -Parameter $parameter `
            -Secret @{ ownerPassword = $OwnerPassword; newPassword = $NewPassword }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
