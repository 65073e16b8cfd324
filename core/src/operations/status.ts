/** `Get-SPMigrationStatus`: what this computer is, and what is here for the caller. Needs no secret. */
import { equal } from '../bytes/bytes.ts';
import { groupFingerprint } from '../domain/ids.ts';
import type { Instant } from '../domain/time.ts';
import { fail, hasCode, isSPMigrationError } from '../domain/error.ts';
import { decodeGenerationHeader } from '../format/generation-v1.ts';
import type { Chip } from '../ports/chip.ts';
import { VERSION } from '../version.ts';
import { keptPasswords } from './kept-passwords.ts';
import { decayed, userTries, waitSeconds } from './lock-out.ts';
import type { Call, Reader } from './operation.ts';
import { passwordSetAt } from './password-age.ts';
import { findPlatform, type Platform } from './platform-context.ts';
import type { StatusResult } from './results.ts';
import { setAsideCredentials } from './set-aside.ts';
import { findUser, ofEnvironment, type PresentEnvironment, type User } from './user-context.ts';

export const status: Reader<object, StatusResult> = async function* (call) {
  yield await statusOf(call, await findPlatform(call.ports));
};

/** The status of a platform that was read already, or of one that is not initialized. */
export async function statusOf(call: Call, platform: Platform | undefined): Promise<StatusResult> {
  const { ports } = call;
  const administrator = await ports.account.isAdministrator();
  if (platform === undefined) {
    const account = await ports.account.current(undefined);
    return {
      ...nothingHere,
      computer: await ports.account.computerName(),
      rehearsal: ports.rehearsal,
      account: account.id,
      accountName: account.name,
      administrator,
      platformPath: ports.platform.path,
    };
  }
  const { settings, ids, account } = platform;
  const chip = await chipStatus(platform);
  const user = await findUser(call, platform);
  return {
    computer: settings.computer,
    initialized: true,
    platformId: ids.platformId,
    fingerprint: groupFingerprint(ids.fingerprint),
    chip: settings.chip,
    ...chip,
    authority: settings.authority === 'local' ? 'Local' : 'Fleet',
    authorityFingerprint: groupFingerprint(platform.authority),
    rehearsal: settings.rehearsal,
    account: account.id,
    accountName: account.name,
    administrator,
    userInitialized: user.present !== undefined,
    basicUserKey: user.present?.basicUserKey ?? null,
    generation: user.present?.stored.generation ?? null,
    credentials: user.present?.publicPart.credentials.length ?? 0,
    setAside: (await setAsideCredentials(user)).length,
    quarantined: (await user.store.quarantine()).length,
    ...(user.present === undefined ? noPassword : await passwordStatus(call, user, user.present)),
    platformPath: ports.platform.path,
    environmentPath: user.store.path,
    version: VERSION,
    initializedAt: settings.created,
  };
}

type ChipStatus = Pick<StatusResult, keyof typeof noChip>;

/** What the chip says of itself. One that cannot be asked, or used, does not keep anybody from seeing the rest. */
async function chipStatus({ chip, settings }: Platform): Promise<ChipStatus> {
  try {
    const { model, enforcement, manufacturer, firmware, lockOut } = await chip.describe();
    return {
      chipModel: model,
      enforcement,
      chipManufacturer: manufacturer ?? null,
      chipFirmware: firmware ?? null,
      chipFailedTries: lockOut?.failedTries ?? 0,
      chipLockedOut: lockOut?.lockedOut ?? false,
      chipLockedOutSeconds: lockOut?.atMostSeconds ?? 0,
      chipProblem: await storageKeyProblem(chip, settings.storageKey),
    };
  } catch (error) {
    return { ...noChip, chipProblem: chipProblem(error) };
  }
}

/** Null where the storage key is the recorded one. */
async function storageKeyProblem(chip: Chip, recorded: Uint8Array): Promise<string | null> {
  try {
    return equal(await chip.storageKey(), recorded) ? null : fail('StorageKeyChanged').message;
  } catch (error) {
    // A software chip whose file is gone has none: to it, the platform was never initialized.
    if (hasCode(error, 'PlatformNotInitialized')) return fail('StorageKeyChanged').message;
    return chipProblem(error);
  }
}

function chipProblem(error: unknown): string {
  if (!isSPMigrationError(error)) throw error;
  return error.message;
}

const noChip = {
  chipModel: null,
  enforcement: null,
  chipManufacturer: null,
  chipFirmware: null,
  chipFailedTries: 0,
  chipLockedOut: false,
  chipLockedOutSeconds: 0,
  chipProblem: null,
} as const;

const noPassword = {
  failedAttempts: 0,
  lockedOutSeconds: 0,
  otherPasswordGenerations: [],
  passwordSet: null,
} as const;

type PasswordStatus = Pick<StatusResult, keyof typeof noPassword>;

/** What is known of a password without knowing it. */
async function passwordStatus(
  call: Call,
  { platform, store }: User,
  { decoded }: PresentEnvironment,
): Promise<PasswordStatus> {
  const now = call.ports.clock();
  const attempts = decayed(await store.attempts(ofEnvironment(decoded.header)), now);
  const { other } = await keptPasswords(store, decoded.header, decodeGenerationHeader);
  return {
    failedAttempts: attempts.failed,
    lockedOutSeconds: waitSeconds(attempts, userTries, now),
    otherPasswordGenerations: other,
    passwordSet: (await passwordSet(call, platform)) ?? null,
  };
}

/** Undefined also where the history is broken: `Test-SPMigration` says that, a status only does not know. */
async function passwordSet({ ports }: Call, { ids }: Platform): Promise<Instant | undefined> {
  try {
    return passwordSetAt(await ports.history(ids.platformId).read('user'));
  } catch (error) {
    if (hasCode(error, 'HistoryBroken')) return undefined;
    throw error;
  }
}

const nothingHere = {
  initialized: false,
  platformId: null,
  fingerprint: null,
  chip: null,
  ...noChip,
  authority: null,
  authorityFingerprint: null,
  userInitialized: false,
  basicUserKey: null,
  generation: null,
  credentials: 0,
  setAside: 0,
  quarantined: 0,
  ...noPassword,
  environmentPath: null,
  version: VERSION,
  initializedAt: null,
} as const;
