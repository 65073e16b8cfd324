/**
 * Port `files` on a given disk: what people name, on a simulated computer. Writes in the same steps as the adapter (a temporary
 * neighbour, then its name), so that a test can stop a program after any of them. Leaves out links, permissions and free space,
 * which simulated disks do not have; the adapter itself is tested on the real one.
 */
import { basename, dirname, extname, join } from 'node:path';
import { fail, isSPMigrationError } from '../../core/src/domain/error.ts';
import type { FileSystem } from '../../core/src/ports/file-system.ts';
import type { Files } from '../../core/src/ports/files.ts';

/** Beginning of the temporary neighbours' names. */
export const neighbourName = '.spmigration-';

let serial = 0;

export function createDiskFiles(disk: FileSystem): Files {
  const kind: Files['kind'] = async (path) => {
    const status = await disk.status(path);
    if (status === undefined) return 'none';
    return status.kind === 'folder' ? 'folder' : 'file';
  };
  const requireFree = async (path: string, overwrite: boolean): Promise<void> => {
    const there = await kind(path);
    if (there === 'folder') throw fail('PathUnusable', { path, problem: 'it is a folder' });
    if (there === 'file' && !overwrite) throw fail('OutputExists', { path });
    if ((await kind(dirname(path))) !== 'folder') throw fail('FileNotFound', { path: dirname(path) });
  };
  const write = async (
    path: string,
    bytes: Uint8Array,
    overwrite: boolean,
    mode: number,
  ): Promise<string> => {
    await requireFree(path, overwrite);
    serial += 1;
    const neighbour = join(dirname(path), `${neighbourName}${serial}.tmp`);
    try {
      await disk.create(neighbour, bytes, mode);
      if (overwrite) await disk.rename(neighbour, path);
      else {
        await disk.link(neighbour, path);
        await disk.remove(neighbour);
      }
    } catch (error) {
      if (isSPMigrationError(error)) await disk.remove(neighbour).catch(() => undefined);
      throw error;
    }
    await disk.syncFolder(dirname(path));
    return path;
  };
  return {
    read: async (path, maximumBytes) => (await disk.read(path, maximumBytes)).bytes,
    write: (path, bytes, overwrite) => write(path, bytes, overwrite, 0o644),
    writePrivate: (path, bytes, overwrite) => write(path, bytes, overwrite, 0o600),
    remove: (path) => disk.remove(path),
    kind,
    outputPath: async (path, name, overwrite) => {
      const target = (await kind(path)) === 'folder' ? join(path, basename(name)) : path;
      await requireFree(target, overwrite);
      return target;
    },
    folderOf: dirname,
    freeBytes: () => Promise.resolve(undefined),
    list: async (path, extension) => {
      const there = await kind(path);
      if (there === 'none') throw fail('FileNotFound', { path });
      if (there === 'file') return [path];
      const names = (await disk.list(path)).filter((name) => extname(name) === extension);
      return names.map((name) => join(path, name));
    },
  };
}
