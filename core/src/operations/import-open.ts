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

/** `PasswordRejected`, `LockedOut`, `ArchiveNotForThisPlatform`, `ArchiveChanged`. */
export async function openForFresh(
  call: Call,
  user: User,
  read: ReadArchive,
  path: string,
): Promise<OpenedFresh> {
  const { manifest } = read;
  const root = await call.secrets.root('password', manifest.passwordSalt, whose(read));
  const keys = new UserKeys(root);
  const open = async (): Promise<OpenedFresh> => {
    using innerKey = keys.innerKey(manifest.archive);
    const { chip } = call.ports;
    const blob = await chip.importBasicUserKey(read.basicUserKey, read.duplicate, innerKey);
    const loaded = await chip.loadBasicUserKey(blob, keys.basicUserAuth);
    try {
      const vaultKey = await loaded.openVaultKey(read.vaultKey, keys.vaultAuth);
      try {
        const archived = openGenuine(read, keys, vaultKey, path);
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
export async function openForMerge(
  call: Call,
  user: User & { readonly present: PresentEnvironment },
  read: ReadArchive,
  path: string,
): Promise<OpenedMerge> {
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
      return openGenuine(read, keys, vaultKey, path);
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
function openGenuine(read: ReadArchive, keys: UserKeys, vaultKey: SecretBytes, path: string): Environment {
  using archiveKey = keys.archiveKey(vaultKey, read.manifest.archive);
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

/** Opens with the archive's password. */
function tryArchivePassword<Value>(
  call: Call,
  user: User,
  read: ReadArchive,
  open: () => Promise<Value>,
): Promise<Value> {
  const { manifest } = read;
  const meant = {
    which: 'it is not the one the archive was made with',
    whose: `${manifest.account.name} on ${manifest.sourceComputer} at the time of the export`,
  };
  return tryPassword(call, user, meant, open);
}

function whose({ manifest }: ReadArchive): string {
  return `the one that ${manifest.account.name} used on ${manifest.sourceComputer} when the archive was made`;
}
