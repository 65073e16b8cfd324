/**
 * The few calls by which the stores (`adapters/store-file`) touch a disk, so that tests can lose power after any one of
 * them. Every failure is a code of the catalogue (`FileNotFound`, `OutputExists`, `StorageDenied`, `StorageFull`,
 * `StorageFailed`, `PathUnusable`, `LimitExceeded`). Symbolic links are never followed in the last component of a path.
 * Leaves out files that people name: port `files`.
 */

export interface FileStatus {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly sizeBytes: number;
  /** The owner as the system knows it: `uid:1000` or `sid:S-1-5-…`; undefined where nobody asked for it (`access`). */
  readonly owner: string | undefined;
  /** Permission bits, e.g. 0o755; undefined where the system knows none (Windows). */
  readonly mode: number | undefined;
  /** What an access list allows; undefined where `mode` says it, and outside of the platform's folders. */
  readonly access?: FileAccess;
  /** Number of names (hard links). */
  readonly names: number;
  /** Last change, whole seconds since 1970. */
  readonly modified: number;
}

/** An account that may do something and is neither the owner nor an administrator, for messages; undefined where none may. */
export interface FileAccess {
  /** Read what is in the file, or list the folder. */
  readonly read: string | undefined;
  /** Change, rename or remove it or what others have in it, now or in what will be made there, or change who may. */
  readonly write: string | undefined;
  /** Make files of its own in the folder, and touch no other there. */
  readonly leave: string | undefined;
}

export interface FileSystem {
  /** A regular file, at most `maximumBytes`, and the status of the very file that was read. */
  read(
    path: string,
    maximumBytes: number,
  ): Promise<{ readonly bytes: Uint8Array; readonly status: FileStatus }>;
  /** Makes a new file with exactly this mode (on Windows, in the platform's folder, with the access list that stands for it); its bytes are durable on return, its name only after `syncFolder`. `OutputExists`. */
  create(path: string, bytes: Uint8Array, mode: number): Promise<void>;
  /** Appends to a file, made with `mode` where there is none; durable on return, the name of a new one after `syncFolder`. */
  append(path: string, bytes: Uint8Array, mode: number): Promise<void>;
  /** Cuts a file off after `length` bytes. */
  truncate(path: string, length: number): Promise<void>;
  /** Renames in one step, over an existing file; durable after `syncFolder` of both folders. */
  rename(from: string, to: string): Promise<void>;
  /** Gives a file a second name, which must be free (`OutputExists`); durable after `syncFolder`. */
  link(path: string, name: string): Promise<void>;
  /** Removes a file's or link's name. */
  remove(path: string): Promise<void>;
  /** Removes an empty folder. */
  removeFolder(path: string): Promise<void>;
  /** Makes one folder. `OutputExists` where the name is taken. */
  makeFolder(path: string, mode: number): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  /** Names in a folder, sorted. */
  list(path: string): Promise<readonly string[]>;
  /** What lies there; undefined for nothing. */
  status(path: string): Promise<FileStatus | undefined>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
}
