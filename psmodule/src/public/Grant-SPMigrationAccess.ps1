function Grant-SPMigrationAccess {
    <#
    .SYNOPSIS
    Grants that keys of the Security Platform may move to one destination.

    .DESCRIPTION
    The owner's step. A grant is a signed file for exactly the computer whose identity is given, for a time, and on wish for
    certain users, sources and keys only. It moves nothing: the users do that, with their own password.

    Give the fingerprint that the destination showed with -Fingerprint; another one is refused as FingerprintMismatch. Without
    it, compare the one in the confirmation. An identity object that is piped in does not count as a comparison, since its
    fingerprint comes from the same file.

    Where a TPM guards the keys of this computer, they go only to a computer whose TPM has answered a challenge of this owner
    (New-SPMigrationChallenge): give the answer with -AttestationPath, and by what that TPM is known with
    -EndorsementKeyFingerprint or -TpmManufacturerPath. Anything else is refused as DestinationNotAttested, unless
    -AllowUnattested says that the keys may go where no chip is known to guard them.

    On a computer of a fleet the authority file is given by -AuthorityPath, and -OutputPath says where grants are written.

    .PARAMETER Path
    The identity file of the destination; wildcards are allowed.

    .PARAMETER LiteralPath
    The identity file, taken as it is written.

    .PARAMETER Fingerprint
    The fingerprint that Export-SPMigrationIdentity showed on the destination, received over another channel.

    .PARAMETER AttestationPath
    The answer of that computer's TPM to a challenge of the same owner.

    .PARAMETER EndorsementKeyFingerprint
    The fingerprint of the TPM's endorsement key, received over another channel or known from an inventory.

    .PARAMETER TpmManufacturerPath
    Files or folders with certificates of manufacturers of TPMs that are trusted, in DER, PEM or PKCS#7 form.

    .PARAMETER AllowUnattested
    Also grants, from a computer with a TPM, to where no chip is known to guard the keys from there on.

    .PARAMETER User
    Accounts whose keys may move: SIDs, or names of users of this computer. Without it: every user.

    .PARAMETER Source
    Source computers, by the names of their storage keys. Without it: every computer of this authority.

    .PARAMETER BasicUserKey
    Basic User Keys that may move, by their names. Without it: every one of the users.

    .PARAMETER ValidFrom
    When the grant begins. Without it: now.

    .PARAMETER ValidUntil
    When the grant ends. Without it: after 30 days.

    .PARAMETER NoOnward
    Does not let the destination's owner move the keys on to further computers.

    .PARAMETER OwnerPassword
    The Owner Password of this computer or of the authority file.

    .PARAMETER AuthorityPath
    The authority file of a fleet.

    .PARAMETER OutputPath
    Where the grant is written: a file, or a folder for the default name. Without it: where this computer looks for grants.

    .PARAMETER RegistrationPath
    Registrations of users of other computers, copied from there, so that their keys may be moved on.

    .PARAMETER OwnerPasswordFile
    A backup of the Owner Password, used instead of -OwnerPassword.

    .PARAMETER Force
    Does not ask, and overwrites a file that exists. Without -Fingerprint it warns, and the history says so.

    .EXAMPLE
    Grant-SPMigrationAccess -Path .\PC-B.spid -Fingerprint '3f2a 9c41 ...' -OwnerPassword $owner

    Grants moves to PC-B after comparing its fingerprint.

    .EXAMPLE
    Grant-SPMigrationAccess -Path .\PC-B.spid -AttestationPath .\PC-B.spattestation -TpmManufacturerPath .\makers -OwnerPassword $owner

    Grants moves to PC-B, whose TPM was made by a trusted manufacturer and has answered the challenge.

    .EXAMPLE
    Import-Csv .\fingerprints.csv | Grant-SPMigrationAccess -OwnerPassword $owner -ValidUntil (Get-Date).AddDays(14) -Force

    Grants many at once; the columns Path, Fingerprint and User say what, to where and for whom.

    .OUTPUTS
    SPMigration.Access

    .LINK
    Export-SPMigration
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High', DefaultParameterSetName = 'Path')]
    [OutputType('SPMigration.Access')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName, ParameterSetName = 'Path')]
        [string[]]
        $Path,

        [Parameter(Mandatory, ValueFromPipelineByPropertyName, ParameterSetName = 'LiteralPath')]
        [Alias('PSPath', 'FullName')]
        [string[]]
        $LiteralPath,

        [Parameter(Position = 1, ValueFromPipelineByPropertyName)]
        [string]
        $Fingerprint,

        [Parameter(ValueFromPipelineByPropertyName)]
        [string]
        $AttestationPath,

        [Parameter(ValueFromPipelineByPropertyName)]
        [string]
        $EndorsementKeyFingerprint,

        [string[]]
        $TpmManufacturerPath,

        [switch]
        $AllowUnattested,

        [Parameter(ValueFromPipelineByPropertyName)]
        [string[]]
        $User,

        [Parameter(ValueFromPipelineByPropertyName)]
        [string[]]
        $Source,

        [Parameter(ValueFromPipelineByPropertyName)]
        [string[]]
        $BasicUserKey,

        [Parameter(ValueFromPipelineByPropertyName)]
        [datetime]
        $ValidFrom,

        [Parameter(ValueFromPipelineByPropertyName)]
        [datetime]
        $ValidUntil,

        [switch]
        $NoOnward,

        [securestring]
        $OwnerPassword,

        [string]
        $AuthorityPath,

        [string]
        $OutputPath,

        [string[]]
        $RegistrationPath,

        [string]
        $OwnerPasswordFile,

        [switch]
        $Force
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet -Force:$Force
        $compared = $PSBoundParameters.ContainsKey('Fingerprint')
    }
    process {
        $parameter = Select-SPParameter -Bound $PSBoundParameters -Name @(
            'Fingerprint', 'AllowUnattested', 'User', 'Source', 'BasicUserKey', 'ValidFrom', 'ValidUntil', 'NoOnward')
        $parameter += Select-SPProofParameter -Conversation $core -Attestation $AttestationPath `
            -Fingerprint $EndorsementKeyFingerprint -Manufacturer $TpmManufacturerPath
        # An identity object carries the fingerprint of its own file. Comparing the file with itself would confirm nothing.
        if (-not $compared -and $null -ne $_ -and $_.PSObject.TypeNames -contains 'SPMigration.Identity') {
            $parameter.Remove('Fingerprint')
        }
        $parameter['Forced'] = $core['Confirmed'] -and -not $parameter['Fingerprint']
        $parameter['AuthorityPath'] = Resolve-SPPath -Conversation $core -Path $AuthorityPath -Name 'AuthorityPath'
        $parameter['OutputPath'] = Resolve-SPPath -Conversation $core -Path $OutputPath -Name 'OutputPath'
        $parameter['BackupPath'] = Resolve-SPPath -Conversation $core -Path $OwnerPasswordFile -Name 'OwnerPasswordFile'
        $parameter['RegistrationPath'] = Resolve-SPPathList -Conversation $core -Path $RegistrationPath -Name 'RegistrationPath'
        $parameter['Overwrite'] = $Force
        $required = 'ownerPassword'
        if ($OwnerPasswordFile) {
            $required = $null
        }
        foreach ($file in Resolve-SPInput -Conversation $core -Path $Path -LiteralPath $LiteralPath) {
            $parameter['Path'] = $file
            Invoke-SPChange -Conversation $core -Operation 'access-grant' -Parameter $parameter `
                -Secret @{ ownerPassword = $OwnerPassword } -RequiredSecret $required
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
