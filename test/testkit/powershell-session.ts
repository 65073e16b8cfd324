/**
 * A PowerShell session that keeps its state between calls, on node-powershell. That library starts the engine with
 * `-NoLogo … -NoExit -Command -`, takes any text on stderr for a failure, loses exit codes, and its template tag pastes
 * values into script text; so here scripts and data travel as base64 (data as JSON), errors come back as records beside the
 * output, and one call is always one line of input.
 */
import { once } from 'node:events';
import { PowerShell } from 'node-powershell';
import { engine, engineEnvironment, requireEngine } from './powershell.ts';

/** One error record, as `$Error[0]` would show it. */
export interface SessionError {
  /** FullyQualifiedErrorId, such as `ArchiveNotFound,Import-SPMigration`. */
  readonly id: string;
  readonly category: string;
  readonly message: string;
  readonly recommendedAction: string;
  readonly target: string;
  /** Whether it ended the script. */
  readonly terminating: boolean;
}

export interface SessionResult<T> {
  /** The objects of the success stream, through ConvertTo-Json -Depth 6. */
  readonly output: readonly T[];
  readonly errors: readonly SessionError[];
  readonly warnings: readonly string[];
  readonly verbose: readonly string[];
  readonly information: readonly string[];
  /** What was written past the streams, straight to the console (`What if: …` for example). */
  readonly text: string;
}

export interface PowerShellSession {
  /**
   * Runs script text in the session's own scope. It sees `data` as `$data`, as ConvertFrom-Json makes it. Errors do not
   * reject; a script that does not parse, an engine that ends or `timeoutMs` without an answer does.
   */
  invoke<T = unknown>(script: string, data?: unknown): Promise<SessionResult<T>>;
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** For each call; default 60,000. */
  readonly timeoutMs?: number;
}

const MARK = '#spmigration-result ';
const DEFAULT_TIMEOUT_MS = 60_000;
const CLOSE_MS = 2_000;

/**
 * Kept in the session as a script block and dot-sourced, so that it runs in the session's own scope. Written for 5.1 as
 * well. The answer is one line: a mark, and JSON in base64, so that no text in between can be mistaken for it.
 */
const RUNNER = String.raw`
param($__script, $__data)
$__decode = { param($text) [System.Text.Encoding]::UTF8.GetString([System.Convert]::FromBase64String($text)) }
$data = ConvertFrom-Json -InputObject (& $__decode $__data)
$__seen = New-Object -TypeName System.Collections.ArrayList
$__stopped = $null
$__block = [scriptblock]::Create((& $__decode $__script))
try { . $__block *>&1 | ForEach-Object { $null = $__seen.Add($_) } } catch { $__stopped = $_ }
$__error = { param($record, $terminating)
  $action = ''
  if ($null -ne $record.ErrorDetails) { $action = [string]$record.ErrorDetails.RecommendedAction }
  @{ id = $record.FullyQualifiedErrorId; category = [string]$record.CategoryInfo.Category; message = [string]$record
     recommendedAction = $action; target = [string]$record.TargetObject; terminating = $terminating } }
$__result = @{ output = @(); errors = @(); warnings = @(); verbose = @(); information = @() }
foreach ($__item in $__seen) {
  if ($__item -is [System.Management.Automation.ErrorRecord]) { $__result.errors += , (& $__error $__item $false) }
  elseif ($__item -is [System.Management.Automation.WarningRecord]) { $__result.warnings += $__item.Message }
  elseif ($__item -is [System.Management.Automation.VerboseRecord]) { $__result.verbose += $__item.Message }
  elseif ($__item -is [System.Management.Automation.DebugRecord]) { $__result.verbose += $__item.Message }
  elseif ($__item -is [System.Management.Automation.InformationRecord]) { $__result.information += [string]$__item.MessageData }
  else { $__result.output += , $__item }
}
if ($null -ne $__stopped) { $__result.errors += , (& $__error $__stopped $true) }
$__json = ConvertTo-Json -InputObject $__result -Depth 8 -Compress -WarningAction SilentlyContinue
[Console]::Out.WriteLine('${MARK}' + [System.Convert]::ToBase64String([System.Text.Encoding]::UTF8.GetBytes($__json)))
`;

/**
 * The library tells the end of an answer by a line of its own, and misses it where that line and the one at the beginning
 * come together and end as lines do on Windows: it looks for it one byte too late.
 */
class Shell extends PowerShell {
  protected override writeToOutput(line: string): string {
    return `[Console]::Out.Write("${line}\`n")`;
  }

  protected override writeToError(line: string): string {
    return `[Console]::Error.Write("${line}\`n")`;
  }
}

/** Starts a session in the engine of `engine()`. Close it in `afterAll` or `finally`. */
export async function openSession(options: SessionOptions = {}): Promise<PowerShellSession> {
  const shell = new Shell({
    executable: requireEngine(engine()).path,
    executableOptions: { '-NoProfile': true, '-NonInteractive': true, '-ExecutionPolicy': 'Bypass' },
    spawnOptions: {
      env: engineEnvironment(options.env),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    },
    invocationTimeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  });
  const child = childOf(shell);
  // An engine that ends between two calls would otherwise be an unhandled rejection; the next call tells.
  child.exitPromise.catch(() => undefined);
  await shell.invoke(`$__invoke = [scriptblock]::Create(${decoded(RUNNER)})`);
  return {
    invoke: async <T>(script: string, data: unknown = null) => {
      const answer = await shell.invoke(`. $__invoke '${base64(script)}' '${base64(JSON.stringify(data))}'`);
      return readResult<T>(answer.raw);
    },
    close: async () => {
      if (child.process.exitCode !== null) return;
      const ended = once(child.process, 'exit');
      shell.streams.stdin.end('exit 0\n');
      const timer = setTimeout(() => void child.process.kill('SIGKILL'), CLOSE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

function readResult<T>(raw: string): SessionResult<T> {
  const at = raw.lastIndexOf(MARK);
  if (at < 0) throw new Error(`the session gave no result:\n${raw}`);
  const json = Buffer.from(raw.slice(at + MARK.length).trim(), 'base64').toString('utf8');
  return { ...(JSON.parse(json) as Omit<SessionResult<T>, 'text'>), text: raw.slice(0, at) };
}

/** What the library keeps private and offers no other way to. */
interface Inside {
  readonly process: import('node:child_process').ChildProcess;
  readonly exitPromise: Promise<unknown>;
}

function childOf(shell: PowerShell): Inside {
  return shell as unknown as Inside;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function decoded(text: string): string {
  return `[System.Text.Encoding]::UTF8.GetString([System.Convert]::FromBase64String('${base64(text)}'))`;
}
