/** Valid files of every kind, made from the samples: property tests and fuzzing change them. */
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { encodeArchiveEnvironment } from '../../core/src/format/archive-environment-v1.ts';
import { encodeAttestation } from '../../core/src/format/attestation-v1.ts';
import {
  encodeAuthorityFile,
  encodeAuthorityPublic,
  encodeOwnerPasswordBackup,
} from '../../core/src/format/authority-v1.ts';
import { encodeChallengeBody } from '../../core/src/format/challenge-v1.ts';
import { encodeEndorsement } from '../../core/src/format/endorsement-v1.ts';
import {
  assembleGeneration,
  encodeHeader,
  encodePrivatePart,
  encodePublicPart,
} from '../../core/src/format/generation-v1.ts';
import { appendSignature, encodeGrantBody } from '../../core/src/format/grant-v1.ts';
import { encodeGrants } from '../../core/src/format/grants-v1.ts';
import { encodeIdentity } from '../../core/src/format/identity-v1.ts';
import { encodeManifest } from '../../core/src/format/manifest-v1.ts';
import { encodePlatformSettings } from '../../core/src/format/platform-v1.ts';
import { encodeReceipt } from '../../core/src/format/receipt-v1.ts';
import { encodeRegistration } from '../../core/src/format/registration-v1.ts';
import { encodeRevocationListBody } from '../../core/src/format/revocation-list-v1.ts';
import { encodeSums } from '../../core/src/format/sums-v1.ts';
import type { CodecName } from './codecs.ts';
import {
  fixedBytes,
  sampleAttestation,
  sampleAuthorityFile,
  sampleChallenge,
  sampleEndorsement,
  sampleEnvironment,
  sampleGrant,
  sampleHeader,
  sampleIdentity,
  sampleManifest,
  sampleNarrowGrant,
  sampleParts,
  samplePlatform,
  sampleReceipt,
  sampleRegistration,
  sampleRevocationList,
  sampleSignature,
  sampleSigner,
} from './format-samples.ts';
import { writeZip, zipEntriesOf } from './zip-writer.ts';

/** One valid file of each kind, from which the damaged ones are made. */
export const validFiles: Readonly<Record<CodecName, readonly Uint8Array[]>> = {
  archive: [
    writeZip(
      zipEntriesOf({
        ...sampleParts,
        environment: fixedBytes(100, 1),
        manifest: fixedBytes(60, 2),
        grants: fixedBytes(60, 2),
      }),
    ),
  ],
  'archive-environment': [encodeArchiveEnvironment(sampleEnvironment()).reveal],
  attestation: [encodeAttestation(sampleAttestation)],
  authority: [encodeAuthorityFile(sampleAuthorityFile)],
  'authority-public': [encodeAuthorityPublic(sampleAuthorityFile)],
  challenge: [sampleChallenge, { ...sampleChallenge, encryptedSecret: fixedBytes(68, 84) }].map((one) =>
    appendSignature(encodeChallengeBody(one), sampleSigner, sampleSignature),
  ),
  endorsement: [
    encodeEndorsement(sampleEndorsement),
    encodeEndorsement({ ...sampleEndorsement, certificate: undefined }),
  ],
  generation: [
    assembleGeneration(
      encodeHeader(sampleHeader),
      encodePublicPart(sampleEnvironment().publicPart),
      fixedBytes(40, 1),
    ),
  ],
  grant: [sampleGrant, sampleNarrowGrant].map((one) =>
    appendSignature(encodeGrantBody(one), sampleSigner, sampleSignature),
  ),
  grants: [encodeGrants([fixedBytes(90, 1), fixedBytes(80, 2)])],
  identity: [
    encodeIdentity(sampleIdentity),
    encodeIdentity({ ...sampleIdentity, computer: 'Łódź 💻', attestation: fixedBytes(700, 1) }),
  ],
  manifest: [encodeManifest(sampleManifest)],
  'owner-password-backup': [
    encodeOwnerPasswordBackup({
      authority: sampleSigner,
      rehearsal: false,
      key: SecretBytes.copyOf(fixedBytes(32, 1)),
    }).reveal,
  ],
  platform: [encodePlatformSettings(samplePlatform)],
  'private-part': [encodePrivatePart(sampleEnvironment().privatePart).reveal],
  receipt: [
    encodeReceipt(sampleReceipt),
    encodeReceipt({ ...sampleReceipt, rekey: true, historyHead: new Uint8Array() }),
  ],
  registration: [encodeRegistration(sampleRegistration)],
  'revocation-list': [
    appendSignature(encodeRevocationListBody(sampleRevocationList), sampleSigner, sampleSignature),
  ],
  sums: [encodeSums({ manifest: fixedBytes(32, 1), environment: fixedBytes(32, 2) })],
};
