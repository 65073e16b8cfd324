/**
 * Whether a disk has room for what is about to be written. Asked before a change, so that nothing is begun that cannot end;
 * a disk that fills in between is still the stores' own business (`StorageFull`, old or new state).
 */
import { fail } from '../domain/error.ts';
import type { Ports } from '../ports/ports.ts';

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
    path: `${path} (${megabytes(needed)} are needed, ${megabytes(free)} are free)`,
  });
}

/** `12.3 MB`, rounded up, so that a need is never shown as 0. */
export function megabytes(bytes: number): string {
  return `${(Math.ceil(bytes / (bytesPerMegabyte / 10)) / 10).toFixed(1)} MB`;
}
