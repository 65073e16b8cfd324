/**
 * The PowerShell engine for tests (test/pshost, the same sources as on Linux), published for Windows with the .NET runtime in
 * it. Built from a copy, because the project's own obj/ and bin/ belong to the engine of this system.
 */
import { cp, rm } from 'node:fs/promises';
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
  await run('dotnet', ['publish', sources, '-c', 'Release', '--nologo', '-v', 'quiet', ...target], {
    env: { ...definedEnvironment(), DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' },
  });
}

function definedEnvironment(): Record<string, string> {
  const defined = Object.entries(process.env).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined as [string, string][]);
}
