/**
 * Port `platform-store` in the platform's folder (docs/spec/environment-store.md, "Platform folder"): `public/` that
 * users read, `private/` for administrators, and the drop folder `users/`. What protects it is who owns it: nothing is
 * believed from a folder that an administrator does not own or that others may write. Leaves out access lists on Windows
 * (docs/windows-checklist.md).
 */
import { dirname, join } from 'node:path';
import { fail, hasCode, isSPMigrationError } from '../../domain/error.ts';
import type { PlatformId } from '../../domain/ids.ts';
import { maximumBytesOf } from '../../format/kind.ts';
import type { PasswordAttempts } from '../../ports/environment-store.ts';
import type { FileStatus, FileSystem } from '../../ports/file-system.ts';
import type { DroppedFile, NamedFile, PlatformStore, PublicCollection } from '../../ports/platform-store.ts';
import type { Processes } from '../../ports/processes.ts';
import { ensureFolder, listIfThere, replaceFile, uniqueMark } from './durable.ts';
import { decodeAttempts, encodeAttempts } from './state-files.ts';

export interface PlatformStoreOptions {
  readonly disk: FileSystem;
  readonly processes: Processes;
  readonly folder: string;
  /** User id that must own the folder: root's, in a rehearsal the caller's; undefined where files show none (Windows). */
  readonly administratorUid: number | undefined;
  /** The platform's id according to its settings file: Linux account ids name it. */
  readonly platformIdOf: (settings: NamedFile) => PlatformId;
  /** Account id of a file whose owner the system does not show; empty where nobody can say. */
  readonly unseenOwner: () => Promise<string>;
}

const openFolder = 0o755;
const openFile = 0o644;
const closedFolder = 0o700;
const closedFile = 0o600;
/**
 * The drop folder: its owner reads all; everyone else may make files and pass through, but not list, and (sticky) not
 * rename or remove what is another's. Files in it are closed, so a registration is read by its user and its owner only.
 */
const dropFolder = 0o1733;
const writableByOthers = 0o022;

const extensions: Readonly<Record<PublicCollection, string>> = {
  grants: '.spgrant',
  revocations: '.sprevoked',
};
const kinds = { grants: 'grant', revocations: 'revocation-list' } as const;
/** More than any real computer has users: a drop folder filled on purpose must not fill the owner's memory. */
const mostRegistrations = 10_000;
/** All that one account left, together: files with holes cost their maker nothing. A registration has a few kilobytes. */
const mostBytesPerAccount = 64 * 1024 * 1024;

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

  constructor(options: PlatformStoreOptions) {
    this.path = options.folder;
    this.#options = options;
    this.#disk = options.disk;
    this.#public = join(options.folder, 'public');
    this.#private = join(options.folder, 'private');
    this.#users = join(options.folder, 'users');
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

  async prepare(): Promise<void> {
    const parent = dirname(this.path);
    await ensureFolder(this.#disk, parent, closedFolder);
    await this.#makeOrAdopt(this.path, openFolder);
    await this.#makeOrAdopt(this.#public, openFolder);
    for (const collection of Object.keys(extensions)) {
      await this.#makeOrAdopt(join(this.#public, collection), openFolder);
    }
    await this.#makeOrAdopt(this.#private, closedFolder);
    await this.#makeOrAdopt(this.#users, dropFolder);
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

  async registrations(): Promise<readonly DroppedFile[]> {
    const settings = await this.settings();
    if (settings === undefined) return [];
    const names = (await listIfThere(this.#disk, this.#users)).filter((name) => isUsableName(name, ''));
    if (names.length > mostRegistrations) {
      const details = { actual: names.length, maximum: mostRegistrations };
      throw fail('LimitExceeded', { what: `the number of files in ${this.#users}`, ...details });
    }
    const platform = this.#options.platformIdOf(settings);
    const files: DroppedFile[] = [];
    const spent = new Map<string, number>();
    for (const name of names) {
      const path = join(this.#users, name);
      const status = await this.#disk.status(path);
      if (status === undefined) continue;
      const ownerId = await this.#ownerId(status, platform);
      const total = (spent.get(ownerId) ?? 0) + status.sizeBytes;
      spent.set(ownerId, total);
      const file =
        total > mostBytesPerAccount
          ? { name, path, bytes: new Uint8Array(), ownerId }
          : await this.#readDropped(name, platform);
      if (file !== undefined) files.push(file);
    }
    return files;
  }

  async register(name: string, bytes: Uint8Array): Promise<void> {
    requireUsableName(name, '');
    const mark = await uniqueMark(this.#options.processes);
    const temporary = join(this.#users, `.${mark}.tmp`);
    try {
      await this.#disk.create(temporary, bytes, closedFile);
    } catch (error) {
      if (hasCode(error, 'FileNotFound')) throw fail('PlatformNotInitialized', {}, error);
      throw error;
    }
    // Not followed by a sync of the folder: who may not list it may not open it either. A registration lost by a power
    // failure is missed at the next grant, and made again (ruling 2).
    try {
      await this.#disk.rename(temporary, join(this.#users, name));
    } catch (error) {
      // Somebody else took the name, to be in the way. A registration's name means nothing; another one does as well.
      if (!hasCode(error, 'StorageDenied')) throw error;
      await this.#disk.rename(temporary, join(this.#users, `${mark}.${name}`));
    }
  }

  async ownerAttempts(): Promise<PasswordAttempts> {
    const path = join(this.#private, 'owner-attempts');
    const bytes = await this.#readPrivate(path, maximumBytesOf('owner-attempts'));
    return bytes === undefined ? { failed: 0, last: 0 } : decodeAttempts('owner-attempts', bytes, path);
  }

  setOwnerAttempts(attempts: PasswordAttempts): Promise<void> {
    const path = join(this.#private, 'owner-attempts');
    return this.#put(path, encodeAttempts('owner-attempts', attempts), closedFile);
  }

  #put(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    return replaceFile(this.#disk, this.#options.processes, path, bytes, mode);
  }

  async #readPrivate(path: string, maximumBytes: number): Promise<Uint8Array | undefined> {
    try {
      return (await this.#disk.read(path, maximumBytes)).bytes;
    } catch (error) {
      if (hasCode(error, 'FileNotFound')) return undefined;
      throw error;
    }
  }

  /**
   * A file of the drop folder with its owner, both of one open file. What is no plain file of one name (a link could show
   * another's file as one's own) or too large stands here without bytes, so that whoever reads it reports it.
   */
  async #readDropped(name: string, platform: PlatformId): Promise<DroppedFile | undefined> {
    const path = join(this.#users, name);
    try {
      const { bytes, status } = await this.#disk.read(path, maximumBytesOf('registration'));
      const whole = status.names === 1;
      return {
        name,
        path,
        bytes: whole ? bytes : new Uint8Array(),
        ownerId: await this.#ownerId(status, platform),
      };
    } catch (error) {
      if (!isSPMigrationError(error)) throw error;
      const status = await this.#disk.status(path);
      if (status === undefined) return undefined;
      return { name, path, bytes: new Uint8Array(), ownerId: await this.#ownerId(status, platform) };
    }
  }

  #ownerId(status: FileStatus, platform: PlatformId): Promise<string> {
    if (status.ownerUid === undefined) return this.#options.unseenOwner();
    return Promise.resolve(`uid:${status.ownerUid}@${platform}`);
  }

  /** A folder that was here before must be an administrator's, and nobody else may have been able to fill it. */
  async #makeOrAdopt(path: string, mode: number): Promise<void> {
    try {
      await this.#disk.makeFolder(path, mode);
    } catch (error) {
      if (!hasCode(error, 'OutputExists')) throw error;
      const status = await this.#disk.status(path);
      if (status === undefined) throw error;
      if (status.mode === dropFolder && mode === dropFolder) this.#requireOwner(path, status);
      else this.#requireTrusted(path, status, 'folder');
      if (status.mode !== undefined && status.mode !== mode) await this.#disk.setMode(path, mode);
    }
  }

  #requireTrusted(path: string, status: FileStatus, kind: 'file' | 'folder'): void {
    if (status.kind !== kind) throw untrusted(path, `it is no ${kind}`);
    this.#requireOwner(path, status);
    if (status.mode !== undefined && (status.mode & writableByOthers) !== 0) {
      throw untrusted(path, 'accounts that are no administrators may write it');
    }
  }

  #requireOwner(path: string, status: FileStatus): void {
    const { administratorUid } = this.#options;
    if (administratorUid !== undefined && status.ownerUid !== administratorUid) {
      throw untrusted(path, `it belongs to the user id ${status.ownerUid ?? 'unknown'}`);
    }
  }
}

function untrusted(path: string, problem: string): Error {
  return fail('PlatformFolderUntrusted', { path, problem });
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
