/**
 * The archive's ZIP by archiver (writing) and unzipper (reading), docs/spec/archive.md, "Container". Reading checks the
 * structure first (`format/zip-structure.ts`), so that what unzipper then sees has one meaning only; each entry must have
 * the size and CRC that the check saw. Both libraries are loaded when first needed: most runs need neither.
 */
import { crc32 } from 'node:zlib';
import type { CentralDirectory } from 'unzipper';
import { plain } from '../../bytes/bytes.ts';
import { archiveEntries, archiveEntryLimits, type ArchiveParts } from '../../domain/archive.ts';
import { fail } from '../../domain/error.ts';
import { checkZipStructure, entryDate, entryMode, type ZipEntry } from '../../format/zip-structure.ts';
import type { ArchiveContainer } from '../../ports/archive-container.ts';

/** Length of the end record: unzipper shall look for it there and nowhere else. */
const endRecordBytes = 22;

export function createZipContainer(): ArchiveContainer {
  return { pack, unpack };
}

async function pack(parts: ArchiveParts): Promise<Uint8Array> {
  for (const name of archiveEntries) {
    const actual = parts[name].length;
    const maximum = archiveEntryLimits[name];
    if (actual === 0) throw new RangeError(`the entry ${name} is empty`);
    if (actual > maximum)
      throw fail('LimitExceeded', { what: `the entry ${name} of the archive`, actual, maximum });
  }
  const { ZipArchive } = await import('archiver');
  const zip = new ZipArchive({ store: true });
  const chunks: Uint8Array[] = [];
  const finished = new Promise<void>((resolve, reject) => {
    zip.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    zip.on('end', resolve);
    zip.on('warning', reject);
    zip.on('error', reject);
  });
  // A buffer as source lets archiver write sizes and CRC into the local header instead of a data descriptor.
  for (const name of archiveEntries)
    zip.append(asBuffer(parts[name]), { name, date: entryDate, mode: entryMode });
  await Promise.all([zip.finalize(), finished]);
  return plain(Buffer.concat(chunks));
}

async function unpack(bytes: Uint8Array, path: string): Promise<ArchiveParts> {
  const entries = checkZipStructure(bytes, path);
  const { Open } = (await import('unzipper')).default;
  // The library's types do not know its options.
  const open = Open.buffer as unknown as (
    bytes: Uint8Array,
    options: { tailSize: number },
  ) => Promise<CentralDirectory>;
  const directory = await open(asBuffer(bytes), { tailSize: endRecordBytes });
  const contents = await Promise.all(
    entries.map(async (entry, index) => {
      const file = directory.files[index];
      if (file?.path !== entry.name) throw disagreement(entry);
      const content = plain(await file.buffer());
      if (content.length !== entry.sizeBytes) throw disagreement(entry);
      return { name: entry.name, content, isWhole: crc32(content) === entry.crc32 };
    }),
  );
  const changed = contents.filter(({ isWhole }) => !isWhole).map(({ name }) => name);
  if (changed.length > 0) throw fail('ArchiveDamaged', { path, problem: describeChanged(changed) });
  return Object.fromEntries(contents.map(({ name, content }) => [name, content])) as ArchiveParts;
}

/** All that has changed, not only the first: whoever reads it sees whether a copy went wrong once or throughout. */
function describeChanged(names: readonly string[]): string {
  const [first = '', ...more] = names;
  return more.length === 0
    ? `the entry ${first} has changed`
    : `the entries ${names.join(', ')} have changed`;
}

/** The structural check leaves the library no choice, so this is a fault of ours or of the library. */
function disagreement(entry: ZipEntry): Error {
  return fail('InternalError', { problem: `unzipper does not see the entry ${entry.name}` });
}

/** The same memory as a Buffer, which both libraries demand. */
function asBuffer(bytes: Uint8Array) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
