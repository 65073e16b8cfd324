function Initialize-SPMigrationUser {
    <#
    .SYNOPSIS
    Makes your Basic User Key and an empty environment in the Security Platform, or a new key for the one you have.

    .DESCRIPTION
    Run this once, on the first computer. The Basic User Key is the root of your keys; it is bound to the authority of this
    computer for its life and opens with your password only: nobody can reset it. On further computers import an archive
    instead, so that the key stays the same.

    With -NewKey your environment stays and gets a new key: after a theft, or to come under another authority than the one that
    decides for the old key. Archives made from then on say which key they continue, so that your other computers merge them;
    for that they need both passwords, see Import-SPMigration -CurrentPassword.

    .PARAMETER NewKey
    Makes a new Basic User Key for the environment that is here.

    .PARAMETER Password
    Your Basic User Password, 8 to 255 characters; with -NewKey the present one.

    .PARAMETER NewPassword
    With -NewKey: a new password. Without it the password stays.

    .PARAMETER MinimumLength
    Refuses a new password with fewer characters than this, 6 to 255. Without it: 8.

    .PARAMETER RequireComplexity
    Refuses a new password without three of these: lower case letters, upper case letters, digits, other characters. It must
    not contain your account's name either.

    .PARAMETER AllowServiceAccount
    Allows it for a service account; an environment belongs to a person otherwise.

    .EXAMPLE
    Initialize-SPMigrationUser -Password (Read-Host -AsSecureString 'Basic User Password')

    Sets you up on this computer.

    .EXAMPLE
    Initialize-SPMigrationUser -NewKey -Password $password -NewPassword $newPassword

    Gives your environment a new key and a new password, for example after a computer with the old key was stolen.

    .OUTPUTS
    SPMigration.Status, or SPMigration.KeyChange with -NewKey

    .LINK
    Add-SPMigrationCredential
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', PositionalBinding = $false,
        DefaultParameterSetName = 'FirstKey')]
    [OutputType('SPMigration.Status')]
    [OutputType('SPMigration.KeyChange')]
    param(
        [Parameter(Mandatory, ParameterSetName = 'NewKey')]
        [switch]
        $NewKey,

        [securestring]
        $Password,

        [Parameter(ParameterSetName = 'NewKey')]
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
        if ($NewKey) {
            Invoke-SPChange -Conversation $core -Operation 'user-new-key' -Parameter $parameter `
                -Secret @{ password = $Password; newPassword = $NewPassword } -RequiredSecret 'password'
        } else {
            Invoke-SPChange -Conversation $core -Operation 'user-initialize' -Parameter $parameter `
                -Secret @{ password = $Password } -RequiredSecret 'password'
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
