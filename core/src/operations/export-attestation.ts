/**
 * `Export-SPMigrationIdentity -ChallengePath`: the TPM of this platform answers an owner's challenge. Whoever asks may do so:
 * the answer gives out only what the challenger knew before, and says nothing but that the storage key is in this TPM.
 */
import { toHex } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { groupFingerprint } from '../domain/ids.ts';
import { formatInstant } from '../domain/time.ts';
import { encodeAttestation } from '../format/attestation-v1.ts';
import { expectKind, maximumBytesOf } from '../format/kind.ts';
import { readChallenge, requireCommitted, requireForThisChip } from '../sealing/challenge.ts';
import { endorsementFingerprint } from '../sealing/endorsement.ts';
import type { Changer } from './operation.ts';
import { requireAdministrator, requirePlatform, requireSameKind } from './platform-context.ts';
import { record } from './record.ts';
import type { AttestationResult } from './results.ts';

export interface ExportAttestationParameters {
  readonly path: string;
  readonly challengePath: string;
  readonly overwrite?: boolean;
}

export const exportAttestation: Changer<ExportAttestationParameters, AttestationResult> = async (
  call,
  { path: wanted, challengePath, overwrite = false },
) => {
  const { ports } = call;
  await requireAdministrator(ports);
  const platform = await requirePlatform(ports);
  const { computer, storageKey } = platform.settings;
  const endorsement = await platform.chip.endorsement();
  const bytes = await ports.files.read(challengePath, maximumBytesOf('challenge'));
  expectKind(bytes, 'challenge', challengePath);
  const signed = readChallenge(bytes, challengePath);
  const { challenge } = signed;
  requireSameKind(challengePath, challenge.rehearsal, ports.rehearsal);
  requireForThisChip(signed, storageKey, endorsement.key);
  const path = await ports.files.outputPath(wanted, `${computer}.spattestation`, overwrite);
  const tpm = endorsementFingerprint(endorsement.key);
  const known = {
    path,
    computer,
    challengePath,
    endorsementFingerprint: groupFingerprint(tpm),
    storageKeyName: platform.ids.storageKeyName,
    authorityFingerprint: groupFingerprint(signed.signer),
    rehearsal: challenge.rehearsal,
  };
  return {
    plan: {
      action: 'Answer a challenge',
      target: path,
      impact: 'medium',
      lines: [
        `The TPM answers the challenge of the authority ${known.authorityFingerprint} from ${formatInstant(challenge.created)}: that it holds the storage key of ${computer}.`,
        `The answer, which holds no secret, is written to ${path}.`,
      ],
      facts: { path, challenge: toHex(sha256(bytes)), endorsement: tpm },
    },
    preview: { ...known, created: ports.clock() },
    apply: async () => {
      using secret = await platform.chip.activateCredential({
        credentialBlob: challenge.credentialBlob,
        secret: challenge.encryptedSecret,
      });
      requireCommitted(signed, secret);
      const created = ports.clock();
      const attestation = encodeAttestation({ challenge: bytes, answer: secret.reveal, created });
      const written = await ports.files.write(path, attestation, overwrite);
      await record(call, 'platform', {
        operation: 'attestation-export',
        account: platform.account,
        platform: platform.ids.platformId,
        facts: { path: written, authority: signed.signer, endorsement: tpm },
      });
      return { ...known, path: written, created };
    },
  };
};
