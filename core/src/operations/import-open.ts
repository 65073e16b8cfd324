/**
 * Opening an archive on its destination. Fresh (no key here, or another one): the chip takes the Basic User Key under its
 * storage key and the vault key is unsealed below it. Merge: the archive's vault key is unsealed below the key that is
 * here already; nothing of the archive's blobs is kept. Neither changes any state.
 */
import type { Environment } from '../domain/environment.ts';
import { openArchive, type ReadArchive } from '../sealing/archive.ts';
import { UserKeys } from '../sealing/user-keys.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
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
  return tryArchivePassword(call, user, read, async () => {
    using innerKey = keys.innerKey(manifest.archive);
    const { chip } = call.ports;
    const blob = await chip.importBasicUserKey(read.basicUserKey, read.duplicate, innerKey);
    const loaded = await chip.loadBasicUserKey(blob, keys.basicUserAuth);
    try {
      const vaultKey = await loaded.openVaultKey(read.vaultKey, keys.vaultAuth);
      using archiveKey = keys.archiveKey(vaultKey, manifest.archive);
      const archived = openArchive(read, archiveKey, path);
      const dispose = (): Promise<void> => {
        vaultKey.dispose();
        keys.dispose();
        disposeKeys(archived);
        return Promise.resolve();
      };
      return { kind: 'fresh', archived, keys, vaultKey, basicUserKeyPrivate: blob.private, dispose } as const;
    } finally {
      await loaded.dispose();
    }
  });
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
      using archiveKey = keys.archiveKey(vaultKey, read.manifest.archive);
      return openArchive(read, archiveKey, path);
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

function disposeKeys({ privatePart }: Environment): void {
  for (const key of privatePart.keys.values()) key.dispose();
}
