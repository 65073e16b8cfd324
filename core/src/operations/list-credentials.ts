/**
 * `Get-SPMigrationCredential`: what the environment's public part says, and on request what is set aside. Needs no password
 * and proves nothing.
 */
import { fail } from '../domain/error.ts';
import { noContent } from '../domain/undo-plan.ts';
import { credentialResult, matchCredential } from './credential.ts';
import type { Call, Reader } from './operation.ts';
import { recordedPlatform } from './platform-context.ts';
import type { CredentialResult } from './results.ts';
import { findSetAside, placeName, setAsideCredentials } from './set-aside.ts';
import { findUser, type User } from './user-context.ts';

export interface ListCredentialsParameters {
  readonly credential?: string;
  /** Also those that older generations and environments in quarantine hold. */
  readonly includeSetAside?: boolean;
}

export const listCredentials: Reader<ListCredentialsParameters, CredentialResult> = async function* (
  call,
  { credential: text, includeSetAside = false },
) {
  const user = await findUser(call, await recordedPlatform(call.ports));
  // Without an environment there may still be some in quarantine.
  const asked = includeSetAside && (user.present !== undefined || (await hasQuarantine(user)));
  if (user.present === undefined && !asked)
    throw fail('UserNotInitialized', { account: user.platform.account.name });
  const content = user.present?.publicPart ?? noContent;
  const installed = await user.store.installed();
  const here = text === undefined ? undefined : matchCredential(content.credentials, text);
  const wanted = text === undefined ? content.credentials : here === undefined ? [] : [here];
  for (const credential of wanted)
    yield credentialResult(credential, content, { installed: installed.has(credential.id) });
  if (here !== undefined) return;
  if (!asked) {
    if (text !== undefined) throw fail('CredentialNotFound', { credential: text });
    return;
  }
  const setAside = await found(call, user);
  const chosen = text === undefined ? setAside : [findSetAside(setAside, text)];
  for (const { credential, places } of chosen) {
    const extras = { installed: installed.has(credential.id), setAsideIn: placeName(places[0]) };
    yield credentialResult(credential, noContent, extras);
  }
};

async function hasQuarantine({ store }: User): Promise<boolean> {
  return (await store.quarantine()).length > 0;
}

function found(call: Call, user: User): ReturnType<typeof setAsideCredentials> {
  return setAsideCredentials(user, ({ place, error }) => {
    call.report.warning(`Passed over ${placeName(place)}: ${error.message}`, error.code);
  });
}
