/**
 * Certificates that stand in the system's store for credentials that are not here any more. They stay recorded until the
 * module says that it took them out (`credential-uninstalled`), so that one which could not be taken out is not forgotten:
 * every later change names it again.
 */
import type { PublicPart } from '../domain/environment.ts';
import type { EnvironmentStore } from '../ports/environment-store.ts';
import type { Changer } from './operation.ts';
import { requirePlatform } from './platform-context.ts';
import { recordIfPlatform } from './record.ts';
import type { UninstallationResult } from './results.ts';
import { findUser, presentFacts } from './user-context.ts';

/** Thumbprints to take out of the store once this is the present public part (undefined: there is none any more). */
export async function uninstallable(
  store: EnvironmentStore,
  publicPart: PublicPart | undefined,
): Promise<readonly string[]> {
  const here = new Set<string>((publicPart?.credentials ?? []).map(({ id }) => id));
  return [...(await store.installed())].filter(([id]) => !here.has(id)).map(([, thumbprint]) => thumbprint);
}

export interface UninstalledParameters {
  readonly thumbprint: readonly string[];
}

/** Records that certificates are in the store no more. */
export const credentialUninstalled: Changer<UninstalledParameters, UninstallationResult> = async (
  call,
  { thumbprint },
) => {
  const user = await findUser(call, await requirePlatform(call.ports));
  const gone = new Set(thumbprint.map((one) => one.toUpperCase()));
  return {
    plan: {
      action: 'Record certificates as taken out',
      target: `${gone.size} certificate(s)`,
      impact: 'medium',
      lines: [`${gone.size} certificate(s) are recorded as taken out of the certificate store.`],
      facts: { ...presentFacts(user), thumbprints: [...gone].sort() },
    },
    apply: async () => {
      const uninstalled: string[] = [];
      await user.store.updateInstalled((installed) => {
        const isGone = ([, one]: readonly [string, string]): boolean => gone.has(one);
        uninstalled.push(...[...installed].filter(isGone).map(([, one]) => one));
        return new Map([...installed].filter((entry) => !isGone(entry)));
      });
      await recordIfPlatform(call, 'user', 'credential-uninstalled', { thumbprints: uninstalled.join(' ') });
      return { uninstalled };
    },
  };
};
