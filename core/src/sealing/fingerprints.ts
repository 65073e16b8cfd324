/**
 * Names and fingerprints: what people compare and what programs match (docs/spec/keys.md, "Names and fingerprints";
 * rulings 4 and 12). Every hash of ours begins with a label of its own, and every part of it, the label included, stands
 * behind its length in 32 bits, so that no two lists of parts hash the same bytes. Leaves out whether a public area is
 * of the right template (`identity.ts`, `basic-user-key.ts`).
 */
import { toHex, utf8 } from '../bytes/bytes.ts';
import { ByteWriter } from '../bytes/reader.ts';
import { sha256 } from '../crypto/hash.ts';
import {
  toId,
  type AuthorityFingerprint,
  type CredentialId,
  type IdentityFingerprint,
  type TpmName,
} from '../domain/ids.ts';
import type { Identity, PlatformIds } from '../domain/platform.ts';
import { nameOf } from '../tpm2/name.ts';

const fingerprintBytes = 20;
const credentialIdBytes = 16;
const platformIdBytes = 10;

/** What an identity's fingerprint covers; platform settings hold the same. */
export type FingerprintedPlatform = Pick<
  Identity,
  'computer' | 'chip' | 'rehearsal' | 'storageKey' | 'authorityKey'
>;

/** SHA-256 over label and parts, each behind its length as 32 bits, big-endian. */
export function labelledHash(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha256(lengthPrefixed(utf8(label), ...parts));
}

/** The parts, each behind its length as 32 bits, big-endian. */
export function lengthPrefixed(...parts: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter();
  for (const part of parts) writer.sized32(part);
  return writer.done();
}

/** The Name of a TPMT_PUBLIC with nameAlg SHA-256. */
export function tpmName(publicArea: Uint8Array): TpmName {
  return toId('TpmName', toHex(nameOf(publicArea)));
}

/** A platform's identifiers. The platform id depends on the storage key only: renaming a computer changes nothing. */
export function platformIdsOf(platform: FingerprintedPlatform): PlatformIds {
  const name = nameOf(platform.storageKey);
  return {
    storageKeyName: toId('TpmName', toHex(name)),
    platformId: toId('PlatformId', toHex(sha256(name).subarray(0, platformIdBytes))),
    fingerprint: identityFingerprint(platform),
  };
}

/** What people compare before a grant. Nothing in a program depends on it. */
export function identityFingerprint(platform: FingerprintedPlatform): IdentityFingerprint {
  const hash = labelledHash(
    'spmigration/v1 identity',
    utf8(platform.computer),
    utf8(platform.chip),
    utf8(platform.rehearsal ? 'yes' : 'no'),
    platform.storageKey,
    platform.authorityKey,
  );
  return toId('IdentityFingerprint', toHex(hash.subarray(0, fingerprintBytes)));
}

/** Names an authority in signature lines, policies and revocation lists; `publicArea` is its TPMT_PUBLIC. */
export function authorityFingerprint(publicArea: Uint8Array): AuthorityFingerprint {
  const hash = labelledHash('spmigration/v1 authority', nameOf(publicArea));
  return toId('AuthorityFingerprint', toHex(hash.subarray(0, fingerprintBytes)));
}

/** The same credential has the same id everywhere. Both are DER; a pending credential has no certificate. */
export function credentialIdOf(publicKey: Uint8Array, certificate: Uint8Array | undefined): CredentialId {
  const hash = labelledHash('spmigration/v1 credential', publicKey, certificate ?? new Uint8Array());
  return toId('CredentialId', toHex(hash.subarray(0, credentialIdBytes)));
}
