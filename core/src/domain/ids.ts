/**
 * Identifiers as branded strings: lower-case hex, so that they compare, sort and print without conversion. The brands
 * keep a storage key's Name from standing where a fingerprint is meant. Leaves out how they are computed
 * (`sealing/fingerprints.ts`, `tpm2/name.ts`).
 */
declare const brand: unique symbol;
type Hex<Kind extends string> = string & { readonly [brand]: Kind };

/** TPM Name with nameAlg SHA-256: 34 bytes (`000b` and the digest), 68 hex digits. TPM 2.0 Part 1, clause 14. */
export type TpmName = Hex<'TpmName'>;
/** First 20 hex digits of SHA-256 over the storage key's Name. */
export type PlatformId = Hex<'PlatformId'>;
/** 20 bytes: what people compare before a grant. */
export type IdentityFingerprint = Hex<'IdentityFingerprint'>;
/** 20 bytes: stands in signature lines. */
export type AuthorityFingerprint = Hex<'AuthorityFingerprint'>;
/** 20 bytes of the digest in an endorsement key's Name: what people compare to recognise a TPM. */
export type EndorsementFingerprint = Hex<'EndorsementFingerprint'>;
/** 16 random bytes. */
export type GrantSerial = Hex<'GrantSerial'>;
/** 16 random bytes. */
export type ArchiveId = Hex<'ArchiveId'>;
/** First 16 bytes of SHA-256 over public key and certificate; the same credential has the same id everywhere. */
export type CredentialId = Hex<'CredentialId'>;

/** Number of hex digits of each kind. */
export const hexDigits = {
  TpmName: 68,
  PlatformId: 20,
  IdentityFingerprint: 40,
  AuthorityFingerprint: 40,
  EndorsementFingerprint: 40,
  GrantSerial: 32,
  ArchiveId: 32,
  CredentialId: 32,
} as const;

/** The identifier in `text`, or undefined where it is not one of this kind. */
export function parseId<Kind extends keyof typeof hexDigits>(
  kind: Kind,
  text: string,
): Hex<Kind> | undefined {
  if (text.length !== hexDigits[kind] || !/^[0-9a-f]+$/.test(text)) return undefined;
  if (kind === 'TpmName' && !text.startsWith('000b')) return undefined;
  return text as Hex<Kind>;
}

/** Brands hex digits that were computed, not read. */
export function toId<Kind extends keyof typeof hexDigits>(kind: Kind, hex: string): Hex<Kind> {
  const id = parseId(kind, hex);
  if (id === undefined) throw new RangeError(`not a ${kind}`);
  return id;
}

/** A fingerprint as people read it: ten groups of four digits. */
export function groupFingerprint(
  fingerprint: IdentityFingerprint | AuthorityFingerprint | EndorsementFingerprint,
): string {
  return (fingerprint.match(/.{4}/g) ?? []).join(' ');
}
