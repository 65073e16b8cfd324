/**
 * Opening an archive on its destination. Fresh (no key here, or another one): the chip takes the Basic User Key under its
 * storage key and the vault key is unsealed below it. Merge: the archive's vault key is unsealed below the key that is
 * here already; nothing of the archive's blobs is kept. Neither changes any state.
 */
import { equal } from '../bytes/bytes.ts';
import { readPrivateKey } from '../crypto/private-key.ts';
import type { Environment } from '../domain/environment.ts';
import { fail, isSPMigrationError } from '../domain/error.ts';
import { openArchive, type ReadArchive } from '../sealing/archive.ts';
import { disposeKeys } from '../sealing/environment.ts';
import { credentialIdOf } from '../sealing/fingerprints.ts';
import { UserKeys } from '../sealing/user-keys.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import { displayLabel } from './credential.ts';
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
  await deriveRoots(call, user, read);
  if (present === undefined) return openForFresh(call, user, read, path);
  if (present.basicUserKey === read.name) return openForMerge(call, { ...user, present }, read, path);
  const opened = await openForFresh(call, user, read, path);
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
  await call.secrets.root('currentPassword', passwordSalt, ofPresent(user));
}

/** `PasswordRejected`, `LockedOut`, `TransferCodeRequired`, `ArchiveNotForThisPlatform`, `ArchiveChanged`. */
async function openForFresh(call: Call, user: User, read: ReadArchive, path: string): Promise<OpenedFresh> {
  const { manifest } = read;
  using code = transferCode(call, read, path);
  const root = await call.secrets.root('password', manifest.passwordSalt, whose(read));
  const keys = new UserKeys(root);
  const open = async (): Promise<OpenedFresh> => {
    using innerKey = keys.innerKey(manifest.archive, code);
    const { chip } = call.ports;
    const blob = await chip.importBasicUserKey(read.basicUserKey, read.duplicate, innerKey);
    const loaded = await chip.loadBasicUserKey(blob, keys.basicUserAuth);
    try {
      const vaultKey = await loaded.openVaultKey(read.vaultKey, keys.vaultAuth);
      try {
        const archived = openGenuine(read, keys, { vaultKey, code }, path);
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
  read: ReadArchive,
  path: string,
): Promise<OpenedMerge> {
  using code = transferCode(call, read, path);
  const local = await unlock(
    call,
    user,
    call.secrets.has('currentPassword') ? 'currentPassword' : 'password',
  );
  try {
    const root = await call.secrets.root('password', read.manifest.passwordSalt, whose(read));
    using keys = new UserKeys(root);
    const archived = await tryArchivePassword(call, user, read, async () => {
      using vaultKey = await local.loaded.openVaultKey(read.vaultKey, keys.vaultAuth);
      return openGenuine(read, keys, { vaultKey, code }, path);
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

/**
 * The environment in the archive, every credential what its id says. A merge tells credentials apart by their ids: one
 * that another program gave a wrong id or key would keep the right one out for good. `ArchiveChanged`.
 */
function openGenuine(
  read: ReadArchive,
  keys: UserKeys,
  { vaultKey, code }: { readonly vaultKey: SecretBytes; readonly code: SecretBytes | undefined },
  path: string,
): Environment {
  using archiveKey = keys.archiveKey(vaultKey, read.manifest.archive, code);
  const archived = openArchive(read, archiveKey, path);
  const problem = falseCredential(archived, path);
  if (problem === undefined) {
    const credentials = archived.publicPart.credentials.map((credential) => ({
      ...credential,
      label: displayLabel(credential.label),
    }));
    return { ...archived, publicPart: { ...archived.publicPart, credentials } };
  }
  disposeKeys(archived);
  throw fail('ArchiveChanged', { path, problem });
}

function falseCredential({ publicPart, privatePart }: Environment, path: string): string | undefined {
  for (const { id, publicKey, certificate } of publicPart.credentials) {
    if (credentialIdOf(publicKey, certificate) !== id) return `the credential ${id} is not what its id says`;
    const key = privatePart.keys.get(id);
    if (key === undefined || !isPrivateKeyOf(key, publicKey, path))
      return `the credential ${id} has another private key`;
  }
  return undefined;
}

function isPrivateKeyOf(key: SecretBytes, publicKey: Uint8Array, path: string): boolean {
  try {
    const read = readPrivateKey(key, path);
    using _copy = read.pkcs8;
    return equal(read.publicKey, publicKey);
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    return false;
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
  return `the present Basic User Password of ${platform.account.name} on ${platform.settings.computer}`;
}

function whose({ manifest }: ReadArchive): string {
  return `the one that ${manifest.account.name} used on ${manifest.sourceComputer} when the archive was made`;
}
