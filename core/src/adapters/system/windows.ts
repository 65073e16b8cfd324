/**
 * The thin way to what Node does not know about Windows: the system's own programs, started by full path, their output
 * read as CSV or by SIDs only, because words in it are translated. What has to be seen on a real Windows is in
 * docs/windows-checklist.md.
 */
import { join } from 'node:path';
import { fail } from '../../domain/error.ts';

/** Full path of a program in System32: a name alone would be searched in the working folder too. */
export function systemProgram(env: NodeJS.ProcessEnv, name: string): string {
  return join(env.SystemRoot ?? String.raw`C:\Windows`, 'System32', name);
}

const timeoutMilliseconds = 20_000;

/** Output of a system program. `StorageFailed` where it fails: nothing can be decided without its answer. */
export async function askWindows(
  env: NodeJS.ProcessEnv,
  name: string,
  parameters: readonly string[],
): Promise<string> {
  const { exitCode, output } = await runSystemProgram(env, name, parameters);
  if (exitCode === 0) return output;
  throw fail('StorageFailed', { path: name, problem: `it ended with exit code ${exitCode}` });
}

/** Runs a system program to its end. `StorageFailed` where it cannot be started or does not end. */
export async function runSystemProgram(
  env: NodeJS.ProcessEnv,
  name: string,
  parameters: readonly string[],
): Promise<{ readonly exitCode: number; readonly output: string }> {
  // Loaded here, because on other systems nothing ever needs it and every start would pay for it.
  const { execFile } = await import('node:child_process');
  const program = systemProgram(env, name);
  return new Promise((resolve, reject) => {
    const options = { windowsHide: true, timeout: timeoutMilliseconds };
    execFile(program, [...parameters], options, (error, output) => {
      if (error === null) resolve({ exitCode: 0, output });
      else if (typeof error.code === 'number') resolve({ exitCode: error.code, output });
      else reject(fail('StorageFailed', { path: program, problem: error.message }, error));
    });
  });
}

/**
 * SID of the caller from `whoami /user /fo csv /nh`: `"domain\name","S-1-5-21-…"`. Wine's program knows no formats and ends its
 * table with the SID. Whatever the name before it looks like, the last thing said is the SID.
 */
export function sidOf(output: string): string | undefined {
  return /[" ](S-1-[0-9]+(?:-[0-9]+)+)"?\s*$/.exec(output)?.[1];
}

/**
 * Whether the token is an elevated administrator's, from `whoami /groups /fo csv /nh`: BUILTIN\Administrators is listed
 * for filtered tokens too, so the integrity level (High or System) decides. Both are SIDs and never translated.
 */
export function isElevated(output: string): boolean {
  return output.includes('"S-1-5-32-544"') && /"S-1-16-(?:12288|16384)"/.test(output);
}

/** LocalSystem, LocalService, NetworkService and the accounts of services (ruling 14). */
export function isServiceSid(sid: string): boolean {
  return ['S-1-5-18', 'S-1-5-19', 'S-1-5-20'].includes(sid) || sid.startsWith('S-1-5-80-');
}

/** Values of a registry key from `reg query`: name → text. Types other than strings and DWORDs are left out. */
export function registryValues(output: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of output.split(/\r?\n/)) {
    const match = /^\s{4}(\S.*?)\s{4}(REG_SZ|REG_MULTI_SZ|REG_DWORD)\s{4}(.*)$/.exec(line);
    if (match?.[1] !== undefined && match[3] !== undefined) values.set(match[1], match[3]);
  }
  return values;
}
