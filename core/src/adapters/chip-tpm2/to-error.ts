/**
 * The one translation of what a TPM answers, and of transports that fail, into codes of the catalogue. A response code
 * means something only together with what was attempted, so that callers name the attempt; what holds for every command
 * (locked out, cleared, disabled, busy) is decided first. The cause stays attached: command and TPM_RC.
 */
import { fail, type SPMigrationError } from '../../domain/error.ts';
import { MalformedResponse } from '../../tpm2/command.ts';
import type { CommandName } from '../../tpm2/constants.ts';
import { Tpm2Error } from '../../tpm2/response-code.ts';
import type { TransportError } from './transport/transport.ts';

/** What a command was sent for. */
export type Attempt =
  /** Something that no blob, password or grant of a user decides about. */
  | 'chip'
  /** Making the storage key where there is none. */
  | 'provision'
  /** Loading a Basic User Key below the storage key. */
  | 'load'
  /** Using a Basic User Key: below it, and what is sealed there. */
  | 'use'
  /** Taking a handed-over key. */
  | 'import'
  /** Making the endorsement key, and reading its certificate. */
  | 'endorse'
  /** Opening a credential with it. */
  | 'activate'
  /** The stages of a hand-over. */
  | HandOverStage;

export type HandOverStage = keyof typeof handOverReasons;

/** Why a hand-over ends at a stage: the same words as the software chip's (`ChainReason`). */
const handOverReasons = {
  select: 'the destination is not a storage key',
  signer: 'a signer is not an authority key',
  signature: 'a signature is not valid',
  approval: 'what was approved is another destination, key or delegate',
  branch: "the approvals do not lead to this key's authority",
  parent: 'the destination is not a storage key',
  duplicate: "this is not the policy of this key's authority",
} as const;

/** What `toError` may need to know besides. */
export interface Circumstances {
  /** Name of the destination's storage key as people read it. */
  readonly destination?: string;
  /** How long a lock-out lasts, for people. */
  readonly lockOut?: string;
  /** The platform's folder, which is of no use when the chip was cleared. */
  readonly platformPath?: string;
}

const persistentStorageKey = '0x81000001';

/** What to throw for `error`. Anything that neither a TPM nor a transport said passes through. */
export function toError(error: unknown, attempt: Attempt, circumstances: Circumstances = {}): unknown {
  if (error instanceof MalformedResponse) return fail('ChipFailed', { problem: error.message }, error);
  if (!(error instanceof Tpm2Error)) return error;
  return general(error, circumstances) ?? particular(error, attempt, circumstances);
}

/** A transport that failed while `command` was under way, or while it was opened. */
export function toTransportFailure(error: TransportError, command?: CommandName): SPMigrationError {
  const { problem, where } = error;
  switch (problem) {
    case 'absent':
      return fail('ChipNotFound', { where }, error);
    case 'denied':
      return fail('ChipAccessDenied', { where, remedy: remedyFor(where) }, error);
    case 'blocked':
      return fail('ChipCommandBlocked', { command: `TPM2_${command ?? 'Startup'}` }, error);
    case 'busy':
      return fail('ChipBusy', { problem: `another program uses ${where}` }, error);
    case 'timeout':
      return fail('ChipLost', { problem: `${where} gave no answer in time` }, error);
    case 'lost':
      return fail('ChipLost', { problem: `${where} is gone` }, error);
  }
}

function remedyFor(where: string): string {
  return where.startsWith('/dev/')
    ? 'Add the account to the group of this device (on most systems: usermod -aG tss NAME), and log on again.'
    : 'Run it as an administrator; docs/guides/tpm.md says what standard users may do.';
}

function general(error: Tpm2Error, { lockOut, platformPath }: Circumstances): SPMigrationError | undefined {
  const busy = (problem: string): SPMigrationError => fail('ChipBusy', { problem }, error);
  switch (error.reason) {
    case 'LOCKOUT':
      return fail('ChipLockedOut', { wait: lockOut ?? 'it does not say for how long' }, error);
    case 'INITIALIZE':
      return fail('ChipFailed', { problem: 'it was not started after its last reset (TPM2_Startup)' }, error);
    case 'DISABLED':
    case 'HIERARCHY':
      return fail('ChipDisabled', {}, error);
    case 'RETRY':
    case 'TESTING':
    case 'YIELDED':
    case 'NV_RATE':
    case 'NV_UNAVAILABLE':
      return busy('it asks again and again to be asked later');
    case 'OBJECT_MEMORY':
    case 'SESSION_MEMORY':
    case 'MEMORY':
    case 'SESSION_HANDLES':
    case 'OBJECT_HANDLES':
      return busy('its memory is full of objects of other programs');
    case 'COMMAND_CODE':
      return fail('ChipFailed', { problem: `it does not have TPM2_${error.command}` }, error);
    case 'HANDLE':
      // Persistent handles are the only ones that others can take away: the storage key.
      return error.subject.kind === 'handle' && error.subject.number === 1 && error.command !== 'FlushContext'
        ? fail('ChipCleared', { path: platformPath ?? '' }, error)
        : undefined;
    default:
      return undefined;
  }
}

function particular(error: Tpm2Error, attempt: Attempt, circumstances: Circumstances): SPMigrationError {
  const failed = (problem: string): SPMigrationError => fail('ChipFailed', { problem }, error);
  const wrongAuth = error.reason === 'AUTH_FAIL' || error.reason === 'BAD_AUTH';
  switch (attempt) {
    case 'chip':
      return failed(error.message);
    case 'endorse':
      return wrongAuth ? endorsementNeedsAuth(error) : failed(error.message);
    case 'provision':
      return wrongAuth ? fail('ChipOwnerPasswordSet', {}, error) : failed(error.message);
    case 'load':
      return wrongAuth ? storageKeyNeedsAuth(error) : fail('StorageKeyChanged', {}, error);
    case 'use':
      if (wrongAuth) return rejected(error, 'this platform');
      return failed('the vault key is not of this Basic User Key, or was changed');
    case 'import':
      return importFailure(error, wrongAuth);
    case 'activate':
      if (wrongAuth) return endorsementNeedsAuth(error);
      return fail('CredentialNotForThisChip', {}, error);
    case 'duplicate':
      if (wrongAuth) return rejected(error, 'this platform');
      return notAuthorized(error, attempt, circumstances);
    case 'select':
    case 'signer':
    case 'signature':
    case 'approval':
    case 'branch':
    case 'parent':
      return notAuthorized(error, attempt, circumstances);
  }
}

/**
 * With a wrong inner key the content of the duplicate is noise, and its first two bytes are hardly ever a length that fits:
 * SIZE. Everything else does not get so far: the outer wrapper is for another key, or was changed. libtpms answers FAILURE
 * where a foreign seed cannot be decrypted with an RSA storage key; it goes on working.
 */
function importFailure(error: Tpm2Error, wrongAuth: boolean): SPMigrationError {
  if (wrongAuth) return storageKeyNeedsAuth(error);
  const { subject, reason } = error;
  if (reason === 'SIZE' && subject.kind === 'parameter' && subject.number === 3) {
    return rejected(error, 'the source platform');
  }
  const details = { path: 'The archive', destination: 'another storage key' };
  return fail('ArchiveNotForThisPlatform', details, error);
}

function storageKeyNeedsAuth(error: Tpm2Error): SPMigrationError {
  return fail(
    'StorageKeyUnsuitable',
    { problem: `its use at ${persistentStorageKey} needs a password` },
    error,
  );
}

function endorsementNeedsAuth(error: Tpm2Error): SPMigrationError {
  const problem = 'its endorsement hierarchy has a password, without which it cannot prove which TPM it is';
  return fail('ChipFailed', { problem }, error);
}

function rejected(error: Tpm2Error, whose: string): SPMigrationError {
  return fail('PasswordRejected', { which: 'the chip refused it', whose }, error);
}

function notAuthorized(
  error: Tpm2Error,
  stage: HandOverStage,
  { destination = 'another storage key' }: Circumstances,
): SPMigrationError {
  const details = { account: 'this user', destination, reason: handOverReasons[stage] };
  return fail('DestinationNotAuthorized', details, error);
}
