/**
 * What `pshost -CheckScript` says of PowerShell scripts: syntax, ASCII, constructs newer than 5.1, commands, and the .NET
 * types and members that Framework 4.7.2 has or lacks. Facts only; the tests decide which of them are faults.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { engineEnvironment, hostEngine, requireEngine } from './powershell.ts';

export interface Place {
  readonly name: string;
  readonly line: number;
  readonly column: number;
}

export interface CommandUse extends Place {
  /** `core`: Microsoft.PowerShell.Core of 5.1; `local`: a function of the same file; `other`: neither. */
  readonly kind: 'core' | 'local' | 'other';
}

export interface TypeUse extends Place {
  readonly fullName: string | null;
  /** The assembly that has it, without `.dll`; types outside mscorlib, System, System.Core, System.Xml must be loaded first. */
  readonly assembly: string | null;
  readonly found: boolean;
}

export interface MemberUse {
  readonly type: string;
  readonly member: string;
  readonly static: boolean;
  /** The number of arguments of a call; null for a property. */
  readonly arguments: number | null;
  readonly found: boolean;
  readonly line: number;
  readonly column: number;
}

export interface FunctionDefinition {
  readonly name: string;
  readonly line: number;
  readonly cmdletBinding: boolean;
  readonly parameters: readonly string[];
  readonly synopsis: string | null;
  readonly description: string | null;
  /** The parameters that the comment-based help describes, in upper case. */
  readonly helpParameters: readonly string[];
  readonly examples: number;
}

export interface ScriptReport {
  readonly file: string;
  readonly parseErrors: readonly Place[];
  readonly nonAscii: readonly Place[];
  readonly newerThan51: readonly Place[];
  readonly commands: readonly CommandUse[];
  /** Calls whose command is computed: `& $block`. */
  readonly dynamicCommands: readonly Place[];
  readonly types: readonly TypeUse[];
  readonly members: readonly MemberUse[];
  readonly functions: readonly FunctionDefinition[];
}

const MAX_REPORT_BYTES = 64 * 1024 * 1024;

/** Checks script files with the engine's own parser. Rejects when one cannot be read. */
export async function checkScripts(files: readonly string[]): Promise<readonly ScriptReport[]> {
  const { stdout } = await promisify(execFile)(requireEngine(hostEngine()).path, ['-CheckScript', ...files], {
    env: engineEnvironment(),
    maxBuffer: MAX_REPORT_BYTES,
  });
  return (JSON.parse(stdout) as { files: ScriptReport[] }).files;
}
