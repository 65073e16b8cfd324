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
  /** Making a Basic User Key below the storage key. */
  | 'create'
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
  /** The storage key has served before: it has neither a password nor a policy. */
  readonly storageKeyServed?: boolean;
}

const interference = 'something on the way to the TPM may change what is said';

/** What to throw for `error`. Anything that neither a TPM nor a transport said passes through. */
export function toError(error: unknown, attempt: Attempt, circumstances: Circumstances = {}): unknown {
  if (error instanceof MalformedResponse) {
    return fail('ChipFailed', { problem: `${error.message}; ${interference}` }, error);
  }
  if (!(error instanceof Tpm2Error)) return error;
  return general(error, attempt, circumstances) ?? particular(error, attempt, circumstances);
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
  if (where.startsWith('/dev/')) {
    return 'the account must be in the group of this device (on most systems: usermod -aG tss NAME), and log on again';
  }
  return where.startsWith('swtpm')
    ? 'the simulated TPM belongs to another account'
    : 'an administrator may use it; docs/guides/tpm.md says what standard users may do';
}

function general(
  error: Tpm2Error,
  attempt: Attempt,
  { lockOut }: Circumstances,
): SPMigrationError | undefined {
  const busy = (problem: string): SPMigrationError => fail('ChipBusy', { problem }, error);
  switch (error.reason) {
    case 'LOCKOUT':
      return fail('ChipLockedOut', { wait: lockOut ?? 'it does not say for how long' }, error);
    case 'INITIALIZE':
      return fail('ChipFailed', { problem: 'it was not started after its last reset (TPM2_Startup)' }, error);
    case 'FAILURE':
      // libtpms says so, and goes on working, where a foreign seed cannot be decrypted with an RSA storage key.
      return error.command === 'Import'
        ? undefined
        : fail('ChipFailed', { problem: 'it is in failure mode until the computer is started again' }, error);
    case 'HIERARCHY':
      return attempt === 'endorse' || attempt === 'activate'
        ? endorsementUnusable('is disabled', error)
        : fail('ChipDisabled', {}, error);
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
    case 'DISABLED':
      return fail('ChipFailed', { problem: `it does not have TPM2_${error.command}` }, error);
    default:
      // The storage key was looked for again before (`concernsStorageKey`): what is gone is what we had loaded.
      return meansObjectIsGone(error)
        ? fail('ChipLost', { problem: 'it was reset while it was used' }, error)
        : undefined;
  }
}

/** HANDLE, and REFERENCE_H0 to REFERENCE_S6 (Part 2, clause 6.6.3): something that is named is not in the TPM. */
function meansObjectIsGone({ reason, responseCode }: Tpm2Error): boolean {
  return reason === 'HANDLE' || (responseCode >= 0x910 && responseCode <= 0x91e);
}

/**
 * Whether a refusal may be about the storage key rather than about what was attempted with it: taken away, replaced or
 * switched off since it was read, or everything else with it. Then it is read again, which says so.
 */
export function concernsStorageKey(error: Tpm2Error, attempt: Attempt): boolean {
  return meansObjectIsGone(error) || ['create', 'load', 'import', 'activate'].includes(attempt);
}

/** Which commands a blob, a password or a grant decides about; of any other the refusal is the TPM's own matter. */
const decisive: Readonly<Partial<Record<Attempt, readonly CommandName[]>>> = {
  create: ['Create'],
  load: ['Load'],
  use: ['Load', 'Unseal', 'Create', 'ObjectChangeAuth'],
  import: ['Import', 'Load'],
};

function particular(error: Tpm2Error, attempt: Attempt, circumstances: Circumstances): SPMigrationError {
  const failed = (problem: string): SPMigrationError => fail('ChipFailed', { problem }, error);
  if (decisive[attempt]?.includes(error.command) === false) return failed(error.message);
  const wrongAuth = error.reason === 'AUTH_FAIL' || error.reason === 'BAD_AUTH';
  switch (attempt) {
    case 'chip':
      return failed(error.message);
    case 'endorse':
      return wrongAuth ? endorsementUnusable('has a password', error) : failed(error.message);
    case 'provision':
      return wrongAuth ? fail('ChipOwnerPasswordSet', {}, error) : failed(error.message);
    case 'create':
      return storageKeyNeedsMore(error, circumstances) ?? failed(error.message);
    case 'load':
      return storageKeyNeedsMore(error, circumstances) ?? fail('StorageKeyChanged', {}, error);
    case 'use':
      if (wrongAuth) return rejected(error, 'this platform');
      return failed('the vault key is not of this Basic User Key, or was changed');
    case 'import':
      return importFailure(error, circumstances);
    case 'activate':
      if (wrongAuth) return endorsementUnusable('has a password', error);
      if (error.command !== 'ActivateCredential') return failed(error.message);
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
 * SIZE. Everything else does not get so far: the outer wrapper is for another key, or was changed.
 */
function importFailure(error: Tpm2Error, circumstances: Circumstances): SPMigrationError {
  const { subject, reason } = error;
  if (reason === 'SIZE' && subject.kind === 'parameter' && subject.number === 3) {
    return rejected(error, 'the source platform');
  }
  const details = { path: 'The archive', destination: 'another storage key' };
  return storageKeyNeedsMore(error, circumstances) ?? fail('ArchiveNotForThisPlatform', details, error);
}

/** Whoever made the storage key gave it a password, or a policy instead of one. */
function storageKeyNeedsMore(
  error: Tpm2Error,
  { storageKeyServed = false }: Circumstances,
): SPMigrationError | undefined {
  const unsuitable = (what: 'password' | 'policy'): SPMigrationError =>
    storageKeyServed
      ? fail('ChipFailed', { problem: `${error.message}; ${interference}` }, error)
      : fail('StorageKeyUnsuitable', { problem: `its use needs a ${what}` }, error);
  switch (error.reason) {
    case 'AUTH_FAIL':
    case 'BAD_AUTH':
      return unsuitable('password');
    case 'AUTH_TYPE':
    case 'AUTH_UNAVAILABLE':
      return unsuitable('policy');
    default:
      return undefined;
  }
}

function endorsementUnusable(why: 'has a password' | 'is disabled', error: Tpm2Error): SPMigrationError {
  const problem = `its endorsement hierarchy ${why}, so that it cannot prove which TPM it is`;
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
