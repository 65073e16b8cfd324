/**
 * Files that people name: identities, grants, archives, PFX files. Reading is bounded; writing is complete or not at
 * all (a temporary neighbour, synced, then one rename). Failures: `FileNotFound`, `StorageDenied`, `StorageFull`,
 * `PathUnusable`, `OutputExists`, `LimitExceeded`, `StorageFailed`.
 */
export interface Files {
  /** The whole file, at most `maximumBytes`. */
  read(path: string, maximumBytes: number): Promise<Uint8Array>;
  /** Writes a new file, or with `overwrite` replaces one. Answers the full path. */
  write(path: string, bytes: Uint8Array, overwrite: boolean): Promise<string>;
  /** Writes a file that only its owner may read. */
  writePrivate(path: string, bytes: Uint8Array, overwrite: boolean): Promise<string>;
  remove(path: string): Promise<void>;
  /** What is there. */
  kind(path: string): Promise<'file' | 'folder' | 'none'>;
  /** `path` itself, or the file called `name` in it where `path` is a folder. Checks that it could be written (exists, space, name length). */
  outputPath(path: string, name: string, overwrite: boolean): Promise<string>;
  /** The folder in which a file lies, or would lie. */
  folderOf(path: string): string;
  /**
   * Bytes that the caller may still write at `path`, or where it would be made (the nearest folder above that exists);
   * undefined where the disk does not say.
   */
  freeBytes(path: string): Promise<number | undefined>;
  /** Regular files directly in a folder, sorted; or the one file. */
  list(path: string, extension: string): Promise<readonly string[]>;
}
