function Set-SPMigrationPassword {
    <#
    .SYNOPSIS
    Changes your Basic User Password of the Security Platform on this computer.

    .DESCRIPTION
    Your key, and every kept state of your environment, are locked by the new password. States that the present password does
    not open are kept as they are, and the result names them. Environments in quarantine keep their passwords, and so does every
    archive: it opens with the password of the time when it was made. On other computers the password stays what it is.

    Somebody who has an old copy of your files and the old password can still open that copy. If that may be so, change the key:
    Initialize-SPMigrationUser -NewKey.

    .PARAMETER Password
    Your present Basic User Password.

    .PARAMETER NewPassword
    The new one, 8 to 255 characters.

    .PARAMETER MinimumLength
    Refuses a new password with fewer characters than this, 6 to 255. Without it: 8.

    .PARAMETER RequireComplexity
    Refuses a new password without three of these: lower case letters, upper case letters, digits, other characters. It must
    not contain your account's name either.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    Set-SPMigrationPassword -Password $password -NewPassword $newPassword -MinimumLength 12

    Changes the password, to one of at least 12 characters.

    .OUTPUTS
    SPMigration.PasswordChange

    .LINK
    Initialize-SPMigrationUser
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', PositionalBinding = $false)]
    [OutputType('SPMigration.PasswordChange')]
    param(
        [securestring]
        $Password,

        [securestring]
        $NewPassword,

        [int]
        $MinimumLength,

        [switch]
        $RequireComplexity,

        [switch]
        $AllowServiceAccount
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name @(
            'MinimumLength', 'RequireComplexity', 'AllowServiceAccount')
        Invoke-SPChange -Conversation $core -Operation 'user-password' -Parameter $parameter `
            -Secret @{ password = $Password; newPassword = $NewPassword }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
