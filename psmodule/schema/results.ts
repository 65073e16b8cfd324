/**
 * The result types of the process protocol (`docs/spec/process-protocol.md`, "Result types") as PowerShell shows them:
 * each JSON field becomes the property of the same name in Pascal case, dates become UTC `[datetime]`, and a table view
 * of three to six columns, readable at 80 characters, is what people see first (design page 4, rule 4). The list view
 * shows every property.
 */

/** How a field's JSON value becomes a property's value; `{ of }` is a list of another type's objects. */
export type FieldKind =
  'text' | 'number' | 'boolean' | 'date' | 'texts' | 'numbers' | { readonly of: ResultTypeName };

export interface Column {
  readonly property: string;
  /** The heading, where it is not the property's name. */
  readonly label?: string;
  /** Characters; absent: as wide as it needs. */
  readonly width?: number;
  readonly align?: 'Right';
}

export interface ResultType {
  readonly fields: Readonly<Record<string, FieldKind>>;
  /** They fit a console of 80 characters; ids that nobody types stand in the list view only. */
  readonly columns: readonly Column[];
  /** The list is what people see first: the values are too long for any table. */
  readonly listFirst?: true;
}

export type ResultTypeName =
  | 'Authority'
  | 'Status'
  | 'Check'
  | 'HistoryEvent'
  | 'Identity'
  | 'Challenge'
  | 'Attestation'
  | 'Access'
  | 'Revocation'
  | 'UserRemoval'
  | 'PasswordChange'
  | 'KeyChange'
  | 'Credential'
  | 'CredentialRemoval'
  | 'InstallableCredential'
  | 'Uninstallation'
  | 'Feature'
  | 'Archive'
  | 'ArchiveTest'
  | 'ArchiveRemoval'
  | 'ImportResult'
  | 'ImportItem'
  | 'Undo';

const column = (property: string, width?: number, align?: 'Right'): Column => ({
  property,
  ...(width !== undefined && { width }),
  ...(align !== undefined && { align }),
});

export const resultTypes: Readonly<Record<ResultTypeName, ResultType>> = {
  Authority: {
    fields: {
      path: 'text',
      publicPath: 'text',
      fingerprint: 'text',
      backupPath: 'text',
      rehearsal: 'boolean',
    },
    columns: [column('Fingerprint', 49), column('Rehearsal', 9), column('Path')],
    listFirst: true,
  },
  Status: {
    fields: {
      computer: 'text',
      initialized: 'boolean',
      platformId: 'text',
      fingerprint: 'text',
      chip: 'text',
      chipModel: 'text',
      enforcement: 'text',
      chipManufacturer: 'text',
      chipFirmware: 'text',
      chipFailedTries: 'number',
      chipLockedOut: 'boolean',
      chipLockedOutSeconds: 'number',
      chipProblem: 'text',
      authority: 'text',
      authorityFingerprint: 'text',
      rehearsal: 'boolean',
      account: 'text',
      accountName: 'text',
      administrator: 'boolean',
      userInitialized: 'boolean',
      basicUserKey: 'text',
      generation: 'number',
      credentials: 'number',
      setAside: 'number',
      quarantined: 'number',
      platformPath: 'text',
      environmentPath: 'text',
      version: 'text',
      initializedAt: 'date',
      failedAttempts: 'number',
      lockedOutSeconds: 'number',
      otherPasswordGenerations: 'numbers',
      passwordSet: 'date',
    },
    columns: [
      column('Computer', 15),
      column('Initialized', 11),
      column('Chip', 8),
      column('AccountName', 14),
      column('UserInitialized', 15),
      column('Credentials', 11, 'Right'),
    ],
  },
  Check: {
    fields: { name: 'text', passed: 'boolean', code: 'text', message: 'text', hint: 'text' },
    columns: [column('Name', 18), column('Passed', 6), column('Message', 30), column('Hint')],
  },
  HistoryEvent: {
    fields: {
      scope: 'text',
      number: 'number',
      time: 'date',
      operation: 'text',
      outcome: 'text',
      account: 'text',
      summary: 'text',
      hash: 'text',
      generation: 'number',
    },
    columns: [
      column('Time', 20),
      column('Operation', 19),
      column('Outcome', 8),
      column('Generation', 10, 'Right'),
      column('Summary'),
    ],
  },
  Identity: {
    fields: {
      path: 'text',
      computer: 'text',
      fingerprint: 'text',
      chip: 'text',
      proof: 'text',
      rehearsal: 'boolean',
      authorityFingerprint: 'text',
      storageKeyName: 'text',
      created: 'date',
      endorsementFingerprint: 'text',
      endorsementCertificate: 'boolean',
      attestationPath: 'text',
    },
    columns: [column('Computer', 15), column('Fingerprint', 49), column('Proof')],
  },
  Challenge: {
    fields: {
      path: 'text',
      computer: 'text',
      fingerprint: 'text',
      endorsementFingerprint: 'text',
      authorityFingerprint: 'text',
      rehearsal: 'boolean',
      created: 'date',
    },
    columns: [column('Computer', 15), column('Created', 20), column('Path')],
  },
  Attestation: {
    fields: {
      path: 'text',
      computer: 'text',
      challengePath: 'text',
      endorsementFingerprint: 'text',
      storageKeyName: 'text',
      authorityFingerprint: 'text',
      rehearsal: 'boolean',
      created: 'date',
    },
    columns: [column('Computer', 15), column('EndorsementFingerprint', 49), column('Path')],
    listFirst: true,
  },
  Access: {
    fields: {
      serial: 'text',
      destination: 'text',
      fingerprint: 'text',
      state: 'text',
      validFrom: 'date',
      validUntil: 'date',
      user: 'texts',
      source: 'texts',
      basicUserKey: 'texts',
      onward: 'boolean',
      authorityFingerprint: 'text',
      rehearsal: 'boolean',
      reason: 'text',
      meaning: 'text',
      path: 'text',
      grantPath: 'text',
    },
    columns: [
      column('Destination', 15),
      column('State', 11),
      column('ValidUntil', 20),
      column('Onward', 6),
      column('User'),
    ],
  },
  Revocation: {
    fields: {
      serial: 'text',
      authorityFingerprint: 'text',
      number: 'number',
      revoked: 'number',
      path: 'text',
    },
    columns: [
      column('Number', 6, 'Right'),
      column('Revoked', 7, 'Right'),
      column('Serial', 32),
      column('Path'),
    ],
  },
  UserRemoval: {
    fields: { account: 'text', quarantine: 'text', uninstall: 'texts' },
    columns: [column('Account', 32), column('Quarantine', 10, 'Right'), column('Uninstall')],
  },
  PasswordChange: {
    fields: {
      account: 'text',
      generation: 'number',
      rewritten: 'number',
      notOpened: 'texts',
      quarantined: 'number',
    },
    columns: [
      column('Account', 20),
      column('Generation', 10, 'Right'),
      column('Rewritten', 9, 'Right'),
      column('Quarantined', 11, 'Right'),
      column('NotOpened'),
    ],
  },
  KeyChange: {
    fields: {
      account: 'text',
      basicUserKey: 'text',
      replaced: 'text',
      generation: 'number',
      rewritten: 'number',
      notOpened: 'texts',
      passwordChanged: 'boolean',
    },
    columns: [
      column('Account', 20),
      column('Generation', 10, 'Right'),
      column('Rewritten', 9, 'Right'),
      column('PasswordChanged', 15),
      column('NotOpened'),
    ],
  },
  Credential: {
    fields: {
      credential: 'text',
      label: 'text',
      subject: 'text',
      issuer: 'text',
      serialNumber: 'text',
      thumbprint: 'text',
      notBefore: 'date',
      notAfter: 'date',
      keyAlgorithm: 'text',
      state: 'text',
      features: 'texts',
      proposed: 'texts',
      origin: 'text',
      emailAddresses: 'texts',
      added: 'date',
      installed: 'boolean',
      requestPath: 'text',
      change: 'text',
      setAsideIn: 'text',
    },
    columns: [
      column('Label', 19),
      column('State', 8),
      column('Features', 16),
      column('NotAfter', 20),
      column('KeyAlgorithm', 12),
    ],
  },
  CredentialRemoval: {
    fields: {
      credential: 'text',
      label: 'text',
      uninstall: 'texts',
      permanent: 'boolean',
      rewritten: 'number',
      notOpened: 'texts',
    },
    columns: [
      column('Label', 24),
      column('Permanent', 9),
      column('Rewritten', 9, 'Right'),
      column('NotOpened'),
    ],
  },
  InstallableCredential: {
    fields: { credential: 'text', label: 'text', thumbprint: 'text' },
    columns: [column('Label', 20), column('Thumbprint', 40), column('Credential')],
  },
  Uninstallation: {
    fields: { uninstalled: 'texts' },
    columns: [column('Uninstalled')],
  },
  Feature: {
    fields: {
      feature: 'text',
      enabled: 'boolean',
      credential: 'text',
      label: 'text',
      thumbprint: 'text',
      notAfter: 'date',
      proposed: 'text',
    },
    columns: [
      column('Feature', 12),
      column('Enabled', 7),
      column('Label', 17),
      column('NotAfter', 20),
      column('Proposed'),
    ],
  },
  Archive: {
    fields: {
      path: 'text',
      archive: 'text',
      created: 'date',
      sourceComputer: 'text',
      sourceFingerprint: 'text',
      account: 'text',
      accountName: 'text',
      destination: 'text',
      basicUserKey: 'text',
      generation: 'number',
      credentials: 'number',
      transferCodeRequired: 'boolean',
      rehearsal: 'boolean',
      serial: 'text',
      validUntil: 'date',
      sizeBytes: 'number',
    },
    columns: [
      column('AccountName', 12),
      column('SourceComputer', 15),
      column('Destination', 15),
      column('Path'),
    ],
  },
  ArchiveTest: {
    fields: {
      path: 'text',
      fits: 'boolean',
      case: 'text',
      account: 'text',
      destination: 'text',
      reasons: 'texts',
      checks: { of: 'Check' },
      daysLeft: 'number',
    },
    columns: [
      column('Fits', 5),
      column('Case', 8),
      column('DaysLeft', 8, 'Right'),
      column('Path', 22),
      column('Reasons'),
    ],
  },
  ArchiveRemoval: {
    fields: { path: 'text', archive: 'text' },
    columns: [column('Archive', 32), column('Path')],
  },
  ImportResult: {
    fields: {
      path: 'text',
      archive: 'text',
      case: 'text',
      unchanged: 'boolean',
      older: 'boolean',
      items: { of: 'ImportItem' },
      quarantine: 'text',
      sourceAccount: 'text',
      sourceComputer: 'text',
      account: 'text',
      generation: 'number',
      featuresActive: 'texts',
      featuresProposed: 'texts',
      nextStep: 'text',
      anyAuthorityTrusted: 'boolean',
      uninstall: 'texts',
      rekey: 'boolean',
      receiptPath: 'text',
    },
    columns: [
      column('Case', 8),
      column('Unchanged', 9),
      column('FeaturesActive', 16),
      column('FeaturesProposed', 16),
      column('NextStep'),
    ],
  },
  ImportItem: {
    fields: {
      credential: 'text',
      label: 'text',
      action: 'text',
      features: 'texts',
      proposed: 'texts',
    },
    columns: [column('Action', 10), column('Label', 24), column('Features', 22), column('Proposed')],
  },
  Undo: {
    fields: {
      account: 'text',
      kind: 'text',
      restored: 'number',
      generation: 'number',
      setAside: 'text',
      items: { of: 'ImportItem' },
      featuresActive: 'texts',
      uninstall: 'texts',
    },
    columns: [
      column('Kind', 10),
      column('Restored', 8, 'Right'),
      column('Generation', 10, 'Right'),
      column('SetAside', 8, 'Right'),
      column('FeaturesActive'),
    ],
  },
};

/** The property that shows a JSON field. */
export function propertyName(field: string): string {
  return field.slice(0, 1).toUpperCase() + field.slice(1);
}
