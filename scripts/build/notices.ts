/**
 * The text of THIRD-PARTY-NOTICES.txt: name, version and licence of every package whose code an executable holds, as the
 * bundler recorded it, and Node's own. Leaves out packages that only build or test.
 */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Metafile } from 'esbuild';
import { ROOT, filesOf } from './platform.ts';

export async function thirdPartyNotices(metafile: Metafile): Promise<string> {
  const folders = new Set<string>();
  for (const input of Object.keys(metafile.inputs)) {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
    if (folder !== undefined) folders.add(join(ROOT, folder));
  }
  const notices = await Promise.all([...folders].sort().map(notice));
  return [await notice(filesOf('linux-x64').runtime), ...notices].join(`\n${'-'.repeat(80)}\n\n`);
}

async function notice(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
  const file = (await readdir(folder)).find((name) => /^(licen[cs]e|copying)(\.|$)/i.test(name));
  const text =
    file === undefined
      ? statement(manifest)
      : (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n');
  return `${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})\n\n${text.trim()}\n`;
}

/** Some packages come without a licence file and only name their licence. */
function statement({ name, license, author }: Manifest): string {
  if (license === undefined) throw new Error(`${name}: the package names no licence`);
  const by = typeof author === 'string' ? author : author?.name;
  return `Under the licence ${license}${by === undefined ? '' : `, copyright ${by}`}.`;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
}
