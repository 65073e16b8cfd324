/**
 * `Remove-SPMigrationUser`: takes the caller's environment out of use. It goes to quarantine as a whole, still under its
 * own password; the account itself is not touched. Needs no password: whoever owns the folder could delete it anyway.
 */
import { uninstallable } from './installed.ts';
import type { Changer } from './operation.ts';
import { requirePlatform } from './platform-context.ts';
import { record } from './record.ts';
import type { UserRemovalResult } from './results.ts';
import { presentFacts, requireNotInterrupted, requireUnchanged, requireUser } from './user-context.ts';

export interface RemoveUserParameters {
  readonly allowServiceAccount?: boolean;
}

export const removeUser: Changer<RemoveUserParameters, UserRemovalResult> = async (call, parameters) => {
  const platform = await requirePlatform(call.ports);
  const user = await requireUser(call, platform, parameters.allowServiceAccount ?? false);
  const installed = await user.store.installed();
  const count = user.present.publicPart.credentials.length;
  return {
    plan: {
      action: 'Remove the environment',
      target: platform.account.name,
      impact: 'high',
      lines: [
        `The environment of ${platform.account.name} with ${count} credential(s) is set aside: no feature uses it any more.`,
        'What was encrypted with its keys cannot be read here until Undo-SPMigration brings it back. Decrypt your data first.',
        ...(installed.size === 0
          ? []
          : [`${installed.size} certificate(s) are taken out of the certificate store.`]),
      ],
      facts: { ...presentFacts(user) },
    },
    apply: async () => {
      const setAside = await user.store.withLock(async (writer) => {
        await requireUnchanged(writer, user);
        requireNotInterrupted(call);
        return writer.setAside();
      });
      await record(call, 'user', {
        operation: 'user-remove',
        account: platform.account,
        platform: platform.ids.platformId,
        facts: { quarantine: setAside.id, basicUserKey: user.present.basicUserKey },
      });
      return {
        account: platform.account.id,
        quarantine: setAside.id,
        uninstall: await uninstallable(user.store, undefined),
      };
    },
  };
};
