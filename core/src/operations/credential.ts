/** Credentials as people see them, and finding the one that a person means. */
import { fail } from '../domain/error.ts';
import { describeCertificate } from '../crypto/x509.ts';
import { algorithmOfPublicKey, nameOfAlgorithm } from '../crypto/private-key.ts';
import {
  activeFeatures,
  credentialState,
  limits,
  type Credential,
  type PublicPart,
} from '../domain/environment.ts';
import type { CredentialResult } from './results.ts';

/** What a result says beyond the credential itself. */
export interface CredentialExtras {
  readonly installed?: boolean;
  readonly requestPath?: string;
  readonly change?: 'Added' | 'Unchanged';
}

export function credentialResult(
  credential: Credential,
  part: PublicPart,
  extras: CredentialExtras = {},
): CredentialResult {
  const described =
    credential.certificate === undefined
      ? undefined
      : describeCertificate(credential.certificate, credential.label);
  const algorithm = algorithmOfPublicKey(credential.publicKey);
  return {
    credential: credential.id,
    label: credential.label,
    subject: described?.subject ?? '',
    issuer: described?.issuer ?? '',
    serialNumber: described?.serialNumber ?? '',
    thumbprint: described?.thumbprint ?? null,
    notBefore: described?.notBefore ?? null,
    notAfter: described?.notAfter ?? null,
    keyAlgorithm: algorithm === undefined ? 'unknown' : nameOfAlgorithm(algorithm),
    state: credentialState(credential, part.features),
    features: activeFeatures(credential.id, part.features),
    proposed: activeFeatures(credential.id, part.proposed),
    origin: credential.origin,
    emailAddresses: described?.emailAddresses ?? [],
    added: credential.added,
    installed: extras.installed ?? false,
    requestPath: extras.requestPath ?? null,
    change: extras.change ?? null,
  };
}

/**
 * A friendly name as it can be shown: names in PFX files and certificates are other people's, and control characters or
 * marks that turn the direction of writing could forge lines of a plan.
 */
export function displayLabel(text: string): string {
  const shown = text.replaceAll(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
  return shown.slice(0, limits.labelCharacters).toWellFormed();
}

/** SHA-1 thumbprint, upper-case hex; undefined for a pending credential. */
export function thumbprintOf(credential: Credential): string | undefined {
  return credential.certificate === undefined
    ? undefined
    : describeCertificate(credential.certificate, credential.label).thumbprint;
}

/**
 * The credential called `text`: its id (or at least 8 leading digits), its certificate's thumbprint, or a friendly name
 * that fits only one. `CredentialNotFound`, `CredentialAmbiguous`.
 */
export function findCredential(part: PublicPart, text: string): Credential {
  const wanted = text.trim();
  const hex = wanted.toLowerCase().replaceAll(/[\s:]/g, '');
  const isHex = /^[0-9a-f]{8,40}$/.test(hex);
  const fits = part.credentials.filter(
    (credential) =>
      (isHex && (credential.id.startsWith(hex) || thumbprintOf(credential)?.toLowerCase() === hex)) ||
      credential.label.toLowerCase() === wanted.toLowerCase(),
  );
  const [first, second] = fits;
  if (first === undefined) throw fail('CredentialNotFound', { credential: wanted });
  if (second !== undefined) throw fail('CredentialAmbiguous', { credential: wanted });
  return first;
}

/** The common name in a subject as RFC 4514 writes it, for a label; undefined where there is none. */
export function commonNameOf(subject: string): string | undefined {
  const value = /(?:^|, |\+)CN=((?:\\.|[^,+\\])+)/.exec(subject)?.[1];
  return value?.replaceAll(/\\(.)/g, '$1');
}
