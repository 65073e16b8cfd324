/** The ZIP around an archive's entries. Reading checks the structure strictly before any library sees the bytes. */
import type { ArchiveParts } from '../domain/archive.ts';

export interface ArchiveContainer {
  /** The ZIP with exactly the archive's entries, stored, in order. */
  pack(parts: ArchiveParts): Promise<Uint8Array>;
  /** `path` is for messages. `WrongFileKind`, `FileMangled`, `ArchiveMalformed`, `ArchiveDamaged`, `LimitExceeded`. */
  unpack(bytes: Uint8Array, path: string): Promise<ArchiveParts>;
}
