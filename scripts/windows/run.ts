/** Programs that set-up runs to their end: silent unless they fail, and then with all that they said. */
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
  /** `ignore` for a program that leaves others behind, which would hold its streams open. */
  readonly streams?: 'pipe' | 'ignore';
}

const defaultTimeoutMs = 300_000;

/** Answers what the program wrote to standard output. Throws where it cannot be started, fails, or does not end in time. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { as, allowed = [0], timeoutMs = defaultTimeoutMs, streams = 'pipe', ...rest } = options;
  const child = spawn(program, args, {
    ...rest,
    ...as,
    stdio: ['ignore', streams, streams],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let [output, problems] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (problems += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code !== null && allowed.includes(code)) return output;
  const why = code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}`;
  throw new Error(`${[program, ...args].join(' ')}: ${why}\n${output}${problems}`);
}
