/**
 * Where the parts of the Windows lane lie: Wine, programs that help, an engine host, and what belongs to the account that
 * runs tests in it. All of it is in one folder outside of the tree, which may be deleted at any time: SPMIGRATION_WINDOWS_LANE,
 * or one in the user's cache folder. Why a lane at all, and what it cannot show: docs/windows-checklist.md.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { VERSION } from '../../core/src/version.ts';

/** Set by the runner for its tests: the folder of a lane that has been set up. */
export const LANE_VARIABLE = 'SPMIGRATION_WINDOWS_LANE';

/** Tests run in so many processes, each with a Windows of its own (registry, certificate store, drive C:). */
export const WORKERS = 2;

/** The user of that Windows: a name with a blank and letters beyond ASCII and Latin, so that every path has them. */
export const WINDOWS_USER = 'Jörg Ünïcode 日本';

export class Lane {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Debian packages as they were downloaded. */
  get packages(): string {
    return join(this.folder, 'packages');
  }

  /** Those packages unpacked. */
  get wine(): string {
    return join(this.folder, 'wine');
  }

  get wineLoader(): string {
    return join(this.wine, 'usr/lib/wine/wine64');
  }

  get wineServer(): string {
    return join(this.wine, 'usr/lib/wine/wineserver64');
  }

  /** relay.exe, stand-in.exe and tbs.dll. */
  get native(): string {
    return join(this.folder, 'native');
  }

  /** The engine host, published for Windows. */
  get engine(): string {
    return join(this.folder, 'engine');
  }

  /** The module with the Windows executable, and Node for Windows, both for Wine (page-aligned.ts). */
  get module(): string {
    return join(this.folder, 'module/SPMigration', VERSION);
  }

  get node(): string {
    return join(this.folder, 'node/node.exe');
  }

  /** What the account that runs the tests may write; everything else need not be writable for it. */
  get user(): string {
    return join(this.folder, 'user');
  }

  /** HOME of Wine's own processes, which put links and menus there. */
  get home(): string {
    return join(this.user, 'home');
  }

  /** The Windows of one worker, from 1: a folder with registry and drive C:. */
  prefix(worker: number): string {
    return join(this.user, `prefix-${worker}`);
  }

  /** The registry's files as they were when the Windows was made. */
  get pristine(): string {
    return join(this.user, 'pristine');
  }

  /** Programs by which Linux starts Windows programs of one worker: `pshost`, `spmigration`, `node`. */
  launcher(worker: number, name: string): string {
    return join(this.folder, 'bin', String(worker), name);
  }

  /** Environment of every process in a worker's Windows. It starts from nothing: Linux's variables mean nothing there. */
  environment(worker: number): Record<string, string> {
    return {
      PATH: '/usr/bin:/bin',
      // No TMPDIR: Debian's wineserver ends with "free(): invalid pointer" where it is set.
      HOME: this.home,
      USER: WINDOWS_USER,
      LC_ALL: 'C.UTF-8',
      WINEPREFIX: this.prefix(worker),
      WINEDEBUG: process.env.WINEDEBUG ?? '-all',
      // Wine's own TPM Base Services, which have no TPM, although the lane's stand-in lies in their place.
      WINEDLLOVERRIDES: 'tbs=b',
      // What .NET compiled is not compiled again, better: no engine here runs long enough to gain by it. Hexadecimal.
      DOTNET_TC_CallCountThreshold: '7fff',
    };
  }
}

/** The lane's folder by default. Root's home is closed to the ordinary account that runs the tests. */
export function laneFolder(env: NodeJS.ProcessEnv = process.env): string {
  const named = env[LANE_VARIABLE];
  if (named !== undefined && named !== '') return resolve(named);
  if (process.geteuid?.() === 0) return '/var/cache/spmigration/windows-lane';
  const cache = env.XDG_CACHE_HOME;
  const base = cache !== undefined && isAbsolute(cache) ? cache : join(homedir(), '.cache');
  return join(base, 'spmigration/windows-lane');
}

/** An account that runs tests. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account for everything that runs in Windows: `nobody` where this process is root's, and its own otherwise (undefined).
 * Under root's Wine a read-only file can be written, which no Windows lets anybody.
 */
export function ordinaryAccount(): Account | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const nobody = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'nobody');
  const [uid, gid] = [Number(nobody?.[2]), Number(nobody?.[3])];
  if (!(uid > 0 && gid > 0)) throw new Error('there is no account nobody, as which the tests could run');
  return { uid, gid };
}
