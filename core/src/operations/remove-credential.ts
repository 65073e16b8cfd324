/**
 * `Remove-SPMigrationCredential`: takes a credential out of the environment. Older generations still hold it (they are
 * kept for `Undo-SPMigration`). A credential that a feature uses is not removed: `CredentialInUse`.
 */
import { fail } from '../domain/error.ts';
import { activeFeatures, type FeatureAssignments } from '../domain/environment.ts';
import type { CredentialId } from '../domain/ids.ts';
import { changeEnvironment, prepareUnlock, userForChange } from './change-environment.ts';
import { findCredential } from './credential.ts';
import type { Changer } from './operation.ts';
import type { CredentialRemovalResult } from './results.ts';
import { presentFacts } from './user-context.ts';

export interface RemoveCredentialParameters {
  readonly credential: string;
  readonly allowServiceAccount?: boolean;
}

export const removeCredential: Changer<RemoveCredentialParameters, CredentialRemovalResult> = async (
  call,
  parameters,
) => {
  const user = await userForChange(call, parameters);
  const credential = findCredential(user.present.publicPart, parameters.credential);
  const used = activeFeatures(credential.id, user.present.publicPart.features);
  if (used.length > 0)
    throw fail('CredentialInUse', { credential: credential.label, features: used.join(', ') });
  const thumbprint = (await user.store.installed()).get(credential.id);
  return {
    plan: {
      action: 'Remove a credential',
      target: `${credential.label} (${credential.id})`,
      impact: 'high',
      lines: [
        `${credential.label} is removed from the environment; what was encrypted for it cannot be read with it any more.`,
        ...(thumbprint === undefined ? [] : ['It is taken out of the certificate store.']),
      ],
      facts: { ...presentFacts(user), credential: credential.id },
    },
    prepare: prepareUnlock(call, user),
    apply: async () => {
      const value = await changeEnvironment(call, user, 'credential-remove', ({ environment }) => {
        const { publicPart, privatePart } = environment;
        const credentials = publicPart.credentials.filter(({ id }) => id !== credential.id);
        const keys = new Map([...privatePart.keys].filter(([id]) => id !== credential.id));
        const proposed = without(publicPart.proposed, credential.id);
        return Promise.resolve({
          environment: {
            publicPart: { ...publicPart, credentials, proposed },
            privatePart: { ...privatePart, keys },
          },
          value: {
            credential: credential.id,
            label: credential.label,
            uninstall: thumbprint === undefined ? [] : [thumbprint],
          },
          facts: { credential: credential.id },
        });
      });
      if (thumbprint !== undefined) {
        const installed = new Map(await user.store.installed());
        installed.delete(credential.id);
        await user.store.setInstalled(installed);
      }
      return value;
    },
  };
};

/** The assignments without those of one credential. */
function without(assignments: FeatureAssignments, id: CredentialId): FeatureAssignments {
  const kept = Object.entries(assignments).filter(([, assigned]) => assigned !== id);
  return Object.fromEntries(kept);
}
