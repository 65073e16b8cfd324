/**
 * The package as users get it: an archive that holds what the folder holds, equal whoever makes it, with checksums that fit; and
 * a packaging that fails leaves what was there. Executables are stand-ins here; real ones are signed in sign.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Open } from 'unzipper';
import { beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../core/src/version.ts';
import { PRODUCT, bundle, type Bundle } from '../../scripts/build/bundle.ts';
import { archiveName, makePackage, type Package } from '../../scripts/build/package.ts';
import { PLATFORMS, type Platform } from '../../scripts/build/platform.ts';
import { makeTemporaryFolder } from '../testkit/temporary-folder.ts';

let bundled: Bundle;
beforeAll(async () => {
  bundled = await bundle(PRODUCT);
});

const windows: readonly Platform[] = ['win-x64'];

function make(output: string, platforms = windows, sign?: string): Promise<Package> {
  return makePackage(output, {
    bundle: bundled,
    platforms,
    placeExecutable: (platform, path) => writeFile(path, `executable for ${platform}`),
    sign,
  });
}

async function listing(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

function checksumsFit(folder: string): string {
  return spawnSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: folder, encoding: 'utf8' }).stdout;
}

describe('a package', () => {
  it('is a folder, and an archive that unpacks to it', async () => {
    const output = await makeTemporaryFolder();
    const { module, zip, unsigned } = await make(output, PLATFORMS);
    expect([relative(output, module), relative(output, zip), unsigned]).toEqual([
      `SPMigration/${VERSION}`,
      `SPMigration-${VERSION}-all.zip`,
      [],
    ]);
    const names = await listing(module);
    expect(names).toEqual([
      'LICENSE',
      'SHA256SUMS',
      'SPMigration.format.ps1xml',
      'SPMigration.psd1',
      'SPMigration.psm1',
      'THIRD-PARTY-NOTICES.txt',
      'bin/linux-x64/spmigration',
      'bin/win-x64/spmigration.exe',
      'en-US/about_SPMigration.help.txt',
      'en-US/about_SPMigration_Fleet.help.txt',
      'en-US/about_SPMigration_GroupPolicy.help.txt',
    ]);
    const { files } = await Open.file(zip);
    expect(files.map(({ path }) => path)).toEqual(names.map((name) => `SPMigration/${VERSION}/${name}`));
    for (const file of files) {
      const content = await readFile(join(output, file.path));
      expect([file.path, (await file.buffer()).equals(content)]).toEqual([file.path, true]);
      const mode = (file.externalFileAttributes >>> 16) & 0o777;
      expect([file.path, mode.toString(8)]).toEqual([file.path, file.path.includes('/bin/') ? '755' : '644']);
    }
  });

  it('is equal bit for bit when it is made again, elsewhere', async () => {
    const archives = [];
    for (let count = 0; count < 2; count++)
      archives.push(await readFile((await make(await makeTemporaryFolder())).zip));
    expect(archives[0]?.equals(archives[1] ?? Buffer.alloc(0))).toBe(true);
  });

  it('has checksums inside and beside it, which name the archives of other platforms too', async () => {
    const output = await makeTemporaryFolder();
    const first = await make(output, ['linux-x64']);
    expect(checksumsFit(output)).toBe(`${archiveName(['linux-x64'])}: OK\n`);
    const second = await make(output, windows);
    expect(checksumsFit(output)).toBe(`${archiveName(['linux-x64'])}: OK\n${archiveName(windows)}: OK\n`);
    expect(second.module).toBe(first.module);
    const inside = await listing(second.module);
    const without = inside.filter((name) => name !== 'SHA256SUMS');
    expect(checksumsFit(second.module)).toBe(without.map((name) => `${name}: OK\n`).join(''));
    expect(await readdir(join(second.module, 'bin'))).toEqual(['win-x64']);
    expect((await readdir(output)).sort()).toEqual([
      'SHA256SUMS',
      'SPMigration',
      archiveName(['linux-x64']),
      archiveName(windows),
    ]);
  });

  it('that cannot be made leaves the one before, and nothing else', async () => {
    const output = await makeTemporaryFolder();
    const program = join(await makeTemporaryFolder(), 'sign');
    await writeFile(program, '#!/bin/sh\necho "no key" >&2\nexit 3\n');
    await chmod(program, 0o755);
    const before = await make(output);
    const kept = await contents(output);
    await expect(make(output, windows, program)).rejects.toThrow(
      'sign failed for bin/win-x64/spmigration.exe: exit code 3\nno key',
    );
    expect(await contents(output)).toEqual(kept);
    const other = await makeTemporaryFolder();
    await mkdir(join(other, 'own'));
    await expect(make(other, windows, program)).rejects.toThrow('no key');
    expect(await readdir(other)).toEqual(['own']);
    expect(before.unsigned).toEqual([]);
  });
});

async function contents(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = await listing(folder);
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, await readFile(join(folder, name), 'base64')] as const),
    ),
  );
}
