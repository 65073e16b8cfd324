/**
 * `Initialize-SPMigrationUser -NewKey`: a new Basic User Key for the environment that is here, after the old one or its
 * password may have become known. The content stays; every kept generation is sealed anew under the new key, and a next one
 * names the keys that it continues, so that destinations which hold an old one merge instead of replacing (design page 3,
 * ruling 9). Grants for the old key do not move the new one: the owner grants again.
 */
import { fail } from '../domain/error.ts';
import type { Environment, PublicPart } from '../domain/environment.ts';
import type { TpmName } from '../domain/ids.ts';
import { basicUserKeyPolicy } from '../sealing/basic-user-key.ts';
import { tpmName } from '../sealing/fingerprints.ts';
import { UserKeys } from '../sealing/user-keys.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { userForChange, type PresentUser } from './change-environment.ts';
import { register } from './register.ts';
import type { Call, Changer } from './operation.ts';
import { requireAcceptable, type PasswordRules } from './password-rules.ts';
import { record } from './record.ts';
import type { KeyChangeResult } from './results.ts';
import { leftBehind, rewriteEpoch, type RewrittenEpoch } from './rewrite-epoch.ts';
import { newBasicUserPassword } from './set-password.ts';
import type { SaltedRoot } from './secrets.ts';
import { presentFacts, readBack, unlock } from './user-context.ts';

export interface NewKeyParameters extends PasswordRules {
  readonly allowServiceAccount?: boolean;
}

/** More than a person ever makes; the format holds a thousand. */
const mostReplaced = 100;

export const newKey: Changer<NewKeyParameters, KeyChangeResult> = async (call, parameters) => {
  const { secrets } = call;
  const user = await userForChange(call, parameters);
  const { account, settings } = user.platform;
  if (!secrets.has('password'))
    throw fail('PasswordRequired', { which: 'the present Basic User Password of this environment' });
  const password = secrets.has('newPassword') ? 'newPassword' : 'password';
  requireAcceptable(secrets, password, newBasicUserPassword, parameters, account.name);
  if (secrets.same('password', 'newPassword')) {
    const problem = 'it is the present one; without a new one the present one stays';
    throw fail('PasswordUnacceptable', { which: newBasicUserPassword, problem });
  }
  await (await unlock(call, user)).dispose();
  if (password === 'password') {
    call.report.warning(
      'The password stays the same: whoever knows it can open copies of the new files as well. -NewPassword sets another.',
    );
  }
  const kept = (await user.store.generations()).length;
  return {
    plan: {
      action: 'Make a new Basic User Key',
      target: `${account.name} on ${settings.computer}`,
      impact: 'medium',
      lines: [
        `A new Basic User Key takes the place of ${shortName(user.present.basicUserKey)}; credentials and features stay.`,
        `${kept} kept generation(s) are encrypted anew under it${password === 'password' ? ', under the same password' : ' and under the new password'}.`,
        'Grants that name the old key do not move the new one, and what was delegated for it ends here: the owner grants again.',
        'A computer that holds the old key merges the next archive, when -CurrentPassword gives its present password.',
      ],
      facts: {
        ...presentFacts(user),
        kept,
        authority: user.platform.authority,
        samePassword: password === 'password',
      },
    },
    prepare: async () => {
      await secrets.freshRoot(password, newBasicUserPassword);
    },
    apply: async () => {
      const made = await changeKey(call, user, password);
      const facts = {
        basicUserKey: made.name,
        replaced: user.present.basicUserKey,
        generation: String(made.epoch.now.generation),
        ...(password === 'newPassword' ? { password: 'changed' } : {}),
      };
      await record(call, 'user', {
        operation: 'user-new-key',
        account,
        platform: user.platform.ids.platformId,
        facts,
      });
      return {
        account: account.id,
        basicUserKey: made.name,
        replaced: user.present.basicUserKey,
        generation: made.epoch.now.generation,
        rewritten: made.epoch.rewritten,
        notOpened: made.epoch.notOpened.map(leftBehind),
        passwordChanged: password === 'newPassword',
      };
    },
  };
};

async function changeKey(
  call: Call,
  user: PresentUser,
  password: 'password' | 'newPassword',
): Promise<{ readonly name: TpmName; readonly epoch: RewrittenEpoch }> {
  const fresh = await call.secrets.freshRoot(password, newBasicUserPassword);
  const { publicKey, nonce, epoch } = await rewriteUnderNewKey(call, user, fresh);
  // Only now: a chip has few slots, and the keys of the rewriting are out of them.
  await readBack(user, fresh.root);
  call.secrets.spendFresh(password);
  await register(call, user.platform, publicKey, nonce, user.platform.settings.authorityKey, []);
  return { name: tpmName(publicKey), epoch };
}

async function rewriteUnderNewKey(
  call: Call,
  user: PresentUser,
  fresh: SaltedRoot,
): Promise<{ readonly publicKey: Uint8Array; readonly nonce: Uint8Array; readonly epoch: RewrittenEpoch }> {
  const { random } = call.ports;
  const { settings, chip } = user.platform;
  const unlocked = await unlock(call, user);
  try {
    using keys = new UserKeys(fresh.root);
    using vaultKey = new SecretBytes(random(32));
    const nonce = random(16);
    const key = await chip.createBasicUserKey(
      basicUserKeyPolicy(settings.authorityKey, nonce),
      keys.basicUserAuth,
    );
    const loaded = await chip.loadBasicUserKey(key, keys.basicUserAuth);
    try {
      const epochKeys = {
        passwordSalt: fresh.salt,
        basicUserKey: key.public,
        nonce,
        basicUserKeyPrivate: key.private,
        vaultKeyBlob: await loaded.sealVaultKey(vaultKey, keys.vaultAuth),
        vaultKey,
        atRest: keys.atRest,
      };
      const underNewKey = (environment: Environment): Environment => ({
        ...environment,
        publicPart: rooted(environment.publicPart, settings.authorityKey),
      });
      const epoch = await rewriteEpoch(call, user, unlocked, epochKeys, {
        each: underNewKey,
        next: continuing(underNewKey(unlocked.environment), user.present.basicUserKey),
      });
      return { publicKey: key.public, nonce, epoch };
    } finally {
      await loaded.dispose();
    }
  } finally {
    await unlocked.dispose();
  }
}

/** A key made here is under the authority of this platform, and came by no grant. */
function rooted(publicPart: PublicPart, rootAuthority: Uint8Array): PublicPart {
  return { ...publicPart, rootAuthority, grants: [] };
}

function continuing(environment: Environment, replaced: TpmName): Environment {
  const { privatePart } = environment;
  const others = privatePart.replaces.filter((name) => name !== replaced).slice(-(mostReplaced - 1));
  return { ...environment, privatePart: { ...privatePart, replaces: [...others, replaced].sort() } };
}

/** The first digits of a Name's digest: enough for people. */
function shortName(name: TpmName): string {
  return name.slice(4, 16);
}
