function New-SPMigrationCredential {
    <#
    .SYNOPSIS
    Makes a new credential in your environment of the Security Platform.

    .DESCRIPTION
    Makes a key pair under your Basic User Key and a self-signed certificate for it; with -Request a certification request
    instead, which goes to a certification authority and is finished by Complete-SPMigrationCredential. The private key is
    never written to a file.

    .PARAMETER Subject
    The subject of the certificate, for example 'CN=Anna Example'.

    .PARAMETER EmailAddress
    E-mail addresses of the certificate.

    .PARAMETER Algorithm
    RSA-3072 signs and decrypts; P-256 signs. Without it: RSA-3072.

    .PARAMETER ValidityDays
    How many days a self-signed certificate is valid.

    .PARAMETER FriendlyName
    A name for people.

    .PARAMETER Request
    Makes a certification request; the credential is Pending until it is completed.

    .PARAMETER RequestPath
    Where the request is written: a file, or a folder for the default name.

    .PARAMETER Password
    Your Basic User Password.

    .PARAMETER Force
    Overwrites a request file that exists.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    New-SPMigrationCredential -Subject 'CN=Anna Example' -EmailAddress anna@example.org -Password $password

    Makes a self-signed credential for e-mail.

    .EXAMPLE
    New-SPMigrationCredential -Subject 'CN=Anna Example' -Request -RequestPath .\anna.csr -Password $password

    Makes a key and writes the request for its certificate.

    .OUTPUTS
    SPMigration.Credential

    .LINK
    Complete-SPMigrationCredential
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('SPMigration.Credential')]
    param(
        [Parameter(Mandatory, Position = 0)]
        [string]
        $Subject,

        [string[]]
        $EmailAddress,

        [ValidateSet('RSA-3072', 'P-256')]
        [string]
        $Algorithm,

        [int]
        $ValidityDays,

        [string]
        $FriendlyName,

        [switch]
        $Request,

        [string]
        $RequestPath,

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
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name @(
            'Subject', 'EmailAddress', 'Algorithm', 'ValidityDays', 'FriendlyName', 'Request', 'AllowServiceAccount')
        $parameter['RequestPath'] = Resolve-SPPath -Conversation $core -Path $RequestPath -Name 'RequestPath'
        $parameter['Overwrite'] = $Force
        Invoke-SPChange -Conversation $core -Operation 'credential-new' -Parameter $parameter `
            -Secret @{ password = $Password } -RequiredSecret 'password'
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
