import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, readdir, stat, statfs, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFiles } from '../../../core/src/adapters/system/files.ts';
import { createFileSystem } from '../../../core/src/adapters/system/node-file-system.ts';
import { utf8 } from '../../../core/src/bytes/bytes.ts';
import { createSeededRandom } from '../../testkit/surroundings.ts';
import { makeTemporaryFolder } from '../../testkit/temporary-folder.ts';

const windows = process.platform === 'win32';
const asRoot = process.geteuid?.() === 0;
const files = createFiles(process.platform, createFileSystem(process.platform), createSeededRandom('files'));
const text = utf8('the content');

describe('reading', () => {
  it('gives the whole file, up to its bound', async () => {
    const path = join(await makeTemporaryFolder(), 'a');
    await writeFile(path, text);
    expect(await files.read(path, text.length)).toEqual(text);
    await expect(files.read(path, text.length - 1)).rejects.toMatchObject({
      code: 'LimitExceeded',
      details: { actual: '11 bytes', maximum: '10 bytes' },
    });
  });

  it('follows a link, as people expect', async () => {
    const folder = await makeTemporaryFolder();
    await writeFile(join(folder, 'a'), text);
    await symlink('a', join(folder, 'b'));
    expect(await files.read(join(folder, 'b'), 100)).toEqual(text);
  });

  it('says what is wrong with a path', async () => {
    const folder = await makeTemporaryFolder();
    await expect(files.read(join(folder, 'none'), 9)).rejects.toMatchObject({ code: 'FileNotFound' });
    await expect(files.read(join(folder, 'none', 'x'), 9)).rejects.toMatchObject({ code: 'FileNotFound' });
    await expect(files.read(folder, 9)).rejects.toMatchObject({ code: 'PathUnusable' });
    await expect(files.read(`${folder}/a\0b`, 9)).rejects.toMatchObject({ code: 'PathUnusable' });
    await expect(files.read(join(folder, 'x'.repeat(300)), 9)).rejects.toMatchObject({
      code: 'PathUnusable',
    });
    await symlink('loop', join(folder, 'loop'));
    await expect(files.read(join(folder, 'loop'), 9)).rejects.toMatchObject({ code: 'PathUnusable' });
  });

  it.skipIf(windows)('does not wait for a pipe that nobody writes', async () => {
    const pipe = join(await makeTemporaryFolder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(files.read(pipe, 9)).rejects.toMatchObject({ code: 'PathUnusable' });
  });
});

describe('writing', () => {
  it('makes a new file and answers its full path', async () => {
    const folder = await makeTemporaryFolder();
    expect(await files.write(join(folder, 'x', '..', 'a'), text, false)).toBe(resolve(folder, 'a'));
    expect(await readdir(folder)).toEqual(['a']);
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('the content');
  });

  it('replaces a file only when asked to', async () => {
    const path = join(await makeTemporaryFolder(), 'a');
    await writeFile(path, 'before');
    await expect(files.write(path, text, false)).rejects.toMatchObject({ code: 'OutputExists' });
    expect(await readFile(path, 'utf8')).toBe('before');
    await files.write(path, text, true);
    expect(await readFile(path, 'utf8')).toBe('the content');
  });

  it('replaces what a link leads to, not the link', async () => {
    const folder = await makeTemporaryFolder();
    await writeFile(join(folder, 'a'), 'before');
    await symlink('a', join(folder, 'b'));
    expect(await files.write(join(folder, 'b'), text, true)).toBe(join(folder, 'a'));
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('the content');
    expect((await stat(join(folder, 'b'))).isFile()).toBe(true);
  });

  it('never replaces a folder or a device', async () => {
    const folder = await makeTemporaryFolder();
    await mkdir(join(folder, 'd'));
    await expect(files.write(join(folder, 'd'), text, true)).rejects.toMatchObject({ code: 'PathUnusable' });
    if (!windows) {
      await expect(files.write('/dev/null', text, true)).rejects.toMatchObject({ code: 'PathUnusable' });
      expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
    }
  });

  it.skipIf(windows)('keeps private files private', async () => {
    const folder = await makeTemporaryFolder();
    await files.writePrivate(join(folder, 'p'), text, false);
    expect((await stat(join(folder, 'p'))).mode & 0o777).toBe(0o600);
    await writeFile(join(folder, 'q'), 'before', { mode: 0o644 });
    await files.writePrivate(join(folder, 'q'), text, true);
    expect((await stat(join(folder, 'q'))).mode & 0o777).toBe(0o600);
  });

  it('leaves nothing behind when it fails', async () => {
    const folder = await makeTemporaryFolder();
    const missing = join(folder, 'none', 'a');
    await expect(files.write(missing, text, false)).rejects.toMatchObject({
      code: 'FileNotFound',
      details: { path: missing },
    });
    await expect(files.write(join(folder, 'x'.repeat(256)), text, false)).rejects.toMatchObject({
      code: 'PathUnusable',
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes a name as long as the system allows', async () => {
    const folder = await makeTemporaryFolder();
    await files.write(join(folder, 'x'.repeat(255)), text, false);
    expect(await readdir(folder)).toEqual(['x'.repeat(255)]);
  });

  it.runIf(asRoot && process.platform === 'linux')(
    'says that a disk is full, and keeps the old file',
    async () => {
      const disk = await makeTemporaryFolder();
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
      onTestFinished(() => void execFileSync('umount', [disk]));
      const path = join(disk, 'a');
      await files.write(path, text, false);
      const full = { code: 'StorageFull', details: { path } };
      await expect(files.write(path, new Uint8Array(100_000), true)).rejects.toMatchObject(full);
      expect(await readFile(path, 'utf8')).toBe('the content');
      expect(await readdir(disk)).toEqual(['a']);
      // Said before any work, too.
      await files.write(join(disk, 'filler'), new Uint8Array(15 * 4096), false);
      await expect(files.outputPath(disk, 'b', false)).rejects.toMatchObject({ code: 'StorageFull' });
      expect(await files.freeBytes(join(disk, 'none', 'b'))).toBe(0);
    },
  );

  it.skipIf(windows)('says that a disk is full, without one', async () => {
    await expect(createFileSystem(process.platform).append('/dev/full', text, 0o600)).rejects.toMatchObject({
      code: 'StorageFull',
    });
  });

  it.skipIf(windows || asRoot)('says that access is denied', async () => {
    const folder = await makeTemporaryFolder();
    await chmod(folder, 0o500);
    await expect(files.write(join(folder, 'a'), text, false)).rejects.toMatchObject({
      code: 'StorageDenied',
    });
  });
});

describe('output paths', () => {
  it('puts a safe name into a folder, and takes a file path as it is', async () => {
    const folder = await makeTemporaryFolder();
    expect(await files.outputPath(folder, 'PC/1.spid', false)).toBe(join(folder, 'PC_1.spid'));
    expect(await files.outputPath(join(folder, 'mine.id'), 'PC.spid', false)).toBe(join(folder, 'mine.id'));
    // The second output of a pipeline must not find the first one where its folder was meant to be.
    await expect(files.outputPath(join(folder, 'mine'), 'PC.spid', true)).rejects.toMatchObject({
      code: 'PathUnusable',
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses early what could not be written', async () => {
    const folder = await makeTemporaryFolder();
    await writeFile(join(folder, 'a'), 'before');
    await expect(files.outputPath(folder, 'a', false)).rejects.toMatchObject({ code: 'OutputExists' });
    expect(await files.outputPath(folder, 'a', true)).toBe(join(folder, 'a'));
    const notThere = join(folder, 'none');
    await expect(files.outputPath(join(notThere, 'x'), 'a', false)).rejects.toMatchObject({
      code: 'FileNotFound',
      details: { path: notThere },
    });
    await expect(files.outputPath(`${notThere}/`, 'a', false)).rejects.toMatchObject({
      code: 'FileNotFound',
    });
    await expect(files.outputPath(join(folder, 'y'.repeat(256)), 'a', false)).rejects.toMatchObject({
      code: 'PathUnusable',
    });
  });
});

describe('lists and kinds', () => {
  it('lists the files of one kind, sorted', async () => {
    const folder = await makeTemporaryFolder();
    for (const name of ['b.spgrant', 'a.SPGRANT', 'c.txt']) await writeFile(join(folder, name), '');
    await mkdir(join(folder, 'd.spgrant'));
    expect(await files.list(folder, '.spgrant')).toEqual([
      join(folder, 'a.SPGRANT'),
      join(folder, 'b.spgrant'),
    ]);
    expect(await files.list(join(folder, 'c.txt'), '.spgrant')).toEqual([join(folder, 'c.txt')]);
    await expect(files.list(join(folder, 'none'), '.spgrant')).rejects.toMatchObject({
      code: 'FileNotFound',
    });
  });

  it('says what is there', async () => {
    const folder = await makeTemporaryFolder();
    await writeFile(join(folder, 'a'), '');
    expect(await files.kind(folder)).toBe('folder');
    expect(await files.kind(join(folder, 'a'))).toBe('file');
    expect(await files.kind(join(folder, 'none'))).toBe('none');
    await files.remove(join(folder, 'a'));
    expect(await files.kind(join(folder, 'a'))).toBe('none');
    await expect(files.remove(join(folder, 'a'))).rejects.toMatchObject({ code: 'FileNotFound' });
  });
});

describe('free space', () => {
  it('is what the system says of that disk, also for what is not there yet', async () => {
    const folder = await makeTemporaryFolder();
    await writeFile(join(folder, 'a'), text);
    const { bavail, bsize } = await statfs(folder);
    // Others write on this disk too: the order of magnitude is what can be asked for.
    for (const path of [folder, join(folder, 'a'), join(folder, 'none', 'of', 'these')]) {
      const free = (await files.freeBytes(path)) ?? 0;
      expect(free).toBeGreaterThan((bavail * bsize) / 2);
      expect(free).toBeLessThan(bavail * bsize * 2 + 1);
    }
  });
});
