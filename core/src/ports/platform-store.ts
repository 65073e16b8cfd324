/**
 * The platform's folder: `public/` (users read, administrators write), `private/` (administrators only) and the drop
 * folder `users/`. Works on named byte strings; formats belong to the callers.
 */
import type { SPMigrationError } from '../domain/error.ts';
import type { PasswordAttempts } from './environment-store.ts';

/** Kinds of named files in `public/`. */
export type PublicCollection = 'grants' | 'revocations';

export interface NamedFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A registration with the account id that owns the file according to the operating system. */
export interface DroppedFile extends NamedFile {
  readonly ownerId: string;
}

/** What lies in the drop folder. */
export interface DroppedFiles {
  readonly files: readonly DroppedFile[];
  /** Accounts that left more files than are read of one: whose, how many, and how many were read. */
  readonly passedOver: readonly {
    readonly ownerId: string;
    readonly files: number;
    readonly maximum: number;
  }[];
}

export interface PlatformStore {
  /** The platform folder, for messages. */
  readonly path: string;
  /** The settings file; undefined where the platform is not initialized. `PlatformFolderUntrusted`, `PlatformDamaged`. */
  settings(): Promise<NamedFile | undefined>;
  /** What is wrong with owners and permissions of the platform's folders (`PlatformFolderUntrusted`, each); none where there is none. */
  folderProblems(): Promise<readonly SPMigrationError[]>;
  /** Makes the folders, refusing those that an administrator does not own: `PlatformFolderUntrusted`. */
  prepare(): Promise<void>;
  /** Writes the settings: from here on the platform is initialized. Folders exist already. */
  putSettings(settings: Uint8Array): Promise<void>;
  list(collection: PublicCollection): Promise<readonly NamedFile[]>;
  put(collection: PublicCollection, name: string, bytes: Uint8Array): Promise<NamedFile>;
  /** The local authority's key file; undefined where this platform has none (fleet). `StorageDenied` for non-administrators. */
  authorityKey(): Promise<NamedFile | undefined>;
  putAuthorityKey(bytes: Uint8Array): Promise<void>;
  /** What users left. A bounded number of files and bytes of each account, so that none can hide the others'. */
  registrations(): Promise<DroppedFiles>;
  /** What the calling user left under this name; also for who may not list the folder. Undefined where nothing is there. */
  registration(name: string): Promise<DroppedFile | undefined>;
  /** Writes the caller's own registration; `name` is made from the account id and the key's Name. */
  register(name: string, bytes: Uint8Array): Promise<void>;
  ownerAttempts(): Promise<PasswordAttempts>;
  /** Replaces that record by what `change` makes of it; two programs at once both take effect. `EnvironmentBusy`. */
  updateOwnerAttempts(change: (attempts: PasswordAttempts) => PasswordAttempts): Promise<void>;
  setOwnerAttempts(attempts: PasswordAttempts): Promise<void>;
}
