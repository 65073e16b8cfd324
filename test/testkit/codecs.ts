/**
 * Every decoder of untrusted bytes under one name, with the way back to bytes: what a decoder accepts must be exactly
 * what its encoder writes. For property tests and vectors. Leaves out policy, which administrators write by hand.
 */
import { createZipContainer } from '../../core/src/adapters/zip/container.ts';
import {
  decodeArchiveEnvironment,
  encodeArchiveEnvironment,
} from '../../core/src/format/archive-environment-v1.ts';
import { decodeAttestation, encodeAttestation } from '../../core/src/format/attestation-v1.ts';
import {
  decodeAuthorityFile,
  decodeAuthorityPublic,
  decodeOwnerPasswordBackup,
  encodeAuthorityFile,
  encodeAuthorityPublic,
  encodeOwnerPasswordBackup,
} from '../../core/src/format/authority-v1.ts';
import { decodeChallenge, encodeChallengeBody } from '../../core/src/format/challenge-v1.ts';
import { decodeEndorsement, encodeEndorsement } from '../../core/src/format/endorsement-v1.ts';
import {
  assembleGeneration,
  decodeGeneration,
  decodePrivatePart,
  encodeHeader,
  encodePrivatePart,
  encodePublicPart,
} from '../../core/src/format/generation-v1.ts';
import { appendSignature, decodeGrant, encodeGrantBody } from '../../core/src/format/grant-v1.ts';
import { decodeGrants, encodeGrants } from '../../core/src/format/grants-v1.ts';
import { decodeIdentity, encodeIdentity } from '../../core/src/format/identity-v1.ts';
import { decodeManifest, encodeManifest } from '../../core/src/format/manifest-v1.ts';
import { decodePlatformSettings, encodePlatformSettings } from '../../core/src/format/platform-v1.ts';
import { decodeReceipt, encodeReceipt } from '../../core/src/format/receipt-v1.ts';
import { decodeRegistration, encodeRegistration } from '../../core/src/format/registration-v1.ts';
import { decodeRevocationList, encodeRevocationListBody } from '../../core/src/format/revocation-list-v1.ts';
import { decodeSums, encodeSums } from '../../core/src/format/sums-v1.ts';

/** Decodes and encodes again: the same bytes, or a catalogue error. */
export type Codec = (bytes: Uint8Array, path: string) => Uint8Array | Promise<Uint8Array>;

const container = createZipContainer();

export const codecs = {
  archive: async (bytes, path) => container.pack(await container.unpack(bytes, path)),
  'archive-environment': (bytes, path) =>
    encodeArchiveEnvironment(decodeArchiveEnvironment(bytes, path)).reveal,
  attestation: (bytes, path) => encodeAttestation(decodeAttestation(bytes, path)),
  authority: (bytes, path) => encodeAuthorityFile(decodeAuthorityFile(bytes, path)),
  'authority-public': (bytes, path) => encodeAuthorityPublic(decodeAuthorityPublic(bytes, path)),
  challenge: (bytes, path) => {
    const { challenge, signer, signature } = decodeChallenge(bytes, path);
    return appendSignature(encodeChallengeBody(challenge), signer, signature);
  },
  endorsement: (bytes, path) => encodeEndorsement(decodeEndorsement(bytes, path)),
  generation: (bytes, path) => {
    const { header, publicPart, sealedPrivate } = decodeGeneration(bytes, path);
    return assembleGeneration(encodeHeader(header), encodePublicPart(publicPart), sealedPrivate);
  },
  grant: (bytes, path) => {
    const { grant, signer, signature } = decodeGrant(bytes, path);
    return appendSignature(encodeGrantBody(grant), signer, signature);
  },
  grants: (bytes, path) => encodeGrants(decodeGrants(bytes, path)),
  identity: (bytes, path) => encodeIdentity(decodeIdentity(bytes, path)),
  manifest: (bytes, path) => encodeManifest(decodeManifest(bytes, path)),
  'owner-password-backup': (bytes, path) =>
    encodeOwnerPasswordBackup(decodeOwnerPasswordBackup(bytes, path)).reveal,
  platform: (bytes, path) => encodePlatformSettings(decodePlatformSettings(bytes, path)),
  'private-part': (bytes, path) => encodePrivatePart(decodePrivatePart(bytes, path)).reveal,
  receipt: (bytes, path) => encodeReceipt(decodeReceipt(bytes, path)),
  registration: (bytes, path) => encodeRegistration(decodeRegistration(bytes, path)),
  'revocation-list': (bytes, path) => {
    const { list, signer, signature } = decodeRevocationList(bytes, path);
    return appendSignature(encodeRevocationListBody(list), signer, signature);
  },
  sums: (bytes, path) => encodeSums(decodeSums(bytes, path)),
} as const satisfies Record<string, Codec>;

export type CodecName = keyof typeof codecs;
