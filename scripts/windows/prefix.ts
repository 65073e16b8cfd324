/**
 * Makes a Windows for each worker: a folder with its registry and its drive C:, owned by the account that runs the tests. The
 * first one is made by Wine, the others are copies. Debian leaves the copying of zlib1.dll to a maintainer script; without it
 * no program starts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, copyFile, mkdir, open, readFile, readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Account, type Lane, WINDOWS_USER, WORKERS } from './lane.ts';
import { interrupted, run } from './run.ts';

/** Windows' own folder in a prefix. */
export const system32 = 'drive_c/windows/system32';
const registryFiles = ['system.reg', 'user.reg', 'userdef.reg'];
const bootMs = 180_000;

export async function makePrefixes(lane: Lane, account: Account | undefined): Promise<void> {
  await stopWine(lane, account);
  await rm(lane.user, { recursive: true, force: true });
  await makeOwn(lane.user, account);
  await makeOwn(lane.home, account);
  await makeOwn(lane.pristine, account);
  await boot(lane, account);
  await stopWine(lane, account);
  await run('cp', ['-a', '--', ...registryFiles.map((name) => join(lane.prefix(1), name)), lane.pristine], {
    as: account,
  });
  for (let worker = 2; worker <= WORKERS; worker++)
    await run('cp', ['-a', lane.prefix(1), lane.prefix(worker)], { as: account });
}

async function boot(lane: Lane, account: Account | undefined): Promise<void> {
  const prefix = lane.prefix(1);
  const folders = system32.split('/').map((_, index, parts) => join(prefix, ...parts.slice(0, index + 1)));
  for (const folder of [prefix, ...folders]) await makeOwn(folder, account);
  const zlib = join(prefix, system32, 'zlib1.dll');
  await copyFile(join(lane.wine, 'usr/x86_64-w64-mingw32/lib/zlib1.dll'), zlib);
  // The file will be the first one that the new Windows has; it belongs to the account like the rest.
  if (account !== undefined) await chown(zlib, account.uid, account.gid);
  await startWine(lane, account, join(lane.folder, 'wineboot.log'));
  await run(lane.wineServer, ['-w'], { env: lane.environment(1), as: account });
  // It says when it has written the registry down, which is the last that it does.
  const registry = await readFile(join(prefix, 'user.reg'), 'utf8').catch(() => '');
  if (!registry.startsWith('WINE REGISTRY')) {
    const log = await readFile(join(lane.folder, 'wineboot.log'), 'utf8');
    throw new Error(`Wine made no Windows:\n${log}`);
  }
}

/** `wineboot -i`. What it starts lives on and holds its streams, so those are a file. */
async function startWine(lane: Lane, account: Account | undefined, log: string): Promise<void> {
  const file = await open(log, 'w');
  try {
    const child = spawn(lane.wineLoader, ['wineboot', '-i'], {
      cwd: lane.user,
      env: { ...lane.environment(1), WINEDEBUG: 'err+all' },
      ...account,
      stdio: ['ignore', file.fd, file.fd],
      timeout: bootMs,
      killSignal: 'SIGKILL',
      detached: true,
      signal: interrupted,
    });
    // Its exit code is no sign: it complains about the 32-bit half, which is not there.
    await once(child, 'exit');
  } finally {
    await file.close();
  }
}

/**
 * Brings each worker's Windows back to what it was when it was made, and starts its server, so that no test finds what another
 * run left, or waits until services are up. `stopWine` ends them.
 */
export async function keepWineRunning(lane: Lane, account: Account | undefined): Promise<void> {
  await stopWine(lane, account);
  const start = async (worker: number): Promise<void> => {
    await clean(lane, worker, account);
    const env = lane.environment(worker);
    const options = { env, as: account, cwd: lane.user, streams: 'ignore' } as const;
    await run(lane.wineServer, ['-p'], options);
    await run(lane.wineLoader, ['hostname.exe'], options);
  };
  await Promise.all(Array.from({ length: WORKERS }, (_, index) => start(index + 1)));
}

/** Registry, and what programs of the product and of tests keep outside of it. */
async function clean(lane: Lane, worker: number, account: Account | undefined): Promise<void> {
  const prefix = lane.prefix(worker);
  const files = registryFiles.map((name) => join(lane.pristine, name));
  await run('cp', ['-a', '--', ...files, prefix], { as: account });
  const local = join(prefix, 'drive_c/users', WINDOWS_USER, 'AppData/Local');
  for (const folder of [join(local, 'SPMigration'), join(prefix, 'drive_c/ProgramData/SPMigration')])
    await rm(folder, { recursive: true, force: true });
  const temporary = join(local, 'Temp');
  for (const name of await readdir(temporary))
    await rm(join(temporary, name), { recursive: true, force: true });
}

/** Ends every program of the lane, and forgets where its servers listened. */
export async function stopWine(lane: Lane, account: Account | undefined): Promise<void> {
  for (let worker = 1; worker <= WORKERS; worker++) {
    const prefix = lane.prefix(worker);
    const server = await readFile(join(prefix, 'wineserver'), 'utf8').catch(() => undefined);
    if (server === undefined || !existsSync(lane.wineServer)) continue;
    // 2: there was none to end.
    const options = { env: lane.environment(worker), as: account, allowed: [0, 1, 2], whatever: true };
    await run(lane.wineServer, ['-k'], options);
    await run(lane.wineServer, ['-w'], options);
    // The folder that it names may be gone with the rest of /tmp, and no server comes up then; the next one makes another.
    await rm(join(prefix, 'wineserver'), { force: true });
    if (/^wine-\w+$/.test(server)) await rm(join('/tmp', server), { recursive: true, force: true });
  }
  await endPrograms(lane);
}

/** Those that had not yet come to a server, or have lost it: whatever runs the lane's Wine. */
async function endPrograms(lane: Lane): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // It may have ended, or be another account's.
    const program = await readlink(`/proc/${pid}/exe`).catch(() => '');
    if (!program.startsWith(`${lane.wine}/`)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

async function makeOwn(folder: string, account: Account | undefined): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (account !== undefined) await chown(folder, account.uid, account.gid);
}
