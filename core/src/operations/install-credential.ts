/**
 * `Install-SPMigrationCredential`, the core's half: one PKCS#12 under a one-time secret that the module made, handed back
 * in memory only. Putting it into the system's certificate store is the module's half, and `credential-installed` the
 * record of it.
 */
import { fail } from '../domain/error.ts';
import { fromUtf8 } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { userForChange } from './change-environment.ts';
import { credentialResult, findCredential, thumbprintOf } from './credential.ts';
import type { Call, Changer } from './operation.ts';
import { recordIfPlatform } from './record.ts';
import type { CredentialResult, InstallableCredentialResult } from './results.ts';
import { requirePlatform } from './platform-context.ts';
import { requireUser, unlock } from './user-context.ts';

export interface InstallCredentialParameters {
  readonly credential: string;
  /** The caller accepts that this system keeps private keys of its store without protection. */
  readonly allowUnprotectedStore?: boolean;
  readonly allowServiceAccount?: boolean;
}

/** What the module installs, and the PKCS#12; the receiver disposes of it. */
export interface Installable {
  readonly value: InstallableCredentialResult;
  readonly pfx: SecretBytes;
}

const leastOneTimeSecretBytes = 32;

export async function installCredential(
  call: Call,
  parameters: InstallCredentialParameters,
): Promise<Installable> {
  const user = await userForChange(call, parameters);
  if (!call.ports.certificateStoreProtected && parameters.allowUnprotectedStore !== true)
    throw fail('StoreUnprotected');
  const credential = findCredential(user.present.publicPart, parameters.credential);
  const thumbprint = thumbprintOf(credential);
  if (credential.certificate === undefined || thumbprint === undefined) {
    throw fail('CredentialPending', { credential: credential.label });
  }
  const secret = call.secrets.value('oneTimeSecret');
  if (secret === undefined || secret.length < leastOneTimeSecretBytes) {
    throw fail('RequestMalformed', { problem: 'the one-time secret is missing or too short' });
  }
  // A PKCS#12's password is text, and its writer takes nothing else.
  if (fromUtf8(secret.reveal) === undefined)
    throw fail('RequestMalformed', { problem: 'the one-time secret is not UTF-8 text' });
  const { sealPkcs12 } = await import('../crypto/pkcs12.ts');
  const unlocked = await unlock(call, user);
  try {
    const privateKey = unlocked.environment.privatePart.keys.get(credential.id);
    if (privateKey === undefined) {
      throw fail('EnvironmentDamaged', { path: user.present.stored.path, problem: 'a key is missing' });
    }
    const entry = {
      privateKey,
      certificate: credential.certificate,
      chain: credential.chain,
      friendlyName: credential.label,
    };
    return {
      value: { credential: credential.id, label: credential.label, thumbprint },
      pfx: new SecretBytes(sealPkcs12([entry], secret, call.ports.random)),
    };
  } finally {
    await unlocked.dispose();
  }
}

export interface CredentialInstalledParameters {
  readonly credential: string;
  /** Empty: it was taken out of the store. */
  readonly thumbprint: string;
}

/** Records what the module did to the system's certificate store. */
export const credentialInstalled: Changer<CredentialInstalledParameters, CredentialResult> = async (
  call,
  parameters,
) => {
  const user = await requireUser(call, await requirePlatform(call.ports));
  const credential = findCredential(user.present.publicPart, parameters.credential);
  const { thumbprint } = parameters;
  if (thumbprint !== '' && thumbprint.toUpperCase() !== thumbprintOf(credential)) {
    throw fail('ParameterInvalid', { parameter: 'Thumbprint', problem: 'it is not that of the credential' });
  }
  return {
    plan: {
      action: 'Record an installation',
      target: credential.label,
      impact: 'medium',
      lines: [
        thumbprint === ''
          ? `${credential.label} is recorded as taken out.`
          : `${credential.label} is recorded as installed.`,
      ],
      facts: { credential: credential.id, thumbprint },
    },
    apply: async () => {
      await user.store.updateInstalled((now) => {
        const installed = new Map(now);
        if (thumbprint === '') installed.delete(credential.id);
        else installed.set(credential.id, thumbprint.toUpperCase());
        return installed;
      });
      await recordIfPlatform(call, 'user', 'credential-installed', {
        credential: credential.id,
        thumbprint: thumbprint === '' ? 'none' : thumbprint.toUpperCase(),
      });
      return credentialResult(credential, user.present.publicPart, { installed: thumbprint !== '' });
    },
  };
};
