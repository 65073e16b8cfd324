/**
 * `Initialize-SPMigrationUser`: the Basic User Key under the platform's authority, a vault key below it, an empty
 * environment, and the registration by which the owner can delegate for this key later. Where all is there but the registration,
 * that is left again and nothing else.
 */
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail } from '../domain/error.ts';
import type { GenerationHeader } from '../domain/environment.ts';
import { sealBasicUserKey, sealGeneration } from '../sealing/environment.ts';
import { tpmName } from '../sealing/fingerprints.ts';
import { basicUserKeyPolicy } from '../sealing/basic-user-key.ts';
import { UserKeys } from '../sealing/user-keys.ts';
import type { Call, Changer } from './operation.ts';
import { requireAcceptable, type PasswordRules } from './password-rules.ts';
import { requirePlatform, type Platform } from './platform-context.ts';
import { record } from './record.ts';
import { isRegistered, register, registerAgain } from './register.ts';
import type { StatusResult } from './results.ts';
import type { SaltedRoot } from './secrets.ts';
import { statusOf } from './status.ts';
import { findUser, requireNotInterrupted, requireUnchanged } from './user-context.ts';

export interface InitializeUserParameters extends PasswordRules {
  readonly allowServiceAccount?: boolean;
}

const newPassword = 'the new Basic User Password';

export const initializeUser: Changer<InitializeUserParameters, StatusResult> = async (call, parameters) => {
  const { ports, secrets } = call;
  const platform = await requirePlatform(ports);
  const user = await findUser(call, platform, parameters.allowServiceAccount ?? false);
  if (user.present !== undefined) {
    if (!(await isRegistered(call, platform, user.present)))
      return registerAgain(call, platform, user.present);
    throw fail('UserAlreadyInitialized', { account: platform.account.name });
  }
  if (!secrets.has('password')) throw fail('PasswordRequired', { which: newPassword });
  requireAcceptable(secrets, 'password', newPassword, parameters, platform.account.name);
  return {
    plan: {
      action: 'Make a Basic User Key',
      target: platform.account.name,
      impact: 'medium',
      lines: [
        `A Basic User Key and an empty environment are made for ${platform.account.name} on ${platform.settings.computer}.`,
        'Nobody, the owner included, can reset its password.',
      ],
      facts: { account: platform.account.id, authority: platform.authority },
    },
    prepare: async () => {
      await secrets.freshRoot('password', newPassword);
    },
    apply: async () => {
      const fresh = await secrets.freshRoot('password', newPassword);
      const made = await makeBasicUserKey(call, platform, fresh);
      await user.store.withLock(async (writer) => {
        await requireUnchanged(writer, user);
        requireNotInterrupted(call);
        return writer.append(1, made.generation);
      });
      secrets.spendFresh('password');
      await register(call, platform, made.publicKey, made.nonce, platform.settings.authorityKey, []);
      await record(call, 'user', {
        operation: 'user-initialize',
        account: platform.account,
        platform: platform.ids.platformId,
        facts: { basicUserKey: tpmName(made.publicKey), generation: '1' },
      });
      return statusOf(call, platform);
    },
  };
};

async function makeBasicUserKey(
  call: Call,
  platform: Platform,
  fresh: SaltedRoot,
): Promise<{ generation: Uint8Array; publicKey: Uint8Array; nonce: Uint8Array }> {
  const { random } = call.ports;
  const { settings, ids, chip } = platform;
  using keys = new UserKeys(fresh.root);
  using vaultKey = new SecretBytes(random(32));
  const nonce = random(16);
  const keySalt = random(16);
  const basicUserKey = await chip.createBasicUserKey(
    basicUserKeyPolicy(settings.authorityKey, nonce),
    keys.basicUserAuth,
  );
  const loaded = await chip.loadBasicUserKey(basicUserKey, keys.basicUserAuth);
  try {
    const header: GenerationHeader = {
      platformId: ids.platformId,
      generation: 1,
      parent: 0,
      passwordSalt: fresh.salt,
      keySalt,
      basicUserKey: basicUserKey.public,
      nonce,
      basicUserKeyPrivate: sealBasicUserKey(
        basicUserKey.private,
        basicUserKey.public,
        keySalt,
        settings.chip,
        keys.atRest,
      ),
      vaultKey: await loaded.sealVaultKey(vaultKey, keys.vaultAuth),
    };
    const environment = {
      publicPart: {
        credentials: [],
        features: {},
        proposed: {},
        rootAuthority: settings.authorityKey,
        grants: [],
      },
      privatePart: {
        keys: new Map(),
        importedArchives: [],
        revocationNumbers: [],
        tombstones: [],
        replaces: [],
      },
    };
    const generation = sealGeneration(header, environment, { vaultKey, atRest: keys.atRest });
    return { generation, publicKey: basicUserKey.public, nonce };
  } finally {
    await loaded.dispose();
  }
}
