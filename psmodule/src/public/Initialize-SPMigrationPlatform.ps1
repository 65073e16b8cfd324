function Initialize-SPMigrationPlatform {
    <#
    .SYNOPSIS
    Makes this computer a platform of the Security Platform: its storage key, its authority and its folders.

    .DESCRIPTION
    An administrator runs this once on each computer, before any user is set up. The computer gets a storage key in its chip,
    under which the keys of its users are kept, and an authority: whoever holds it decides where keys of this computer may go.

    With -OwnerPassword the computer gets an authority of its own, locked by that password. With -AuthorityPath it follows a
    fleet authority made by New-SPMigrationAuthority; then there is no Owner Password on this computer. The authority becomes
    part of every user's key for its life, so a fleet starts with a fleet authority.

    It is done once. Only where the chip was cleared or exchanged since, it can be done again: the authority, its grants and the
    history stay, but what was under the former storage key opens no more on this computer. Its plan says so, and asks.

    .PARAMETER OwnerPassword
    The Owner Password of this computer, 8 to 255 characters. Needed unless -AuthorityPath is given.

    .PARAMETER AuthorityPath
    The public file of a fleet authority (.spauthority.pub) that decides for this computer.

    .PARAMETER Chip
    What guards the storage key. Auto, which is the default, takes a TPM 2.0 where there is one and says what it found; Tpm2 is
    refused where there is none; Software keeps the key in a file, which programs of this computer's users can read.

    .PARAMETER OwnerPasswordBackupPath
    A file or folder to which a backup of the Owner Password is written. Keep it offline.

    .PARAMETER MinimumLength
    Refuses an Owner Password with fewer characters than this, 6 to 255. Without it: 8.

    .PARAMETER RequireComplexity
    Refuses an Owner Password without three of these: lower case letters, upper case letters, digits, other characters.

    .PARAMETER Force
    Overwrites a backup file that exists.

    .EXAMPLE
    Initialize-SPMigrationPlatform -OwnerPassword (Read-Host -AsSecureString 'Owner Password')

    Gives this computer an authority of its own.

    .EXAMPLE
    Initialize-SPMigrationPlatform -Chip Tpm2 -OwnerPassword $owner -WhatIf

    Shows which TPM would guard the storage key, and whether it has one already, without changing anything.

    .EXAMPLE
    Initialize-SPMigrationPlatform -AuthorityPath \\srv\fleet\Contoso.spauthority.pub

    Lets the fleet authority decide for this computer, for example in a startup script.

    .OUTPUTS
    SPMigration.Status

    .LINK
    about_SPMigration
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', PositionalBinding = $false)]
    [OutputType('SPMigration.Status')]
    param(
        [securestring]
        $OwnerPassword,

        [string]
        $AuthorityPath,

        [ValidateSet('Auto', 'Tpm2', 'Software')]
        [string]
        $Chip,

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
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'Chip', 'MinimumLength', 'RequireComplexity'
        $parameter['AuthorityPath'] = Resolve-SPPath -Conversation $core -Path $AuthorityPath -Name 'AuthorityPath'
        $parameter['BackupPath'] = Resolve-SPPath -Conversation $core -Path $OwnerPasswordBackupPath `
            -Name 'OwnerPasswordBackupPath'
        $parameter['Overwrite'] = $Force
        Invoke-SPChange -Conversation $core -Operation 'platform-initialize' -Parameter $parameter `
            -Secret @{ ownerPassword = $OwnerPassword }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
