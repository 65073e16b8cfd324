/**
 * The PowerShell engine for tests (test/pshost, the same sources as on Linux), published for Windows with the .NET runtime in
 * it, and compiled ahead, which halves its start. Built from a copy, because the project's own obj/ and bin/ belong to the
 * engine of this system.
 */
import { existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../build/platform.ts';
import type { Lane } from './lane.ts';
import { run } from './run.ts';

export const ENGINE_SOURCES = 'test/pshost';

/** Whether a file of that folder is a source, and not what a build left there. */
export function isEngineSource(path: string): boolean {
  return !/[\\/]pshost[\\/](bin|obj)([\\/]|$)/.test(path);
}

export async function publishEngine(lane: Lane): Promise<void> {
  const sources = join(lane.folder, 'engine-sources/pshost');
  await rm(sources, { recursive: true, force: true });
  await cp(join(ROOT, ENGINE_SOURCES), sources, { recursive: true, filter: isEngineSource });
  await rm(lane.engine, { recursive: true, force: true });
  const target = ['-r', 'win-x64', '--self-contained', '-o', lane.engine];
  const env = { ...definedEnvironment(), DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' };
  await run('dotnet', ['publish', sources, '-c', 'Release', '--nologo', '-v', 'quiet', ...target], { env });
  // The compiler is the one that set-up fetched for the engine of this system; without it there is the same engine, slower.
  const compiler = await run('dotnet', ['msbuild', sources, '-getProperty:Crossgen'], { env });
  if (existsSync(compiler.trim())) await compileAhead(lane, compiler.trim());
}

async function compileAhead(lane: Lane, compiler: string): Promise<void> {
  const engine = join(lane.engine, 'System.Management.Automation.dll');
  const options = ['-r', join(lane.engine, '*.dll'), '--targetos', 'windows', '--targetarch', 'x64'];
  await run(compiler, [engine, '-o', `${engine}.compiled`, ...options]);
  await rename(`${engine}.compiled`, engine);
}

function definedEnvironment(): Record<string, string> {
  const defined = Object.entries(process.env).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined as [string, string][]);
}
