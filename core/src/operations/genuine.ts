/**
 * Whether an archive's credentials are what their ids say, each with the private key of its certificate. An import tells
 * credentials apart by their ids: one that another program gave a wrong id or key would keep the right one out for good.
 * Trying keys takes most of a large import's time, so none is tried that is here already, and none twice.
 */
import { concat, equal, toHex } from '../bytes/bytes.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { isPrivateKeyOf } from '../crypto/key-pair.ts';
import type { Environment, PrivatePart } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import { openArchive, type ReadArchive } from '../sealing/archive.ts';
import { disposeKeys } from '../sealing/environment.ts';
import { credentialIdOf } from '../sealing/fingerprints.ts';
import { displayLabel } from './credential.ts';
import type { Call } from './operation.ts';

/**
 * Archives found genuine in this conversation, by their bytes: `apply` opens again what `plan` opened. With the same secrets
 * the same manifest and ciphertext open to the same content.
 */
const found = new WeakMap<Call['secrets'], Set<string>>();

/** The environment in the archive. `ArchiveChanged`, `PasswordRejected`. `here`: the keys of the environment beside it. */
export function openGenuine(
  call: Call,
  read: ReadArchive,
  archiveKey: SecretBytes,
  path: string,
  here: PrivatePart['keys'],
): Environment {
  const archived = openArchive(read, archiveKey, path);
  const known = found.get(call.secrets) ?? new Set<string>();
  found.set(call.secrets, known);
  const digest = toHex(concat(sha256(read.manifestBytes), sha256(read.sealedEnvironment)));
  const problem = known.has(digest) ? undefined : falseCredential(archived, here);
  if (problem !== undefined) {
    disposeKeys(archived);
    throw fail('ArchiveChanged', { path, problem });
  }
  known.add(digest);
  const credentials = archived.publicPart.credentials.map((credential) => ({
    ...credential,
    label: displayLabel(credential.label),
  }));
  return { ...archived, publicPart: { ...archived.publicPart, credentials } };
}

function falseCredential(
  { publicPart, privatePart }: Environment,
  here: PrivatePart['keys'],
): string | undefined {
  for (const { id, publicKey, certificate } of publicPart.credentials) {
    if (credentialIdOf(publicKey, certificate) !== id) return `the credential ${id} is not what its id says`;
    const key = privatePart.keys.get(id);
    if (key === undefined) return `the credential ${id} has no private key`;
    const same = here.get(id);
    const isHere = same !== undefined && equal(same.reveal, key.reveal);
    if (!isHere && !isPrivateKeyOf(key, publicKey)) return `the credential ${id} has another private key`;
  }
  return undefined;
}
