/**
 * From a password to its root, and from secrets to keys: Argon2id (RFC 9106) and HKDF-SHA-256 (RFC 5869) with the
 * parameters of v1, which are constants: a file holds the salt only, so nobody can ask for weaker ones.
 * Which label makes which key is `sealing/user-keys.ts`; the derivations inside a TPM are `tpm2/kdf.ts`.
 */
import { argon2, hkdfSync } from 'node:crypto';
import { concat, fromUtf8, utf8 } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail } from '../domain/error.ts';
import { takeSecret } from './secret.ts';

/** Length of a password salt in bytes. */
export const passwordSaltBytes = 16;

/** 64 MiB in three passes: about 0.2 s for us, and as much for every guess. */
const argon2Parameters = { memory: 64 * 1024, passes: 3, parallelism: 1, tagLength: 32 } as const;

/**
 * The 32-byte root of a password. `password` is UTF-8 as typed; it is normalised (NFKC) here, so that the same
 * characters typed on another keyboard give the same root. `salt` is 16 bytes. `ParameterInvalid` where the password
 * is not UTF-8.
 */
export async function deriveRoot(password: SecretBytes, salt: Uint8Array): Promise<SecretBytes> {
  if (salt.length !== passwordSaltBytes) throw new RangeError('a password salt has 16 bytes');
  using normalized = normalize(password);
  return await new Promise((resolve, reject) => {
    const parameters = { ...argon2Parameters, message: normalized.reveal, nonce: salt };
    argon2('argon2id', parameters, (error, root) => {
      if (error === null) resolve(takeSecret(root));
      else reject(error);
    });
  });
}

/** NFKC needs a string, which JavaScript cannot clear: it is dropped at once (threat model, "not mitigated"). */
function normalize(password: SecretBytes): SecretBytes {
  const text = fromUtf8(password.reveal);
  if (text === undefined) {
    throw fail('ParameterInvalid', { parameter: 'the password', problem: 'it is not UTF-8 text' });
  }
  return new SecretBytes(utf8(text.normalize('NFKC')));
}

/** HKDF-SHA-256 over the inputs joined in order; `label` is its info, ASCII. `length` is in bytes. */
export function hkdf(
  inputs: readonly SecretBytes[],
  salt: Uint8Array,
  label: string,
  length = 32,
): SecretBytes {
  using input = new SecretBytes(concat(...inputs.map((secret) => secret.reveal)));
  return new SecretBytes(new Uint8Array(hkdfSync('sha256', input.reveal, salt, utf8(label), length)));
}
