/**
 * Challenges and attestations: a TPM's answer is believed by the authority that asked, about exactly this storage key in
 * exactly this TPM, for a time, and where somebody vouches for the endorsement key. Each reason for which it is not has its
 * own code. The TPM is a double; `test/interop/tpm-credential.test.ts` asks a real one.
 */
import { describe, expect, test } from 'vitest';
import { concat, fromUtf8, toHex, utf8 } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { generateAgreementKey } from '../../../core/src/crypto/ecdh.ts';
import { attestationDays, type Attestation } from '../../../core/src/domain/attestation.ts';
import { isSPMigrationError } from '../../../core/src/domain/error.ts';
import type { Identity } from '../../../core/src/domain/platform.ts';
import { groupFingerprint } from '../../../core/src/domain/ids.ts';
import { appendSignature, encodeChallengeBody } from '../../../core/src/format/challenge-v1.ts';
import { decodeEndorsement, encodeEndorsement } from '../../../core/src/format/endorsement-v1.ts';
import { verifyAttestation, type AttestationQuestion } from '../../../core/src/sealing/attestation.ts';
import { createAuthority, signMessage, type AuthorityKey } from '../../../core/src/sealing/authority.ts';
import {
  commitmentTo,
  makeChallenge,
  readChallenge,
  requireCommitted,
  requireForThisChip,
} from '../../../core/src/sealing/challenge.ts';
import {
  endorsementFingerprint,
  endorsementOf,
  parseEndorsementFingerprint,
} from '../../../core/src/sealing/endorsement.ts';
import { authorityFingerprint, identityFingerprint } from '../../../core/src/sealing/fingerprints.ts';
import { checkIdentity } from '../../../core/src/sealing/identity.ts';
import { OBJECT } from '../../../core/src/tpm2/constants.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { softwareStorageKey } from '../../../core/src/tpm2/templates.ts';
import { makeCertificate, testNotBefore } from '../../testkit/certificates.ts';
import { certifyEndorsementKey } from '../../testkit/endorsement-certificates.ts';
import { makePlatform, seededBytes } from '../../testkit/sealing.ts';
import {
  activate,
  claimingTpm,
  makeEccEndorsementKey,
  makeRsaEndorsementKey,
  type EndorsementKey,
} from '../../testkit/tpm-double.ts';

const created = testNotBefore + 86_400;
const owner = createAuthority();
const random = (length: number): Uint8Array => seededBytes('random', length);
const maker = await makeCertificate('CN=Maker of TPMs', { authority: true });
const path = 'PC-B.spattestation';

interface Destination {
  readonly identity: Identity;
  readonly key: EndorsementKey;
}

function makeDestination(key: EndorsementKey, certificate?: Uint8Array): Destination {
  const { identity } = makePlatform('PC-B');
  return {
    key,
    identity: {
      ...identity,
      chip: 'tpm2',
      storageKey: claimingTpm(identity.storageKey),
      attestation: encodeEndorsement({ key: key.public, certificate }),
    },
  };
}

const ecc = makeEccEndorsementKey();
const destination = makeDestination(ecc, await certifyEndorsementKey(ecc.spki, maker));
const ask = ({ identity }: Destination, authority: AuthorityKey = owner): ReturnType<typeof makeChallenge> =>
  makeChallenge(identity, 'PC-B.spid', { authority, created, random });

/** As the destination answers. */
function answer({ identity, key }: Destination, challenge: Uint8Array): Attestation {
  const read = readChallenge(challenge, 'the challenge');
  requireForThisChip(read, identity.storageKey, key.public);
  const secret = activate(key, identity.storageKey, {
    credentialBlob: read.challenge.credentialBlob,
    secret: read.challenge.encryptedSecret,
  });
  if (secret === undefined) throw new Error('the double refused');
  requireCommitted(read, secret);
  return { challenge, answer: secret.reveal, created: created + 60 };
}

const attestation = answer(destination, ask(destination).bytes);

function question(changes: Partial<AttestationQuestion> = {}): AttestationQuestion {
  return {
    attestation,
    identity: destination.identity,
    authority: owner.public,
    rehearsal: true,
    vouchers: { fingerprint: endorsementFingerprint(destination.key.public), manufacturers: [] },
    now: created + 3600,
    ...changes,
  };
}

/** The code of the refusal, or who vouched. */
function outcome(changes: Partial<AttestationQuestion> = {}): string {
  try {
    return verifyAttestation(question(changes), path).vouchedBy;
  } catch (error) {
    if (isSPMigrationError(error)) return error.code;
    throw error;
  }
}

/** A challenge whose fields were changed, honestly signed. */
function signedAnew(changes: Partial<Parameters<typeof encodeChallengeBody>[0]>, by = owner): Uint8Array {
  const body = encodeChallengeBody({ ...readChallenge(attestation.challenge, 'x').challenge, ...changes });
  return appendSignature(body, authorityFingerprint(by.public), signMessage(by, body));
}

const withChallenge = (challenge: Uint8Array): Partial<AttestationQuestion> => ({
  attestation: { ...attestation, challenge },
});

describe('an attestation', () => {
  test.each([
    ['ECC', destination],
    ['RSA', makeDestination(makeRsaEndorsementKey())],
  ] as const)('of a TPM with an endorsement key on %s is believed', (_, one) => {
    const proven = verifyAttestation(
      question({
        identity: one.identity,
        attestation: answer(one, ask(one).bytes),
        vouchers: { fingerprint: endorsementFingerprint(one.key.public), manufacturers: [] },
      }),
      path,
    );
    expect(toHex(proven.endorsement.key)).toBe(toHex(one.key.public));
    expect(proven.vouchedBy).toBe('fingerprint');
  });

  test('is believed by the authority that asked, and by no other', () => {
    expect(outcome()).toBe('fingerprint');
    expect(outcome({ authority: createAuthority().public })).toBe('ChallengeNotOurs');
    const stranger = ask(destination, createAuthority()).bytes;
    expect(outcome({ attestation: answer(destination, stranger) })).toBe('ChallengeNotOurs');
  });

  test('is refused where its challenge was changed, cut or is none', () => {
    const text = fromUtf8(attestation.challenge) ?? '';
    const renamed = utf8(text.replace('PC-B', 'PC-C'));
    expect(outcome(withChallenge(renamed))).toBe('SignatureInvalid');
    const impostor = createAuthority();
    expect(outcome(withChallenge(signedAnew({ authority: owner.public }, impostor)))).toBe(
      'SignatureInvalid',
    );
    expect(outcome(withChallenge(attestation.challenge.slice(0, -1)))).toBe('ChallengeMalformed');
    expect(outcome(withChallenge(utf8('SPMigration identity v1\n')))).toBe('WrongFileKind');
  });

  test('is refused where its challenge is about keys that cannot be what they are for', () => {
    expect(outcome(withChallenge(signedAnew({ destinationKey: owner.public })))).toBe('ChallengeMalformed');
    expect(outcome(withChallenge(signedAnew({ endorsementKey: destination.identity.storageKey })))).toBe(
      'AttestationMismatch',
    );
    expect(
      outcome(withChallenge(signedAnew({ endorsementKey: softwareStorageKey(generateAgreementKey()) }))),
    ).toBe('ChallengeMalformed');
  });

  test('of a rehearsal is not believed by a real platform, nor the reverse', () => {
    expect(outcome({ rehearsal: false })).toBe('RehearsalMixed');
    expect(outcome(withChallenge(signedAnew({ rehearsal: false })))).toBe('RehearsalMixed');
  });

  test('proves nothing about another storage key, another TPM, or an identity that names none', () => {
    const { identity } = destination;
    const otherKey = claimingTpm(softwareStorageKey(generateAgreementKey()));
    expect(outcome({ identity: { ...identity, storageKey: otherKey } })).toBe('AttestationMismatch');
    const otherTpm = encodeEndorsement({ key: makeEccEndorsementKey().public, certificate: undefined });
    expect(outcome({ identity: { ...identity, attestation: otherTpm } })).toBe('AttestationMismatch');
    expect(outcome({ identity: { ...identity, attestation: new Uint8Array() } })).toBe('AttestationMismatch');
    const software: Identity = { ...identity, chip: 'software', attestation: new Uint8Array() };
    expect(outcome({ identity: software })).toBe('AttestationMismatch');
  });

  test('is nothing where the storage key need not stay in the TPM, whatever else is right', () => {
    for (const attribute of ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin'] as const) {
      const storageKey = claimingTpm(destination.identity.storageKey, OBJECT[attribute]);
      const identity = { ...destination.identity, storageKey };
      const challenge = signedAnew({ destinationKey: storageKey });
      expect(outcome({ identity, ...withChallenge(challenge) })).toBe('StorageKeyNotBound');
      expect(() => ask({ ...destination, identity })).toThrow(
        expect.objectContaining({ code: 'StorageKeyNotBound' }),
      );
    }
  });

  test('is nothing without the secret, or with that of another challenge', () => {
    expect(outcome({ attestation: { ...attestation, answer: new Uint8Array(32) } })).toBe(
      'AttestationAnswerWrong',
    );
    const secret = seededBytes('another secret', 32);
    const other = withChallenge(signedAnew({ commitment: commitmentTo(secret) }));
    expect(outcome(other)).toBe('AttestationAnswerWrong');
  });

  test('counts for 30 days from its challenge, by the owner’s clock', () => {
    const end = created + attestationDays * 86_400;
    expect(attestationDays).toBe(30);
    expect(outcome({ now: end })).toBe('fingerprint');
    expect(outcome({ now: end + 1 })).toBe('AttestationExpired');
    expect(outcome({ now: created - 300 })).toBe('fingerprint');
    expect(outcome({ now: created - 301 })).toBe('ClockImplausible');
    // What the destination says of time does not matter.
    expect(outcome({ attestation: { ...attestation, created: 0 } })).toBe('fingerprint');
  });

  test('is worth nothing where nobody vouches for the endorsement key', () => {
    const vouched = (vouchers: Partial<AttestationQuestion['vouchers']>): string =>
      outcome({ vouchers: { fingerprint: undefined, manufacturers: [], ...vouchers } });
    expect(vouched({})).toBe('EndorsementKeyUntrusted');
    expect(vouched({ manufacturers: [maker.certificate] })).toBe('certificate');
    const other = endorsementFingerprint(makeEccEndorsementKey().public);
    expect(vouched({ fingerprint: other })).toBe('EndorsementKeyMismatch');
    // A fingerprint that is not the compared one is not outweighed by a certificate.
    expect(vouched({ fingerprint: other, manufacturers: [maker.certificate] })).toBe(
      'EndorsementKeyMismatch',
    );
    const { identity, key } = makeDestination(ecc);
    expect(key.public).toBe(ecc.public);
    const bare = { identity: { ...destination.identity, attestation: identity.attestation } };
    expect(
      outcome({ ...bare, vouchers: { fingerprint: undefined, manufacturers: [maker.certificate] } }),
    ).toBe('EndorsementKeyUntrusted');
  });

  test('whose key nobody vouches for says its fingerprint, and both ways out', () => {
    const refusal = (): unknown =>
      verifyAttestation(question({ vouchers: { fingerprint: undefined, manufacturers: [] } }), path);
    const fingerprint = groupFingerprint(endorsementFingerprint(destination.key.public));
    expect(refusal).toThrow(fingerprint);
    expect(refusal).toThrow(
      expect.objectContaining({
        hint: expect.stringMatching(/-EndorsementKeyFingerprint.*-TpmManufacturerPath/) as string,
      }),
    );
  });
});

describe('a challenge', () => {
  test('is answered by its own TPM for its own storage key only', () => {
    const challenge = ask(destination);
    const { storageKey } = destination.identity;
    const foreign = { code: 'CredentialNotForThisChip' };
    const fits = (storage: Uint8Array, endorsement: Uint8Array) => () => {
      requireForThisChip(challenge, storage, endorsement);
    };
    expect(fits(storageKey, ecc.public)).not.toThrow();
    const other = claimingTpm(softwareStorageKey(generateAgreementKey()));
    expect(fits(other, ecc.public)).toThrow(expect.objectContaining(foreign));
    expect(fits(storageKey, makeEccEndorsementKey().public)).toThrow(expect.objectContaining(foreign));
  });

  test('gets no secret out of a TPM that its maker did not know', () => {
    // Somebody wraps a foreign credential into a challenge of their own: the commitment would have to be to its secret.
    const challenge = readChallenge(signedAnew({ commitment: seededBytes('a guess', 32) }), 'x');
    const secret = activate(ecc, destination.identity.storageKey, {
      credentialBlob: challenge.challenge.credentialBlob,
      secret: challenge.challenge.encryptedSecret,
    });
    expect(() => {
      requireCommitted(challenge, secret ?? new SecretBytes(new Uint8Array()));
    }).toThrow(expect.objectContaining({ code: 'CredentialNotForThisChip' }));
  });

  test('is made for an identity that names an endorsement key only', () => {
    const { identity } = makePlatform('PC-B');
    expect(() => ask({ ...destination, identity })).toThrow(
      expect.objectContaining({ code: 'IdentityNotEndorsed' }),
    );
    const claiming: Identity = { ...destination.identity, attestation: new Uint8Array() };
    expect(() => ask({ ...destination, identity: claiming })).toThrow(
      expect.objectContaining({ code: 'IdentityNotEndorsed' }),
    );
  });

  test('is signed, names its signer, and holds its secret nowhere', () => {
    const one = ask(destination);
    expect(one.signer).toBe(authorityFingerprint(owner.public));
    const secret = random(32);
    expect(toHex(one.challenge.commitment)).toBe(toHex(commitmentTo(secret)));
    expect(fromUtf8(one.bytes)).not.toContain(toHex(secret));
    expect(fromUtf8(one.bytes)).not.toContain(Buffer.from(secret).toString('base64').slice(0, 20));
  });
});

describe('the endorsement in an identity', () => {
  const { identity } = destination;
  const code = (attestation: Uint8Array, changes: Partial<Identity> = {}): string => {
    try {
      checkIdentity({ ...identity, ...changes, attestation }, 'PC-B.spid');
      return 'accepted';
    } catch (error) {
      if (isSPMigrationError(error)) return error.code;
      throw error;
    }
  };

  test('is an endorsement key, with nothing behind it, of a platform with a TPM', () => {
    expect(code(identity.attestation)).toBe('accepted');
    expect(code(new Uint8Array())).toBe('accepted');
    expect(code(identity.attestation, { chip: 'software' })).toBe('IdentityMalformed');
    expect(code(concat(identity.attestation, Uint8Array.of(0)))).toBe('IdentityMalformed');
    expect(code(identity.attestation.slice(0, -1))).toBe('IdentityMalformed');
    expect(code(Uint8Array.of(0, 0, 0, 0, 0, 0))).toBe('IdentityMalformed');
    const noEndorsementKey = encodeEndorsement({ key: owner.public, certificate: undefined });
    expect(code(noEndorsementKey)).toBe('IdentityMalformed');
  });

  test('is read as it was written, with and without a certificate', () => {
    for (const certificate of [undefined, seededBytes('certificate', 900)]) {
      const written = encodeEndorsement({ key: ecc.public, certificate });
      expect(decodeEndorsement(written, 'x')).toEqual({ key: ecc.public, certificate });
    }
    const long = new Uint8Array(64 * 1024 + 1);
    expect(() => encodeEndorsement({ key: ecc.public, certificate: long })).toThrow(
      expect.objectContaining({ code: 'LimitExceeded' }),
    );
    expect(() => encodeEndorsement({ key: long, certificate: undefined })).toThrow(
      expect.objectContaining({ code: 'LimitExceeded' }),
    );
    expect(() => encodeEndorsement({ key: new Uint8Array(), certificate: undefined })).toThrow(RangeError);
    expect(endorsementOf({ ...identity, attestation: new Uint8Array() }, 'x')).toBeUndefined();
  });

  test('does not change the fingerprint of the identity', () => {
    const bare: Identity = { ...identity, attestation: new Uint8Array() };
    expect(identityFingerprint(bare)).toBe(identityFingerprint(identity));
  });

  test('has a fingerprint that other programs show as part of the key’s Name', () => {
    const fingerprint = endorsementFingerprint(ecc.public);
    expect(toHex(nameOf(ecc.public))).toMatch(new RegExp(`^000b${fingerprint}`));
    const grouped = groupFingerprint(fingerprint);
    expect(parseEndorsementFingerprint(grouped)).toBe(fingerprint);
    expect(parseEndorsementFingerprint(grouped.toUpperCase().replaceAll(' ', '-'))).toBe(fingerprint);
    expect(parseEndorsementFingerprint(grouped.slice(5))).toBeUndefined();
  });
});
