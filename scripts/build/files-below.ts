/** The files of a folder, whatever folders they lie in. */
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** Names relative to `folder`, with slashes, sorted; without folders and links. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}
