/**
 * The PowerShell engine for tests and the demo: finds it, runs files and commands in it as child processes (a real pwsh or
 * powershell on PATH, else the built host of test/pshost; NODE_POWERSHELL names another), and reports what came out of each
 * stream and the exit code. Sessions that keep their state are in powershell-session.ts. Leaves out building the host:
 * scripts/setup.mjs does that.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { meets } from './requirement.ts';
import { windowsLane, windowsProgram } from './windows/lane.ts';

export interface Engine {
  /** `host` is the C# host of test/pshost; `other` is what NODE_POWERSHELL names. */
  readonly kind: 'pwsh' | 'powershell' | 'host' | 'other';
  readonly path: string;
}

export interface PowerShellOptions {
  /** A script with its arguments (`-File`); exactly one of `file`, `command` and `encodedCommand` is given, or only `stdin`. */
  readonly file?: string;
  readonly args?: readonly string[];
  /** Script text (`-Command`). Data does not belong in it: pass files, or base64 through the environment. */
  readonly command?: string;
  /** Script text that is sent as base64 (`-EncodedCommand`), so that no shell quoting applies. */
  readonly encodedCommand?: string;
  /** Standard input; without file and command it is the script itself (`-Command -`). */
  readonly stdin?: string;
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Default 60,000. After it the engine is killed and the promise rejects with what it had written. */
  readonly timeoutMs?: number;
  /** A person at the prompt: one line per question. Always runs in the host, which alone can play that person. */
  readonly answers?: readonly string[];
}

export interface PowerShellOutcome {
  readonly stdout: string;
  readonly stderr: string;
  /** Null when a signal ended the engine. */
  readonly exitCode: number | null;
}

export interface RunningPowerShell {
  readonly finished: Promise<PowerShellOutcome>;
  /** Resolves when `text` has appeared on standard output; rejects when the engine ends without it. */
  waitFor(text: string): Promise<void>;
  /** Presses Ctrl+C. */
  interrupt(): void;
  /** Kills it (SIGKILL). */
  kill(): void;
  /** Writes to standard input without closing it. */
  type(text: string): void;
}

const HOST_FOLDER = join(import.meta.dirname, '../pshost/bin/Release/net10.0');
const DEFAULT_TIMEOUT_MS = 60_000;

/** Switched off in every engine that this file starts. */
const QUIET = {
  POWERSHELL_TELEMETRY_OPTOUT: '1',
  POWERSHELL_UPDATECHECK: 'Off',
  POWERSHELL_DIAGNOSTICS_OPTOUT: '1',
  DOTNET_CLI_TELEMETRY_OPTOUT: '1',
  DOTNET_EnableDiagnostics: '0',
};

/** The engine that tests run in; undefined when there is none on this computer. */
export function engine(): Engine | undefined {
  if (windowsLane() !== undefined) return hostEngine();
  const named = process.env.NODE_POWERSHELL;
  if (named !== undefined && named !== '') return { kind: 'other', path: named };
  for (const kind of ['pwsh', 'powershell'] as const) {
    const path = onPath(kind);
    if (path !== undefined) return { kind, path };
  }
  return hostEngine();
}

/** The built host of test/pshost, in the Windows lane Windows'; undefined before set-up has built it. */
export function hostEngine(): Engine | undefined {
  if (windowsLane() !== undefined) return { kind: 'host', path: windowsProgram('pshost') };
  const path = join(HOST_FOLDER, executableName('pshost'));
  return existsSync(path) ? { kind: 'host', path } : undefined;
}

/** For `describe.skipIf(!havePowerShell())`: false skips visibly, and throws where SPMIGRATION_REQUIRE asks for `powershell`. */
export function havePowerShell(): boolean {
  return meets('powershell', engine() !== undefined);
}

/** The same for tests that need the host itself: its own switches, a person at the prompt, the script check. */
export function haveHost(): boolean {
  return meets('powershell', hostEngine() !== undefined);
}

/** Runs the engine to its end. Rejects on timeout or when the engine cannot be started; an exit code is no rejection. */
export async function runPowerShell(options: PowerShellOptions): Promise<PowerShellOutcome> {
  const running = startPowerShell(options, { closeStdin: true });
  return running.finished;
}

/** Starts the engine and leaves it running; `closeStdin: false` keeps standard input open for `type`. */
export function startPowerShell(
  options: PowerShellOptions,
  { closeStdin = true }: { readonly closeStdin?: boolean } = {},
): RunningPowerShell {
  const answers = options.answers === undefined ? undefined : answersFile(options.answers);
  const chosen = answers === undefined ? requireEngine(engine()) : requireEngine(hostEngine());
  const child = spawn(chosen.path, [...COMMON, ...(answers?.switches ?? []), ...work(options)], {
    cwd: options.cwd,
    env: engineEnvironment({ ...answers?.env, ...options.env }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // An engine may end before it has read everything; its outcome tells, not the broken pipe.
  child.stdin.on('error', () => undefined);
  if (options.stdin !== undefined) child.stdin.write(options.stdin);
  if (closeStdin) child.stdin.end();
  const output = collect(child);
  return {
    finished: finish(child, output, options.timeoutMs ?? DEFAULT_TIMEOUT_MS).finally(() => {
      answers?.remove();
    }),
    waitFor: (text) => output.waitFor(text),
    interrupt: () => {
      child.kill('SIGINT');
    },
    kill: () => {
      child.kill('SIGKILL');
    },
    type: (text) => {
      child.stdin.write(text);
    },
  };
}

/** This process's environment with `changes`, fit for an engine. */
export function engineEnvironment(changes: PowerShellOptions['env'] = {}): Record<string, string> {
  const merged: Record<string, string | undefined> = { ...process.env, ...QUIET, ...changes };
  return Object.fromEntries(
    Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Throws, with what to do, when there is no engine. */
export function requireEngine(found: Engine | undefined): Engine {
  if (found === undefined)
    throw new Error(
      'No PowerShell engine: run `node scripts/setup.mjs` (needs the .NET SDK) or install pwsh',
    );
  return found;
}

const COMMON = ['-NoLogo', '-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass'];

function work(options: PowerShellOptions): readonly string[] {
  if (options.file !== undefined) return ['-File', options.file, ...(options.args ?? [])];
  if (options.command !== undefined) return ['-Command', options.command];
  if (options.encodedCommand !== undefined)
    // pwsh writes CLIXML to a redirected stderr after -EncodedCommand unless the format is given.
    return [
      '-OutputFormat',
      'Text',
      '-EncodedCommand',
      Buffer.from(options.encodedCommand, 'utf16le').toString('base64'),
    ];
  return ['-Command', '-'];
}

function answersFile(lines: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'pshost-answers-'));
  const path = join(folder, 'answers');
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  return {
    switches: ['-Interactive'],
    env: { PSHOST_ANSWERS: path },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Output {
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly waitFor: (text: string) => Promise<void>;
}

function collect(child: ChildProcess): Output {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    waitFor: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (stdout.includes(text)) resolve();
        };
        child.stdout?.on('data', look);
        child.once('close', () => {
          look();
          reject(new Error(`the engine ended without writing '${text}':\n${stdout}${stderr}`));
        });
        look();
      }),
  };
}

function finish(child: ChildProcess, output: Output, timeoutMs: number): Promise<PowerShellOutcome> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(
        new Error(
          `the engine was still running after ${timeoutMs} ms:\n${output.stdout()}${output.stderr()}`,
        ),
      );
    }, timeoutMs);
    child.once('error', (problem) => {
      clearTimeout(timer);
      reject(problem);
    });
    child.once('close', (exitCode) => {
      clearTimeout(timer);
      resolve({ stdout: output.stdout(), stderr: output.stderr(), exitCode });
    });
  });
}

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, executableName(name)))
    .find((path) => existsSync(path));
}

function executableName(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name;
}
