/**
 * Every operation by its name in the process protocol: what it takes, what it answers, and where it is. The rpc loop and
 * the command line both work from this table. Each operation is loaded when it is first asked for, which keeps start-up
 * short and large libraries out of what does not need them.
 */

/* eslint-disable max-lines -- one table, one entry for each operation: split, it could not be read at a glance */

import type { HistoryLine } from '../domain/history.ts';
import type { Call, Planned } from './operation.ts';
import type { Installable } from './install-credential.ts';
import type { SecretName } from './secrets.ts';

export type ParameterKind =
  | { readonly kind: 'text' | 'path' | 'flag' | 'number' | 'instant' | 'texts' | 'paths' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] };

export type ParameterValue = string | number | boolean | readonly string[];
export type ParameterValues = Readonly<Record<string, ParameterValue>>;

interface EntryBase {
  readonly parameters: Readonly<Record<string, ParameterKind>>;
  readonly required: readonly string[];
  readonly secrets: readonly SecretName[];
  /** Name of the result type in the process protocol. */
  readonly result: string;
}

export interface ReaderEntry extends EntryBase {
  readonly kind: 'reader';
  readonly load: () => Promise<(call: Call, parameters: ParameterValues) => AsyncIterable<object>>;
}

/** A changer answers one value or a list of them. */
export interface ChangerEntry extends EntryBase {
  readonly kind: 'changer';
  /** Which chain of the history tells of it, also where it fails. */
  readonly chain: HistoryLine['scope'];
  readonly load: () => Promise<(call: Call, parameters: ParameterValues) => Promise<Planned<object>>>;
}

/** `credential-install`: hands a secret back besides its value. */
export interface HandoverEntry extends EntryBase {
  readonly kind: 'handover';
  readonly load: () => Promise<(call: Call, parameters: ParameterValues) => Promise<Installable>>;
}

export type OperationEntry = ReaderEntry | ChangerEntry | HandoverEntry;

const text = { kind: 'text' } as const;
const texts = { kind: 'texts' } as const;
const path = { kind: 'path' } as const;
const paths = { kind: 'paths' } as const;
const flag = { kind: 'flag' } as const;
const number = { kind: 'number' } as const;
const instant = { kind: 'instant' } as const;
const choice = (...choices: string[]): ParameterKind => ({ kind: 'choice', choices });
const feature = choice('SecureEmail', 'Efs', 'SecureDrive');
const service = { allowServiceAccount: flag } as const;
const proof = { attestationPath: path, endorsementKeyFingerprint: text, tpmManufacturerPath: paths } as const;
const passwordRules = { minimumLength: number, requireComplexity: flag } as const;

/**
 * An operation declares its own parameter type; the caller has checked the values against this table's kinds, and the
 * registry's test checks that both agree. This is the one place where that knowledge becomes a type.
 */
function typed<Value>(
  // `never`: an operation of any parameter type can stand here.
  operation: (call: Call, parameters: never) => Value,
): (call: Call, parameters: ParameterValues) => Value {
  return operation as unknown as (call: Call, parameters: ParameterValues) => Value;
}

export const operations = {
  'authority-new': {
    kind: 'changer',
    chain: 'platform',
    parameters: { path, name: text, backupPath: path, overwrite: flag, ...passwordRules },
    required: ['path'],
    secrets: ['ownerPassword'],
    result: 'Authority',
    load: async () => typed((await import('./new-authority.ts')).newAuthority),
  },
  'authority-password': {
    kind: 'changer',
    chain: 'platform',
    parameters: {
      authorityPath: path,
      backupPath: path,
      newBackupPath: path,
      overwrite: flag,
      ...passwordRules,
    },
    required: [],
    secrets: ['ownerPassword', 'newPassword'],
    result: 'Authority',
    load: async () => typed((await import('./set-owner-password.ts')).setOwnerPassword),
  },
  'platform-initialize': {
    kind: 'changer',
    chain: 'platform',
    parameters: {
      chip: choice('Auto', 'Tpm2', 'Software'),
      authorityPath: path,
      backupPath: path,
      overwrite: flag,
      ...passwordRules,
    },
    required: [],
    secrets: ['ownerPassword'],
    result: 'Status',
    load: async () => typed((await import('./initialize-platform.ts')).initializePlatform),
  },
  status: {
    kind: 'reader',
    parameters: {},
    required: [],
    secrets: [],
    result: 'Status',
    load: async () => typed((await import('./status.ts')).status),
  },
  'platform-test': {
    kind: 'reader',
    parameters: {
      role: choice('Source', 'Destination'),
      maximumPasswordAgeDays: number,
      evidence: paths,
    },
    required: [],
    secrets: [],
    result: 'Check',
    load: async () => typed((await import('./test-platform.ts')).testPlatform),
  },
  history: {
    kind: 'reader',
    parameters: {},
    required: [],
    secrets: [],
    result: 'HistoryEvent',
    load: async () => typed((await import('./read-history.ts')).readHistory),
  },
  'identity-export': {
    kind: 'changer',
    chain: 'platform',
    parameters: { path, overwrite: flag },
    required: ['path'],
    secrets: [],
    result: 'Identity',
    load: async () => typed((await import('./export-identity.ts')).exportIdentity),
  },
  'identity-read': {
    kind: 'reader',
    parameters: { path, ...proof },
    required: ['path'],
    secrets: [],
    result: 'Identity',
    load: async () => typed((await import('./read-identity.ts')).readIdentity),
  },
  'challenge-new': {
    kind: 'changer',
    chain: 'platform',
    parameters: { path, outputPath: path, authorityPath: path, backupPath: path, overwrite: flag },
    required: ['path'],
    secrets: ['ownerPassword'],
    result: 'Challenge',
    load: async () => typed((await import('./new-challenge.ts')).newChallenge),
  },
  'attestation-export': {
    kind: 'changer',
    chain: 'platform',
    parameters: { path, challengePath: path, overwrite: flag },
    required: ['path', 'challengePath'],
    secrets: [],
    result: 'Attestation',
    load: async () => typed((await import('./export-attestation.ts')).exportAttestation),
  },
  'access-grant': {
    kind: 'changer',
    chain: 'platform',
    parameters: {
      path,
      fingerprint: text,
      ...proof,
      allowUnattested: flag,
      user: texts,
      source: texts,
      basicUserKey: texts,
      validFrom: instant,
      validUntil: instant,
      noOnward: flag,
      authorityPath: path,
      outputPath: path,
      registrationPath: paths,
      backupPath: path,
      overwrite: flag,
      forced: flag,
    },
    required: ['path'],
    secrets: ['ownerPassword'],
    result: 'Access',
    load: async () => typed((await import('./grant-access.ts')).grantAccess),
  },
  'access-list': {
    kind: 'reader',
    parameters: { destination: text, serial: text, grantPath: paths },
    required: [],
    secrets: [],
    result: 'Access',
    load: async () => typed((await import('./list-access.ts')).listAccess),
  },
  'access-revoke': {
    kind: 'changer',
    chain: 'platform',
    parameters: {
      serial: text,
      reason: text,
      authorityPath: path,
      outputPath: path,
      backupPath: path,
      overwrite: flag,
    },
    required: ['serial'],
    secrets: ['ownerPassword'],
    result: 'Revocation',
    load: async () => typed((await import('./revoke-access.ts')).revokeAccess),
  },
  'revocation-add': {
    kind: 'changer',
    chain: 'platform',
    parameters: { path },
    required: ['path'],
    secrets: [],
    result: 'Revocation',
    load: async () => typed((await import('./revoke-access.ts')).addRevocation),
  },
  'user-initialize': {
    kind: 'changer',
    chain: 'user',
    parameters: { ...passwordRules, ...service },
    required: [],
    secrets: ['password'],
    result: 'Status',
    load: async () => typed((await import('./initialize-user.ts')).initializeUser),
  },
  'user-password': {
    kind: 'changer',
    chain: 'user',
    parameters: { ...passwordRules, ...service },
    required: [],
    secrets: ['password', 'newPassword'],
    result: 'PasswordChange',
    load: async () => typed((await import('./set-password.ts')).setPassword),
  },
  'user-new-key': {
    kind: 'changer',
    chain: 'user',
    parameters: { ...passwordRules, ...service },
    required: [],
    secrets: ['password', 'newPassword'],
    result: 'KeyChange',
    load: async () => typed((await import('./new-key.ts')).newKey),
  },
  'user-remove': {
    kind: 'changer',
    chain: 'user',
    parameters: service,
    required: [],
    secrets: [],
    result: 'UserRemoval',
    load: async () => typed((await import('./remove-user.ts')).removeUser),
  },
  'credential-list': {
    kind: 'reader',
    parameters: { credential: text, includeSetAside: flag },
    required: [],
    secrets: [],
    result: 'Credential',
    load: async () => typed((await import('./list-credentials.ts')).listCredentials),
  },
  'credential-new': {
    kind: 'changer',
    chain: 'user',
    parameters: {
      subject: text,
      emailAddress: texts,
      algorithm: choice('RSA-3072', 'P-256'),
      validityDays: number,
      friendlyName: text,
      request: flag,
      requestPath: path,
      overwrite: flag,
      ...service,
    },
    required: ['subject'],
    secrets: ['password'],
    result: 'Credential',
    load: async () => typed((await import('./new-credential.ts')).newCredential),
  },
  'credential-add': {
    kind: 'changer',
    chain: 'user',
    parameters: { path, name: text, friendlyName: text, origin: choice('pfx', 'store'), ...service },
    required: [],
    secrets: ['password', 'pfxPassword', 'pfx'],
    result: 'Credential',
    load: async () => typed((await import('./add-credential.ts')).addCredential),
  },
  'credential-complete': {
    kind: 'changer',
    chain: 'user',
    parameters: { path, credential: text, ...service },
    required: ['path'],
    secrets: ['password'],
    result: 'Credential',
    load: async () => typed((await import('./complete-credential.ts')).completeCredential),
  },
  'credential-remove': {
    kind: 'changer',
    chain: 'user',
    parameters: { credential: text, permanent: flag, ...service },
    required: ['credential'],
    secrets: ['password'],
    result: 'CredentialRemoval',
    load: async () => typed((await import('./remove-credential.ts')).removeCredential),
  },
  'credential-install': {
    kind: 'handover',
    parameters: { credential: text, allowUnprotectedStore: flag, ...service },
    required: ['credential'],
    secrets: ['password', 'oneTimeSecret'],
    result: 'InstallableCredential',
    load: async () => typed((await import('./install-credential.ts')).installCredential),
  },
  'credential-installed': {
    kind: 'changer',
    chain: 'user',
    parameters: { credential: text, thumbprint: text },
    required: ['credential', 'thumbprint'],
    secrets: [],
    result: 'Credential',
    load: async () => typed((await import('./install-credential.ts')).credentialInstalled),
  },
  'credential-uninstalled': {
    kind: 'changer',
    chain: 'user',
    parameters: { thumbprint: texts },
    required: ['thumbprint'],
    secrets: [],
    result: 'Uninstallation',
    load: async () => typed((await import('./installed.ts')).credentialUninstalled),
  },
  'feature-list': {
    kind: 'reader',
    parameters: {},
    required: [],
    secrets: [],
    result: 'Feature',
    load: async () => typed((await import('./features.ts')).listFeatures),
  },
  'feature-enable': {
    kind: 'changer',
    chain: 'user',
    parameters: { feature, credential: text, ...service },
    required: ['feature'],
    secrets: ['password'],
    result: 'Feature',
    load: async () => typed((await import('./features.ts')).enableFeature),
  },
  'feature-disable': {
    kind: 'changer',
    chain: 'user',
    parameters: { feature, ...service },
    required: ['feature'],
    secrets: ['password'],
    result: 'Feature',
    load: async () => typed((await import('./features.ts')).disableFeature),
  },
  export: {
    kind: 'changer',
    chain: 'user',
    parameters: { path, destination: text, serial: text, grantPath: paths, overwrite: flag, ...service },
    required: ['path'],
    secrets: ['password', 'transferCode'],
    result: 'Archive',
    load: async () => typed((await import('./export-environment.ts')).exportEnvironment),
  },
  import: {
    kind: 'changer',
    chain: 'user',
    parameters: {
      path,
      grantPath: paths,
      allowReplace: flag,
      enableFeature: flag,
      includeRemoved: flag,
      receiptPath: path,
      overwrite: flag,
      ...service,
    },
    required: ['path'],
    secrets: ['password', 'currentPassword', 'transferCode'],
    result: 'ImportResult',
    load: async () => typed((await import('./import-archive.ts')).importArchive),
  },
  undo: {
    kind: 'changer',
    chain: 'user',
    parameters: { generation: number, quarantine: text, credential: text, ...service },
    required: [],
    secrets: ['password'],
    result: 'Undo',
    load: async () => typed((await import('./undo.ts')).undo),
  },
  'archive-read': {
    kind: 'reader',
    parameters: { path },
    required: ['path'],
    secrets: [],
    result: 'Archive',
    load: async () => typed((await import('./archives.ts')).inspectArchive),
  },
  'archive-test': {
    kind: 'reader',
    parameters: { path, forThisComputer: flag, grantPath: paths },
    required: ['path'],
    secrets: [],
    result: 'ArchiveTest',
    load: async () => typed((await import('./test-archive.ts')).testArchive),
  },
  'archive-remove': {
    kind: 'changer',
    chain: 'user',
    parameters: { path },
    required: ['path'],
    secrets: [],
    result: 'ArchiveRemoval',
    load: async () => typed((await import('./archives.ts')).removeArchive),
  },
} as const satisfies Record<string, OperationEntry>;

export type OperationName = keyof typeof operations;

/** The entry called `name`, or undefined. */
export function findOperation(name: string): OperationEntry | undefined {
  return Object.hasOwn(operations, name) ? operations[name as OperationName] : undefined;
}
