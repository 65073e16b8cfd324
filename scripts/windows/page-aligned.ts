/**
 * Lays a Windows program or library out anew, so that each of its sections begins at a page of the file: then Wine maps it, and
 * reads only what is used; otherwise it copies all of it, 100 MB for each start of node.exe. What is in the sections stays
 * as it is. Sections for debuggers, and what lies behind the sections (symbols, a signature), are left out. PE32 and PE32+
 * ("PE Format", Microsoft).
 */
import { chmod, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const PAGE = 4096;
const PE_HEADER_POINTER = 0x3c;
const COFF_HEADER = 24;
const SECTION_HEADER = 40;
const PE32_PLUS = 0x20b;
/** Within the optional header. */
const [FILE_ALIGNMENT, SIZE_OF_IMAGE, SIZE_OF_HEADERS, CHECKSUM] = [36, 56, 60, 64];
const [CERTIFICATES, DEBUG] = [4, 6];
const DEBUG_ENTRY = 28;
const DISCARDABLE = 0x0200_0000;

interface Section {
  /** Where its header stands. */
  readonly header: number;
  readonly address: number;
  readonly virtualSize: number;
  readonly size: number;
  readonly from: number;
  /** Where its content goes. */
  to: number;
}

/** The file in its new layout. Throws `RangeError` where it is no such file. */
export function pageAligned(image: Uint8Array): Uint8Array {
  const old = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const pe = old.getUint32(PE_HEADER_POINTER, true);
  const optional = pe + COFF_HEADER;
  const table = optional + old.getUint16(pe + 20, true);
  const all = Array.from({ length: old.getUint16(pe + 6, true) }, (_, index) =>
    sectionAt(old, table + SECTION_HEADER * index),
  );
  const kept = all.filter(({ header }) => !isForDebuggers(old, header));
  if (kept.some((section, index) => section !== all[index]))
    throw new RangeError('a debug section is not last');
  const headers = old.getUint32(optional + SIZE_OF_HEADERS, true);
  let length = toPage(headers);
  for (const section of kept) {
    section.to = section.size === 0 ? 0 : length;
    length += toPage(section.size);
  }

  const bytes = new Uint8Array(length);
  bytes.set(image.subarray(0, headers));
  const view = new DataView(bytes.buffer);
  for (const { header, size, from, to } of kept) {
    if (size === 0) continue;
    bytes.set(image.subarray(from, from + size), to);
    view.setUint32(header + 16, toPage(size), true);
    view.setUint32(header + 20, to, true);
  }
  view.setUint16(pe + 6, kept.length, true);
  // No symbols: they lay behind the sections.
  view.setUint32(pe + 12, 0, true);
  view.setUint32(pe + 16, 0, true);
  const end = Math.max(
    ...kept.map(({ address, virtualSize, size }) => address + Math.max(virtualSize, size)),
  );
  view.setUint32(optional + SIZE_OF_IMAGE, toPage(end), true);
  view.setUint32(optional + FILE_ALIGNMENT, PAGE, true);
  view.setUint32(optional + SIZE_OF_HEADERS, toPage(headers), true);
  view.setUint32(optional + CHECKSUM, 0, true);
  const directories = optional + (view.getUint16(optional, true) === PE32_PLUS ? 112 : 96);
  view.setBigUint64(directories + 8 * CERTIFICATES, 0n, true);
  moveDebugEntries(view, directories + 8 * DEBUG, kept);
  return bytes;
}

/** The same for files, in place; what is no such file is left alone. */
export async function alignFiles(folder: string, isMeant: (name: string) => boolean): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && isMeant(entry.name)) await alignFile(path, path);
  }
}

/** Writes `source` in its new layout to `target`, which anybody may start. */
export async function alignFile(source: string, target: string): Promise<void> {
  const image = await readFile(source);
  await writeFile(target, image.toString('latin1', 0, 2) === 'MZ' ? pageAligned(image) : image);
  await chmod(target, 0o755);
}

function sectionAt(view: DataView, header: number): Section {
  const [virtualSize, address] = [view.getUint32(header + 8, true), view.getUint32(header + 12, true)];
  const from = view.getUint32(header + 20, true);
  // What begins empty has a size and no place.
  const size = from === 0 ? 0 : view.getUint32(header + 16, true);
  return { header, address, virtualSize, size, from, to: 0 };
}

/** They need not be in memory, and gcc's names of them are so long that they stand behind a slash in the table of symbols. */
function isForDebuggers(image: DataView, header: number): boolean {
  const isDiscardable = (image.getUint32(header + 36, true) & DISCARDABLE) !== 0;
  return isDiscardable && image.getUint8(header) === '/'.charCodeAt(0);
}

/** These say where something is in the file as well as in memory. */
function moveDebugEntries(view: DataView, directory: number, sections: readonly Section[]): void {
  const [address, size] = [view.getUint32(directory, true), view.getUint32(directory + 4, true)];
  const home = sections.find(
    (section) => address >= section.address && address < section.address + section.size,
  );
  if (home === undefined) return;
  const first = home.to + address - home.address;
  for (let entry = first; entry < first + size; entry += DEBUG_ENTRY) {
    const old = view.getUint32(entry + 24, true);
    const section = sections.find(({ from, size: length }) => old >= from && old < from + length);
    view.setUint32(entry + 24, section === undefined ? 0 : section.to + old - section.from, true);
  }
}

function toPage(size: number): number {
  return Math.ceil(size / PAGE) * PAGE;
}
