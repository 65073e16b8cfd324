/**
 * Fetches the Debian packages of `trixie.ts` without touching the system's own packages: apt works in a root of its own, which
 * knows that one release and nothing of what is installed. The mirror is the one from which this machine gets Debian; the index
 * is checked by Debian's signature, each file by the index, and those of known versions by the checksums in the project.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lane } from './lane.ts';
import { run } from './run.ts';
import { PACKAGES, RELEASE } from './trixie.ts';

/** Where Debian's package debian-archive-keyring keeps its keys. */
export const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Answers the paths of the packages; `say` is told what the mirror has in other versions than expected. */
export async function fetchPackages(lane: Lane, say: (line: string) => void): Promise<readonly string[]> {
  const folder = lane.packages;
  await rm(folder, { recursive: true, force: true });
  const env = { ...environment(), APT_CONFIG: await privateRoot(join(folder, 'apt')) };
  await run('apt-get', ['update', '-qq'], { env });
  const names = PACKAGES.map(({ name }) => name);
  await run('apt-get', ['download', '-qq', ...names], { cwd: folder, env });
  await rm(join(folder, 'apt'), { recursive: true });
  const files = await packageFiles(lane);
  await compare(files, say);
  return files;
}

/** The downloaded packages. */
export async function packageFiles(lane: Lane): Promise<readonly string[]> {
  const names = (await readdir(lane.packages)).filter((name) => name.endsWith('.deb')).sort();
  return names.map((name) => join(lane.packages, name));
}

/** A folder that apt takes for a whole system; answers the path of its configuration. */
async function privateRoot(root: string): Promise<string> {
  for (const part of ['lists/partial', 'archives/partial', 'state'])
    await mkdir(join(root, part), { recursive: true });
  const mirror = debianMirror();
  if (mirror === undefined) throw new Error('the configuration of apt names no mirror of Debian');
  const source = `deb [arch=amd64 signed-by=${DEBIAN_KEYRING}] ${mirror} ${RELEASE} main\n`;
  await writeFile(join(root, 'sources.list'), source);
  await writeFile(join(root, 'status'), '');
  const settings = {
    'Dir::State': join(root, 'state'),
    'Dir::State::lists': join(root, 'lists'),
    'Dir::State::status': join(root, 'status'),
    'Dir::Cache': root,
    'Dir::Cache::archives': join(root, 'archives'),
    'Dir::Etc::sourcelist': join(root, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Acquire::Languages': 'none',
    'APT::Architecture': 'amd64',
    // It downloads as whoever runs it, into folders that only that one may write.
    'APT::Sandbox::User': 'root',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  const file = join(root, 'apt.conf');
  await writeFile(file, `${lines.join('')}APT::Architectures { "amd64"; };\n`);
  return file;
}

/** Where this machine gets Debian itself from, undefined if from nowhere; apt's configuration may name other archives besides. */
export function debianMirror(): string | undefined {
  const format = '$(CREATED_BY) $(COMPONENT) $(REPO_URI)';
  const told = spawnSync('apt-get', ['indextargets', '--format', format], {
    env: environment(),
    encoding: 'utf8',
  });
  if (told.status !== 0) return undefined;
  return told.stdout
    .split('\n')
    .map((line) => line.split(' '))
    .find(
      ([by, component, uri]) => by === 'Packages' && component === 'main' && /\/debian\/?$/.test(uri ?? ''),
    )?.[2];
}

/** apt's own settings for proxies and the like may be environment variables. */
function environment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(path|home|apt_config|.*_proxy)$/i.test(name),
  );
  return Object.fromEntries(kept as [string, string][]);
}

async function compare(files: readonly string[], say: (line: string) => void): Promise<void> {
  for (const { name, version, sha256 } of PACKAGES) {
    const file = files.find((path) => path.includes(`/${name}_`));
    if (file === undefined) throw new Error(`${name} was not downloaded`);
    const found = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    if (found === sha256) continue;
    const encoded = encodeURIComponent(version).replaceAll('%2B', '+').replaceAll('~', '%7e');
    if (file.includes(`/${name}_${version}_`) || file.toLowerCase().includes(`_${encoded.toLowerCase()}_`))
      throw new Error(`${file} is not what it was: SHA-256 ${found} instead of ${sha256}`);
    say(
      `${file.slice(file.lastIndexOf('/') + 1)}: another version than ${version}, checked by Debian's signature`,
    );
  }
}
