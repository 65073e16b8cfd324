/**
 * `Add-SPMigrationCredential`: every key of a PKCS#12 with its certificate and chain becomes a credential under the Basic
 * User Key. The bytes come from a file, or, for a certificate of the system's store, straight from the module.
 */
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { toHex, utf8 } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { readPrivateKey } from '../crypto/private-key.ts';
import { certificateMatchesKey, describeCertificate } from '../crypto/x509.ts';
import type { Pkcs12Entry } from '../crypto/pkcs12.ts';
import { fail } from '../domain/error.ts';
import { limits, type Credential, type CredentialOrigin } from '../domain/environment.ts';
import { refuseOtherKinds } from '../format/kind.ts';
import { credentialIdOf } from '../sealing/fingerprints.ts';
import { changeEnvironment, prepareUnlock, userForChange, withCredentials } from './change-environment.ts';
import { commonNameOf, credentialResult, displayLabel } from './credential.ts';
import type { Call, Changer } from './operation.ts';
import type { CredentialResult } from './results.ts';
import { presentFacts } from './user-context.ts';

export interface AddCredentialParameters {
  /** A PKCS#12 file; undefined: the secret `pfx` holds the bytes. */
  readonly path?: string;
  /** What messages call the bytes of the secret `pfx`. */
  readonly name?: string;
  readonly friendlyName?: string;
  readonly origin?: 'pfx' | 'store';
  readonly allowServiceAccount?: boolean;
}

const maximumPfxBytes = 10 * 1024 * 1024;

interface NewCredential {
  readonly credential: Credential;
  readonly key: SecretBytes;
}

export const addCredential: Changer<AddCredentialParameters, readonly CredentialResult[]> = async (
  call,
  parameters,
) => {
  const user = await userForChange(call, parameters);
  const { bytes, name } = await pfxBytes(call, parameters);
  const added = await readCredentials(call, parameters, bytes, name);
  const present = new Set(user.present.publicPart.credentials.map(({ id }) => id));
  const changeOf = (credential: Credential): 'Added' | 'Unchanged' =>
    present.has(credential.id) ? 'Unchanged' : 'Added';
  if (
    present.size + added.filter(({ credential }) => changeOf(credential) === 'Added').length >
    limits.credentials
  ) {
    throw fail('LimitExceeded', {
      what: 'the environment',
      actual: `${present.size + added.length} credentials`,
      maximum: limits.credentials,
    });
  }
  return {
    plan: {
      action: 'Add credentials',
      target: name,
      impact: 'medium',
      lines: added.map(({ credential }) =>
        changeOf(credential) === 'Added'
          ? `${credential.label} is added.`
          : `${credential.label} is here already: Unchanged.`,
      ),
      facts: {
        ...presentFacts(user),
        input: toHex(sha256(bytes)),
        credentials: added.map(({ credential }) => credential.id),
      },
    },
    prepare: prepareUnlock(call, user),
    apply: () =>
      changeEnvironment(call, user, 'credential-add', ({ environment }) => {
        const fresh = added.filter(({ credential }) => changeOf(credential) === 'Added');
        const publicPart = {
          ...environment.publicPart,
          credentials: withCredentials(
            environment.publicPart.credentials,
            fresh.map(({ credential }) => credential),
          ),
        };
        const keys = new Map([
          ...environment.privatePart.keys,
          ...fresh.map(({ credential, key }) => [credential.id, key] as const),
        ]);
        // Whoever adds a key again that was removed for good wants it back.
        const tombstones = environment.privatePart.tombstones.filter(
          (id) => !fresh.some(({ credential }) => credential.id === id),
        );
        const privatePart = { ...environment.privatePart, keys, tombstones };
        return Promise.resolve({
          environment: fresh.length === 0 ? undefined : { publicPart, privatePart },
          value: added.map(({ credential }) =>
            credentialResult(credential, publicPart, { change: changeOf(credential) }),
          ),
          facts: { credentials: fresh.map(({ credential }) => credential.id).join(' ') },
        });
      }),
  };
};

async function pfxBytes(
  call: Call,
  parameters: AddCredentialParameters,
): Promise<{ bytes: Uint8Array; name: string }> {
  if (parameters.path !== undefined) {
    const bytes = await call.ports.files.read(parameters.path, maximumPfxBytes);
    refuseOtherKinds(bytes, 'pfx', parameters.path);
    return { bytes, name: parameters.path };
  }
  const secret = call.secrets.value('pfx');
  if (secret === undefined)
    throw fail('ParameterInvalid', {
      parameter: 'Path',
      problem: 'neither a file nor a certificate was given',
    });
  return { bytes: secret.reveal, name: parameters.name ?? 'the certificate' };
}

async function readCredentials(
  call: Call,
  parameters: AddCredentialParameters,
  bytes: Uint8Array,
  name: string,
): Promise<readonly NewCredential[]> {
  // node-forge is large: it is loaded only when a PKCS#12 is really read.
  const { openPkcs12 } = await import('../crypto/pkcs12.ts');
  using none = new SecretBytes(utf8(''));
  const entries = openPkcs12(bytes, call.secrets.value('pfxPassword') ?? none, name);
  const origin = parameters.origin ?? 'pfx';
  const added = entries.map((entry) =>
    newCredential(entry, { origin, added: call.ports.clock(), name, parameters }),
  );
  return [...new Map(added.map((one) => [one.credential.id, one])).values()];
}

function newCredential(
  entry: Pkcs12Entry,
  about: { origin: CredentialOrigin; added: number; name: string; parameters: AddCredentialParameters },
): NewCredential {
  const { publicKey, pkcs8 } = readPrivateKey(entry.privateKey, about.name);
  const { certificate } = entry;
  if (certificate === undefined)
    throw fail('PfxMalformed', { path: about.name, problem: 'a private key has no certificate' });
  if (!certificateMatchesKey(certificate, publicKey, about.name))
    throw fail('CertificateKeyMismatch', { path: about.name });
  const described = describeCertificate(certificate, about.name);
  const label =
    about.parameters.friendlyName ??
    entry.friendlyName ??
    commonNameOf(described.subject) ??
    described.subject;
  return {
    credential: {
      id: credentialIdOf(publicKey, certificate),
      label: displayLabel(label),
      publicKey,
      certificate,
      chain: entry.chain,
      request: undefined,
      origin: about.origin,
      added: about.added,
      protection: 'vault',
    },
    key: pkcs8,
  };
}
