function Get-SPMigrationIdentity {
    <#
    .SYNOPSIS
    Reads identity files of computers of the Security Platform.

    .DESCRIPTION
    Shows whose identity a file claims to be, and its fingerprint. It proves nothing by itself: compare the fingerprint with
    what Export-SPMigrationIdentity showed on that computer.

    The property Proof says what is known about the chip there. Software: it has none. Claimed: it says that a TPM guards its
    keys. Attested: its TPM has answered a challenge of this computer's authority (-AttestationPath), and somebody vouches for
    that TPM: its fingerprint (-EndorsementKeyFingerprint) or its manufacturer (-TpmManufacturerPath). An answer that proves
    nothing is an error.

    .PARAMETER Path
    Identity files; wildcards are allowed.

    .PARAMETER LiteralPath
    Identity files, taken as they are written.

    .PARAMETER AttestationPath
    The answer of that computer's TPM to a challenge of this computer's authority.

    .PARAMETER EndorsementKeyFingerprint
    The fingerprint of the TPM's endorsement key, received over another channel or known from an inventory.

    .PARAMETER TpmManufacturerPath
    Files or folders with certificates of manufacturers of TPMs that are trusted, in DER, PEM or PKCS#7 form.

    .EXAMPLE
    Get-SPMigrationIdentity -Path \\srv\identities\*.spid

    Lists the computers that ask for a grant.

    .EXAMPLE
    Get-SPMigrationIdentity -Path .\PC-B.spid -AttestationPath .\PC-B.spattestation -TpmManufacturerPath .\makers

    Checks that the keys of PC-B are in a TPM of a trusted manufacturer.

    .OUTPUTS
    SPMigration.Identity

    .LINK
    Grant-SPMigrationAccess
    #>
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    [OutputType('SPMigration.Identity')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName, ParameterSetName = 'Path')]
        [string[]]
        $Path,

        [Parameter(Mandatory, ValueFromPipelineByPropertyName, ParameterSetName = 'LiteralPath')]
        [Alias('PSPath', 'FullName')]
        [string[]]
        $LiteralPath,

        [Parameter(ValueFromPipelineByPropertyName)]
        [string]
        $AttestationPath,

        [Parameter(ValueFromPipelineByPropertyName)]
        [string]
        $EndorsementKeyFingerprint,

        [string[]]
        $TpmManufacturerPath
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet
    }
    process {
        $parameter = Select-SPProofParameter -Conversation $core -Attestation $AttestationPath `
            -Fingerprint $EndorsementKeyFingerprint -Manufacturer $TpmManufacturerPath
        foreach ($file in Resolve-SPInput -Conversation $core -Path $Path -LiteralPath $LiteralPath) {
            $parameter['Path'] = $file
            Invoke-SPQuery -Conversation $core -Operation 'identity-read' -Parameter $parameter
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
