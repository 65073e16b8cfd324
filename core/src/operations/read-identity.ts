/**
 * `Get-SPMigrationIdentity`: shows an identity file without trusting it; with an answer to a challenge of this platform's
 * authority also whether a TPM guards its storage key.
 */
import { fail } from '../domain/error.ts';
import { identityResult, readIdentityFile } from './identity.ts';
import type { Call, Reader } from './operation.ts';
import { findPlatform } from './platform-context.ts';
import { proofOf, type ProofParameters } from './proof.ts';
import type { IdentityResult } from './results.ts';

export interface ReadIdentityParameters extends ProofParameters {
  readonly path: string;
}

export const readIdentity: Reader<ReadIdentityParameters, IdentityResult> = async function* (
  call,
  parameters,
) {
  const identity = await readIdentityFile(call, parameters.path);
  const proof = await proofOf(call, identity, await ownAuthority(call, parameters), parameters);
  yield identityResult(identity, parameters.path, proof);
};

/** An identity alone can be read anywhere; whose challenges are believed is a matter of the platform. */
async function ownAuthority(call: Call, { attestationPath }: ProofParameters): Promise<Uint8Array> {
  if (attestationPath === undefined) return new Uint8Array();
  const platform = await findPlatform(call.ports);
  if (platform === undefined) throw fail('PlatformNotInitialized');
  return platform.settings.authorityKey;
}
