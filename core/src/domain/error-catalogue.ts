/**
 * The one catalogue of errors. A code is the TypeScript union member, the JSON `code`, the PowerShell error id, the
 * vectors' expectation and a heading of `docs/errors.md` (generated from here). A published code never changes its
 * meaning. `message` says the fact, `hint` the next step; `{name}` is filled from the error's details.
 */

/* eslint-disable max-lines -- one table, one entry for each code: split, it could not be read at a glance */

/** Class of an error: its exit code and its PowerShell ErrorCategory. */
export const errorClasses = {
  internal: { exitCode: 1, category: 'InvalidResult' },
  usage: { exitCode: 2, category: 'InvalidArgument' },
  'not-found': { exitCode: 3, category: 'ObjectNotFound' },
  conflict: { exitCode: 4, category: 'ResourceExists' },
  'not-authorized': { exitCode: 5, category: 'PermissionDenied' },
  authentication: { exitCode: 6, category: 'AuthenticationError' },
  integrity: { exitCode: 7, category: 'InvalidData' },
  unsupported: { exitCode: 8, category: 'NotImplemented' },
  chip: { exitCode: 9, category: 'DeviceError' },
  storage: { exitCode: 10, category: 'WriteError' },
  network: { exitCode: 11, category: 'ConnectionError' },
  state: { exitCode: 12, category: 'InvalidOperation' },
  limit: { exitCode: 13, category: 'LimitsExceeded' },
  interrupted: { exitCode: 130, category: 'OperationStopped' },
} as const;
export type ErrorClass = keyof typeof errorClasses;

interface CatalogueEntry {
  readonly class: ErrorClass;
  readonly message: string;
  readonly hint: string;
}

export const errorCatalogue = {
  // internal
  CoreCrashed: {
    class: 'internal',
    message: 'The core program ended without an answer: {tail}',
    hint: 'Run the command again; if it happens again, report it with this text.',
  },
  InternalError: {
    class: 'internal',
    message: 'Something that cannot happen happened: {problem}',
    hint: 'Report this text; Get-SPMigrationStatus shows what is here now.',
  },

  // usage
  ConfirmationRequired: {
    class: 'usage',
    message: 'This needs a confirmation, and nobody can be asked here: {action}',
    hint: 'Run it at a prompt, or pass -Confirm:$false or -Force (command line: --yes).',
  },
  CurrentPasswordRequired: {
    class: 'usage',
    message: 'The present password of this computer is needed: {which}',
    hint: 'Pass -CurrentPassword (command line: --current-password-stdin).',
  },
  NewPasswordRequired: {
    class: 'usage',
    message: 'The new password is needed: {which}',
    hint: 'Pass -NewPassword (command line: --new-password-stdin).',
  },
  OwnerPasswordRequired: {
    class: 'usage',
    message: 'The Owner Password is needed.',
    hint: 'Pass -OwnerPassword (command line: --owner-password-stdin).',
  },
  ParameterInvalid: {
    class: 'usage',
    message: 'The value of {parameter} cannot be used: {problem}',
    hint: 'Correct {parameter} and run the command again.',
  },
  PasswordRequired: {
    class: 'usage',
    message: 'The password is needed: {which}',
    hint: 'Pass -Password (command line: --password-stdin).',
  },
  PasswordUnacceptable: {
    class: 'usage',
    message: 'This password cannot be set: {problem}',
    hint: 'Choose a password of 8 to 255 characters.',
  },
  PfxPasswordRequired: {
    class: 'usage',
    message: '{path} is protected by a password of its own.',
    hint: 'Pass -PfxPassword (command line: --pfx-password-stdin).',
  },
  RequestMalformed: {
    class: 'usage',
    message: 'The request to the core program cannot be read: {problem}',
    hint: 'Use the module and the core program of the same version.',
  },
  TransferCodeMalformed: {
    class: 'usage',
    message: 'This is no transfer code: {problem}',
    hint: 'Type the 16 letters and digits as they were shown at the export, for example ABCD-EFGH-JKMN-PQRS.',
  },
  TransferCodeRequired: {
    class: 'usage',
    message: '{path} opens only with the transfer code that was shown at its export.',
    hint: 'Pass -TransferCode (command line: --transfer-code-stdin).',
  },
  UsageInvalid: { class: 'usage', message: '{problem}', hint: 'See --help or Get-Help for the right form.' },

  // not-found
  CoreNotFound: {
    class: 'not-found',
    message: 'The core program is missing: {path}',
    hint: 'Install the module again; it must contain bin/{platform}.',
  },
  CredentialNotFound: {
    class: 'not-found',
    message: 'There is no credential {credential} in this environment.',
    hint: 'List them with Get-SPMigrationCredential.',
  },
  FileNotFound: {
    class: 'not-found',
    message: 'There is no file or folder {path}.',
    hint: 'Check the path; no folder is made on the way.',
  },
  GenerationNotFound: {
    class: 'not-found',
    message: 'Generation {generation} of this environment is not kept.',
    hint: 'Get-SPMigrationHistory names the generation that each event made; kept are: {kept}.',
  },
  GrantNotFound: {
    class: 'not-found',
    message: 'There is no grant {serial} here.',
    hint: 'List grants with Get-SPMigrationAccess.',
  },

  QuarantineNotFound: {
    class: 'not-found',
    message: 'There is no environment {quarantine} in quarantine.',
    hint: 'Kept are: {kept}.',
  },

  // conflict
  CredentialAmbiguous: {
    class: 'conflict',
    message: '{credential} fits more than one credential.',
    hint: 'Name it by its full id or thumbprint.',
  },
  CredentialInUse: {
    class: 'conflict',
    message: 'The credential {credential} is active for {features}.',
    hint: 'Disable these features first with Disable-SPMigrationFeature.',
  },
  DestinationAmbiguous: {
    class: 'conflict',
    message: 'More than one granted destination fits {destination}.',
    hint: 'Choose one by -Destination, with its fingerprint: {fingerprints}',
  },
  EnvironmentBusy: {
    class: 'conflict',
    message: 'Another process is changing this environment (process {pid} since {since}).',
    hint: 'Wait for it and run the command again.',
  },
  ImportWouldReplace: {
    class: 'conflict',
    message:
      'This computer holds another Basic User Key ({present}) than the archive ({archived}); importing would set its environment aside.',
    hint: 'Decrypt your encrypted data or save an unencrypted copy of your drives first, or ask the administrator; then use -AllowReplace and confirm. The old environment is kept in quarantine.',
  },
  OutputExists: {
    class: 'conflict',
    message: '{path} exists already.',
    hint: 'Use -Force (command line: --overwrite), or name another file.',
  },
  PlanOutdated: {
    class: 'conflict',
    message: 'What was shown is not what would happen now: something changed in between.',
    hint: 'Run the command again and confirm the new plan.',
  },
  PlatformAlreadyInitialized: {
    class: 'conflict',
    message: 'This platform is initialized already (on {since}).',
    hint: 'Nothing needs to be done; see Get-SPMigrationStatus.',
  },
  UserAlreadyInitialized: {
    class: 'conflict',
    message: 'There is a Basic User Key for {account} on this platform already.',
    hint: 'Nothing needs to be done; see Get-SPMigrationStatus.',
  },

  // not-authorized
  AttestationAnswerWrong: {
    class: 'not-authorized',
    message: '{path} does not hold the secret of its challenge.',
    hint: 'Only the TPM that was challenged gives it out: answer the challenge again on that computer.',
  },
  AttestationExpired: {
    class: 'not-authorized',
    message: 'The challenge in {path} was made on {created}; an answer counts for {days} days.',
    hint: 'Make a new challenge with New-SPMigrationChallenge and have it answered.',
  },
  AttestationMismatch: {
    class: 'not-authorized',
    message: '{path} proves nothing about {computer}: {problem}',
    hint: 'Use the identity that the challenge was made from; if the TPM was cleared since, export a new identity there and challenge that one.',
  },
  AuthorityNotTrusted: {
    class: 'not-authorized',
    message: 'The policy of this platform does not trust the authority {authority}.',
    hint: 'Ask the administrator; trusted authorities are listed in the policy TrustedAuthorities.',
  },
  BasicUserKeyPolicyWrong: {
    class: 'not-authorized',
    message: 'The Basic User Key in {path} is not bound to the authority {authority} as its grant claims.',
    hint: 'Do not use this archive; ask its sender how it was made.',
  },
  ChallengeNotOurs: {
    class: 'not-authorized',
    message: 'The challenge in {path} was made by the authority {actual}, not by {expected}.',
    hint: 'An owner believes the answers to own challenges only: make one with New-SPMigrationChallenge.',
  },
  CredentialNotForThisChip: {
    class: 'not-authorized',
    message: 'The challenge was made for another TPM or storage key, or was changed.',
    hint: "Export this computer's identity again, and have a new challenge made from that file.",
  },
  DestinationNotAttested: {
    class: 'not-authorized',
    message: 'No chip is known to guard the keys on {computer}: {proof}.',
    hint: 'Challenge it with New-SPMigrationChallenge and pass the answer as -AttestationPath, or pass -AllowUnattested if the keys may leave the protection of a chip.',
  },
  DestinationNotAuthorized: {
    class: 'not-authorized',
    message: 'No grant lets {account} move these keys to {destination}: {reason}',
    hint: 'Ask the owner to grant it with Grant-SPMigrationAccess, or name the file of the grant with -GrantPath.',
  },
  EndorsementKeyMismatch: {
    class: 'not-authorized',
    message: 'The endorsement key of {computer} has the fingerprint {actual}, not {expected}.',
    hint: 'It is another TPM than the one that was meant, or none. Find out which before anything is granted.',
  },
  EndorsementKeyUntrusted: {
    class: 'not-authorized',
    message:
      'Nobody vouches for the endorsement key of {computer}, whose fingerprint is {fingerprint}: {problem}',
    hint: "Compare that fingerprint over another channel and pass it as -EndorsementKeyFingerprint, or name certificates of the TPM's manufacturer with -TpmManufacturerPath.",
  },
  FingerprintMismatch: {
    class: 'not-authorized',
    message: '{path} has the fingerprint {actual}, not {expected}.',
    hint: 'The file may have been swapped. Get the identity again and compare over another channel.',
  },
  GrantChainInvalid: {
    class: 'not-authorized',
    message: "The grants do not lead from the key's root authority to this move: {problem}",
    hint: 'Ask the owner of the source platform to grant the move again.',
  },
  GrantExpired: {
    class: 'not-authorized',
    message: 'The grant {serial} ended on {notAfter}.',
    hint: 'Ask the owner for a new grant; an expired one cannot be overridden.',
  },
  GrantNotYetValid: {
    class: 'not-authorized',
    message: 'The grant {serial} begins on {notBefore}.',
    hint: 'Wait until then, or check the clock of this computer.',
  },
  GrantRevoked: {
    class: 'not-authorized',
    message: 'The grant {serial} was revoked: {reason}',
    hint: 'Ask the owner for a new grant; a revoked one cannot be overridden.',
  },
  GrantSourceMismatch: {
    class: 'not-authorized',
    message: 'The grant {serial} does not cover this source platform.',
    hint: 'Ask the owner for a grant that covers the source platform.',
  },
  GrantUserMismatch: {
    class: 'not-authorized',
    message: 'The grant {serial} does not cover {account}.',
    hint: 'Ask the owner for a grant that names this account.',
  },
  NoLocalAuthority: {
    class: 'not-authorized',
    message: 'The authority key of this platform is kept elsewhere (fleet authority {authority}).',
    hint: 'Use -AuthorityPath with the authority file and -OutputPath, on any computer.',
  },
  NotAdministrator: {
    class: 'not-authorized',
    message: '{account} may not administer this platform.',
    hint: 'Run it as an administrator (Linux: root).',
  },
  OnwardNotDelegated: {
    class: 'not-authorized',
    message: 'The grant {serial} does not let the destination move these keys on.',
    hint: 'Ask the owner to grant again, without -NoOnward and after this user was registered.',
  },
  PlatformFolderUntrusted: {
    class: 'not-authorized',
    message: '{path} cannot be trusted as the folder of a platform: {problem}',
    hint: 'Ask the administrator, who must own it alone, to correct its owner and permissions; a rehearsal needs a folder of your own in SPMIGRATION_HOME.',
  },
  RehearsalForbidden: {
    class: 'not-authorized',
    message: 'The policy of this platform forbids rehearsals.',
    hint: 'Unset SPMIGRATION_HOME, or ask the administrator.',
  },
  RehearsalMixed: {
    class: 'not-authorized',
    message: '{path} is of a {kind}, this platform is a {here}: they are never mixed.',
    hint: 'Use files made on platforms of the same kind.',
  },
  RevocationListOutdated: {
    class: 'not-authorized',
    message:
      'The newest revocation list of {authority} that can be found has number {number} (0: there is none); number {known} was seen before.',
    hint: 'Get the newest list from the owner; with -GrantPath, name the folder that holds it too.',
  },
  ServiceAccount: {
    class: 'not-authorized',
    message: '{account} is a service account; an environment belongs to a person.',
    hint: 'Run it as the person, or pass -AllowServiceAccount if this is meant.',
  },
  SignatureInvalid: {
    class: 'not-authorized',
    message: 'The signature of {path} is not valid: {problem}',
    hint: 'The file was changed or is not from this authority. Get it again from the owner.',
  },
  StorageKeyNotBound: {
    class: 'not-authorized',
    message: 'The storage key of {computer} is not bound to a TPM: its public area has not {attribute}.',
    hint: 'It may be outside of a chip, whatever the identity says. Treat it as a software chip.',
  },

  // authentication
  LockedOut: {
    class: 'authentication',
    message: 'Too many wrong passwords; the next try is possible in {seconds} seconds.',
    hint: 'Wait, then use the right password.',
  },
  OwnerPasswordRejected: {
    class: 'authentication',
    message: 'The Owner Password is wrong, or the authority file was changed: {path}',
    hint: 'Try again; after several wrong ones you must wait.',
  },
  PasswordRejected: {
    class: 'authentication',
    message: 'The password is wrong: {which}',
    hint: 'Use the Basic User Password of {whose}; after several wrong ones you must wait.',
  },
  PfxPasswordRejected: {
    class: 'authentication',
    message: 'The password of {path} is wrong, or the file was changed.',
    hint: 'Pass the password that was set when this file was made.',
  },

  // integrity
  ArchiveChanged: {
    class: 'integrity',
    message: '{path} was changed after it was made: {problem}',
    hint: 'Get the archive again from the source computer.',
  },
  ArchiveDamaged: {
    class: 'integrity',
    message: '{path} is damaged: {problem}',
    hint: 'Copy the archive again from the source computer.',
  },
  ArchiveMalformed: {
    class: 'integrity',
    message: '{path} is not an archive as SPMigration writes it: {problem}',
    hint: 'Export again on the source computer; do not repack archives.',
  },
  ArchiveNotForThisPlatform: {
    class: 'integrity',
    message: '{path} was made for {destination}, not for this computer.',
    hint: 'Import it there, or ask for a grant and an archive for this computer.',
  },
  AttestationMalformed: {
    class: 'integrity',
    message: '{path} is not a valid attestation: {problem}',
    hint: 'Answer the challenge again on the destination.',
  },
  AuthorityMalformed: {
    class: 'integrity',
    message: '{path} is not a valid authority file: {problem}',
    hint: 'Get the file again from whoever keeps the authority.',
  },
  CertificateKeyMismatch: {
    class: 'integrity',
    message: 'The certificate in {path} does not belong to the private key.',
    hint: 'Use the certificate that was issued for this request.',
  },
  CertificateMalformed: {
    class: 'integrity',
    message: '{path} is not a certificate: {problem}',
    hint: 'Use an X.509 certificate in DER or PEM form.',
  },
  ChallengeMalformed: {
    class: 'integrity',
    message: '{path} is not a valid challenge: {problem}',
    hint: 'Get the challenge again from the owner.',
  },
  EnvironmentDamaged: {
    class: 'integrity',
    message: 'The environment in {path} is damaged: {problem}',
    hint: 'Restore the folder from a backup, or import the last archive again.',
  },
  EnvironmentOfOtherPlatform: {
    class: 'integrity',
    message:
      'The environment in {path} belongs to another platform, or to this one before its chip was cleared.',
    hint: 'Import the last archive; an environment cannot be copied between computers.',
  },
  FileMangled: {
    class: 'integrity',
    message: '{path} was altered on its way: {problem}',
    hint: 'Copy the file in binary form; do not open and save it, and do not redirect it in PowerShell.',
  },
  GrantMalformed: {
    class: 'integrity',
    message: '{path} is not a valid grant: {problem}',
    hint: 'Get the grant again from the owner.',
  },
  HistoryBroken: {
    class: 'integrity',
    message: 'The history in {path} was changed: {problem}',
    hint: 'Compare with grants and archives that left this computer; they carry its head.',
  },
  HistoryRewritten: {
    class: 'integrity',
    message: '{path} left this computer with a history that is not the one here: {problem}',
    hint: 'The history here was cut off or written anew after {path} was made. Keep that file as evidence and ask who administers this computer.',
  },
  IdentityMalformed: {
    class: 'integrity',
    message: '{path} is not a valid identity: {problem}',
    hint: 'Export the identity again on the destination.',
  },
  IdentityStale: {
    class: 'integrity',
    message: '{path} was made for this computer before its storage key changed.',
    hint: 'Export a new identity here and ask for a new grant and archive.',
  },
  ManifestMalformed: {
    class: 'integrity',
    message: 'The manifest in {path} is not valid: {problem}',
    hint: 'Export again on the source computer.',
  },
  PfxMalformed: {
    class: 'integrity',
    message: '{path} is not a readable PKCS#12 file: {problem}',
    hint: 'Export the certificate with its private key again.',
  },
  PfxWithoutKey: {
    class: 'integrity',
    message: '{path} holds no private key.',
    hint: 'Export the certificate together with its private key.',
  },
  PlatformDamaged: {
    class: 'integrity',
    message: 'The platform folder {path} is damaged: {problem}',
    hint: 'Restore it from a backup; keys of users are not in it.',
  },
  PolicyMalformed: {
    class: 'integrity',
    message: 'The policy file {path} is not valid: {problem}',
    hint: 'Ask the administrator to correct it; until then nothing is allowed that a policy could forbid.',
  },
  PrivateKeyMalformed: {
    class: 'integrity',
    message: 'The private key in {path} cannot be used: {problem}',
    hint: 'Export it again from where it came.',
  },
  ReceiptMalformed: {
    class: 'integrity',
    message: '{path} is not a valid receipt: {problem}',
    hint: 'Let the destination write it again: import the archive once more with -ReceiptPath.',
  },
  RegistrationMalformed: {
    class: 'integrity',
    message: '{path} is not a valid registration: {problem}',
    hint: 'Let the user run Initialize-SPMigrationUser again; the file is ignored until then.',
  },
  RevocationListMalformed: {
    class: 'integrity',
    message: '{path} is not a valid revocation list: {problem}',
    hint: 'Get the list again from the owner.',
  },
  WrongFileKind: {
    class: 'integrity',
    message: '{path} is {actual}; {expected} is needed.',
    hint: 'Choose the right file.',
  },

  // unsupported
  AlgorithmUnsupported: {
    class: 'unsupported',
    message: '{path} uses {algorithm}, which is not supported.',
    hint: 'Use an RSA key of 2048 to 4096 bits or an EC key on P-256, P-384 or P-521; export a PFX file with AES-256 encryption.',
  },
  AttestationUnsupported: {
    class: 'unsupported',
    message: 'This computer has no TPM that could prove anything.',
    hint: 'Only a platform with a TPM answers challenges; a grant for a software chip needs -AllowUnattested.',
  },
  ConstrainedLanguage: {
    class: 'unsupported',
    message: 'PowerShell runs in {mode} mode, in which this module cannot start its core program.',
    hint: 'Let the administrator trust the signed module in the App Control policy.',
  },
  CoreBlocked: {
    class: 'unsupported',
    message: 'The system refused to start {path}: {problem}',
    hint: 'Ask the administrator to allow it (App Control, antivirus, or a noexec mount).',
  },
  CoreLibraryMissing: {
    class: 'unsupported',
    message: 'The core program needs the system library libatomic.so.1.',
    hint: 'Install it (Debian, Ubuntu: libatomic1; Fedora: libatomic).',
  },
  CoreVersionMismatch: {
    class: 'unsupported',
    message: 'The module has version {module}, its core program {core}.',
    hint: 'Install the module again, whole.',
  },
  IdentityNotEndorsed: {
    class: 'unsupported',
    message: '{path} names no endorsement key of a TPM, so nothing can be proven about it.',
    hint: 'Export the identity again on that computer. One with a software chip has no endorsement key.',
  },
  KeyNotExportable: {
    class: 'unsupported',
    message: 'The private key of {certificate} cannot be exported from the certificate store.',
    hint: 'Use the PFX file it came from, or let the issuer renew the certificate for a new key (New-SPMigrationCredential).',
  },
  ProtocolUnsupported: {
    class: 'unsupported',
    message: 'The core program does not speak protocol version {version}.',
    hint: 'Install the module again, whole.',
  },
  StoreNewer: {
    class: 'unsupported',
    message: '{path} was written by a newer version of SPMigration ({version}).',
    hint: 'Install the newer version; nothing was touched.',
  },
  StoreUnprotected: {
    class: 'unsupported',
    message: 'The certificate store of this system keeps private keys without protection.',
    hint: 'Pass -AllowUnprotectedStore if that is acceptable here.',
  },
  VersionUnsupported: {
    class: 'unsupported',
    message: '{path} is {kind} of version {version}; this program reads up to version {known}.',
    hint: 'Install the newest version of SPMigration.',
  },

  // chip
  ChipAccessDenied: {
    class: 'chip',
    message: 'This account may not use the TPM: {where}.',
    hint: 'Ask the administrator: {remedy}.',
  },
  ChipBusy: {
    class: 'chip',
    message: 'The TPM is busy: {problem}.',
    hint: 'Try again in a moment, or end the other programs that use it; Get-SPMigrationStatus shows what is here now.',
  },
  ChipCleared: {
    class: 'chip',
    message:
      'The TPM holds no storage key any more: it was cleared, or the key was taken out, since this platform was initialized.',
    hint: 'Do not delete {path}, which holds the authority and its grants: an administrator runs Initialize-SPMigrationPlatform again. Keys that were on this computer only are lost; others come back from a computer that has them, by a new identity, a new grant and a new export.',
  },
  ChipCommandBlocked: {
    class: 'chip',
    message: 'The operating system does not let this account send {command} to the TPM.',
    hint: 'Run it as an administrator; docs/guides/tpm.md lists the commands that are needed.',
  },
  ChipDisabled: {
    class: 'chip',
    message: 'The storage hierarchy of the TPM is disabled.',
    hint: 'Nothing is lost: start the computer again, and enable the TPM in its firmware settings if it stays so.',
  },
  ChipFailed: {
    class: 'chip',
    message: 'The chip did not do it: {problem}',
    hint: 'See Get-SPMigrationStatus; if it stays, ask the administrator.',
  },
  ChipLockedOut: {
    class: 'chip',
    message: 'The TPM is locked out after too many wrong authorizations, by whichever program: {wait}.',
    hint: 'Wait, and then try once with the right password; an administrator who has the lockout password can reset it.',
  },
  ChipLost: {
    class: 'chip',
    message: 'The TPM stopped answering: {problem}.',
    hint: 'When Get-SPMigrationStatus shows it again, repeat: what was to be changed is as before, or done. A password that was being set may be the new one already.',
  },
  ChipNotFound: {
    class: 'chip',
    message: 'No TPM 2.0 was found: {where}.',
    hint: 'Switch it on in the firmware settings; a computer that has none is initialized with -Chip Software.',
  },
  ChipOwnerPasswordSet: {
    class: 'chip',
    message: 'The TPM has no storage key at 0x81000001, and its owner hierarchy has a password.',
    hint: 'Have who knows it make the storage key (docs/guides/tpm.md, "Owner hierarchy with a password"), and initialize again.',
  },
  StorageKeyChanged: {
    class: 'chip',
    message: 'The storage key of this platform is not the one recorded at its initialization.',
    hint: 'The chip was cleared and set up anew, or exchanged. If the right one cannot be put back, an administrator runs Initialize-SPMigrationPlatform again, and keys come back from a computer that has them, by a new identity, a new grant and a new export.',
  },
  StorageKeyNotOpened: {
    class: 'chip',
    message: 'The storage key in {path} does not open: {problem}.',
    hint: 'Windows opens it only where it was made: not on another computer, not after Windows was installed anew, and not once it was changed. If that cannot be brought back, an administrator runs Initialize-SPMigrationPlatform again, and keys come back from a computer that has them, by a new identity, a new grant and a new export.',
  },
  StorageKeyUnsuitable: {
    class: 'chip',
    message: 'The storage key at 0x81000001 cannot guard keys: {problem}.',
    hint: 'It must be a restricted ECC P-256 or RSA-2048 decryption key with SHA-256 and AES-128-CFB, and without a password. Ask who manages the TPM, or use -Chip Software.',
  },

  // storage
  PathUnusable: {
    class: 'storage',
    message: '{path} cannot be used as a file name: {problem}',
    hint: 'Name an existing folder, or a file with a shorter name without special characters.',
  },
  StorageDenied: {
    class: 'storage',
    message: 'Access to {path} was denied.',
    hint: 'Check the permissions of the file and its folder.',
  },
  StorageFailed: {
    class: 'storage',
    message: '{path} could not be read or written: {problem}',
    hint: 'Check the medium and run the command again.',
  },
  StorageFull: {
    class: 'storage',
    message: 'There is no space left for {path}.',
    hint: 'Free some space and run the command again; nothing was changed.',
  },

  // state
  CertificateExpired: {
    class: 'state',
    message: 'The certificate {credential} is not valid now: it {state}.',
    hint: 'What was encrypted for it stays readable; for new signatures and encryption enable one that is valid.',
  },
  CertificateUnsuitable: {
    class: 'state',
    message: 'The certificate {credential} may not do what {feature} needs: {problem}',
    hint: 'It is used all the same; programs may refuse it. Enable a credential whose certificate was issued for this use.',
  },
  ClockImplausible: {
    class: 'state',
    message: 'The clock of this computer says {now}, but {what} is from {time}.',
    hint: 'Correct the clock: it decides which grants are within their time.',
  },
  CredentialPending: {
    class: 'state',
    message: 'The credential {credential} still waits for its certificate.',
    hint: 'Complete it first with Complete-SPMigrationCredential.',
  },
  CredentialRemoved: {
    class: 'state',
    message: 'The credential {credential} was removed for good; no undo brings it back.',
    hint: 'Add it again from its file, or import an archive that holds it with -IncludeRemoved.',
  },
  NothingToUndo: {
    class: 'state',
    message: 'There is nothing to undo: {reason}',
    hint: 'Get-SPMigrationHistory shows what was done; -Generation and -Quarantine name what is kept.',
  },
  PasswordTooOld: {
    class: 'state',
    message: 'The Basic User Password of {account} is {days} days old; {maximum} are allowed.',
    hint: 'Set a new one with Set-SPMigrationPassword.',
  },
  PlatformNotInitialized: {
    class: 'state',
    message: 'This platform is not initialized.',
    hint: 'An administrator runs Initialize-SPMigrationPlatform once.',
  },
  SetAsideNotOpened: {
    class: 'state',
    message: '{what} is still under an older or another password or key, and does not open here.',
    hint: 'Choose another state to bring back; an environment in quarantine returns as a whole, with -Quarantine and its own password.',
  },
  UserNotInitialized: {
    class: 'state',
    message: 'There is no Basic User Key for {account} on this platform.',
    hint: 'Run Initialize-SPMigrationUser, or import an archive.',
  },

  // limit
  LimitExceeded: {
    class: 'limit',
    message: '{what} is larger than allowed: {actual}, at most {maximum}.',
    hint: 'Split it, or remove what is not needed.',
  },

  // interrupted
  OperationInterrupted: {
    class: 'interrupted',
    message: 'The operation was interrupted; nothing was changed.',
    hint: 'Run the command again.',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

/** Exit code of the command line for an error code. */
export function exitCodeOf(code: ErrorCode): number {
  return errorClasses[errorCatalogue[code].class].exitCode;
}
