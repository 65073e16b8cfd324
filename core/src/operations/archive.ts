/** Archives as people see them, read without any secret: what the manifest says is a claim until someone opens it. */
import { fail } from '../domain/error.ts';
import { groupFingerprint } from '../domain/ids.ts';
import { archiveEntryLimits } from '../domain/archive.ts';
import { expectKind } from '../format/kind.ts';
import { readArchive, type ReadArchive } from '../sealing/archive.ts';
import type { Call } from './operation.ts';
import type { ArchiveResult } from './results.ts';

const maximumArchiveBytes = Object.values(archiveEntryLimits).reduce((sum, limit) => sum + limit, 64 * 1024);

export interface ArchiveFile {
  readonly bytes: Uint8Array;
  readonly read: ReadArchive;
}

/** Reads an archive and makes every check that needs neither secret nor platform. */
export async function readArchiveFile(call: Call, path: string): Promise<ArchiveFile> {
  const bytes = await readArchiveBytes(call, path);
  return { bytes, read: await parseArchive(call, bytes, path) };
}

/** The bytes of a file that is an archive by its beginning. `WrongFileKind`, `FileMangled`, `LimitExceeded`. */
export async function readArchiveBytes(call: Call, path: string): Promise<Uint8Array> {
  const bytes = await call.ports.files.read(path, maximumArchiveBytes);
  expectKind(bytes, 'archive', path);
  return bytes;
}

/** All that the bytes show by themselves: structure, damage, versions, forms (`sealing/archive.ts`). */
export async function parseArchive(call: Call, bytes: Uint8Array, path: string): Promise<ReadArchive> {
  return readArchive(await call.ports.archives.unpack(bytes, path), path);
}

/** The grant for the move that made this archive. */
export function lastGrant(read: ReadArchive): ReadArchive['grants'][number] {
  const last = read.grants.at(-1);
  if (last === undefined) throw fail('InternalError', { problem: 'an archive without grants was read' });
  return last;
}

export function archiveResult(read: ReadArchive, path: string, sizeBytes: number): ArchiveResult {
  const { manifest } = read;
  const { grant } = lastGrant(read);
  return {
    path,
    archive: manifest.archive,
    created: manifest.created,
    sourceComputer: manifest.sourceComputer,
    sourceFingerprint: groupFingerprint(manifest.sourceFingerprint),
    account: manifest.account.id,
    accountName: manifest.account.name,
    destination: manifest.destinationComputer,
    basicUserKey: read.name,
    generation: manifest.generation,
    credentials: manifest.credentials,
    transferCodeRequired: manifest.transferCode,
    rehearsal: manifest.rehearsal,
    serial: grant.serial,
    validUntil: grant.notAfter,
    sizeBytes,
  };
}
