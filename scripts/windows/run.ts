/**
 * Programs that set-up runs to their end: silent unless they fail, and then with all that they said. Where the whole run is
 * interrupted they are killed, and no more are started but those that put things in order.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Account } from './lane.ts';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another account than this process's. */
  readonly as?: Account | undefined;
  /** Exit codes that are no failure; 0 by default. */
  readonly allowed?: readonly number[];
  readonly timeoutMs?: number;
  /** Runs also after an interruption, and is not ended by one: what puts things in order. */
  readonly whatever?: boolean;
  /** `ignore` for a program that leaves others behind, which would hold its streams open. */
  readonly streams?: 'pipe' | 'ignore';
}

const defaultTimeoutMs = 300_000;

const interruption = new AbortController();

/** Aborted once the run is interrupted. */
export const interrupted = interruption.signal;

/** Lets Ctrl+C, and whoever asks this process to end, end what runs here, with an error, instead of this process. */
export function interruptible(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      interruption.abort(new Error(`interrupted by ${signal}`));
    });
}

/** Answers what the program wrote to standard output. Throws where it cannot be started, fails, or does not end in time. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { as, allowed = [0], timeoutMs = defaultTimeoutMs, streams = 'pipe', whatever, ...rest } = options;
  if (whatever !== true) interrupted.throwIfAborted();
  const child = spawn(program, args, {
    ...rest,
    ...as,
    stdio: ['ignore', streams, streams],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    // Ctrl+C on a terminal would end it as well.
    detached: true,
  });
  const end = (): void => void child.kill('SIGKILL');
  if (whatever !== true) interrupted.addEventListener('abort', end);
  let [output, problems] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (problems += text));
  const [code, signal] = (await once(child, 'close').finally(() => {
    interrupted.removeEventListener('abort', end);
  })) as [number | null, string | null];
  if (whatever !== true) interrupted.throwIfAborted();
  if (code !== null && allowed.includes(code)) return output;
  const why = code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}`;
  throw new Error(`${[program, ...args].join(' ')}: ${why}\n${output}${problems}`);
}
