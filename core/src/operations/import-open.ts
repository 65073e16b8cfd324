/**
 * Opening an archive on its destination. Fresh (no key here, or another one): the chip takes the Basic User Key under its
 * storage key and the vault key is unsealed below it. Merge: the archive's vault key is unsealed below the key that is
 * here already; nothing of the archive's blobs is kept. Neither changes any state.
 */
import { equal } from '../bytes/bytes.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import type { Environment } from '../domain/environment.ts';
import { fail, hasCode } from '../domain/error.ts';
import type { ReadArchive } from '../sealing/archive.ts';
import { disposeKeys } from '../sealing/environment.ts';
import { UserKeys } from '../sealing/user-keys.ts';
import { openGenuine } from './genuine.ts';
import { givenTransferCode } from './transfer-code.ts';
import type { Call } from './operation.ts';
import {
  tryPassword,
  unlock,
  type PresentEnvironment,
  type UnlockedEnvironment,
  type User,
} from './user-context.ts';

/** An archive opened where its key is new. */
export interface OpenedFresh {
  readonly kind: 'fresh';
  readonly archived: Environment;
  readonly keys: UserKeys;
  readonly vaultKey: SecretBytes;
  /** The chip's private blob of the Basic User Key, under this platform's storage key. */
  readonly basicUserKeyPrivate: Uint8Array;
  readonly dispose: () => Promise<void>;
}

/** An archive opened beside the environment of the same key. */
export interface OpenedMerge {
  readonly kind: 'merge';
  readonly archived: Environment;
  readonly local: UnlockedEnvironment;
  readonly dispose: () => Promise<void>;
}

/** An archive whose key continues the one here, opened beside the environment of the old key. */
export interface OpenedRekey extends Omit<OpenedFresh, 'kind'> {
  readonly kind: 'rekey';
  readonly local: UnlockedEnvironment;
}

/** What opening an archive takes beside the password. */
interface ToOpen {
  readonly read: ReadArchive;
  readonly path: string;
  readonly code: SecretBytes | undefined;
}

export type OpenedArchive = OpenedFresh | OpenedMerge | OpenedRekey;

/**
 * What an archive is opened as: beside the same key, fresh, or (where its own list names the key here, and that one's
 * password was given) as the continuation of it (ruling 9). A claim that does not hold is a fresh archive.
 */
export async function openForImport(
  call: Call,
  user: User,
  read: ReadArchive,
  path: string,
): Promise<OpenedArchive> {
  const { present } = user;
  using code = transferCode(call, read, path);
  const archive = { read, path, code };
  await deriveRoots(call, user, read);
  if (present === undefined) return await openForFresh(call, user, archive);
  if (present.basicUserKey === read.name) return await openForMerge(call, { ...user, present }, archive);
  const opened = await openForFresh(call, user, archive);
  if (!call.secrets.has('currentPassword')) return opened;
  if (!opened.archived.privatePart.replaces.includes(present.basicUserKey)) return opened;
  try {
    const local = await unlock(call, { ...user, present }, 'currentPassword');
    const dispose = async (): Promise<void> => {
      await opened.dispose();
      await local.dispose();
    };
    return { ...opened, kind: 'rekey', local, dispose };
  } catch (error) {
    await opened.dispose();
    throw error;
  }
}

/**
 * Every Argon2id of this import, before anything is tried: how long a refusal takes does not tell which of two passwords was
 * right, or that an archive's list, which is secret, does not name the key here.
 */
async function deriveRoots(call: Call, user: User, read: ReadArchive): Promise<void> {
  await call.secrets.root('password', read.manifest.passwordSalt, whose(read));
  if (user.present === undefined || !call.secrets.has('currentPassword')) return;
  const { passwordSalt } = user.present.decoded.header;
  await call.secrets.root(
    'currentPassword',
    passwordSalt,
    `the present Basic User Password of ${ofPresent(user)}`,
  );
}

/** `PasswordRejected`, `LockedOut`, `TransferCodeRequired`, `ArchiveNotForThisPlatform`, `ArchiveChanged`. */
async function openForFresh(call: Call, user: User, archive: ToOpen): Promise<OpenedFresh> {
  const { read, path, code } = archive;
  const { manifest } = read;
  const root = await call.secrets.root('password', manifest.passwordSalt, whose(read));
  const keys = new UserKeys(root);
  const open = async (): Promise<OpenedFresh> => {
    using innerKey = keys.innerKey(manifest.archive, code);
    const { chip } = user.platform;
    const blob = await chip.importBasicUserKey(read.basicUserKey, read.duplicate, innerKey);
    const loaded = await chip.loadBasicUserKey(blob, keys.basicUserAuth);
    try {
      const vaultKey = await loaded.openVaultKey(read.vaultKey, keys.vaultAuth);
      try {
        using archiveKey = keys.archiveKey(vaultKey, manifest.archive, code);
        const archived = openGenuine(call, read, archiveKey, path, new Map());
        const dispose = (): Promise<void> => {
          vaultKey.dispose();
          keys.dispose();
          disposeKeys(archived);
          return Promise.resolve();
        };
        return { kind: 'fresh', archived, keys, vaultKey, basicUserKeyPrivate: blob.private, dispose };
      } catch (error) {
        vaultKey.dispose();
        throw error;
      }
    } finally {
      await loaded.dispose();
    }
  };
  try {
    return await tryArchivePassword(call, user, read, open);
  } catch (error) {
    keys.dispose();
    throw error;
  }
}

/** The local password may be another one than the archive's: then it comes as `currentPassword`. */
async function openForMerge(
  call: Call,
  user: User & { readonly present: PresentEnvironment },
  { read, path, code }: ToOpen,
): Promise<OpenedMerge> {
  const local = await unlockBeside(call, user, read);
  try {
    const root = await call.secrets.root('password', read.manifest.passwordSalt, whose(read));
    using keys = new UserKeys(root);
    const archived = await tryArchivePassword(call, user, read, async () => {
      using vaultKey = await local.loaded.openVaultKey(read.vaultKey, keys.vaultAuth);
      using archiveKey = keys.archiveKey(vaultKey, read.manifest.archive, code);
      return openGenuine(call, read, archiveKey, path, local.environment.privatePart.keys);
    });
    const dispose = async (): Promise<void> => {
      disposeKeys(archived);
      await local.dispose();
    };
    return { kind: 'merge', archived, local, dispose };
  } catch (error) {
    await local.dispose();
    throw error;
  }
}

/** Opens what is here beside an archive. Which password is missing is said where there are two (their salts differ). */
async function unlockBeside(
  call: Call,
  user: User & { readonly present: PresentEnvironment },
  { manifest }: ReadArchive,
): Promise<UnlockedEnvironment> {
  if (call.secrets.has('currentPassword')) return unlock(call, user, 'currentPassword');
  try {
    return await unlock(call, user);
  } catch (error) {
    const samePassword = equal(manifest.passwordSalt, user.present.decoded.header.passwordSalt);
    if (samePassword || !hasCode(error, 'PasswordRejected')) throw error;
    const which =
      'it does not open the environment here, whose password is another one than the archive’s: -Password is the archive’s, -CurrentPassword the one here';
    throw fail('PasswordRejected', { which, whose: ofPresent(user) }, error);
  }
}

/** The archive's transfer code, for keys; undefined where it takes none. `TransferCodeRequired`, `TransferCodeMalformed`. */
function transferCode(call: Call, { manifest }: ReadArchive, path: string): SecretBytes | undefined {
  const given = givenTransferCode(call.secrets);
  if (manifest.transferCode && given === undefined) throw fail('TransferCodeRequired', { path });
  if (manifest.transferCode || given === undefined) return given;
  given.dispose();
  call.report.warning(`${path} was made without a transfer code; the one that was given is not needed.`);
  return undefined;
}

/** Opens with the archive's password. */
function tryArchivePassword<Value>(
  call: Call,
  user: User,
  read: ReadArchive,
  open: () => Promise<Value>,
): Promise<Value> {
  const { manifest } = read;
  const meant = {
    which: manifest.transferCode
      ? 'it is not the one the archive was made with, or the transfer code is another'
      : 'it is not the one the archive was made with',
    whose: `${manifest.account.name} on ${manifest.sourceComputer} at the time of the export`,
  };
  const { passwordSalt } = manifest;
  return tryPassword(call, user, meant, { of: 'archive', passwordSalt }, open);
}

function ofPresent({ platform }: User): string {
  return `${platform.account.name} on ${platform.settings.computer}`;
}

function whose({ manifest }: ReadArchive): string {
  return `the one that ${manifest.account.name} used on ${manifest.sourceComputer} when the archive was made`;
}
