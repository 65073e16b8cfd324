/**
 * Becomes a Windows program of the lane: this process is replaced by Wine's, which starts the program behind relay.exe. So a
 * test on Linux starts it like any other program, writes to it, presses Ctrl+C (SIGINT) and kills it. What the test sets in
 * the environment comes along; the lane's own variables are as the lane needs them.
 */
import { Lane } from './lane.ts';

export interface Launch {
  /** The lane's folder. */
  readonly lane: string;
  readonly worker: number;
  /** Full path of the Windows program. */
  readonly program: string;
}

/** Variables of Linux's programs, which mean something else to a Windows program, or to Wine itself. */
const kept = (name: string): boolean =>
  !/^(TMPDIR|PWD|OLDPWD|SHLVL|_|SHELL|LOGNAME|XDG_.*|LD_.*|LANG|npm_.*)$/.test(name);

export function launch({ lane, worker, program }: Launch): never {
  const found = new Lane(lane);
  const given = Object.entries(process.env).filter(([name]) => kept(name));
  const env = { ...(Object.fromEntries(given) as Record<string, string>), ...found.environment(worker) };
  const args = [found.wineLoader, `${found.native}/relay.exe`, program, ...process.argv.slice(2)];
  // Node's types do not say that it comes back only by throwing.
  process.execve?.(found.wineLoader, args, env);
  throw new Error('this Node cannot become another program');
}
