/** `Export-SPMigrationIdentity`: the public file by which an owner elsewhere can permit this computer as destination. */
import { toHex } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import type { ErrorCode } from '../domain/error-catalogue.ts';
import { isSPMigrationError } from '../domain/error.ts';
import type { Identity } from '../domain/platform.ts';
import { groupFingerprint } from '../domain/ids.ts';
import { encodeEndorsement } from '../format/endorsement-v1.ts';
import { encodeIdentity } from '../format/identity-v1.ts';
import { identityResult } from './identity.ts';
import type { Call, Changer } from './operation.ts';
import { requireAdministrator, requirePlatform, type Platform } from './platform-context.ts';
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
    attestation: await endorsementHere(call, platform),
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
      facts: {
        path,
        fingerprint: platform.ids.fingerprint,
        endorsement: toHex(sha256(identity.attestation)),
      },
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

/** For which a TPM that works, as its storage key was read just now, does not name its endorsement key. */
const unnamed: readonly ErrorCode[] = [
  'AttestationUnsupported',
  'ChipCommandBlocked',
  'ChipDisabled',
  'ChipFailed',
];

/** What the identity says of its TPM. Without it the computer can be granted as before, and prove nothing. */
async function endorsementHere(call: Call, { settings, chip }: Platform): Promise<Uint8Array> {
  if (settings.chip === 'software') return new Uint8Array();
  try {
    return encodeEndorsement(await chip.endorsement());
  } catch (error) {
    if (!isSPMigrationError(error) || !unnamed.includes(error.code)) throw error;
    call.report.warning(
      `The identity names no endorsement key, so it cannot be proven that a TPM guards the keys here. ${error.message}`,
      error.code,
    );
    return new Uint8Array();
  }
}
