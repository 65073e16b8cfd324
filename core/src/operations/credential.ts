/** Credentials as people see them, and finding the one that a person means. */
import { fail } from '../domain/error.ts';
import { formatInstant } from '../domain/time.ts';
import { describeCertificate } from '../crypto/x509.ts';
import { algorithmOfPublicKey, nameOfAlgorithm } from '../crypto/private-key.ts';
import {
  activeFeatures,
  credentialState,
  limits,
  type Credential,
  type PublicPart,
} from '../domain/environment.ts';
import type { Call } from './operation.ts';
import type { CredentialResult } from './results.ts';

/** What a result says beyond the credential itself. */
export interface CredentialExtras {
  readonly installed?: boolean;
  readonly requestPath?: string;
  readonly change?: 'Added' | 'Unchanged';
  /** Where it is set aside. */
  readonly setAsideIn?: string;
}

export function credentialResult(
  credential: Credential,
  part: Pick<PublicPart, 'features' | 'proposed'>,
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
    state: extras.setAsideIn === undefined ? credentialState(credential, part.features) : 'SetAside',
    setAsideIn: extras.setAsideIn ?? null,
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
 * Warns of a certificate that is not valid now (`CertificateExpired`). It is used all the same: what was encrypted for it stays
 * readable, and nothing that this program decides depends on a clock.
 */
export function warnIfOutOfTime(call: Call, credential: Credential): void {
  if (credential.certificate === undefined) return;
  const { notBefore, notAfter } = describeCertificate(credential.certificate, credential.label);
  const now = call.ports.clock();
  if (now >= notBefore && now <= notAfter) return;
  const { message, code } = fail('CertificateExpired', {
    credential: credential.label,
    state: now > notAfter ? `ended on ${formatInstant(notAfter)}` : `begins on ${formatInstant(notBefore)}`,
  });
  call.report.warning(message, code);
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
export function findCredential(part: Pick<PublicPart, 'credentials'>, text: string): Credential {
  const found = matchCredential(part.credentials, text);
  if (found === undefined) throw fail('CredentialNotFound', { credential: text.trim() });
  return found;
}

/** The same, undefined where none fits. */
export function matchCredential(credentials: readonly Credential[], text: string): Credential | undefined {
  const wanted = text.trim();
  const hex = wanted.toLowerCase().replaceAll(/[\s:]/g, '');
  const isHex = /^[0-9a-f]{8,40}$/.test(hex);
  const [first, second] = credentials.filter(
    (credential) =>
      (isHex && (credential.id.startsWith(hex) || thumbprintOf(credential)?.toLowerCase() === hex)) ||
      credential.label.toLowerCase() === wanted.toLowerCase(),
  );
  if (second !== undefined) throw fail('CredentialAmbiguous', { credential: wanted });
  return first;
}

/** The common name in a subject as RFC 4514 writes it, for a label; undefined where there is none. */
export function commonNameOf(subject: string): string | undefined {
  const value = /(?:^|, |\+)CN=((?:\\.|[^,+\\])+)/.exec(subject)?.[1];
  return value?.replaceAll(/\\(.)/g, '$1');
}
