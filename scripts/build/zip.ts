/**
 * A folder as a ZIP archive that depends on nothing but the files: sorted names, one date for all, the rights of
 * programs under bin/ and of everything else fixed. Leaves out empty folders and links, of which a module has none.
 */
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipArchive } from 'archiver';
import { filesBelow } from './files-below.ts';

/** The first date that a ZIP archive knows. */
const date = new Date('1980-01-01T00:00:00Z');

/** Writes everything below `folder`, under its own relative names, to the new file `output`. */
export async function zipFolder(folder: string, output: string): Promise<void> {
  const zip = new ZipArchive({ zlib: { level: 9 } });
  zip.on('warning', (problem) => zip.destroy(problem));
  const written = pipeline(zip, createWriteStream(output, { flags: 'wx' }));
  // What is appended is taken in this order, one after the other.
  for (const name of await filesBelow(folder))
    zip.append(await readFile(join(folder, name)), {
      name,
      date,
      mode: name.includes('/bin/') ? 0o755 : 0o644,
    });
  await Promise.all([zip.finalize(), written]);
}
