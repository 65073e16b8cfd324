/**
 * `Remove-SPMigrationCredential -Permanent`: the credential's key leaves every kept generation and every environment in
 * quarantine that the password opens, and a tombstone keeps undo and imports from reviving it. What the password does not
 * open is named (docs/spec/environment-store.md, "Undo and removal"). Where it is, is found out by `removal-survey.ts`.
 */
import { fail } from '../domain/error.ts';
import { limits, type Credential } from '../domain/environment.ts';
import { withoutCredentials, withTombstones } from '../domain/undo-plan.ts';
import { openBasicUserKey } from '../sealing/environment.ts';
import type { PresentUser } from './change-environment.ts';
import { uninstallable } from './installed.ts';
import { quarantineOpener, sealedAnew } from './open-set-aside.ts';
import type { Call, Planned } from './operation.ts';
import { record } from './record.ts';
import { surveyRemoval, stillHolding, type Removal } from './removal-survey.ts';
import type { CredentialRemovalResult } from './results.ts';
import { rewriteEpoch, type EpochKeys, type RewrittenEpoch } from './rewrite-epoch.ts';
import { keptFile } from './set-aside.ts';
import {
  presentFacts,
  requireNotInterrupted,
  requireUnchanged,
  unlock,
  type UnlockedEnvironment,
} from './user-context.ts';

/** The plan needs the password: it says what will be reached and what will not. */
export async function planRemovalForGood(
  call: Call,
  user: PresentUser,
  credential: Credential,
): Promise<Planned<CredentialRemovalResult>> {
  const unlocked = await unlock(call, user);
  try {
    const removal = await surveyRemoval(call, user, unlocked, credential);
    const { tombstones } = withTombstones(unlocked.environment, removal.ids).privatePart;
    if (tombstones.length > limits.tombstones) {
      const what = 'the list of credentials that were removed for good';
      throw fail('LimitExceeded', { what, actual: tombstones.length, maximum: limits.tombstones });
    }
    const isInstalled = (await user.store.installed()).has(credential.id);
    return {
      plan: {
        action: 'Remove a credential for good',
        target: `${credential.label} (${credential.id})`,
        impact: 'high',
        lines: linesOf(removal, isInstalled),
        facts: {
          ...presentFacts(user),
          permanent: true,
          credentials: [...removal.ids].sort(),
          generations: removal.generations,
          quarantined: removal.quarantined.map(({ quarantine, generation }) => `${quarantine} ${generation}`),
          notOpened: removal.notOpened,
        },
      },
      apply: () => removeForGood(call, user, unlocked, removal),
      dispose: () => unlocked.dispose(),
    };
  } catch (error) {
    await unlocked.dispose();
    throw error;
  }
}

function linesOf(removal: Removal, isInstalled: boolean): readonly string[] {
  const { label } = removal.credential;
  const environments = [...new Set(removal.quarantined.map(({ quarantine }) => quarantine))];
  return [
    `${label} is removed for good: what was encrypted for it can never be read with it again.`,
    `It is taken out of ${removal.generations.length} kept generation(s); all that are kept are encrypted anew.`,
    ...(environments.length === 0
      ? []
      : [`It is taken out of the environments in quarantine ${environments.join(', ')}.`]),
    ...removal.notOpened.map((place) => `Not reached, and may still hold it: ${place}.`),
    ...removal.sameKey.map((other) => `Its key stays: ${other} has the same one.`),
    ...(isInstalled ? ['It is taken out of the certificate store.'] : []),
    'No undo brings it back, and an import only with -IncludeRemoved. Archives that have left this computer still hold it.',
  ];
}

async function removeForGood(
  call: Call,
  user: PresentUser,
  unlocked: UnlockedEnvironment,
  removal: Removal,
): Promise<CredentialRemovalResult> {
  const { id, label } = removal.credential;
  const epoch = await inLastingOrder(call, user, unlocked, removal);
  const left = await stillHolding(user, removal);
  if (left !== undefined) {
    throw fail('EnvironmentDamaged', { path: user.store.path, problem: `${left} still holds ${label}` });
  }
  const rewritten = epoch.rewritten + removal.quarantined.length;
  await record(call, 'user', {
    operation: 'credential-remove',
    account: user.platform.account,
    platform: user.platform.ids.platformId,
    facts: {
      credential: id,
      permanent: 'yes',
      rewritten: String(rewritten),
      notOpened: removal.notOpened.join('; ') || 'none',
      generation: String(epoch.now.generation),
    },
  });
  return {
    credential: id,
    label,
    permanent: true,
    rewritten,
    notOpened: removal.notOpened,
    uninstall: await uninstallable(
      user.store,
      withoutCredentials(unlocked.environment, removal.ids).publicPart,
    ),
  };
}

/**
 * Quarantines first, and the one switch of the present environment last; but where only quarantines hold it, the tombstone
 * first. Either way it is still found after an interruption, and the removal can be made again.
 */
async function inLastingOrder(
  call: Call,
  user: PresentUser,
  unlocked: UnlockedEnvironment,
  removal: Removal,
): Promise<RewrittenEpoch> {
  const entombed = (): Promise<RewrittenEpoch> =>
    rewriteEpoch(call, user, unlocked, presentKeys(user, unlocked), {
      each: (environment) => withoutCredentials(environment, removal.ids),
      next: withTombstones(withoutCredentials(unlocked.environment, removal.ids), removal.ids),
    });
  if (removal.generations.length > 0) {
    await removeFromQuarantine(call, user, removal, true);
    return entombed();
  }
  const epoch = await entombed();
  await removeFromQuarantine(call, user, removal, false);
  return epoch;
}

/** File by file, each by one rename. `PlanOutdated` where one is not what the survey found. */
async function removeFromQuarantine(
  call: Call,
  user: PresentUser,
  { quarantined, ids }: Removal,
  isFirst: boolean,
): Promise<void> {
  if (quarantined.length === 0) return;
  const open = quarantineOpener(call, user);
  await user.store.withLock(async (writer) => {
    if (isFirst) {
      await requireUnchanged(writer, user);
      requireNotInterrupted(call);
    }
    for (const place of quarantined) {
      const file = await keptFile(user, place);
      const opened = file && (await open(file));
      if (opened === undefined) throw fail('PlanOutdated');
      try {
        const environment = withTombstones(withoutCredentials(opened.environment, ids), ids);
        const bytes = sealedAnew(call, user, opened, environment);
        await writer.rewriteQuarantined(place.quarantine, { generation: place.generation, bytes });
      } finally {
        await opened.dispose();
      }
    }
  });
}

/** The keys that the present environment is under. */
function presentKeys(user: PresentUser, { header, vaultKey, keys }: UnlockedEnvironment): EpochKeys {
  const { account, settings } = user.platform;
  return {
    passwordSalt: header.passwordSalt,
    basicUserKey: header.basicUserKey,
    nonce: header.nonce,
    basicUserKeyPrivate: openBasicUserKey(header, settings.chip, keys.atRest, account.name),
    vaultKeyBlob: header.vaultKey,
    vaultKey,
    atRest: keys.atRest,
  };
}
