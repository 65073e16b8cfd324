/**
 * `Set-SPMigrationPassword`: a new password for the environment that is here. New salt, new authValue of the Basic User
 * Key, new vault key; every kept generation is sealed anew under them and takes effect in one switch (design page 3, ruling
 * 8). The key itself stays, so grants, registrations and destinations are not touched. Environments in quarantine and
 * archives keep the passwords of their time. After a suspected theft this is not enough: `new-key.ts`.
 */
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail } from '../domain/error.ts';
import { UserKeys } from '../sealing/user-keys.ts';
import { userForChange, type PresentUser } from './change-environment.ts';
import type { Call, Changer } from './operation.ts';
import { requireAcceptable, type PasswordRules } from './password-rules.ts';
import { record } from './record.ts';
import type { PasswordChangeResult } from './results.ts';
import { leftBehind, rewriteEpoch, type RewrittenEpoch } from './rewrite-epoch.ts';
import type { SaltedRoot } from './secrets.ts';
import { presentFacts, readBack, unlock } from './user-context.ts';

export interface SetPasswordParameters extends PasswordRules {
  readonly allowServiceAccount?: boolean;
}

export const newBasicUserPassword = 'the new Basic User Password';

export const setPassword: Changer<SetPasswordParameters, PasswordChangeResult> = async (call, parameters) => {
  const { secrets } = call;
  const user = await userForChange(call, parameters);
  const { account } = user.platform;
  requireNewPassword(call, parameters, account.name);
  await (await unlock(call, user)).dispose();
  const kept = (await user.store.generations()).length;
  const quarantined = (await user.store.quarantine()).length;
  return {
    plan: {
      action: 'Change the Basic User Password',
      target: `${account.name} on ${user.platform.settings.computer}`,
      impact: 'medium',
      lines: [
        `${kept} kept generation(s) of the environment are encrypted anew under the new password.`,
        ...(quarantined === 0
          ? []
          : [`${quarantined} environment(s) in quarantine keep their own passwords.`]),
        'Archives that were made before still open with the old password, and copies of old files do, too.',
        'Certificates that are installed in the certificate store are not affected.',
      ],
      facts: { ...presentFacts(user), kept, quarantined },
    },
    prepare: async () => {
      await secrets.freshRoot('newPassword', newBasicUserPassword);
    },
    apply: async () => {
      const changed = await changePassword(call, user);
      await record(call, 'user', {
        operation: 'user-password',
        account,
        platform: user.platform.ids.platformId,
        facts: {
          generation: String(changed.now.generation),
          rewritten: String(changed.rewritten),
          notOpened: changed.notOpened.join(' ') || 'none',
        },
      });
      call.report.warning(
        'Archives and copies that were made before still open with the old password. If somebody may have learnt it, make a new key as well.',
      );
      return {
        account: account.id,
        generation: changed.now.generation,
        rewritten: changed.rewritten,
        notOpened: changed.notOpened.map(leftBehind),
        quarantined,
      };
    },
  };
};

/** `NewPasswordRequired`, `PasswordRequired`, `PasswordUnacceptable`: before anything slow is done. */
function requireNewPassword(call: Call, rules: PasswordRules, accountName: string): void {
  const { secrets } = call;
  if (!secrets.has('password'))
    throw fail('PasswordRequired', { which: 'the present Basic User Password of this environment' });
  if (!secrets.has('newPassword')) throw fail('NewPasswordRequired', { which: newBasicUserPassword });
  requireAcceptable(secrets, 'newPassword', newBasicUserPassword, rules, accountName);
  if (secrets.same('password', 'newPassword')) {
    throw fail('PasswordUnacceptable', { which: newBasicUserPassword, problem: 'it is the present one' });
  }
}

async function changePassword(call: Call, user: PresentUser): Promise<RewrittenEpoch> {
  const fresh = await call.secrets.freshRoot('newPassword', newBasicUserPassword);
  const rewritten = await rewriteUnder(call, user, fresh);
  // Only now: a chip has few slots, and the keys of the rewriting are out of them.
  await readBack(user, fresh.root);
  call.secrets.spendFresh('newPassword');
  return rewritten;
}

async function rewriteUnder(call: Call, user: PresentUser, fresh: SaltedRoot): Promise<RewrittenEpoch> {
  const unlocked = await unlock(call, user);
  try {
    using keys = new UserKeys(fresh.root);
    using vaultKey = new SecretBytes(call.ports.random(32));
    const changed = await unlocked.loaded.changeAuth(keys.basicUserAuth);
    const loaded = await user.platform.chip.loadBasicUserKey(changed, keys.basicUserAuth);
    try {
      const { header } = unlocked;
      const epoch = {
        passwordSalt: fresh.salt,
        basicUserKey: header.basicUserKey,
        nonce: header.nonce,
        basicUserKeyPrivate: changed.private,
        vaultKeyBlob: await loaded.sealVaultKey(vaultKey, keys.vaultAuth),
        vaultKey,
        atRest: keys.atRest,
      };
      return await rewriteEpoch(call, user, unlocked, epoch, {
        each: (environment) => environment,
      });
    } finally {
      await loaded.dispose();
    }
  } finally {
    await unlocked.dispose();
  }
}
