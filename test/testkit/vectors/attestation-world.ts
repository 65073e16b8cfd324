/** PC-T, whose TPM is a seeded key, and a challenge of PC-A's authority with its answer. All from seeds. */
import type { Attestation, Challenge } from '../../../core/src/domain/attestation.ts';
import type { Identity } from '../../../core/src/domain/platform.ts';
import { encodeAttestation } from '../../../core/src/format/attestation-v1.ts';
import { appendSignature, encodeChallengeBody } from '../../../core/src/format/challenge-v1.ts';
import { encodeEndorsement } from '../../../core/src/format/endorsement-v1.ts';
import { commitmentTo } from '../../../core/src/sealing/challenge.ts';
import { endorsementFingerprint } from '../../../core/src/sealing/endorsement.ts';
import { authorityFingerprint } from '../../../core/src/sealing/fingerprints.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { claimingTpm, makeEccEndorsementKey } from '../tpm-double.ts';
import {
  makeCredentialDeterministically,
  seeded,
  seededKeyPair,
  signDeterministically,
} from './deterministic.ts';
import { day, now, platformA, platformB, type VectorAuthority } from './world.ts';

export const endorsementPair = seededKeyPair('endorsement key');
export const endorsementKey = makeEccEndorsementKey(endorsementPair);
export const endorsementFingerprintText = endorsementFingerprint(endorsementKey.public);

/** The certificate is no real one: it is long enough for several pieces. */
export const attestedIdentity: Identity = {
  ...platformB.identity,
  computer: 'PC-T',
  chip: 'tpm2',
  storageKey: claimingTpm(platformB.identity.storageKey),
  attestation: encodeEndorsement({
    key: endorsementKey.public,
    certificate: seeded('certificate of the endorsement key', 900),
  }),
};

export const secret = seeded('secret of the challenge', 32);

export const challenge: Challenge = {
  authority: platformA.authority.public,
  rehearsal: false,
  destinationComputer: attestedIdentity.computer,
  destinationKey: attestedIdentity.storageKey,
  endorsementKey: endorsementKey.public,
  created: now - day,
  commitment: commitmentTo(secret),
  ...makeCredentialDeterministically(
    endorsementPair,
    nameOf(attestedIdentity.storageKey),
    secret,
    'credential',
  ),
};

/** A challenge file: fields as given, signed by `by`, whatever they say. */
export function signChallengeFile(
  changes: Partial<Challenge> = {},
  by: VectorAuthority = platformA.authority,
): Uint8Array {
  const body = encodeChallengeBody({ ...challenge, ...changes });
  return appendSignature(body, authorityFingerprint(by.public), signDeterministically(by.privateKey, body));
}

export function attestationFile(changes: Partial<Attestation> = {}): Uint8Array {
  return encodeAttestation({
    challenge: signChallengeFile(),
    answer: secret,
    created: now - day + 3600,
    ...changes,
  });
}
