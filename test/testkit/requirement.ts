/**
 * Programs that some tests need and that a computer may lack. Where one is missing its tests are skipped, unless the
 * environment variable SPMIGRATION_REQUIRE (a comma-separated list, set by .ci/run) names it: then that is an error, so
 * that no lane passes by skipping. Use as `describe.skipIf(!has('openssl'))('…', …)`.
 */
import { spawnSync } from 'node:child_process';

export type Requirement = 'openssl' | 'osslsigncode' | 'dotnet' | 'script';

const required = new Set((process.env.SPMIGRATION_REQUIRE ?? '').split(',').filter((name) => name !== ''));

/** Whether `program` can be started here. Throws if it cannot and SPMIGRATION_REQUIRE asks for it. */
export function has(program: Requirement): boolean {
  return meets(program, spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined);
}

/** The same for a requirement that the caller checks: `powershell`, with the engine's path or undefined. */
export function meets(name: string, isThere: boolean): boolean {
  if (!isThere && required.has(name))
    throw new Error(`SPMIGRATION_REQUIRE asks for ${name}, which is missing here`);
  return isThere;
}
