function New-SPMigrationChallenge {
    <#
    .SYNOPSIS
    Asks the TPM of a computer of the Security Platform to prove that it guards the keys there.

    .DESCRIPTION
    The owner's step before a grant. An identity file only claims that a TPM guards the storage key of its computer. The
    challenge is a signed file that this very TPM can answer, and only while it holds that storage key: the administrator
    there runs Export-SPMigrationIdentity with -ChallengePath, and the answer goes to Grant-SPMigrationAccess or
    Get-SPMigrationIdentity as -AttestationPath, within 30 days. A challenge holds nothing secret and permits nothing;
    nothing about it is kept here.

    It can be made for computers with a TPM only, on any computer with the authority file of a fleet.

    .PARAMETER Path
    Identity files; wildcards are allowed.

    .PARAMETER LiteralPath
    Identity files, taken as they are written.

    .PARAMETER OutputPath
    Where the challenge is written: a file, or a folder for the default name. Without it: beside the identity.

    .PARAMETER OwnerPassword
    The Owner Password of this computer or of the authority file.

    .PARAMETER AuthorityPath
    The authority file of a fleet.

    .PARAMETER OwnerPasswordFile
    A backup of the Owner Password, used instead of -OwnerPassword.

    .PARAMETER Force
    Does not ask, and overwrites a file that exists.

    .EXAMPLE
    New-SPMigrationChallenge -Path \\srv\identities\PC-B.spid -OwnerPassword $owner

    Writes PC-B.spchallenge beside the identity.

    .EXAMPLE
    Get-SPMigrationIdentity -Path \\srv\identities\*.spid | Where-Object Proof -eq Claimed |
        New-SPMigrationChallenge -AuthorityPath .\Contoso.spauthority -OwnerPassword $owner

    Challenges every computer that claims a TPM, with the authority of a fleet.

    .OUTPUTS
    SPMigration.Challenge

    .LINK
    Grant-SPMigrationAccess
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', DefaultParameterSetName = 'Path')]
    [OutputType('SPMigration.Challenge')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName, ParameterSetName = 'Path')]
        [string[]]
        $Path,

        [Parameter(Mandatory, ValueFromPipelineByPropertyName, ParameterSetName = 'LiteralPath')]
        [Alias('PSPath', 'FullName')]
        [string[]]
        $LiteralPath,

        [string]
        $OutputPath,

        [securestring]
        $OwnerPassword,

        [string]
        $AuthorityPath,

        [string]
        $OwnerPasswordFile,

        [switch]
        $Force
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet -Force:$Force
    }
    process {
        $parameter = @{ Overwrite = $Force }
        $parameter['OutputPath'] = Resolve-SPPath -Conversation $core -Path $OutputPath -Name 'OutputPath'
        $parameter['AuthorityPath'] = Resolve-SPPath -Conversation $core -Path $AuthorityPath -Name 'AuthorityPath'
        $parameter['BackupPath'] = Resolve-SPPath -Conversation $core -Path $OwnerPasswordFile -Name 'OwnerPasswordFile'
        $required = 'ownerPassword'
        if ($OwnerPasswordFile) {
            $required = $null
        }
        foreach ($file in Resolve-SPInput -Conversation $core -Path $Path -LiteralPath $LiteralPath) {
            $parameter['Path'] = $file
            Invoke-SPChange -Conversation $core -Operation 'challenge-new' -Parameter $parameter `
                -Secret @{ ownerPassword = $OwnerPassword } -RequiredSecret $required
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
