/** What the command line says about each operation and parameter. Operations for the module only are not listed. */
import type { OperationName } from '../operations/registry.ts';

/** Operations whose other half is the PowerShell module's (the system's certificate store). */
type ModuleOperation = 'credential-install' | 'credential-installed' | 'credential-uninstalled';
export type CommandName = Exclude<OperationName, ModuleOperation>;

/** One sentence for each command. */
export const commandSummaries: Readonly<Record<CommandName, string>> = {
  'authority-new':
    'Make a fleet authority: a key file under the Owner Password, and its public half for all computers',
  'authority-password': 'Change the Owner Password of this computer, or of a fleet authority (owner)',
  'platform-initialize':
    'Initialize this computer: storage key, authority and platform folder (administrator)',
  status: 'Show what this computer is and what is here for you',
  'platform-test': 'Check whether this computer can be a source or a destination',
  history: 'Show what was done here, and check that the record was not changed',
  'identity-export':
    "Write this computer's public identity, by which it can be granted as a destination (administrator)",
  'identity-read': 'Show an identity file with its fingerprint',
  'access-grant': 'Grant the move of keys to the computer of an identity file (owner)',
  'access-list': 'List grants with their state and meaning',
  'access-revoke': 'Revoke a grant (owner)',
  'revocation-add': "Take over a fleet authority's revocation list (administrator)",
  'user-initialize': 'Make your Basic User Key and an empty environment',
  'user-password': 'Change your Basic User Password',
  'user-new-key': 'Make a new Basic User Key that continues the present one',
  'user-remove': 'Set your environment on this computer aside',
  'credential-list': 'List your credentials',
  'credential-new': 'Make a key with a self-signed certificate or a certification request',
  'credential-add': 'Add the keys and certificates of a PKCS#12 file (.pfx, .p12)',
  'credential-complete': 'Take the certificate that was issued for a request',
  'credential-remove': 'Remove a credential that no feature uses',
  'feature-list': 'Show which credential each feature uses',
  'feature-enable': 'Let a feature use a credential; the one it used before is kept',
  'feature-disable': 'Let a feature use no credential any more',
  export: 'Export your environment as an archive for one granted destination',
  import: 'Import an archive; install, merge or replace is found out, never chosen',
  undo: 'Bring back an earlier state, one credential of it, or the environment in quarantine',
  'archive-read': 'Show what an archive says about itself',
  'archive-test': 'Check whether an archive is whole, and whether it fits this computer, without any secret',
  'archive-remove': 'Delete an archive',
};

/** What each parameter means, wherever it occurs. */
export const parameterSummaries: Readonly<Record<string, string>> = {
  algorithm: 'Kind of key',
  allowReplace: 'Allow an import that sets the environment of another Basic User Key aside',
  allowServiceAccount: 'Run although this is a service account',
  authorityPath: "A fleet authority's file: the key file, or at initialization its public half",
  backupPath:
    'The owner-password backup file: written when a key is made, accepted instead of the Owner Password later',
  basicUserKey: 'Only these Basic User Keys (Names); enforced by the chip',
  chip: 'Which chip guards the storage key',
  credential: 'Id, thumbprint or friendly name of a credential',
  destination: 'Computer name or fingerprint of a granted destination',
  emailAddress: 'E-mail address in the certificate; may be repeated',
  enableFeature: "Enable the archive's features at once",
  evidence: 'Grant, archive, receipt, or folder of them, to compare the history with; may be repeated',
  feature: 'The feature',
  fingerprint: 'The fingerprint that the destination shows; another one is refused',
  forThisComputer: 'Also check that it fits this computer',
  forced: 'Record that no fingerprint was compared',
  friendlyName: 'Name to show for the credential',
  generation: 'Number of a kept generation',
  grantPath: 'File or folder with grants and revocation lists; may be repeated',
  maximumPasswordAgeDays: 'Days after which your password is to be changed',
  includeSetAside: 'Also those of older generations and of environments in quarantine',
  includeRemoved: 'Bring back credentials that were removed here for good',
  minimumLength: 'Characters that the new password must have: 6 to 255, 8 if not given',
  name: 'Name to use for the file',
  newBackupPath: 'Write a new owner-password backup file; an older one opens nothing any more',
  noOnward: 'The keys may not be moved on from the destination',
  origin: 'Where the PKCS#12 came from',
  outputPath: 'File or folder to write to',
  overwrite: 'Overwrite files that exist',
  path: 'The file; for outputs also a folder, which means the default name in it',
  permanent: 'Remove it for good, from every kept state that the password opens',
  quarantine: 'Id of an environment in quarantine',
  reason: 'Why it is revoked',
  receiptPath: 'Write a receipt of the import to this file or folder',
  registrationPath: 'Registrations (.spuser) of users whose keys may be moved on; may be repeated',
  request: 'Make a certification request instead of a self-signed certificate',
  requireComplexity: 'The new password needs three of lower case, upper case, digits and others',
  requestPath: 'Write the request to this file or folder',
  role: 'Check only this role',
  serial: 'Serial of a grant',
  source: 'Only from these platforms (Names of their storage keys); may be repeated',
  subject: "Name of the person, or a distinguished name like 'CN=Anna, O=Example'",
  user: 'Only these accounts (sid:…, uid:…@…, upn:…, or the name of a registered one); may be repeated',
  validFrom: 'Beginning of the grant, like 2026-11-24T06:00:00Z',
  validUntil: 'End of the grant; 30 days from its beginning if not given',
  validityDays: 'Days that the certificate is valid',
};
