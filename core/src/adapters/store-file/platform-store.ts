/**
 * Port `platform-store` in the platform's folder (docs/spec/environment-store.md, "Platform folder"): `public/` that
 * users read, `private/` for administrators, and the drop folder `users/`. What protects it is who owns it: nothing is
 * believed from a folder that an administrator does not own or that others may write (`trust.ts`).
 */
import { dirname, join } from 'node:path';
import { fail, hasCode, isSPMigrationError, type SPMigrationError } from '../../domain/error.ts';
import type { PlatformId } from '../../domain/ids.ts';
import { maximumBytesOf } from '../../format/kind.ts';
import type { PasswordAttempts } from '../../ports/environment-store.ts';
import type { FileStatus, FileSystem } from '../../ports/file-system.ts';
import type {
  DroppedFile,
  DroppedFiles,
  NamedFile,
  PlatformStore,
  PublicCollection,
} from '../../ports/platform-store.ts';
import type { Processes } from '../../ports/processes.ts';
import { DropFolder, type OwnerOf } from './drop-folder.ts';
import { ensureFolder, listIfThere, replaceFile } from './durable.ts';
import { removeDeadTemporaries } from './left-overs.ts';
import { recordsWaitMilliseconds, withLock } from './lock.ts';
import { decodeOwnerAttempts, encodeOwnerAttempts, noAttempts } from './state-files.ts';
import {
  dropFolderMode,
  isDropFolder,
  requireClosed,
  requireDropFolder,
  requireTrusted,
  untrusted,
} from './trust.ts';

export interface PlatformStoreOptions {
  readonly disk: FileSystem;
  readonly processes: Processes;
  readonly folder: string;
  /** Whom the folder may belong to, as files show their owners: administrators, in a rehearsal the caller. */
  readonly owners: readonly string[];
  /** The platform's id according to its settings file: Linux account ids name it. */
  readonly platformIdOf: (settings: NamedFile) => PlatformId;
  /** Account id of who left a file, by its owner. */
  readonly personOf: (owner: string, platform: PlatformId) => string;
  /** Whether the folder is one account's, with whatever access it inherits: nobody else is to leave anything there. */
  readonly inherits?: boolean;
}

const openFolder = 0o755;
const openFile = 0o644;
const closedFolder = 0o700;
const closedFile = 0o600;

const extensions: Readonly<Record<PublicCollection, string>> = {
  grants: '.spgrant',
  revocations: '.sprevoked',
};
const kinds = { grants: 'grant', revocations: 'revocation-list' } as const;

export function createPlatformStore(options: PlatformStoreOptions): PlatformStore {
  return new FilePlatformStore(options);
}

class FilePlatformStore implements PlatformStore {
  readonly path: string;
  readonly #options: PlatformStoreOptions;
  readonly #disk: FileSystem;
  readonly #public: string;
  readonly #private: string;
  readonly #users: string;
  readonly #drop: DropFolder;

  constructor(options: PlatformStoreOptions) {
    this.path = options.folder;
    this.#options = options;
    this.#disk = options.disk;
    this.#public = join(options.folder, 'public');
    this.#private = join(options.folder, 'private');
    this.#users = join(options.folder, 'users');
    this.#drop = new DropFolder(options.disk, options.processes, this.#users, (name) =>
      isUsableName(name, ''),
    );
  }

  async settings(): Promise<NamedFile | undefined> {
    for (const folder of [this.path, this.#public]) {
      const status = await this.#disk.status(folder);
      if (status === undefined) return undefined;
      this.#requireTrusted(folder, status, 'folder');
    }
    const path = join(this.#public, 'platform');
    const status = await this.#disk.status(path);
    // Settings are written last: without them an initialisation was interrupted and has not happened.
    if (status === undefined) return undefined;
    this.#requireTrusted(path, status, 'file');
    try {
      const { bytes } = await this.#disk.read(path, maximumBytesOf('platform'));
      return { name: 'platform', path, bytes };
    } catch (error) {
      if (!hasCode(error, 'LimitExceeded')) throw error;
      throw fail('PlatformDamaged', { path, problem: 'it is larger than settings can be' }, error);
    }
  }

  async folderProblems(): Promise<readonly SPMigrationError[]> {
    if ((await this.#disk.status(this.path)) === undefined) return [];
    const opened = [this.path, this.#public, ...collectionFolders(this.#public)];
    const { owners, inherits = false } = this.#options;
    const problems: SPMigrationError[] = [];
    for (const path of [...opened, this.#private, this.#users]) {
      const status = await this.#disk.status(path);
      try {
        if (status === undefined) throw untrusted(path, 'it is missing');
        if (path === this.#users && !inherits) requireDropFolder(path, status, owners);
        else this.#requireTrusted(path, status, 'folder');
        if (path === this.#private && !inherits) requireClosed(path, status);
      } catch (error) {
        if (!isSPMigrationError(error)) throw error;
        problems.push(error);
      }
    }
    return problems;
  }

  async prepare(): Promise<void> {
    const parent = dirname(this.path);
    await ensureFolder(this.#disk, parent, closedFolder);
    await this.#makeOrAdopt(this.path, openFolder);
    await this.#makeOrAdopt(this.#public, openFolder);
    for (const collection of collectionFolders(this.#public)) await this.#makeOrAdopt(collection, openFolder);
    await this.#makeOrAdopt(this.#private, closedFolder);
    await this.#makeOrAdopt(this.#users, dropFolderMode);
    for (const folder of [this.#public, this.path, parent]) await this.#disk.syncFolder(folder);
  }

  putSettings(settings: Uint8Array): Promise<void> {
    return this.#put(join(this.#public, 'platform'), settings, openFile);
  }

  async list(collection: PublicCollection): Promise<readonly NamedFile[]> {
    const folder = join(this.#public, collection);
    const files: NamedFile[] = [];
    for (const name of await listIfThere(this.#disk, folder)) {
      if (!isUsableName(name, extensions[collection])) continue;
      const path = join(folder, name);
      const { bytes } = await this.#disk.read(path, maximumBytesOf(kinds[collection]));
      files.push({ name, path, bytes });
    }
    return files;
  }

  async put(collection: PublicCollection, name: string, bytes: Uint8Array): Promise<NamedFile> {
    const folder = join(this.#public, collection);
    requireUsableName(name, extensions[collection]);
    const path = join(folder, name);
    await this.#put(path, bytes, openFile);
    return { name, path, bytes };
  }

  async authorityKey(): Promise<NamedFile | undefined> {
    const path = join(this.#private, 'authority');
    const bytes = await this.#readPrivate(path, maximumBytesOf('authority'));
    return bytes === undefined ? undefined : { name: 'authority', path, bytes };
  }

  putAuthorityKey(bytes: Uint8Array): Promise<void> {
    return this.#put(join(this.#private, 'authority'), bytes, closedFile);
  }

  async registrations(): Promise<DroppedFiles> {
    const ownerOf = await this.#ownerOf();
    return ownerOf === undefined ? { files: [], passedOver: [] } : this.#drop.registrations(ownerOf);
  }

  async registration(name: string): Promise<DroppedFile | undefined> {
    requireUsableName(name, '');
    const ownerOf = await this.#ownerOf();
    return ownerOf && this.#drop.registration(name, ownerOf);
  }

  async register(name: string, bytes: Uint8Array): Promise<void> {
    requireUsableName(name, '');
    try {
      await this.#drop.register(name, bytes);
    } catch (error) {
      if (hasCode(error, 'FileNotFound')) throw fail('PlatformNotInitialized', {}, error);
      throw error;
    }
  }

  async ownerAttempts(): Promise<PasswordAttempts> {
    const path = join(this.#private, 'owner-attempts');
    const bytes = await this.#readPrivate(path, maximumBytesOf('owner-attempts'));
    return bytes === undefined ? noAttempts : decodeOwnerAttempts(bytes, path);
  }

  updateOwnerAttempts(change: (attempts: PasswordAttempts) => PasswordAttempts): Promise<void> {
    return this.#updateOwnerAttempts(async () => change(await this.ownerAttempts()));
  }

  setOwnerAttempts(attempts: PasswordAttempts): Promise<void> {
    return this.#updateOwnerAttempts(() => Promise.resolve(attempts));
  }

  #updateOwnerAttempts(next: () => Promise<PasswordAttempts>): Promise<void> {
    const path = join(this.#private, 'owner-attempts');
    const place = {
      disk: this.#disk,
      processes: this.#options.processes,
      folder: this.#private,
      name: 'records-lock',
      platform: 'platform',
      waitMilliseconds: recordsWaitMilliseconds,
    };
    return withLock(place, async () => {
      await this.#put(path, encodeOwnerAttempts(await next()), closedFile);
    });
  }

  async #put(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    const { processes } = this.#options;
    await removeDeadTemporaries(this.#disk, processes, dirname(path));
    await replaceFile(this.#disk, processes, path, bytes, mode);
  }

  async #readPrivate(path: string, maximumBytes: number): Promise<Uint8Array | undefined> {
    try {
      return (await this.#disk.read(path, maximumBytes)).bytes;
    } catch (error) {
      if (hasCode(error, 'FileNotFound')) return undefined;
      throw error;
    }
  }

  /** Who owns a file of the drop folder; undefined before initialisation. */
  async #ownerOf(): Promise<OwnerOf | undefined> {
    const settings = await this.settings();
    if (settings === undefined) return undefined;
    const platform = this.#options.platformIdOf(settings);
    // Where everybody may make files, a link could have come in the place of an empty folder.
    if ((await this.#disk.status(this.#users))?.kind === 'link')
      throw untrusted(this.#users, 'it is no folder');
    return ({ owner }) => (owner === undefined ? '' : this.#options.personOf(owner, platform));
  }

  /** A folder that was here before must be an administrator's, and nobody else may have been able to fill it. */
  async #makeOrAdopt(path: string, mode: number): Promise<void> {
    try {
      await this.#disk.makeFolder(path, mode);
    } catch (error) {
      if (!hasCode(error, 'OutputExists')) throw error;
      const status = await this.#disk.status(path);
      if (status === undefined) throw error;
      const { owners } = this.#options;
      if (mode === dropFolderMode && isDropFolder(status)) requireDropFolder(path, status, owners);
      else this.#requireTrusted(path, status, 'folder');
      if (status.mode !== mode) await this.#disk.setMode(path, mode);
    }
  }

  #requireTrusted(path: string, status: FileStatus, kind: 'file' | 'folder'): void {
    requireTrusted(path, status, kind, this.#options.owners);
  }
}

function collectionFolders(publicFolder: string): readonly string[] {
  return Object.keys(extensions).map((collection) => join(publicFolder, collection));
}

/** Names are made of serials, fingerprints, account ids: nothing that could leave the folder, hide or be temporary. */
function isUsableName(name: string, extension: string): boolean {
  return (
    /^[A-Za-z0-9][A-Za-z0-9._@-]{0,199}$/.test(name) && name.endsWith(extension) && !name.endsWith('.tmp')
  );
}

function requireUsableName(name: string, extension: string): void {
  if (isUsableName(name, extension)) return;
  throw fail('PathUnusable', {
    path: name,
    problem: `it is no name of the form <letters and digits>${extension}`,
  });
}
