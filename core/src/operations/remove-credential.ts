/**
 * `Remove-SPMigrationCredential`: takes a credential out of the environment. It stays recoverable (`Undo-SPMigration`),
 * until `-Permanent`, which is `remove-for-good.ts`. A credential that a feature uses is not removed: `CredentialInUse`.
 */
import { fail } from '../domain/error.ts';
import { activeFeatures } from '../domain/environment.ts';
import { withoutCredentials } from '../domain/undo-plan.ts';
import { changeEnvironment, prepareUnlock, userForChange } from './change-environment.ts';
import { findCredential } from './credential.ts';
import { uninstallable } from './installed.ts';
import type { Changer } from './operation.ts';
import { planRemovalForGood } from './remove-for-good.ts';
import type { CredentialRemovalResult } from './results.ts';
import { findAnywhere } from './set-aside.ts';
import { presentFacts } from './user-context.ts';

export interface RemoveCredentialParameters {
  readonly credential: string;
  /** From every kept generation and quarantined environment that the password opens, and never to come back. */
  readonly permanent?: boolean;
  readonly allowServiceAccount?: boolean;
}

export const removeCredential: Changer<RemoveCredentialParameters, CredentialRemovalResult> = async (
  call,
  parameters,
) => {
  const user = await userForChange(call, parameters);
  const permanent = parameters.permanent ?? false;
  const credential = permanent
    ? await findAnywhere(user, parameters.credential)
    : findCredential(user.present.publicPart, parameters.credential);
  const used = activeFeatures(credential.id, user.present.publicPart.features);
  if (used.length > 0)
    throw fail('CredentialInUse', { credential: credential.label, features: used.join(', ') });
  if (permanent) return planRemovalForGood(call, user, credential);
  const isInstalled = (await user.store.installed()).has(credential.id);
  return {
    plan: {
      action: 'Remove a credential',
      target: `${credential.label} (${credential.id})`,
      impact: 'high',
      lines: [
        `${credential.label} is removed from the environment; what was encrypted for it cannot be read with it any more.`,
        'It can be brought back with Undo-SPMigration, until it is removed with -Permanent.',
        ...(isInstalled ? ['It is taken out of the certificate store.'] : []),
      ],
      facts: { ...presentFacts(user), credential: credential.id },
    },
    prepare: prepareUnlock(call, user),
    apply: () =>
      changeEnvironment(call, user, 'credential-remove', async ({ environment }) => {
        const left = withoutCredentials(environment, new Set([credential.id]));
        return {
          environment: left,
          value: {
            credential: credential.id,
            label: credential.label,
            permanent: false,
            rewritten: 0,
            notOpened: [],
            uninstall: await uninstallable(user.store, left.publicPart),
          },
          facts: { credential: credential.id },
        };
      }),
  };
};
