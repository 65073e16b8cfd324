function Export-SPMigrationIdentity {
    <#
    .SYNOPSIS
    Writes the public identity of this computer, for the owner of a source computer to grant.

    .DESCRIPTION
    The first step of a migration, on the destination. The file holds no secret. Whoever grants the move compares its
    fingerprint with the one shown here, over another channel than the file came on: that is what keeps a swapped file out.

    On a computer with a TPM the file also names the TPM, by its endorsement key. That it really guards the keys here is
    proven by answering a challenge that the owner made with New-SPMigrationChallenge: with -ChallengePath the TPM answers
    it, and the answer, an attestation, is written instead of the identity. It holds no secret, and it permits nothing.

    .PARAMETER Path
    The file to write, or a folder for the default name.

    .PARAMETER ChallengePath
    The challenge of an owner for this computer. With it an attestation is written, not the identity.

    .PARAMETER Force
    Overwrites a file that exists.

    .EXAMPLE
    Export-SPMigrationIdentity -Path \\srv\identities | Format-List Path, Fingerprint

    Writes the identity into the folder and shows what to read out to the owner.

    .EXAMPLE
    Export-SPMigrationIdentity -Path \\srv\identities -ChallengePath \\srv\identities\PC-B.spchallenge

    Lets the TPM of this computer answer, and writes PC-B.spattestation into the folder.

    .OUTPUTS
    SPMigration.Identity, or SPMigration.Attestation with -ChallengePath

    .LINK
    Grant-SPMigrationAccess
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('SPMigration.Identity')]
    [OutputType('SPMigration.Attestation')]
    param(
        [Parameter(Mandatory, Position = 0)]
        [string]
        $Path,

        [string]
        $ChallengePath,

        [switch]
        $Force
    )
    begin {
        $core = New-SPConversation -Cmdlet $PSCmdlet -Force:$Force
    }
    process {
        $parameter = @{ Overwrite = $Force }
        $answer = $PSBoundParameters.ContainsKey('ChallengePath')
        if ($answer) {
            $parameter['ChallengePath'] = Resolve-SPPath -Conversation $core -Path $ChallengePath -Name 'ChallengePath'
        }
        foreach ($output in Resolve-SPPath -Conversation $core -Path $Path) {
            $parameter['Path'] = $output
            if ($answer) {
                Invoke-SPChange -Conversation $core -Operation 'attestation-export' -Parameter $parameter
            } else {
                Invoke-SPChange -Conversation $core -Operation 'identity-export' -Parameter $parameter
            }
        }
    }
    end {
        Close-SPConversation -Conversation $core
    }
}
