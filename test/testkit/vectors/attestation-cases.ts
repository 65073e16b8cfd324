/**
 * Vectors of endorsements, challenges and attestations: their form, what a TPM opens, and what an owner believes. Who vouches for
 * the endorsement key is its fingerprint here; certificates cannot be made from seeds.
 */
import { concat, toBase64, toHex } from '../../../core/src/bytes/bytes.ts';
import type { ErrorCode } from '../../../core/src/domain/error-catalogue.ts';
import { formatInstant } from '../../../core/src/domain/time.ts';
import { encodeEndorsement } from '../../../core/src/format/endorsement-v1.ts';
import { encodeIdentity } from '../../../core/src/format/identity-v1.ts';
import { commitmentTo } from '../../../core/src/sealing/challenge.ts';
import { OBJECT } from '../../../core/src/tpm2/constants.ts';
import { claimingTpm } from '../tpm-double.ts';
import {
  attestationFile,
  attestedIdentity,
  challenge,
  endorsementFingerprintText,
  endorsementKey,
  endorsementPair,
  secret,
  signChallengeFile,
} from './attestation-world.ts';
import { accepted, edited, flipped, refused, type Scenario } from './case.ts';
import { seeded } from './deterministic.ts';
import type { HeaderName, Vector } from './vector-file.ts';
import { day, now, platformA, platformB, platformC } from './world.ts';

const section = (name: string): string => `attestation.md#${name}`;

const inIdentity = (comment: string): Scenario => ({
  read: 'identity',
  stage: 'verify',
  spec: section('endorsement'),
  comment,
});
const withEndorsement = (attestation: Uint8Array): Uint8Array =>
  encodeIdentity({ ...attestedIdentity, attestation });

const endorsementCases: readonly Vector[] = [
  accepted(
    'endorsement-good',
    inIdentity('an endorsement key with a certificate'),
    encodeIdentity(attestedIdentity),
  ),
  accepted(
    'endorsement-bare',
    inIdentity('an endorsement key without a certificate'),
    withEndorsement(encodeEndorsement({ key: endorsementKey.public, certificate: undefined })),
  ),
  refused(
    'endorsement-other-key',
    'IdentityMalformed',
    inIdentity('an authority key in its place'),
    withEndorsement(encodeEndorsement({ key: platformA.authority.public, certificate: undefined })),
  ),
  refused(
    'endorsement-trailing',
    'IdentityMalformed',
    inIdentity('a byte behind it'),
    withEndorsement(concat(attestedIdentity.attestation, Uint8Array.of(0))),
  ),
  refused(
    'endorsement-of-software',
    'IdentityMalformed',
    inIdentity('of a software chip'),
    encodeIdentity({ ...attestedIdentity, chip: 'software' }),
  ),
];

const good = signChallengeFile();
const form = (comment: string): Scenario => ({ read: 'challenge', spec: section('challenge'), comment });
const verifying = (comment: string): Scenario => ({ ...form(comment), stage: 'verify' });
const opening = (comment: string, given: Scenario['given'] = {}): Scenario => ({
  ...form(comment),
  stage: 'open',
  spec: section('answering'),
  given: { 'endorsement-key': toHex(endorsementPair.privateKey.reveal), ...given },
});

const challengeCases: readonly Vector[] = [
  accepted('challenge-good', form('for an ECC endorsement key'), good),
  accepted('challenge-verified', verifying('signed by the authority that it names'), good),
  refused(
    'challenge-unknown-field',
    'ChallengeMalformed',
    form('a field that does not exist'),
    edited(good, 'created', 'colour: blue\ncreated'),
  ),
  refused(
    'challenge-short-blob',
    'ChallengeMalformed',
    form('a credential that is too short'),
    edited(good, /credential-blob: .*\n/, 'credential-blob: AAAA\n'),
  ),
  refused('challenge-unsigned', 'ChallengeMalformed', form('no signature'), edited(good, /\n-- .*\n$/, '\n')),
  refused(
    'challenge-changed',
    'SignatureInvalid',
    verifying('another time than was signed'),
    edited(good, /created: .*\n/, `created: ${formatInstant(now)}\n`),
  ),
  refused(
    'challenge-other-signer',
    'SignatureInvalid',
    verifying('signed by another authority than it names'),
    signChallengeFile({}, platformC.authority),
  ),
  refused(
    'challenge-no-storage-key',
    'ChallengeMalformed',
    verifying('about an authority key'),
    signChallengeFile({ destinationKey: platformB.authority.public }),
  ),
  refused(
    'challenge-no-endorsement-key',
    'ChallengeMalformed',
    verifying('for a software storage key'),
    signChallengeFile({ endorsementKey: platformB.identity.storageKey }),
  ),
  accepted('challenge-answered', opening('the TPM gives out the secret', { answer: toHex(secret) }), good),
  refused(
    'challenge-other-tpm',
    'CredentialNotForThisChip',
    opening('another endorsement key', { 'endorsement-key': toHex(seeded('another endorsement key', 32)) }),
    good,
  ),
  refused(
    'challenge-other-object',
    'CredentialNotForThisChip',
    opening('a credential for another storage key'),
    signChallengeFile({ destinationKey: claimingTpm(platformC.identity.storageKey) }),
  ),
  refused(
    'challenge-credential-changed',
    'CredentialNotForThisChip',
    opening('a credential with another HMAC'),
    signChallengeFile({ credentialBlob: flipped(challenge.credentialBlob, 10) }),
  ),
  refused(
    'challenge-not-committed',
    'CredentialNotForThisChip',
    opening('a secret that the challenger did not know'),
    signChallengeFile({ commitment: commitmentTo(seeded('a guess', 32)) }),
  ),
];

const attestation = attestationFile();
const answerForm = (comment: string): Scenario => ({
  read: 'attestation',
  spec: section('attestation'),
  comment,
});
const checking = (comment: string, given: Partial<Record<HeaderName, string>> = {}): Scenario => ({
  read: 'attestation',
  stage: 'check',
  spec: section('verifying'),
  comment,
  given: {
    now: formatInstant(now),
    rehearsal: 'no',
    authority: toBase64(platformA.authority.public),
    identity: toBase64(encodeIdentity(attestedIdentity)),
    'endorsement-key-fingerprint': endorsementFingerprintText,
    ...given,
  },
});
const about = (code: ErrorCode, name: string, scenario: Scenario, body = attestation): Vector =>
  refused(`attestation-${name}`, code, scenario, body);

/** An identity with other parts. */
const identityHeader = (changes: Partial<typeof attestedIdentity>): Partial<Record<HeaderName, string>> => ({
  identity: toBase64(encodeIdentity({ ...attestedIdentity, ...changes })),
});
const unbound = claimingTpm(platformB.identity.storageKey, OBJECT.fixedTPM);

const checkCases: readonly Vector[] = [
  accepted(
    'attestation-believed',
    checking('the TPM with this endorsement key holds this storage key'),
    attestation,
  ),
  about(
    'ChallengeNotOurs',
    'other-authority',
    checking('the challenge of another authority', { authority: toBase64(platformC.authority.public) }),
  ),
  about('RehearsalMixed', 'rehearsal', checking('in a rehearsal', { rehearsal: 'yes' })),
  about(
    'AttestationMismatch',
    'other-storage-key',
    checking(
      'an identity with another storage key',
      identityHeader({ storageKey: claimingTpm(platformC.identity.storageKey) }),
    ),
  ),
  about(
    'AttestationMismatch',
    'no-endorsement',
    checking('an identity without endorsement', identityHeader({ attestation: new Uint8Array() })),
  ),
  about(
    'StorageKeyNotBound',
    'unbound',
    checking('a storage key that may leave its TPM', identityHeader({ storageKey: unbound })),
    attestationFile({ challenge: signChallengeFile({ destinationKey: unbound }) }),
  ),
  about(
    'AttestationAnswerWrong',
    'wrong-answer',
    checking('another secret'),
    attestationFile({ answer: seeded('a guess', 32) }),
  ),
  about(
    'AttestationExpired',
    'expired',
    checking('31 days after the challenge', { now: formatInstant(now + 30 * day) }),
  ),
  about(
    'ClockImplausible',
    'from-later',
    checking('a day before the challenge', { now: formatInstant(now - 2 * day) }),
  ),
  about(
    'EndorsementKeyUntrusted',
    'unvouched',
    checking('nobody vouches for the endorsement key', { 'endorsement-key-fingerprint': 'unknown' }),
  ),
  about(
    'EndorsementKeyMismatch',
    'other-fingerprint',
    checking('another endorsement key was meant', {
      'endorsement-key-fingerprint': toHex(seeded('another fingerprint', 20)),
    }),
  ),
  about(
    'SignatureInvalid',
    'challenge-changed',
    checking('a challenge that was changed'),
    attestationFile({ challenge: edited(good, 'PC-T', 'PC-X') }),
  ),
];

const formCases: readonly Vector[] = [
  accepted('attestation-good', answerForm('an answer'), attestation),
  about(
    'AttestationMalformed',
    'no-challenge',
    answerForm('without the challenge'),
    edited(attestation, /challenge: .*\n/g, ''),
  ),
  about(
    'AttestationMalformed',
    'short-answer',
    answerForm('a secret of 31 bytes'),
    edited(attestation, /(answer: .{62})../, '$1'),
  ),
  about('WrongFileKind', 'is-challenge', answerForm('the challenge instead'), good),
];

export const attestationCases: readonly Vector[] = [
  ...endorsementCases,
  ...challengeCases,
  ...formCases,
  ...checkCases,
];
