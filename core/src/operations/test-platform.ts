/** `Test-SPMigration`: whether this computer can be the source or the destination of a move, point by point. */
import { fail } from '../domain/error.ts';
import { accessState } from './access.ts';
import { grantsHere } from './grants-context.ts';
import type { Call, Reader } from './operation.ts';
import { requirePlatform, type Platform } from './platform-context.ts';
import type { CheckResult } from './results.ts';
import { attempt } from './test-archive.ts';
import { findUser, requireUser } from './user-context.ts';

export interface TestPlatformParameters {
  readonly role?: 'Source' | 'Destination';
}

export const testPlatform: Reader<TestPlatformParameters, CheckResult> = async function* (call, { role }) {
  const checks: CheckResult[] = [];
  const platform = await attempt(
    checks,
    'Platform',
    'The platform is initialized and its chip is the recorded one.',
    () => requirePlatform(call.ports),
  );
  if (platform !== undefined) {
    if (role !== 'Destination') await testSource(call, platform, checks);
    if (role !== 'Source') await testDestination(call, platform, checks);
    for (const scope of ['platform', 'user'] as const) {
      await attempt(checks, `History (${scope})`, 'The chain of its lines holds.', async () => {
        await call.ports.history(platform.ids.platformId).read(scope);
      });
    }
  }
  yield* checks;
};

async function testSource(call: Call, platform: Platform, checks: CheckResult[]): Promise<void> {
  const user = await attempt(checks, 'Environment', 'There is an environment of this account.', () =>
    requireUser(call, platform),
  );
  if (user !== undefined) {
    await attempt(checks, 'Credentials', 'It holds at least one credential.', () => {
      if (user.present.publicPart.credentials.length === 0)
        throw fail('CredentialNotFound', { credential: 'at all' });
    });
  }
  await attempt(checks, 'Grants', 'There is a grant that is valid now.', async () => {
    const here = await grantsHere(call, []);
    const now = call.ports.clock();
    const valid = here.grants.some(
      ({ signed }) =>
        accessState(signed.grant, here.revoked(signed.signer, signed.grant.serial), now) === 'Valid',
    );
    if (!valid) {
      throw fail('DestinationNotAuthorized', {
        account: platform.account.name,
        destination: 'any computer',
        reason: 'no valid grant lies here (one elsewhere can be named with -GrantPath)',
      });
    }
  });
}

async function testDestination(call: Call, platform: Platform, checks: CheckResult[]): Promise<void> {
  await attempt(checks, 'Folder', 'An environment of this account can be read, or there is none.', () =>
    findUser(call, platform),
  );
}
