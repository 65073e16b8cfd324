/**
 * The drop folder `users/` of a platform, where every account may leave registrations and none may touch another's
 * (docs/spec/environment-store.md, "Platform folder"). Whatever one account leaves there, it can use up only what is its own
 * to use: the files of the others are read all the same. Leaves out what a registration says (`operations/registrations.ts`).
 */
import { join } from 'node:path';
import { hasCode, isSPMigrationError } from '../../domain/error.ts';
import { maximumBytesOf } from '../../format/kind.ts';
import type { FileStatus, FileSystem } from '../../ports/file-system.ts';
import type { DroppedFile, DroppedFiles } from '../../ports/platform-store.ts';
import type { Processes } from '../../ports/processes.ts';
import { listIfThere, removeLeftOver, uniqueMark } from './durable.ts';
import { fileMode } from './layout.ts';
import { removeDeadTemporaries } from './left-overs.ts';
import { isWritableByOthers } from './trust.ts';

/** A person has one registration for each key that they ever had here, and an owner never needs the others. */
const mostFilesPerAccount = 100;
/** All that one account left, together: files with holes cost their maker nothing. A registration has a few kilobytes. */
const mostBytesPerAccount = 64 * 1024 * 1024;

/** Account id of a file's owner; empty where nobody can say. */
export type OwnerOf = (status: FileStatus) => string;

export class DropFolder {
  readonly #disk: FileSystem;
  readonly #processes: Processes;
  readonly #folder: string;
  readonly #isUsableName: (name: string) => boolean;

  constructor(
    disk: FileSystem,
    processes: Processes,
    folder: string,
    isUsableName: (name: string) => boolean,
  ) {
    this.#disk = disk;
    this.#processes = processes;
    this.#folder = folder;
    this.#isUsableName = isUsableName;
  }

  /** See port `platform-store`. */
  async registrations(ownerOf: OwnerOf): Promise<DroppedFiles> {
    const files: DroppedFile[] = [];
    const left = new Map<string, { files: number; bytes: number }>();
    for (const name of await listIfThere(this.#disk, this.#folder)) {
      if (!this.#isUsableName(name)) continue;
      const path = join(this.#folder, name);
      const found = await this.#look(path, ownerOf);
      if (found === undefined) continue;
      const { ownerId, sizeBytes } = found;
      const before = left.get(ownerId) ?? { files: 0, bytes: 0 };
      const now = { files: before.files + 1, bytes: before.bytes + sizeBytes };
      left.set(ownerId, now);
      if (now.files > mostFilesPerAccount) continue;
      const file =
        now.bytes > mostBytesPerAccount
          ? { name, path, bytes: new Uint8Array(), ownerId }
          : await this.registration(name, ownerOf);
      if (file !== undefined) files.push(file);
    }
    const passedOver = [...left]
      .filter(([, { files: count }]) => count > mostFilesPerAccount)
      .map(([ownerId, { files: count }]) => ({ ownerId, files: count, maximum: mostFilesPerAccount }));
    return { files, passedOver };
  }

  /**
   * One file with its owner, both of one open file. What is no plain file of one name (a link could show another's file as
   * one's own), is writable for others than its owner (who may change another's file can move it here), too large or not
   * readable stands here without bytes, so that whoever reads it reports it.
   */
  async registration(name: string, ownerOf: OwnerOf): Promise<DroppedFile | undefined> {
    const path = join(this.#folder, name);
    try {
      const { bytes, status } = await this.#disk.read(path, maximumBytesOf('registration'));
      const whole = status.names === 1 && !isWritableByOthers(status);
      return { name, path, bytes: whole ? bytes : new Uint8Array(), ownerId: ownerOf(status) };
    } catch (error) {
      if (!isSPMigrationError(error)) throw error;
      const found = await this.#look(path, ownerOf);
      return found && { name, path, bytes: new Uint8Array(), ownerId: found.ownerId };
    }
  }

  /** Owner and size; undefined where there is no such file. On Windows its owner can keep both from everybody: it is nobody's then. */
  async #look(
    path: string,
    ownerOf: OwnerOf,
  ): Promise<{ readonly ownerId: string; readonly sizeBytes: number } | undefined> {
    try {
      const status = await this.#disk.status(path);
      return status && { ownerId: ownerOf(status), sizeBytes: status.sizeBytes };
    } catch (error) {
      if (!isSPMigrationError(error)) throw error;
      return { ownerId: '', sizeBytes: 0 };
    }
  }

  /** Leaves a file of the caller's under `name`, or, where another account took that name, under one like it. */
  async register(name: string, bytes: Uint8Array): Promise<void> {
    const mark = await uniqueMark(this.#processes);
    const temporary = join(this.#folder, `.${mark}.tmp`);
    await this.#removeLeftOvers();
    try {
      await this.#disk.create(temporary, bytes, fileMode);
      await this.#giveName(temporary, name, mark);
    } catch (error) {
      await removeLeftOver(this.#disk, temporary);
      throw error;
    }
  }

  async #giveName(temporary: string, name: string, mark: string): Promise<void> {
    // Not followed by a sync of the folder: who may not list it may not open it either. A registration lost by a power
    // failure is missed at the next grant, and made again (ruling 2).
    try {
      await this.#disk.rename(temporary, join(this.#folder, name));
    } catch (error) {
      // Somebody else took the name, to be in the way. A registration's name means nothing; another one does as well.
      if (!hasCode(error, 'StorageDenied')) throw error;
      await this.#disk.rename(temporary, join(this.#folder, `${mark}.${name}`));
    }
  }

  /** Of programs that were stopped. Who may not list the folder leaves them to those who may. */
  async #removeLeftOvers(): Promise<void> {
    try {
      await removeDeadTemporaries(this.#disk, this.#processes, this.#folder);
    } catch (error) {
      if (!hasCode(error, 'StorageDenied')) throw error;
    }
  }
}
