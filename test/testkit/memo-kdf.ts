/**
 * Argon2id for suites that type the same password hundreds of times: the real derivation, once for each password and
 * salt. Give it to `vi.mock` as the factory for `crypto/kdf.ts`, importing it there (mocks are hoisted above imports).
 * What Argon2id itself does is tested without it.
 */
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { toHex } from '../../core/src/bytes/bytes.ts';

type Kdf = typeof import('../../core/src/crypto/kdf.ts');

export async function memoizedKdf(original: () => Promise<Kdf>): Promise<Kdf> {
  const kdf = await original();
  const roots = new Map<string, Uint8Array>();
  return {
    ...kdf,
    deriveRoot: async (password, salt) => {
      const key = `${toHex(password.reveal)} ${toHex(salt)}`;
      let root = roots.get(key);
      if (root === undefined) {
        using derived = await kdf.deriveRoot(password, salt);
        root = derived.reveal.slice();
        roots.set(key, root);
      }
      return SecretBytes.copyOf(root);
    },
  };
}

/**
 * A derivation that costs nothing, for suites of which passwords are no matter and that make new salts all the time: right and
 * wrong passwords stay what they are, and guessing would be cheap. The quick executable has the same one.
 */
export async function cheapKdf(original: () => Promise<Kdf>): Promise<Kdf> {
  const kdf = await original();
  const { deriveRoot } = await import('./quick-kdf.ts');
  return { ...kdf, deriveRoot };
}
