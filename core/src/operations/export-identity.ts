/** `Export-SPMigrationIdentity`: the public file by which an owner elsewhere can permit this computer as destination. */
import type { Identity } from '../domain/platform.ts';
import { groupFingerprint } from '../domain/ids.ts';
import { encodeIdentity } from '../format/identity-v1.ts';
import { identityResult } from './identity.ts';
import type { Changer } from './operation.ts';
import { requireAdministrator, requirePlatform } from './platform-context.ts';
import { record } from './record.ts';
import type { IdentityResult } from './results.ts';

export interface ExportIdentityParameters {
  readonly path: string;
  readonly overwrite?: boolean;
}

export const exportIdentity: Changer<ExportIdentityParameters, IdentityResult> = async (call, parameters) => {
  const { ports } = call;
  await requireAdministrator(ports);
  const platform = await requirePlatform(ports);
  const { computer, chip, rehearsal, storageKey, authorityKey } = platform.settings;
  const overwrite = parameters.overwrite ?? false;
  const path = await ports.files.outputPath(parameters.path, `${computer}.spid`, overwrite);
  const identity: Identity = {
    computer,
    chip,
    rehearsal,
    storageKey,
    authorityKey,
    attestation: new Uint8Array(),
    created: ports.clock(),
  };
  return {
    plan: {
      action: 'Write the identity of this computer',
      target: path,
      impact: 'medium',
      lines: [
        `The public identity of ${computer}, fingerprint ${groupFingerprint(platform.ids.fingerprint)}, is written to ${path}.`,
      ],
      facts: { path, fingerprint: platform.ids.fingerprint },
    },
    preview: identityResult(identity, path),
    apply: async () => {
      await ports.files.write(path, encodeIdentity(identity), overwrite);
      await record(call, 'platform', {
        operation: 'identity-export',
        account: platform.account,
        platform: platform.ids.platformId,
        facts: { path, fingerprint: platform.ids.fingerprint },
      });
      return identityResult(identity, path);
    },
  };
};
