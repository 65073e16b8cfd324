/**
 * Makes a Wine out of Debian's packages that runs from the lane's folder, beside whatever this system is: the 64-bit half only,
 * without debug sections, its libraries laid out so that they are mapped (page-aligned.ts), its two programs bound to the C library that came with them. Wine finds its files by where its
 * programs are; Debian's wineserver alone looks one folder too deep, and finds a link there. Needs no rights of root.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lane } from './lane.ts';
import { alignFiles } from './page-aligned.ts';
import { run } from './run.ts';

export async function unpackWine(lane: Lane, packages: readonly string[]): Promise<void> {
  await rm(lane.wine, { recursive: true, force: true });
  await mkdir(lane.wine, { recursive: true });
  for (const file of packages) await unpack(file, lane.wine);
  const libraries = join(lane.wine, 'usr/lib/x86_64-linux-gnu');
  // Debug sections are two thirds of them. The mark "Wine builtin DLL" in the header, by which Wine knows them, stays.
  await alignFiles(join(libraries, 'wine/x86_64-windows'), () => true);
  const interpreter = join(libraries, 'ld-linux-x86-64.so.2');
  for (const program of [lane.wineLoader, lane.wineServer])
    await run('patchelf', [
      ...['--set-interpreter', interpreter],
      // RPATH rather than RUNPATH: it counts also for what the libraries load.
      ...['--force-rpath', '--set-rpath', libraries],
      program,
    ]);
  // The packaged one is a script that expects the program in /usr.
  const server = join(lane.wine, 'usr/lib/wine/wineserver');
  await rm(server);
  await symlink('wineserver64', server);
  await symlink('.', join(lane.wine, 'usr/share/wine/wine'));
}

/** dpkg-deb writes the archive, tar leaves out what nothing here needs (the 32-bit half is larger than the rest). */
async function unpack(file: string, target: string): Promise<void> {
  const without = [
    'usr/lib/x86_64-linux-gnu/wine/i386-windows',
    'usr/share/doc',
    'usr/share/man',
    'usr/share/locale',
  ];
  const excluded = without.map((path) => `--exclude=./${path}`);
  const reader = spawn('dpkg-deb', ['--fsys-tarfile', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const writer = spawn('tar', ['-x', '-C', target, '--no-same-owner', ...excluded], {
    stdio: [reader.stdout, 'inherit', 'inherit'],
  });
  const codes = await Promise.all(
    [reader, writer].map(async (child) => (await once(child, 'exit')) as [number]),
  );
  if (codes.some(([code]) => code !== 0)) throw new Error(`${file} could not be unpacked`);
}
