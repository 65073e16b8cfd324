/**
 * The table of cmdlets: everything about them that is a promise to scripts (design page 4, `docs/stability.md`). The build
 * takes the exports from it; tests check that the functions in `src/public` have exactly these parameters, sets, bindings,
 * impacts and output types, and help for each. Leaves out what the functions do: that is theirs to say.
 */
import {
  allowServiceAccount,
  attestation,
  features,
  force,
  inputFile,
  outputPath,
  newPassword,
  ownerPassword,
  ownerPasswordBackupPath,
  ownerPasswordFile,
  parameter,
  password,
  passwordRules,
  piped,
  type Parameter,
} from './parameters.ts';
import type { ResultTypeName } from './results.ts';

/** `None`: changes nothing and has no `-WhatIf`. `High`: trust widens, or something could be lost. */
export type ConfirmImpact = 'None' | 'Medium' | 'High';

export interface Cmdlet {
  readonly name: string;
  /** Operations of the process protocol it may ask for. */
  readonly operations: readonly string[];
  readonly impact: ConfirmImpact;
  /** `Boolean` is what `Test-…` answers without `-Detailed`. */
  readonly output: readonly (ResultTypeName | 'Boolean')[];
  readonly defaultSet?: string;
  readonly parameters: readonly Parameter[];
}

const platform: readonly Cmdlet[] = [
  {
    name: 'Initialize-SPMigrationPlatform',
    operations: ['platform-initialize'],
    impact: 'Medium',
    output: ['Status'],
    parameters: [
      ownerPassword,
      parameter('AuthorityPath', 'string'),
      parameter('Chip', 'string', { values: ['Auto', 'Tpm2', 'Software'] }),
      ownerPasswordBackupPath,
      ...passwordRules,
      force,
    ],
  },
  {
    name: 'New-SPMigrationAuthority',
    operations: ['authority-new'],
    impact: 'Medium',
    output: ['Authority'],
    parameters: [
      outputPath,
      parameter('Name', 'string'),
      ownerPassword,
      ownerPasswordBackupPath,
      ...passwordRules,
      force,
    ],
  },
  {
    name: 'Get-SPMigrationStatus',
    operations: ['status'],
    impact: 'None',
    output: ['Status'],
    parameters: [],
  },
  {
    name: 'Test-SPMigration',
    operations: ['platform-test'],
    impact: 'None',
    output: ['Boolean', 'Check'],
    parameters: [
      parameter('Role', 'string', { position: 0, values: ['Source', 'Destination'] }),
      parameter('Detailed', 'switch'),
      parameter('Evidence', 'string[]'),
      parameter('MaximumPasswordAgeDays', 'int'),
    ],
  },
  {
    name: 'Get-SPMigrationHistory',
    operations: ['history'],
    impact: 'None',
    output: ['HistoryEvent'],
    parameters: [],
  },
];

const grants: readonly Cmdlet[] = [
  {
    name: 'Export-SPMigrationIdentity',
    operations: ['identity-export', 'attestation-export'],
    impact: 'Medium',
    output: ['Identity', 'Attestation'],
    parameters: [outputPath, parameter('ChallengePath', 'string'), force],
  },
  {
    name: 'Get-SPMigrationIdentity',
    operations: ['identity-read'],
    impact: 'None',
    output: ['Identity'],
    defaultSet: 'Path',
    parameters: [...inputFile(), ...attestation],
  },
  {
    name: 'New-SPMigrationChallenge',
    operations: ['challenge-new'],
    impact: 'Medium',
    output: ['Challenge'],
    defaultSet: 'Path',
    parameters: [
      ...inputFile(),
      parameter('OutputPath', 'string'),
      ownerPassword,
      parameter('AuthorityPath', 'string'),
      ownerPasswordFile,
      force,
    ],
  },
  {
    name: 'Grant-SPMigrationAccess',
    operations: ['access-grant'],
    impact: 'High',
    output: ['Access'],
    defaultSet: 'Path',
    parameters: [
      ...inputFile(),
      piped('Fingerprint', 'string', { position: 1 }),
      ...attestation,
      parameter('AllowUnattested', 'switch'),
      piped('User', 'string[]'),
      piped('Source', 'string[]'),
      piped('BasicUserKey', 'string[]'),
      piped('ValidFrom', 'datetime'),
      piped('ValidUntil', 'datetime'),
      parameter('NoOnward', 'switch'),
      ownerPassword,
      parameter('AuthorityPath', 'string'),
      parameter('OutputPath', 'string'),
      parameter('RegistrationPath', 'string[]'),
      ownerPasswordFile,
      force,
    ],
  },
  {
    name: 'Get-SPMigrationAccess',
    operations: ['access-list'],
    impact: 'None',
    output: ['Access'],
    parameters: [
      parameter('Destination', 'string', { position: 0, fromPipelineByPropertyName: true }),
      piped('Serial', 'string'),
      piped('GrantPath', 'string[]'),
    ],
  },
  {
    name: 'Revoke-SPMigrationAccess',
    operations: ['access-revoke'],
    impact: 'Medium',
    output: ['Revocation'],
    parameters: [
      parameter('Serial', 'string', {
        mandatory: true,
        position: 0,
        fromPipeline: true,
        fromPipelineByPropertyName: true,
      }),
      parameter('Reason', 'string'),
      ownerPassword,
      parameter('AuthorityPath', 'string'),
      parameter('OutputPath', 'string'),
      ownerPasswordFile,
      force,
    ],
  },
  {
    name: 'Set-SPMigrationOwnerPassword',
    operations: ['authority-password'],
    impact: 'Medium',
    output: ['Authority'],
    parameters: [
      ownerPassword,
      newPassword,
      parameter('AuthorityPath', 'string'),
      ownerPasswordFile,
      ownerPasswordBackupPath,
      ...passwordRules,
      force,
    ],
  },
  {
    name: 'Add-SPMigrationRevocation',
    operations: ['revocation-add'],
    impact: 'Medium',
    output: ['Revocation'],
    defaultSet: 'Path',
    parameters: inputFile(),
  },
];

const user: readonly Cmdlet[] = [
  {
    name: 'Initialize-SPMigrationUser',
    operations: ['user-initialize', 'user-new-key'],
    impact: 'Medium',
    output: ['Status', 'KeyChange'],
    defaultSet: 'FirstKey',
    parameters: [
      parameter('NewKey', 'switch', { mandatory: true, sets: ['NewKey'] }),
      password,
      parameter('NewPassword', 'securestring', { sets: ['NewKey'] }),
      ...passwordRules,
      allowServiceAccount,
    ],
  },
  {
    name: 'Set-SPMigrationPassword',
    operations: ['user-password'],
    impact: 'Medium',
    output: ['PasswordChange'],
    parameters: [password, newPassword, ...passwordRules, allowServiceAccount],
  },
  {
    name: 'Remove-SPMigrationUser',
    operations: ['user-remove', 'credential-uninstalled'],
    impact: 'High',
    output: ['UserRemoval'],
    parameters: [force, allowServiceAccount],
  },
];

const credential = parameter('Credential', 'string', {
  mandatory: true,
  position: 0,
  fromPipeline: true,
  fromPipelineByPropertyName: true,
});

const credentials: readonly Cmdlet[] = [
  {
    name: 'New-SPMigrationCredential',
    operations: ['credential-new'],
    impact: 'Medium',
    output: ['Credential'],
    parameters: [
      parameter('Subject', 'string', { mandatory: true, position: 0 }),
      parameter('EmailAddress', 'string[]'),
      parameter('Algorithm', 'string', { values: ['RSA-3072', 'P-256'] }),
      parameter('ValidityDays', 'int'),
      parameter('FriendlyName', 'string'),
      parameter('Request', 'switch'),
      parameter('RequestPath', 'string'),
      password,
      force,
      allowServiceAccount,
    ],
  },
  {
    name: 'Add-SPMigrationCredential',
    operations: ['credential-add'],
    impact: 'Medium',
    output: ['Credential'],
    defaultSet: 'Path',
    parameters: [
      ...inputFile(),
      parameter('Certificate', 'System.Security.Cryptography.X509Certificates.X509Certificate2', {
        mandatory: true,
        fromPipeline: true,
        sets: ['Certificate'],
      }),
      parameter('FriendlyName', 'string'),
      parameter('PfxPassword', 'securestring'),
      password,
      allowServiceAccount,
    ],
  },
  {
    name: 'Complete-SPMigrationCredential',
    operations: ['credential-complete'],
    impact: 'Medium',
    output: ['Credential'],
    defaultSet: 'Path',
    parameters: [...inputFile(), piped('Credential', 'string'), password, allowServiceAccount],
  },
  {
    name: 'Get-SPMigrationCredential',
    operations: ['credential-list'],
    impact: 'None',
    output: ['Credential'],
    parameters: [
      parameter('Credential', 'string', {
        position: 0,
        fromPipeline: true,
        fromPipelineByPropertyName: true,
      }),
      parameter('IncludeSetAside', 'switch'),
    ],
  },
  {
    name: 'Remove-SPMigrationCredential',
    operations: ['credential-remove', 'credential-uninstalled'],
    impact: 'High',
    output: ['CredentialRemoval'],
    parameters: [credential, parameter('Permanent', 'switch'), password, force, allowServiceAccount],
  },
  {
    name: 'Install-SPMigrationCredential',
    operations: ['credential-list', 'credential-install', 'credential-installed', 'feature-list'],
    impact: 'Medium',
    output: ['Credential'],
    parameters: [credential, password, parameter('AllowUnprotectedStore', 'switch'), allowServiceAccount],
  },
];

const feature = parameter('Feature', 'string', {
  mandatory: true,
  position: 0,
  fromPipelineByPropertyName: true,
  values: features,
});

const featureCmdlets: readonly Cmdlet[] = [
  {
    name: 'Get-SPMigrationFeature',
    operations: ['feature-list'],
    impact: 'None',
    output: ['Feature'],
    parameters: [],
  },
  {
    name: 'Enable-SPMigrationFeature',
    operations: ['feature-enable', 'feature-list'],
    impact: 'Medium',
    output: ['Feature'],
    parameters: [
      feature,
      parameter('Credential', 'string', {
        position: 1,
        fromPipeline: true,
        fromPipelineByPropertyName: true,
      }),
      password,
      allowServiceAccount,
    ],
  },
  {
    name: 'Disable-SPMigrationFeature',
    operations: ['feature-disable', 'credential-list'],
    impact: 'Medium',
    output: ['Feature'],
    parameters: [feature, password, allowServiceAccount],
  },
];

const migration: readonly Cmdlet[] = [
  {
    name: 'Export-SPMigration',
    operations: ['export'],
    impact: 'Medium',
    output: ['Archive'],
    parameters: [
      outputPath,
      piped('Destination', 'string', { position: 1 }),
      piped('Serial', 'string'),
      piped('GrantPath', 'string[]'),
      password,
      parameter('NewTransferCode', 'switch'),
      force,
      allowServiceAccount,
    ],
  },
  {
    name: 'Import-SPMigration',
    operations: ['import', 'credential-uninstalled', 'feature-list'],
    impact: 'Medium',
    output: ['ImportResult'],
    defaultSet: 'Path',
    parameters: [
      ...inputFile(),
      password,
      parameter('CurrentPassword', 'securestring'),
      piped('TransferCode', 'securestring'),
      parameter('GrantPath', 'string[]'),
      parameter('EnableFeature', 'switch'),
      parameter('IncludeRemoved', 'switch'),
      parameter('AllowReplace', 'switch'),
      parameter('ReceiptPath', 'string'),
      force,
      allowServiceAccount,
    ],
  },
  {
    name: 'Undo-SPMigration',
    operations: ['undo', 'credential-uninstalled', 'feature-list'],
    impact: 'High',
    output: ['Undo'],
    parameters: [
      parameter('Generation', 'int'),
      parameter('Quarantine', 'string'),
      piped('Credential', 'string'),
      password,
      force,
      allowServiceAccount,
    ],
  },
  {
    name: 'Get-SPMigrationArchive',
    operations: ['archive-read'],
    impact: 'None',
    output: ['Archive'],
    defaultSet: 'Path',
    parameters: inputFile(),
  },
  {
    name: 'Test-SPMigrationArchive',
    operations: ['archive-test'],
    impact: 'None',
    output: ['Boolean', 'ArchiveTest'],
    defaultSet: 'Path',
    parameters: [
      ...inputFile(),
      parameter('ForThisComputer', 'switch'),
      parameter('GrantPath', 'string[]'),
      parameter('Detailed', 'switch'),
    ],
  },
  {
    name: 'Remove-SPMigrationArchive',
    operations: ['archive-remove'],
    impact: 'High',
    output: ['ArchiveRemoval'],
    defaultSet: 'Path',
    parameters: [...inputFile(), force],
  },
];

/** All cmdlets, in the order of the product's description. */
export const cmdlets: readonly Cmdlet[] = [
  ...platform,
  ...grants,
  ...user,
  ...credentials,
  ...featureCmdlets,
  ...migration,
];
