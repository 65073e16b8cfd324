/** `Get-SPMigrationIdentity`: shows an identity file without trusting it. */
import { identityResult, readIdentityFile } from './identity.ts';
import type { Reader } from './operation.ts';
import type { IdentityResult } from './results.ts';

export interface ReadIdentityParameters {
  readonly path: string;
}

export const readIdentity: Reader<ReadIdentityParameters, IdentityResult> = async function* (call, { path }) {
  yield identityResult(await readIdentityFile(call, path), path);
};
