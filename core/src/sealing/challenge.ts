/**
 * Challenges: made and signed by an owner, recognised and answered by a destination (docs/spec/attestation.md, "Challenge"
 * and "Answering"). The secret is kept nowhere: the signed commitment is what the owner knows it by again, so no state is
 * needed, and a fleet's authority challenges as many computers as it likes.
 */
import { equal } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { challengeSecretBytes, type Endorsement, type SignedChallenge } from '../domain/attestation.ts';
import { fail } from '../domain/error.ts';
import type { Identity } from '../domain/platform.ts';
import type { Instant } from '../domain/time.ts';
import { appendSignature, decodeChallenge, encodeChallengeBody } from '../format/challenge-v1.ts';
import { makeCredential } from '../tpm2/credential.ts';
import { endorsementKeyArea } from '../tpm2/endorsement.ts';
import { nameOf } from '../tpm2/name.ts';
import { isStorageKey } from '../tpm2/templates.ts';
import { signMessage, type AuthorityKey } from './authority.ts';
import { endorsementOf, requireBoundStorageKey } from './endorsement.ts';
import { authorityFingerprint, labelledHash } from './fingerprints.ts';
import { verifySignatureLine } from './verify-grant.ts';

/** What a challenge's secret is recognised by, 32 bytes. */
export function commitmentTo(secret: Uint8Array): Uint8Array {
  return labelledHash('spmigration/v1 challenge', secret);
}

/**
 * The endorsement of an identity that can be challenged. `IdentityNotEndorsed`; `StorageKeyNotBound` where an answer would
 * prove nothing.
 */
export function requireChallengeable(identity: Identity, path: string): Endorsement {
  const endorsement = endorsementOf(identity, path);
  if (endorsement === undefined) throw fail('IdentityNotEndorsed', { path });
  requireBoundStorageKey(identity);
  return endorsement;
}

/** A new challenge for the identity's storage key in the TPM with its endorsement key. Errors as `requireChallengeable`. */
export function makeChallenge(
  identity: Identity,
  path: string,
  by: {
    readonly authority: AuthorityKey;
    readonly created: Instant;
    readonly random: (length: number) => Uint8Array;
  },
): SignedChallenge {
  const { key } = requireChallengeable(identity, path);
  const area = endorsementKeyArea(key);
  if (area === undefined) throw new RangeError('not an endorsement key');
  using secret = new SecretBytes(by.random(challengeSecretBytes));
  const body = encodeChallengeBody({
    authority: by.authority.public,
    rehearsal: identity.rehearsal,
    destinationComputer: identity.computer,
    destinationKey: identity.storageKey,
    endorsementKey: key,
    created: by.created,
    commitment: commitmentTo(secret.reveal),
    ...makeCredential(area, nameOf(identity.storageKey), secret, by.random),
  });
  const signer = authorityFingerprint(by.authority.public);
  const bytes = appendSignature(body, signer, signMessage(by.authority, body));
  return decodeChallenge(bytes, `challenge for ${identity.computer}`);
}

/**
 * A challenge as everyone can check it: signed by the authority that it names, about keys that can be what they are for.
 * `SignatureInvalid`, `ChallengeMalformed`, and what the decoder refuses. `path` is for messages.
 */
export function readChallenge(bytes: Uint8Array, path: string): SignedChallenge {
  const signed = decodeChallenge(bytes, path);
  const { challenge } = signed;
  verifySignatureLine(signed, challenge.authority, path);
  const malformed = (field: string, what: string): Error =>
    fail('ChallengeMalformed', { path, problem: `its "${field}" is not the public area of ${what}` });
  if (!isStorageKey(challenge.destinationKey)) throw malformed('destination-key', 'a storage key');
  if (endorsementKeyArea(challenge.endorsementKey) === undefined)
    throw malformed('endorsement-key', 'an endorsement key');
  return signed;
}

/** `CredentialNotForThisChip` where the challenge is for another storage key or TPM than this platform's. */
export function requireForThisChip(
  { challenge }: SignedChallenge,
  storageKey: Uint8Array,
  endorsementKey: Uint8Array,
): void {
  const fits = equal(challenge.destinationKey, storageKey) && equal(challenge.endorsementKey, endorsementKey);
  if (!fits) throw fail('CredentialNotForThisChip');
}

/**
 * `CredentialNotForThisChip` where what the TPM gave out is not what the challenger committed to. A destination gives out
 * nothing else: it must not open for anybody what they did not know already.
 */
export function requireCommitted({ challenge }: SignedChallenge, secret: SecretBytes): void {
  if (!equal(commitmentTo(secret.reveal), challenge.commitment)) throw fail('CredentialNotForThisChip');
}
