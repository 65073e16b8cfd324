/**
 * Stands in for core/src/crypto/kdf.ts in the quick executable (quick-executable.ts): all of it, except that a password's root
 * costs no Argon2id.
 */
import type { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { hkdf } from '../../core/src/crypto/kdf.ts';

export { hkdf, passwordSaltBytes } from '../../core/src/crypto/kdf.ts';

export function deriveRoot(password: SecretBytes, salt: Uint8Array): Promise<SecretBytes> {
  return Promise.resolve(hkdf([password], salt, 'instead of Argon2id'));
}
