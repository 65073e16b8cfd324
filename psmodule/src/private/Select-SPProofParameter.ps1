# What proves that a TPM guards the keys of an identity, as parameters of the core. What is empty was not given: objects and
# rows of a table that are piped in have the property, and nothing in it.
function Select-SPProofParameter {
    param(
        $Conversation,

        [string]
        $Attestation,

        [string]
        $Fingerprint,

        [string[]]
        $Manufacturer
    )
    $selected = @{}
    if ($Attestation) {
        $selected['AttestationPath'] = Resolve-SPPath -Conversation $Conversation -Path $Attestation -Name 'AttestationPath'
    }
    if ($Fingerprint) {
        $selected['EndorsementKeyFingerprint'] = $Fingerprint
    }
    if ($Manufacturer) {
        $selected['TpmManufacturerPath'] = Resolve-SPPathList -Conversation $Conversation -Path $Manufacturer `
            -Name 'TpmManufacturerPath'
    }
    return $selected
}
