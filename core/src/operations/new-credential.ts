/**
 * `New-SPMigrationCredential`: a key pair made here, with a self-signed certificate, or with a request (PKCS#10) whose
 * issued certificate completes it later. The private key never exists as a file.
 */
import { toHex } from '../bytes/bytes.ts';
import { parseSubject } from '../crypto/distinguished-name.ts';
import { generatePrivateKey } from '../crypto/private-key.ts';
import type { CertificatePurpose } from '../crypto/x509-making.ts';
import { fail } from '../domain/error.ts';
import { limits, type Credential } from '../domain/environment.ts';
import { secondsPerDay } from '../domain/time.ts';
import { credentialIdOf } from '../sealing/fingerprints.ts';
import { changeEnvironment, prepareUnlock, userForChange, withCredentials } from './change-environment.ts';
import { commonNameOf, credentialResult, displayLabel } from './credential.ts';
import type { Changer } from './operation.ts';
import type { CredentialResult } from './results.ts';
import { presentFacts } from './user-context.ts';

export interface NewCredentialParameters {
  readonly subject: string;
  readonly emailAddress?: readonly string[];
  readonly algorithm?: 'RSA-3072' | 'P-256';
  readonly validityDays?: number;
  readonly friendlyName?: string;
  /** Make a request instead of a self-signed certificate. */
  readonly request?: boolean;
  readonly requestPath?: string;
  readonly overwrite?: boolean;
  readonly allowServiceAccount?: boolean;
}

const defaultValidityDays = 730;
const longestValidityDays = 3650;
/** What the features need; a request's issuer decides by itself. */
const purposes: readonly CertificatePurpose[] = ['emailProtection', 'clientAuthentication', 'fileEncryption'];

export const newCredential: Changer<NewCredentialParameters, CredentialResult> = async (call, parameters) => {
  const { ports } = call;
  const user = await userForChange(call, parameters);
  const algorithm = parameters.algorithm ?? 'RSA-3072';
  const validityDays = parameters.validityDays ?? defaultValidityDays;
  if (validityDays < 1 || validityDays > longestValidityDays) {
    throw fail('ParameterInvalid', {
      parameter: 'ValidityDays',
      problem: `1 to ${longestValidityDays} days are possible`,
    });
  }
  if (user.present.publicPart.credentials.length >= limits.credentials) {
    throw fail('LimitExceeded', {
      what: 'the environment',
      actual: 'one more credential',
      maximum: limits.credentials,
    });
  }
  // Refuses a subject that no certificate can carry before anything is asked or made.
  parseSubject(parameters.subject);
  const label = displayLabel(
    parameters.friendlyName ?? commonNameOf(parameters.subject) ?? parameters.subject,
  );
  const asRequest = parameters.request ?? parameters.requestPath !== undefined;
  const overwrite = parameters.overwrite ?? false;
  const requestPath =
    parameters.requestPath === undefined
      ? undefined
      : await ports.files.outputPath(parameters.requestPath, `${label}.csr`, overwrite);
  return {
    plan: {
      action: 'Make a credential',
      target: label,
      impact: 'medium',
      lines: [
        `A new ${algorithm} key for ${parameters.subject} is made under the Basic User Key.`,
        asRequest
          ? 'A request for its certificate is made.'
          : `It gets a self-signed certificate for ${validityDays} days.`,
        ...(requestPath === undefined ? [] : [`The request is written to ${requestPath}.`]),
      ],
      facts: { ...presentFacts(user), asRequest, algorithm, requestPath: requestPath ?? null },
    },
    prepare: prepareUnlock(call, user),
    apply: () =>
      changeEnvironment(call, user, 'credential-new', async ({ environment }) => {
        call.report.progress('Making a key', algorithm, 10);
        const { publicKey, pkcs8 } = await generatePrivateKey(algorithm);
        const added = ports.clock();
        // The certificate library is loaded only when something is made.
        const { buildCertificationRequest, buildSelfSigned } = await import('../crypto/x509-making.ts');
        const { subject, emailAddress: emailAddresses = [] } = parameters;
        const about = { privateKey: pkcs8, subject, emailAddresses, purposes };
        const request = asRequest ? await buildCertificationRequest(about) : undefined;
        const certificate = asRequest
          ? undefined
          : await buildSelfSigned({
              ...about,
              // Clocks of two computers differ a little; a certificate that begins in the future is refused.
              notBefore: added - 300,
              notAfter: added + validityDays * secondsPerDay,
              serialNumber: ports.random(16),
            });
        const credential: Credential = {
          id: credentialIdOf(publicKey, certificate),
          label,
          publicKey,
          certificate,
          chain: [],
          request,
          origin: 'new',
          added,
          protection: 'vault',
        };
        const credentials = withCredentials(environment.publicPart.credentials, [credential]);
        const publicPart = { ...environment.publicPart, credentials };
        const keys = new Map([...environment.privatePart.keys, [credential.id, pkcs8] as const]);
        if (requestPath !== undefined && request !== undefined)
          await ports.files.write(requestPath, pemRequest(request), overwrite);
        return {
          environment: { publicPart, privatePart: { ...environment.privatePart, keys } },
          value: credentialResult(credential, publicPart, {
            change: 'Added',
            ...(requestPath === undefined ? {} : { requestPath }),
          }),
          facts: { credential: credential.id, key: toHex(credential.publicKey).slice(-16) },
        };
      }),
  };
};

/** RFC 7468, section 7. */
function pemRequest(request: Uint8Array): Uint8Array {
  const lines =
    Buffer.from(request)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return new TextEncoder().encode(
    ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join('\n'),
  );
}
