/**
 * Whether an attestation proves that an identity's storage key is in a TPM (docs/spec/attestation.md, "Verifying"). Every
 * refusal has a code of its own. It proves that the TPM with this endorsement key held the storage key when it answered; it
 * says nothing about who sent the file, or about the computer around the TPM.
 */
import { equal } from '../bytes/bytes.ts';
import { attestationDays, type Attestation, type Endorsement } from '../domain/attestation.ts';
import { fail } from '../domain/error.ts';
import { groupFingerprint } from '../domain/ids.ts';
import type { Identity } from '../domain/platform.ts';
import { formatInstant, secondsPerDay, type Instant } from '../domain/time.ts';
import { commitmentTo, readChallenge } from './challenge.ts';
import {
  endorsementOf,
  requireBoundStorageKey,
  requireVouched,
  type VouchedBy,
  type Vouchers,
} from './endorsement.ts';
import { authorityFingerprint } from './fingerprints.ts';

/** Clocks of two computers of one fleet may differ by this much. */
const clockToleranceSeconds = 300;

export interface AttestationQuestion {
  readonly attestation: Attestation;
  /** As `checkIdentity` accepted it. */
  readonly identity: Identity;
  /** TPMT_PUBLIC of the authority that believes answers to its own challenges. */
  readonly authority: Uint8Array;
  readonly rehearsal: boolean;
  readonly vouchers: Vouchers;
  readonly now: Instant;
}

export interface Proven {
  readonly endorsement: Endorsement;
  readonly vouchedBy: VouchedBy;
}

/**
 * What is proven, or the first reason for which nothing is, in this order: what `readChallenge` refuses, `ChallengeNotOurs`,
 * `RehearsalMixed`, `AttestationMismatch`, `StorageKeyNotBound`, `AttestationAnswerWrong`, `AttestationExpired` or
 * `ClockImplausible`, `EndorsementKeyMismatch`, `EndorsementKeyUntrusted`. `path` is that of the attestation.
 */
export function verifyAttestation(question: AttestationQuestion, path: string): Proven {
  const { attestation, identity, authority, now } = question;
  const { challenge, signer } = readChallenge(attestation.challenge, `the challenge in ${path}`);
  const own = authorityFingerprint(authority);
  if (signer !== own) {
    throw fail('ChallengeNotOurs', {
      path,
      actual: groupFingerprint(signer),
      expected: groupFingerprint(own),
    });
  }
  if (challenge.rehearsal !== question.rehearsal) {
    throw fail('RehearsalMixed', {
      path,
      kind: kindOf(challenge.rehearsal),
      here: kindOf(question.rehearsal),
    });
  }
  const mismatch = (problem: string): Error =>
    fail('AttestationMismatch', { path, computer: identity.computer, problem });
  const endorsement = endorsementOf(identity, `the identity of ${identity.computer}`);
  if (endorsement === undefined) throw mismatch('its identity names no endorsement key.');
  if (!equal(challenge.destinationKey, identity.storageKey))
    throw mismatch('it is about another storage key.');
  if (!equal(challenge.endorsementKey, endorsement.key)) throw mismatch('it is about another TPM.');
  requireBoundStorageKey(identity);
  if (!equal(commitmentTo(attestation.answer), challenge.commitment))
    throw fail('AttestationAnswerWrong', { path });
  requireRecent(challenge.created, now, path);
  return { endorsement, vouchedBy: requireVouched(endorsement, question.vouchers, identity.computer, now) };
}

/** By the time that the owner signed: what the destination says of time is not asked. */
function requireRecent(created: Instant, now: Instant, path: string): void {
  const time = formatInstant(created);
  if (created > now + clockToleranceSeconds)
    throw fail('ClockImplausible', { now: formatInstant(now), what: `the challenge in ${path}`, time });
  if (now > created + attestationDays * secondsPerDay)
    throw fail('AttestationExpired', { path, created: time, days: attestationDays });
}

function kindOf(rehearsal: boolean): string {
  return rehearsal ? 'rehearsal' : 'real platform';
}
