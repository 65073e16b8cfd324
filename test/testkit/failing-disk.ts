/**
 * A disk in memory that loses power after its n-th change, for everything that promises "old or new, never a mix". It
 * keeps what POSIX promises and nothing more: a file's bytes survive (`create` and `append` sync them), a name survives
 * only once its folder was synced, and of names that were not, any subset may survive. The change under way at that moment
 * is lost, done, or, for bytes, half done. A program can also be killed there: then the names stay, and stay as durable as they
 * were, which is what the next program does not know.
 */
import { dirname, basename, join } from 'node:path';
import { plain } from '../../core/src/bytes/bytes.ts';
import { fail } from '../../core/src/domain/error.ts';
import type { FileStatus, FileSystem } from '../../core/src/ports/file-system.ts';

interface FileNode {
  readonly kind: 'file';
  bytes: Uint8Array;
  mode: number;
}
interface FolderNode {
  readonly kind: 'folder';
  names: Map<string, Node>;
  /** What the medium holds. */
  durable: Map<string, Node>;
  mode: number;
}
type Node = FileNode | FolderNode;

/** Thrown by the call during which power is lost and by every later one. Deliberately none of the product's errors. */
export class PowerLost extends Error {}

export interface FailingDisk extends FileSystem {
  /** Changes made so far, counted as the power loss counts them. */
  readonly changes: number;
  /** Loses power during the n-th change from now (1 = the next). `halfDone`: what that change leaves. */
  losePowerAt(change: number, halfDone: boolean): void;
  /** Makes the n-th change from now fail with this error, once. */
  failAt(change: number, error: Error): void;
  /** The disk after power came back. `survives` says of each unsynced change of a name whether it is there. */
  restart(survives: (folder: string, name: string) => boolean): FailingDisk;
  /** The same disk for the next program, after only the program of this one was killed. */
  resume(): FailingDisk;
  /** Every file's path, sorted. */
  files(): readonly string[];
}

export function createFailingDisk(root: FolderNode = folderNode(0o755)): FailingDisk {
  let changes = 0;
  let lossAt = Number.POSITIVE_INFINITY;
  let lossHalfDone = false;
  let failure: { at: number; error: Error } | undefined;
  let off = false;

  const find = (path: string): Node | undefined => {
    let node: Node | undefined = root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (node?.kind !== 'folder') return undefined;
      node = node.names.get(name);
    }
    return node;
  };
  const folderOf = (path: string): FolderNode => {
    const node = find(dirname(path));
    if (node?.kind !== 'folder') throw fail('FileNotFound', { path });
    return node;
  };
  const fileAt = (path: string): FileNode => {
    const node = find(path);
    if (node === undefined) throw fail('FileNotFound', { path });
    if (node.kind !== 'file') throw fail('PathUnusable', { path, problem: 'it is no regular file' });
    return node;
  };
  const alive = (): void => {
    if (off) throw new PowerLost();
  };
  /** Counts a change; at the one that loses power does only its first half, or nothing. */
  const change = (whole: () => void, half: () => void): void => {
    alive();
    changes += 1;
    if (failure?.at === changes) {
      const { error } = failure;
      failure = undefined;
      throw error;
    }
    if (changes < lossAt) {
      whole();
      return;
    }
    off = true;
    if (lossHalfDone) half();
    throw new PowerLost();
  };
  const later = <Value>(work: () => Value): Promise<Value> =>
    new Promise((resolve) => {
      resolve(work());
    });
  const writeNew = (path: string, bytes: Uint8Array, mode: number): void => {
    const folder = folderOf(path);
    if (folder.names.has(basename(path))) throw fail('OutputExists', { path });
    folder.names.set(basename(path), { kind: 'file', bytes, mode });
  };
  const firstHalf = (bytes: Uint8Array): Uint8Array => bytes.slice(0, Math.floor(bytes.length / 2));

  const disk: FailingDisk = {
    get changes() {
      return changes;
    },
    losePowerAt: (at, halfDone) => {
      lossAt = changes + at;
      lossHalfDone = halfDone;
    },
    failAt: (at, error) => {
      failure = { at: changes + at, error };
    },
    restart: (survives) => createFailingDisk(surviving(root, '/', survives)),
    resume: () => createFailingDisk(root),
    files: () => filesBelow(root, '/').sort(),
    read: (path, maximumBytes) =>
      later(() => {
        alive();
        const file = fileAt(path);
        if (file.bytes.length > maximumBytes) {
          throw fail('LimitExceeded', { what: path, actual: file.bytes.length, maximum: maximumBytes });
        }
        return { bytes: plain(file.bytes), status: statusOf(file) };
      }),
    create: (path, bytes, mode) =>
      later(() => {
        change(
          () => {
            writeNew(path, plain(bytes), mode);
          },
          () => {
            writeNew(path, firstHalf(bytes), mode);
          },
        );
      }),
    append: (path, bytes, mode) =>
      later(() => {
        const add = (more: Uint8Array): void => {
          if (find(path) === undefined) writeNew(path, new Uint8Array(), mode);
          const file = fileAt(path);
          file.bytes = Uint8Array.of(...file.bytes, ...more);
        };
        change(
          () => {
            add(bytes);
          },
          () => {
            add(firstHalf(bytes));
          },
        );
      }),
    truncate: (path, length) =>
      later(() => {
        const cut = (): void => {
          const file = fileAt(path);
          file.bytes = file.bytes.slice(0, length);
        };
        change(cut, cut);
      }),
    rename: (from, to) =>
      later(() => {
        const move = (): void => {
          const node = fileAt(from);
          const [source, target] = [folderOf(from), folderOf(to)];
          if (find(to)?.kind === 'folder')
            throw fail('PathUnusable', { path: to, problem: 'it is a folder' });
          source.names.delete(basename(from));
          target.names.set(basename(to), node);
        };
        change(move, move);
      }),
    link: (path, name) =>
      later(() => {
        const add = (): void => {
          const [node, folder] = [fileAt(path), folderOf(name)];
          if (folder.names.has(basename(name))) throw fail('OutputExists', { path: name });
          folder.names.set(basename(name), node);
        };
        change(add, add);
      }),
    remove: (path) =>
      later(() => {
        const take = (): void => {
          fileAt(path);
          folderOf(path).names.delete(basename(path));
        };
        change(take, take);
      }),
    removeFolder: (path) =>
      later(() => {
        const take = (): void => {
          const node = find(path);
          if (node?.kind !== 'folder') throw fail('FileNotFound', { path });
          if (node.names.size > 0) throw fail('StorageFailed', { path, problem: 'it is not empty' });
          folderOf(path).names.delete(basename(path));
        };
        change(take, take);
      }),
    makeFolder: (path, mode) =>
      later(() => {
        const make = (): void => {
          const folder = folderOf(path);
          if (folder.names.has(basename(path))) throw fail('OutputExists', { path });
          folder.names.set(basename(path), folderNode(mode));
        };
        change(make, make);
      }),
    setMode: (path, mode) =>
      later(() => {
        const set = (): void => {
          const node = find(path);
          if (node === undefined) throw fail('FileNotFound', { path });
          node.mode = mode;
        };
        change(set, set);
      }),
    list: (path) =>
      later(() => {
        alive();
        const node = find(path);
        if (node?.kind !== 'folder') throw fail('FileNotFound', { path });
        return [...node.names.keys()].sort();
      }),
    status: (path) =>
      later(() => {
        alive();
        const node = find(path);
        return node === undefined ? undefined : statusOf(node);
      }),
    syncFolder: (path) =>
      later(() => {
        const sync = (): void => {
          const node = find(path);
          if (node?.kind !== 'folder') throw fail('FileNotFound', { path });
          node.durable = new Map(node.names);
        };
        change(sync, () => undefined);
      }),
  };
  return disk;
}

function folderNode(mode: number): FolderNode {
  return { kind: 'folder', names: new Map(), durable: new Map(), mode };
}

/** Everything is the caller's own, as in a rehearsal. */
const owner = `uid:${process.geteuid?.() ?? 0}`;

function statusOf(node: Node): FileStatus {
  const sizeBytes = node.kind === 'file' ? node.bytes.length : 0;
  return { kind: node.kind, sizeBytes, owner, mode: node.mode, names: 1, modified: 0 };
}

function surviving(
  folder: FolderNode,
  path: string,
  survives: (folder: string, name: string) => boolean,
): FolderNode {
  const kept = new Map<string, Node>();
  for (const name of new Set([...folder.names.keys(), ...folder.durable.keys()])) {
    const [now, durable] = [folder.names.get(name), folder.durable.get(name)];
    const node = now === durable || survives(path, name) ? now : durable;
    if (node === undefined) continue;
    kept.set(name, node.kind === 'folder' ? surviving(node, join(path, name), survives) : { ...node });
  }
  return { kind: 'folder', names: kept, durable: new Map(kept), mode: folder.mode };
}

function filesBelow(folder: FolderNode, path: string): string[] {
  return [...folder.names].flatMap(([name, node]) =>
    node.kind === 'file' ? [join(path, name)] : filesBelow(node, join(path, name)),
  );
}
