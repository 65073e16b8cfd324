/**
 * `Complete-SPMigrationCredential`: the certificate that was issued for a request takes its place. Leaves out renewed
 * certificates of a completed key: those come as PKCS#12 or as a new request.
 */
import { decodeCertificateFile } from '../crypto/certificate-file.ts';
import { certificateMatchesKey } from '../crypto/x509.ts';
import { toHex } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { fail } from '../domain/error.ts';
import { limits, type Credential, type PublicPart } from '../domain/environment.ts';
import { refuseOtherKinds } from '../format/kind.ts';
import { credentialIdOf } from '../sealing/fingerprints.ts';
import { changeEnvironment, prepareUnlock, userForChange, withCredentials } from './change-environment.ts';
import { credentialResult, findCredential } from './credential.ts';
import type { Changer } from './operation.ts';
import type { CredentialResult } from './results.ts';
import { presentFacts } from './user-context.ts';

export interface CompleteCredentialParameters {
  readonly path: string;
  /** Absent: the pending credential whose key the certificate is for. */
  readonly credential?: string;
  readonly allowServiceAccount?: boolean;
}

export const completeCredential: Changer<CompleteCredentialParameters, CredentialResult> = async (
  call,
  parameters,
) => {
  const user = await userForChange(call, parameters);
  const { path } = parameters;
  const bytes = await call.ports.files.read(path, limits.certificateBytes * (limits.chainCertificates + 1));
  refuseOtherKinds(bytes, 'certificate', path);
  const { certificate, chain } = decodeCertificateFile(bytes, path);
  const pending = pendingCredential(user.present.publicPart, certificate, path, parameters.credential);
  const completed: Credential = {
    ...pending,
    id: credentialIdOf(pending.publicKey, certificate),
    certificate,
    chain,
    request: undefined,
  };
  return {
    plan: {
      action: 'Complete a credential',
      target: pending.label,
      impact: 'medium',
      lines: [`The certificate in ${path} is taken for ${pending.label}.`],
      facts: { ...presentFacts(user), input: toHex(sha256(bytes)), credential: pending.id },
    },
    prepare: prepareUnlock(call, user),
    apply: () =>
      changeEnvironment(call, user, 'credential-complete', ({ environment }) => {
        const key = environment.privatePart.keys.get(pending.id);
        if (key === undefined)
          throw fail('EnvironmentDamaged', { path: user.present.stored.path, problem: 'a key is missing' });
        const others = environment.publicPart.credentials.filter(({ id }) => id !== pending.id);
        const publicPart = { ...environment.publicPart, credentials: withCredentials(others, [completed]) };
        const keys = new Map([...environment.privatePart.keys].filter(([id]) => id !== pending.id));
        keys.set(completed.id, key);
        return Promise.resolve({
          environment: { publicPart, privatePart: { ...environment.privatePart, keys } },
          value: credentialResult(completed, publicPart),
          facts: { credential: completed.id, request: pending.id },
        });
      }),
  };
};

function pendingCredential(
  part: PublicPart,
  certificate: Uint8Array,
  path: string,
  chosen: string | undefined,
): Credential {
  const matches = ({ publicKey }: Credential): boolean => certificateMatchesKey(certificate, publicKey, path);
  if (chosen !== undefined) {
    const credential = findCredential(part, chosen);
    if (credential.certificate !== undefined)
      throw fail('CredentialNotFound', { credential: `${chosen} that waits for a certificate` });
    if (!matches(credential)) throw fail('CertificateKeyMismatch', { path });
    return credential;
  }
  const pending = part.credentials.filter((credential) => credential.certificate === undefined);
  const found = pending.find(matches);
  if (found !== undefined) return found;
  if (pending.length === 0) throw fail('CredentialNotFound', { credential: 'that waits for a certificate' });
  throw fail('CertificateKeyMismatch', { path });
}
