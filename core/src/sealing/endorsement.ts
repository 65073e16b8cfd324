/**
 * The endorsement key in an identity, and who vouches for it (docs/spec/attestation.md, "Vouching"). Anybody can make a key
 * whose public area is an endorsement key's: an attestation is worth as much as the answer to whose key that is.
 */
import { toHex } from '../bytes/bytes.ts';
import { endorsementCertificateProblem } from '../crypto/endorsement-certificate.ts';
import type { Endorsement } from '../domain/attestation.ts';
import { fail } from '../domain/error.ts';
import { groupFingerprint, parseId, toId, type EndorsementFingerprint } from '../domain/ids.ts';
import type { Identity } from '../domain/platform.ts';
import type { Instant } from '../domain/time.ts';
import { decodeEndorsement } from '../format/endorsement-v1.ts';
import { endorsementKeyArea, missingBinding } from '../tpm2/endorsement.ts';
import { nameOf } from '../tpm2/name.ts';

/** A Name begins with the algorithm of its digest. */
const algorithmBytes = 2;

/** By what the owner knows a TPM: its fingerprint, or who made it. One of them suffices. */
export interface Vouchers {
  readonly fingerprint: EndorsementFingerprint | undefined;
  /** Certificates (DER) of manufacturers that the owner trusts. */
  readonly manufacturers: readonly Uint8Array[];
}

export type VouchedBy = 'fingerprint' | 'certificate';

/** The endorsement that an identity carries; undefined where it carries none. `IdentityMalformed`. */
export function endorsementOf(identity: Identity, path: string): Endorsement | undefined {
  if (identity.attestation.length === 0) return undefined;
  const malformed = (problem: string): Error => fail('IdentityMalformed', { path, problem });
  if (identity.chip === 'software') throw malformed('a software chip has no endorsement key');
  const endorsement = decodeEndorsement(identity.attestation, path);
  if (endorsementKeyArea(endorsement.key) === undefined)
    throw malformed('the key in its "attestation" is not the public area of an endorsement key');
  return endorsement;
}

/** The first 20 bytes of the digest in the key's Name, which other programs show, too. */
export function endorsementFingerprint(key: Uint8Array): EndorsementFingerprint {
  return toId('EndorsementFingerprint', toHex(nameOf(key).subarray(algorithmBytes, algorithmBytes + 20)));
}

/** Ten groups of four hex digits, however they are separated; undefined for anything else. */
export function parseEndorsementFingerprint(text: string): EndorsementFingerprint | undefined {
  return parseId('EndorsementFingerprint', text.toLowerCase().replaceAll(/[\s:-]/g, ''));
}

/** `StorageKeyNotBound` where a TPM that holds the identity's storage key would not have to keep it. */
export function requireBoundStorageKey({ computer, storageKey }: Identity): void {
  const attribute = missingBinding(storageKey);
  if (attribute !== undefined) throw fail('StorageKeyNotBound', { computer, attribute });
}

/** Who vouches for the key. `EndorsementKeyMismatch` for another fingerprint than the given one, `EndorsementKeyUntrusted`. */
export function requireVouched(
  { key, certificate }: Endorsement,
  vouchers: Vouchers,
  computer: string,
  now: Instant,
): VouchedBy {
  const actual = endorsementFingerprint(key);
  if (vouchers.fingerprint === actual) return 'fingerprint';
  if (vouchers.fingerprint !== undefined) {
    throw fail('EndorsementKeyMismatch', {
      computer,
      actual: groupFingerprint(actual),
      expected: groupFingerprint(vouchers.fingerprint),
    });
  }
  const problem = certificateProblem({ key, certificate }, vouchers.manufacturers, now);
  if (problem === undefined) return 'certificate';
  throw fail('EndorsementKeyUntrusted', {
    computer,
    fingerprint: groupFingerprint(actual),
    problem: `${problem}.`,
  });
}

function certificateProblem(
  { key, certificate }: Endorsement,
  manufacturers: readonly Uint8Array[],
  now: Instant,
): string | undefined {
  const area = endorsementKeyArea(key);
  if (area === undefined) throw new RangeError('not an endorsement key');
  if (certificate === undefined) return 'its TPM holds no certificate for it';
  if (manufacturers.length === 0) return 'its certificate was compared with nothing';
  return endorsementCertificateProblem(certificate, area, manufacturers, now);
}
