/**
 * Whether a disk has room for what is about to be written. Asked before a change, so that nothing is begun that cannot end;
 * a disk that fills in between is still the stores' own business (`StorageFull`, old or new state).
 */
import { fail } from '../domain/error.ts';
import type { Ports } from '../ports/ports.ts';
import type { ReadArchive } from '../sealing/archive.ts';
import type { User } from './user-context.ts';

/** For what is written besides: pointers, history lines, names in folders. */
const besidesBytes = 256 * 1024;
const bytesPerMegabyte = 1_000_000;

/**
 * `StorageFull` where `path`, or the folder it will be made in, has less room than `neededBytes` and a little more. Answers
 * the free bytes; undefined where the disk does not say, which refuses nothing.
 */
export async function requireSpace(
  { files }: Pick<Ports, 'files'>,
  path: string,
  neededBytes: number,
): Promise<number | undefined> {
  const needed = neededBytes + besidesBytes;
  const free = await files.freeBytes(path);
  if (free === undefined || free >= needed) return free;
  throw fail('StorageFull', {
    path: `${path} (${sizeText(needed)} are needed, ${sizeText(free)} are free)`,
  });
}

/**
 * The same for an import: an upper bound of what it writes into the user's folder. One generation more; or, where the archive
 * claims to continue the key that is here, every kept generation anew beside the old ones.
 */
export async function requireSpaceToImport(
  ports: Pick<Ports, 'files'>,
  user: User,
  { manifest }: ReadArchive,
): Promise<number | undefined> {
  const { present, store } = user;
  const travelled = manifest.environmentBytes + manifest.entries.grants.sizeBytes;
  const here = present?.stored.bytes.length ?? 0;
  const isRekey = present !== undefined && manifest.replaces.includes(present.basicUserKey);
  const written = isRekey ? 1 + (await store.generations()).length : 1;
  return requireSpace(ports, store.path, travelled + here * written);
}

/** `12.3 MB`, `84.2 GB`; rounded up, so that a need is never shown as 0. */
export function sizeText(bytes: number): string {
  const [unit, name] =
    bytes < 1000 * bytesPerMegabyte ? [bytesPerMegabyte, 'MB'] : [1000 * bytesPerMegabyte, 'GB'];
  return `${(Math.ceil((bytes / unit) * 10) / 10).toFixed(1)} ${name}`;
}
