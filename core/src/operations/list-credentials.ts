/** `Get-SPMigrationCredential`: what the environment's public part says; needs no password and proves nothing. */
import { credentialResult, findCredential } from './credential.ts';
import type { Reader } from './operation.ts';
import { requirePlatform } from './platform-context.ts';
import type { CredentialResult } from './results.ts';
import { requireUser } from './user-context.ts';

export interface ListCredentialsParameters {
  readonly credential?: string;
}

export const listCredentials: Reader<ListCredentialsParameters, CredentialResult> = async function* (
  call,
  parameters,
) {
  const user = await requireUser(call, await requirePlatform(call.ports));
  const part = user.present.publicPart;
  const installed = await user.store.installed();
  const chosen =
    parameters.credential === undefined ? part.credentials : [findCredential(part, parameters.credential)];
  for (const credential of chosen)
    yield credentialResult(credential, part, { installed: installed.has(credential.id) });
};
