/**
 * `New-SPMigrationChallenge`: the owner's question to a destination, whether its storage key is in the TPM that its identity
 * names. Signed, so that the owner knows the question again when the answer comes; nothing is kept.
 */
import { toHex } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { groupFingerprint } from '../domain/ids.ts';
import { endorsementFingerprint } from '../sealing/endorsement.ts';
import { makeChallenge, requireChallengeable } from '../sealing/challenge.ts';
import { authorityFingerprint, platformIdsOf } from '../sealing/fingerprints.ts';
import { chooseAuthority, type AuthorityChoice } from './authority-context.ts';
import { readIdentityFile } from './identity.ts';
import type { Changer } from './operation.ts';
import { findPlatform, requireAdministrator, requirePlatform, requireSameKind } from './platform-context.ts';
import { record } from './record.ts';
import type { ChallengeResult } from './results.ts';

export interface NewChallengeParameters extends AuthorityChoice {
  readonly path: string;
  /** Undefined: beside the identity. */
  readonly outputPath?: string;
  readonly overwrite?: boolean;
}

export const newChallenge: Changer<NewChallengeParameters, ChallengeResult> = async (call, parameters) => {
  const { ports } = call;
  const fleet = parameters.authorityPath !== undefined;
  if (!fleet) await requireAdministrator(ports);
  const platform = fleet ? await findPlatform(ports) : await requirePlatform(ports);
  const identity = await readIdentityFile(call, parameters.path);
  requireSameKind(parameters.path, identity.rehearsal, ports.rehearsal);
  const endorsement = requireChallengeable(identity, parameters.path);
  const overwrite = parameters.overwrite ?? false;
  const path = await ports.files.outputPath(
    parameters.outputPath ?? ports.files.folderOf(parameters.path),
    `${identity.computer}.spchallenge`,
    overwrite,
  );
  const authority = await chooseAuthority(call, platform, parameters);
  const { fingerprint } = platformIdsOf(identity);
  const tpm = endorsementFingerprint(endorsement.key);
  const known = {
    path,
    computer: identity.computer,
    fingerprint: groupFingerprint(fingerprint),
    endorsementFingerprint: groupFingerprint(tpm),
    authorityFingerprint: groupFingerprint(authorityFingerprint(authority.publicKey)),
    rehearsal: identity.rehearsal,
  };
  return {
    plan: {
      action: 'Challenge a TPM',
      target: `${identity.computer}, endorsement key ${known.endorsementFingerprint}`,
      impact: 'medium',
      lines: [
        `A challenge for the storage key of ${identity.computer} in the TPM with the endorsement key ${known.endorsementFingerprint} is written to ${path}.`,
        'Only that TPM can answer it; it permits nothing.',
      ],
      facts: {
        path,
        identity: toHex(sha256(identity.storageKey, identity.authorityKey)),
        endorsement: tpm,
        authority: toHex(authority.publicKey),
      },
    },
    preview: { ...known, created: ports.clock() },
    prepare: authority.prepare,
    apply: async () => {
      using key = await authority.open();
      const created = ports.clock();
      const by = { authority: key, created, random: ports.random };
      const { bytes } = makeChallenge(identity, parameters.path, by);
      const written = await ports.files.write(path, bytes, overwrite);
      if (platform !== undefined) {
        await record(call, authority.local ? 'platform' : 'user', {
          operation: 'challenge-new',
          account: platform.account,
          platform: platform.ids.platformId,
          facts: { destination: identity.computer, fingerprint, endorsement: tpm, path: written },
        });
      }
      return { ...known, path: written, created };
    },
  };
};
