/**
 * Builds the PowerShell module from `src`, `help` and `schema` into one folder: one ASCII `.psm1`, its manifest with an
 * explicit export list, format views and about topics (design page 4, rule 7). Leaves out the executable, which
 * scripts/package.ts puts into `bin/<platform>` below that folder.
 */
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VERSION } from '../core/src/version.ts';
import { renderFormats } from './build/formats.ts';
import { renderManifest } from './build/manifest.ts';
import { renderTables } from './build/tables.ts';
import { cmdlets } from './schema/cmdlets.ts';

const here = import.meta.dirname;

/**
 * Writes the module into `folder`, which is made if it is missing.
 * @throws Error if a source is not ASCII, or the functions in `src/public` are not those of the schema.
 */
export async function buildModule(folder: string, version: string = VERSION): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeText(join(folder, 'SPMigration.psm1'), await renderModule(version));
  await writeText(join(folder, 'SPMigration.psd1'), renderManifest(version));
  await writeText(join(folder, 'SPMigration.format.ps1xml'), renderFormats());
  await cp(join(here, 'help'), join(folder, 'en-US'), { recursive: true });
}

async function renderModule(version: string): Promise<string> {
  const publicFunctions = await sources('public');
  const expected = cmdlets.map((cmdlet) => cmdlet.name).sort();
  if (publicFunctions.map(({ name }) => name).join() !== expected.join()) {
    throw new Error('psmodule/src/public and psmodule/schema/cmdlets.ts name different cmdlets');
  }
  const parts = [
    renderTables(version),
    ...(await sources('private')).map(({ text }) => text),
    ...publicFunctions.map(({ text }) => text),
    `Export-ModuleMember -Function @(\n${expected.map((name) => `    '${name}'`).join('\n')}\n)\n`,
  ];
  return parts.join('\n');
}

/** The functions of one folder, in the order of their names. */
async function sources(folder: string): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const files = (await readdir(join(here, 'src', folder))).filter((name) => name.endsWith('.ps1')).sort();
  return Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -'.ps1'.length),
      text: await readFile(join(here, 'src', folder, file), 'utf8'),
    })),
  );
}

/** Windows PowerShell reads a file without a byte order mark in the ANSI code page, PowerShell 7 as UTF-8: ASCII is both. */
async function writeText(file: string, text: string): Promise<void> {
  const line = text.split('\n').findIndex((one) => /[^\t\x20-\x7e]/.test(one));
  if (line >= 0) throw new Error(`${file}: line ${line + 1} is not ASCII`);
  await writeFile(file, text);
}
