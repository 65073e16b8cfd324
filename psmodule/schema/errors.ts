/**
 * Which errors of the catalogue the module makes by itself, with the catalogue's words, and which ones end a cmdlet instead
 * of letting it go on with the next item of its pipeline (design page 4, rule 5).
 */
import type { ErrorCode } from '../../core/src/domain/error-catalogue.ts';

/** Conditions that the core cannot see, or that are known before it is asked. */
export const moduleErrors = [
  'ConfirmationRequired',
  'ConstrainedLanguage',
  'CoreBlocked',
  'CoreCrashed',
  'CoreLibraryMissing',
  'CoreNotFound',
  'CoreVersionMismatch',
  'FileNotFound',
  'KeyNotExportable',
  'OwnerPasswordRequired',
  'ParameterInvalid',
  'PasswordRequired',
  'PfxWithoutKey',
  'StorageFailed',
] as const satisfies readonly ErrorCode[];

/**
 * Errors of the core after which every further item would fail in the same way. For a wrong password that matters most:
 * going on would use up the tries that are left.
 */
export const endingErrors = [
  'ChipAccessDenied',
  'ChipBusy',
  'ChipCleared',
  'ChipCommandBlocked',
  'ChipDisabled',
  'ChipFailed',
  'ChipLockedOut',
  'ChipLost',
  'ChipNotFound',
  'ChipOwnerPasswordSet',
  'InternalError',
  'LockedOut',
  'NoLocalAuthority',
  'NotAdministrator',
  'OperationInterrupted',
  'OwnerPasswordRejected',
  'OwnerPasswordRequired',
  'PasswordRejected',
  'PasswordRequired',
  'PlatformDamaged',
  'PlatformNotInitialized',
  'PolicyMalformed',
  'ProtocolUnsupported',
  'RehearsalForbidden',
  'RequestMalformed',
  'ServiceAccount',
  'StorageKeyChanged',
  'StorageKeyUnsuitable',
  'StoreNewer',
  'UserNotInitialized',
] as const satisfies readonly ErrorCode[];
