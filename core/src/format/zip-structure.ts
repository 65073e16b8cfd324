/**
 * The ZIP around an archive, checked before any library sees it (docs/spec/archive.md, "Container"). There is exactly one
 * ZIP for given entries: the nine entries in order, stored, each local header followed by its data and by the next
 * header, then a central directory and an end record that are computed from them. So nothing can be hidden between,
 * before or after them, and two readers cannot disagree. Field names as in PKWARE's APPNOTE 6.3.10, sections 4.3.7 to
 * 4.3.16. Leaves out the entries' contents and their CRC (`adapters/zip`, which reads them).
 */
import { ascii, concat, equal } from '../bytes/bytes.ts';
import { archiveEntries, archiveEntryLimits, type ArchiveEntry } from '../domain/archive.ts';
import { fail, type SPMigrationError } from '../domain/error.ts';
import { expectKind } from './kind.ts';

/** Where one entry's data lies. */
export interface ZipEntry {
  readonly name: ArchiveEntry;
  /** Of the data, from the start of the file. */
  readonly offset: number;
  readonly sizeBytes: number;
  readonly crc32: number;
}

/** What archiver writes, and what is demanded: every entry has this time and these permissions. */
export const entryDate = new Date('1980-01-01T00:00:00Z');
export const entryMode = 0o600;

const versionNeeded = 10;
/** Unix, version 4.5. */
const versionMadeBy = 0x03_2d;
/** 1980-01-01 in MS-DOS form. */
const dosDate = 0x00_21;
/** A regular file with `entryMode`, and the MS-DOS archive bit. */
const externalAttributes = (((0o100_000 | entryMode) << 16) | 0x20) >>> 0;

const localHeaderBytes = 30;
const centralHeaderBytes = 46;
const endRecordBytes = 22;
const localSignature = 0x04034b50;
const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;

/** Largest archive in bytes: all entries at their limits. */
export const maximumArchiveBytes = archiveEntries.reduce(
  (sum, name) => sum + localHeaderBytes + centralHeaderBytes + 2 * name.length + archiveEntryLimits[name],
  endRecordBytes,
);

/**
 * The nine entries of an archive. `path` is for messages. `WrongFileKind`, `FileMangled`, `LimitExceeded`;
 * `ArchiveDamaged` where the file is cut off, `ArchiveMalformed` where it is not as SPMigration writes it.
 */
export function checkZipStructure(bytes: Uint8Array, path: string): readonly ZipEntry[] {
  expectKind(bytes, 'archive', path);
  if (bytes.length > maximumArchiveBytes) {
    throw fail('LimitExceeded', { what: path, actual: bytes.length, maximum: maximumArchiveBytes });
  }
  const entries: ZipEntry[] = [];
  let offset = 0;
  for (const name of archiveEntries) {
    const entry = checkLocalEntry(bytes, offset, name, path);
    entries.push(entry);
    offset = entry.offset + entry.sizeBytes;
  }
  checkDirectory(bytes, offset, entries, path);
  return entries;
}

/** One local header (4.3.7) and the bounds of its data. */
function checkLocalEntry(bytes: Uint8Array, offset: number, name: ArchiveEntry, path: string): ZipEntry {
  const malformed = (problem: string): SPMigrationError => fail('ArchiveMalformed', { path, problem });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const left = bytes.length - offset;
  const signature = left < 4 ? undefined : view.getUint32(offset, true);
  if (signature === centralSignature || signature === endSignature)
    throw malformed(`the entry ${name} is missing`);
  if (signature !== undefined && signature !== localSignature) {
    throw malformed(`at byte ${String(offset)} there is something else than the entry ${name}`);
  }
  if (left < localHeaderBytes) throw cutOff(path, bytes.length);
  const nameLength = view.getUint16(offset + 26, true);
  const nameBytes = bytes.subarray(
    offset + localHeaderBytes,
    offset + localHeaderBytes + Math.min(nameLength, 80),
  );
  if (offset + localHeaderBytes + nameLength > bytes.length) throw cutOff(path, bytes.length);
  if (nameLength !== name.length || !equal(nameBytes, ascii(name))) {
    throw malformed(`there is an entry ${shown(nameBytes)} in place of ${name}`);
  }
  const crc32 = view.getUint32(offset + 14, true);
  const sizeBytes = view.getUint32(offset + 22, true);
  const written = bytes.subarray(offset, offset + localHeaderBytes);
  if (!equal(written, localHeader(name, crc32, sizeBytes))) {
    throw malformed(`the entry ${name} ${localDifference(view, offset)}`);
  }
  if (sizeBytes === 0) throw malformed(`the entry ${name} is empty`);
  const maximum = archiveEntryLimits[name];
  if (sizeBytes > maximum)
    throw fail('LimitExceeded', { what: `the entry ${name} of ${path}`, actual: sizeBytes, maximum });
  const start = offset + localHeaderBytes + nameLength;
  if (start + sizeBytes > bytes.length) throw cutOff(path, bytes.length);
  return { name, offset: start, sizeBytes, crc32 };
}

/** In what a local header differs from the one that its CRC and size demand, in words. */
function localDifference(view: DataView, offset: number): string {
  const flags = view.getUint16(offset + 6, true);
  if ((flags & 0x0001) !== 0) return 'is encrypted';
  if ((flags & 0x0008) !== 0) return 'has its size behind its data';
  if (flags !== 0) return 'has unknown flags';
  if (view.getUint16(offset + 8, true) !== 0) return 'is compressed';
  if (view.getUint32(offset + 18, true) !== view.getUint32(offset + 22, true))
    return 'has two different sizes';
  if (view.getUint16(offset + 28, true) !== 0) return 'has extra fields';
  return 'has another version or time than SPMigration writes';
}

/** Central directory (4.3.12) and end record (4.3.16): byte for byte what follows from the entries, then the end. */
function checkDirectory(bytes: Uint8Array, offset: number, entries: readonly ZipEntry[], path: string): void {
  const malformed = (problem: string): SPMigrationError => fail('ArchiveMalformed', { path, problem });
  const directory = concat(...entries.map(centralHeader));
  const expected = concat(directory, endRecord(offset, directory.length));
  const written = bytes.subarray(offset, offset + expected.length);
  const difference = expected.findIndex((byte, index) => index >= written.length || written[index] !== byte);
  if (difference < 0) {
    if (bytes.length > offset + expected.length) throw malformed('something follows after its end');
    return;
  }
  if (difference === written.length) throw cutOff(path, bytes.length);
  const signature =
    written.length < 4 ? 0 : new DataView(written.buffer, written.byteOffset).getUint32(0, true);
  if (signature === localSignature) throw malformed('there is an entry after the last one');
  if (signature !== centralSignature)
    throw malformed('there is something between the last entry and the central directory');
  if (difference >= directory.length) throw malformed('its end record does not agree with its entries');
  throw malformed('its central directory does not agree with its entries');
}

function cutOff(path: string, length: number): SPMigrationError {
  return fail('ArchiveDamaged', { path, problem: `it is cut off after ${String(length)} bytes` });
}

/** 4.3.7, without the name. */
function localHeader(name: ArchiveEntry, crc32: number, sizeBytes: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(localHeaderBytes));
  view.setUint32(0, localSignature, true);
  view.setUint16(4, versionNeeded, true);
  view.setUint16(12, dosDate, true);
  view.setUint32(14, crc32, true);
  view.setUint32(18, sizeBytes, true);
  view.setUint32(22, sizeBytes, true);
  view.setUint16(26, name.length, true);
  return new Uint8Array(view.buffer);
}

/** 4.3.12, with the name. */
function centralHeader({ name, offset, crc32, sizeBytes }: ZipEntry): Uint8Array {
  const view = new DataView(new ArrayBuffer(centralHeaderBytes));
  view.setUint32(0, centralSignature, true);
  view.setUint16(4, versionMadeBy, true);
  view.setUint16(6, versionNeeded, true);
  view.setUint16(14, dosDate, true);
  view.setUint32(16, crc32, true);
  view.setUint32(20, sizeBytes, true);
  view.setUint32(24, sizeBytes, true);
  view.setUint16(28, name.length, true);
  view.setUint32(38, externalAttributes, true);
  view.setUint32(42, offset - name.length - localHeaderBytes, true);
  return concat(new Uint8Array(view.buffer), ascii(name));
}

/** 4.3.16. */
function endRecord(directoryOffset: number, directoryBytes: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(endRecordBytes));
  view.setUint32(0, endSignature, true);
  view.setUint16(8, archiveEntries.length, true);
  view.setUint16(10, archiveEntries.length, true);
  view.setUint32(12, directoryBytes, true);
  view.setUint32(16, directoryOffset, true);
  return new Uint8Array(view.buffer);
}

/** A name from the file in a message: printable, quoted, shortened. It is never used for anything else. */
function shown(name: Uint8Array): string {
  let text = '';
  for (const byte of name.subarray(0, 40))
    text += byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '?';
  return `"${text}"`;
}
