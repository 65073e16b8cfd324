/**
 * Media that refuse: a really full disk, a really read-only one, and an account that really may not write. What was there
 * stays as it was, to the byte, and works again as soon as the medium does. Needs root on Linux, for mounts.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ArchiveResult } from '../../core/src/operations/results.ts';
import { Computer } from '../testkit/computer.ts';
import { builtExecutable } from '../testkit/executable.ts';
import {
  copyWorld,
  makeWorld,
  ownerPassword,
  password,
  refused,
  removeWorld,
  type MadeWorld,
} from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).memoizedKdf(original),
);

const nobody = 65534;

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

/** A small file system of its own, unmounted at the test's end. */
async function mounted(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=700', 'tmpfs', folder]);
  onTestFinished(async () => {
    execFileSync('umount', ['-l', folder]);
    await rm(folder, { recursive: true });
  });
  return folder;
}

/** Fills a file system to its last block; answers how to make space again. */
async function fill(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'attempts');
  const file = await open(path, 'wx');
  try {
    for (;;) await file.write(Buffer.alloc(4096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    await file.close();
  }
  return () => rm(path);
}

describe.runIf(process.platform === 'linux' && process.geteuid?.() === 0)('a medium', () => {
  it('that is full takes no archive, no environment and no change of one', async () => {
    const folder = await mounted();
    await cp(made.world.folder, folder, { recursive: true });
    const [a, b] = [await Computer.at(join(folder, 'PC-A')), await Computer.at(join(folder, 'PC-B'))];
    const path = join(folder, 'share', basename(made.archive.path));
    const emptied = await fill(folder);
    const world = { folder };
    await refused(world, 'StorageFull', () => b.run('import', { path }, { password }));
    await refused(world, 'StorageFull', () =>
      a.run('feature-disable', { feature: 'SecureEmail' }, { password }),
    );
    await refused(world, 'StorageFull', () =>
      a.run('export', { path, destination: 'PC-B', overwrite: true }, { password }),
    );
    await refused(world, 'StorageFull', () =>
      a.run('access-grant', { path: join(folder, 'share', 'PC-B.spid') }, { ownerPassword }),
    );
    await emptied();
    expect(await b.one('import', { path }, { password })).toMatchObject({ case: 'Install' });
  });

  it('that is read-only is said before any work', async () => {
    const folder = await mounted();
    await cp(made.world.folder, folder, { recursive: true });
    const [a, b] = [await Computer.at(join(folder, 'PC-A')), await Computer.at(join(folder, 'PC-B'))];
    const path = join(folder, 'share', basename(made.archive.path));
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    const world = { folder };
    await refused(world, 'StorageDenied', () => b.run('import', { path }, { password }));
    await refused(world, 'StorageDenied', () =>
      a.run('feature-disable', { feature: 'SecureEmail' }, { password }),
    );
    await refused(world, 'StorageDenied', () =>
      a.run('export', { path: join(folder, 'share', 'x.sparc'), destination: 'PC-B' }, { password }),
    );
    await refused(world, 'StorageDenied', () => b.run('identity-export', { path: folder }));
    await refused(world, 'StorageDenied', () => a.run('archive-remove', { path }));
    // What only reads still works.
    expect(await b.one<ArchiveResult>('archive-read', { path })).toMatchObject({ destination: 'PC-B' });
    expect(await a.run('credential-list')).toHaveLength(1);
  });

  it('of another account is not written, and its rehearsal not used', async () => {
    const executable = await builtExecutable();
    const world = await copyWorld(made);
    await chmod(world.folder, 0o755);
    await chmod(world.share, 0o755);
    const own = await mkdtemp(join(tmpdir(), 'spmigration-nobody-'));
    onTestFinished(() => rm(own, { recursive: true }));
    await chmod(own, 0o777);
    const as = (home: string, ...argv: string[]) =>
      spawnSync(executable, argv, {
        uid: nobody,
        gid: nobody,
        cwd: '/',
        env: { SPMIGRATION_HOME: home, HOME: own },
        input: `${ownerPassword}\n`,
        encoding: 'utf8',
      });
    const probe = as(own, '--version');
    if (probe.error !== undefined) throw probe.error;
    expect(as(world.a.home, 'status').stderr).toContain('PlatformFolderUntrusted');
    const home = join(own, 'home');
    const initialized = as(home, 'platform-initialize', '--owner-password-stdin');
    expect([initialized.status, initialized.stderr]).toEqual([0, '']);
    const denied = as(home, 'identity-export', world.share);
    expect([denied.status, denied.stderr]).toEqual([10, expect.stringContaining('StorageDenied') as string]);
    await mkdir(join(world.share, 'open'));
    await chmod(join(world.share, 'open'), 0o777);
    expect(as(home, 'identity-export', join(world.share, 'open')).status).toBe(0);
    // Outside of a rehearsal this account is no administrator.
    const real = spawnSync(executable, ['platform-initialize', '--owner-password-stdin'], {
      uid: nobody,
      gid: nobody,
      cwd: '/',
      env: { HOME: own },
      input: `${ownerPassword}\n`,
      encoding: 'utf8',
    });
    expect([real.status, real.stderr]).toEqual([5, expect.stringContaining('NotAdministrator') as string]);
  });
});
