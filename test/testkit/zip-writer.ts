/** Writes ZIP files byte by byte, honest ones and ones with every trick a reader must refuse. Independent of the product's own checks. */
import { crc32 } from 'node:zlib';
import { concat, utf8 } from '../../core/src/bytes/bytes.ts';
import { archiveEntries, type ArchiveParts } from '../../core/src/domain/archive.ts';

/** What is written for one entry; what is left out is computed honestly. */
export interface WrittenEntry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly flags?: number;
  readonly method?: number;
  readonly date?: number;
  readonly crc?: number;
  readonly compressedSize?: number;
  readonly size?: number;
  readonly extra?: Uint8Array;
  /** Bytes of nothing before the entry. */
  readonly gap?: number;
}

/** One record of the central directory. */
export interface CentralRecord {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly date: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly extra: Uint8Array;
  readonly comment: Uint8Array;
  readonly offset: number;
}

export interface ZipTricks {
  readonly beforeDirectory?: Uint8Array;
  readonly central?: (index: number, record: CentralRecord) => CentralRecord;
  /** Records of the directory that are really written. */
  readonly centralCount?: number;
  readonly comment?: Uint8Array;
  readonly count?: number;
  readonly disk?: number;
  readonly directoryOffset?: number;
  readonly after?: Uint8Array;
}

/** The entries of an archive in order. */
export function zipEntriesOf(parts: ArchiveParts): readonly WrittenEntry[] {
  return archiveEntries.map((name) => ({ name, data: parts[name] }));
}

/** The file. Without tricks it is the canonical form. */
export function writeZip(entries: readonly WrittenEntry[], tricks: ZipTricks = {}): Uint8Array {
  const none = new Uint8Array();
  let bytes: Uint8Array = none;
  const records: CentralRecord[] = [];
  for (const entry of entries) {
    const data = entry.data;
    bytes = concat(bytes, new Uint8Array(entry.gap ?? 0));
    const record: CentralRecord = {
      name: entry.name,
      flags: entry.flags ?? 0,
      method: entry.method ?? 0,
      date: entry.date ?? 0x0021,
      crc: entry.crc ?? crc32(data),
      compressedSize: entry.compressedSize ?? data.length,
      size: entry.size ?? data.length,
      extra: entry.extra ?? none,
      comment: none,
      offset: bytes.length,
    };
    bytes = concat(bytes, localHeader(record), data);
    records.push(tricks.central?.(records.length, record) ?? record);
  }
  const directoryOffset = bytes.length + (tricks.beforeDirectory?.length ?? 0);
  const directory = concat(...records.slice(0, tricks.centralCount).map(centralHeader));
  const comment = tricks.comment ?? none;
  const count = tricks.count ?? entries.length;
  const disk = tricks.disk ?? 0;
  const end = concat(
    fields([4, 0x06054b50], [2, disk], [2, disk], [2, count], [2, count]),
    fields([4, directory.length], [4, tricks.directoryOffset ?? directoryOffset], [2, comment.length]),
  );
  return concat(bytes, tricks.beforeDirectory ?? none, directory, end, comment, tricks.after ?? none);
}

function localHeader(record: CentralRecord): Uint8Array {
  const name = utf8(record.name);
  return concat(
    fields(
      [4, 0x04034b50],
      [2, 10],
      [2, record.flags],
      [2, record.method],
      [2, 0],
      [2, record.date],
      [4, record.crc],
    ),
    fields([4, record.compressedSize], [4, record.size], [2, name.length], [2, record.extra.length]),
    name,
    record.extra,
  );
}

function centralHeader(record: CentralRecord): Uint8Array {
  const name = utf8(record.name);
  return concat(
    fields(
      [4, 0x02014b50],
      [2, 0x032d],
      [2, 10],
      [2, record.flags],
      [2, record.method],
      [2, 0],
      [2, record.date],
    ),
    fields(
      [4, record.crc],
      [4, record.compressedSize],
      [4, record.size],
      [2, name.length],
      [2, record.extra.length],
    ),
    fields([2, record.comment.length], [2, 0], [2, 0], [4, 0x81800020], [4, record.offset]),
    name,
    record.extra,
    record.comment,
  );
}

/** Little-endian numbers, each `[bytes, value]`. */
function fields(...values: readonly (readonly [number, number])[]): Uint8Array {
  const bytes: number[] = [];
  for (const [length, value] of values)
    for (let i = 0; i < length; i++) bytes.push(Math.floor(value / 256 ** i) % 256);
  return Uint8Array.from(bytes);
}
