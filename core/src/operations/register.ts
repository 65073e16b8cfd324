/**
 * Leaving a key's registration in the drop folder, so that the platform's owner can approve and delegate moves of it (ruling
 * 2): when the key is made, when an import brings it, and again where the file was lost or another account's lies there.
 */
import { isSPMigrationError } from '../domain/error.ts';
import type { SignedGrant } from '../domain/grant.ts';
import { encodeRegistration } from '../format/registration-v1.ts';
import { checkBasicUserKey } from '../sealing/basic-user-key.ts';
import type { Call, Planned } from './operation.ts';
import type { Platform } from './platform-context.ts';
import { record } from './record.ts';
import { registrationName } from './registrations.ts';
import type { StatusResult } from './results.ts';
import { statusOf } from './status.ts';
import type { PresentEnvironment } from './user-context.ts';

/** A failure is told and hides nothing: the key is here by then, and only the owner's grants for moving it on are missing. */
export async function register(
  call: Call,
  platform: Platform,
  basicUserKey: Uint8Array,
  nonce: Uint8Array,
  rootAuthority: Uint8Array,
  grants: readonly SignedGrant[],
): Promise<void> {
  const bytes = registration(
    call,
    platform,
    { basicUserKey, nonce, rootAuthority },
    grants.map((one) => one.bytes),
  );
  try {
    await call.ports.platform.register(registrationName(basicUserKey), bytes);
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    call.report.warning(`Done, but not registered with the owner: ${error.message}`, error.code);
  }
}

/** Whether the calling account's registration of this key lies in the drop folder. */
export async function isRegistered(
  call: Call,
  platform: Platform,
  { decoded }: PresentEnvironment,
): Promise<boolean> {
  const file = await call.ports.platform.registration(registrationName(decoded.header.basicUserKey));
  return file !== undefined && file.bytes.length > 0 && file.ownerId === platform.account.id;
}

/**
 * Leaves it again. Needs no password: all of it is public, and the owner's program believes none of it that it does not check.
 */
export function registerAgain(
  call: Call,
  platform: Platform,
  { decoded, publicPart, basicUserKey, stored }: PresentEnvironment,
): Planned<StatusResult> {
  const { header } = decoded;
  checkBasicUserKey(header.basicUserKey, header.nonce, publicPart.rootAuthority, stored.path);
  const key = { ...header, rootAuthority: publicPart.rootAuthority };
  return {
    plan: {
      action: 'Register the Basic User Key again',
      target: platform.account.name,
      impact: 'medium',
      lines: [
        `The owner of ${platform.settings.computer} does not know the Basic User Key of ${platform.account.name}: its registration is left again.`,
        'Key, password and environment stay as they are.',
      ],
      facts: { account: platform.account.id, basicUserKey },
    },
    apply: async () => {
      const bytes = registration(call, platform, key, publicPart.grants);
      await call.ports.platform.register(registrationName(header.basicUserKey), bytes);
      await record(call, 'user', {
        operation: 'user-initialize',
        account: platform.account,
        platform: platform.ids.platformId,
        facts: { basicUserKey, registration: 'left again' },
      });
      return statusOf(call, platform);
    },
  };
}

function registration(
  call: Call,
  { account }: Platform,
  key: {
    readonly basicUserKey: Uint8Array;
    readonly nonce: Uint8Array;
    readonly rootAuthority: Uint8Array;
  },
  grants: readonly Uint8Array[],
): Uint8Array {
  const { basicUserKey, nonce, rootAuthority } = key;
  return encodeRegistration({
    account,
    rehearsal: call.ports.rehearsal,
    basicUserKey,
    nonce,
    rootAuthority,
    grants,
  });
}
