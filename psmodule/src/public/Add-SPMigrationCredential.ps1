function Add-SPMigrationCredential {
    <#
    .SYNOPSIS
    Adds keys with their certificates to your environment of the Security Platform.

    .DESCRIPTION
    Takes PKCS#12 files (.pfx, .p12) or certificates of the certificate store with exportable keys. From then on they move
    with you. A credential that is known already is Unchanged. The features that it could serve are proposed; enable them with
    Enable-SPMigrationFeature.

    .PARAMETER Path
    PKCS#12 files; wildcards are allowed.

    .PARAMETER LiteralPath
    PKCS#12 files, taken as they are written.

    .PARAMETER Certificate
    Certificates with a private key, from the certificate store. A key that cannot be exported is KeyNotExportable.

    .PARAMETER FriendlyName
    A name for people; without it the one in the file.

    .PARAMETER PfxPassword
    The password of the PKCS#12 files, if they have one.

    .PARAMETER Password
    Your Basic User Password.

    .PARAMETER AllowServiceAccount
    Allows it for a service account.

    .EXAMPLE
    Add-SPMigrationCredential -Path .\anna.pfx -PfxPassword $pfxPassword -Password $password

    Adds the keys of a file.

    .EXAMPLE
    Get-ChildItem Cert:\CurrentUser\My | Add-SPMigrationCredential -Password $password

    Adds what the certificate store lets go; on Windows.

    .OUTPUTS
    SPMigration.Credential

    .LINK
    Enable-SPMigrationFeature
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', DefaultParameterSetName = 'Path')]
    [OutputType('SPMigration.Credential')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName, ParameterSetName = 'Path')]
        [string[]]
        $Path,

        [Parameter(Mandatory, ValueFromPipelineByPropertyName, ParameterSetName = 'LiteralPath')]
        [Alias('PSPath', 'FullName')]
        [string[]]
        $LiteralPath,

        [Parameter(Mandatory, ValueFromPipeline, ParameterSetName = 'Certificate')]
        [System.Security.Cryptography.X509Certificates.X509Certificate2]
        $Certificate,

        [string]
        $FriendlyName,

        [securestring]
        $PfxPassword,

        [securestring]
        $Password,

        [switch]
        $AllowServiceAccount
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name 'FriendlyName', 'AllowServiceAccount'
        if ($null -ne $Certificate) {
            Add-SPCredentialFromStore -Conversation $core -Certificate $Certificate -Parameter $parameter -Password $Password
            return
        }
        $parameter['Origin'] = 'pfx'
        foreach ($file in Resolve-SPInput -Conversation $core -Path $Path -LiteralPath $LiteralPath) {
            $parameter['Path'] = $file
            Invoke-SPChange -Conversation $core -Operation 'credential-add' -Parameter $parameter `
                -Secret @{ password = $Password; pfxPassword = $PfxPassword } -RequiredSecret 'password'
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
