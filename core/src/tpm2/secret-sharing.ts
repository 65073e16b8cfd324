/**
 * How a secret reaches the holder of a TPM's decryption key (TPM 2.0 Part 1, annexes B.10 and C.6): under RSA a random
 * value by OAEP, under ECC one that both sides derive by one-pass Diffie-Hellman and KDFe. Seeds of duplicates and of
 * credentials and the salts of sessions differ only in their label.
 */
import { ByteWriter } from '../bytes/reader.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { agree, generateAgreementKey } from '../crypto/ecdh.ts';
import { encryptRsaOaep } from '../crypto/rsa-oaep.ts';
import { digestBytes } from './constants.ts';
import { KDFe, terminated } from './kdf.ts';
import type { EccPublic, RsaPublic } from './structures.ts';

/** Label of the derivation: a duplicate's seed, a session's salt, a credential's seed. */
export type SharedSecretPurpose = 'DUPLICATE' | 'SECRET' | 'IDENTITY';

export interface SharedSecret {
  /** 32 bytes; dispose it. */
  readonly secret: SecretBytes;
  /** Body of TPM2B_ENCRYPTED_SECRET. */
  readonly encrypted: Uint8Array;
}

/**
 * A new secret for the holder of `key`, a decryption key with nameAlg SHA-256. `random` answers that many strong random
 * bytes; ephemeral ECC keys and OAEP padding come from node:crypto. RangeError where the key's point is not on the curve.
 */
export function shareSecret(
  key: EccPublic | RsaPublic,
  purpose: SharedSecretPurpose,
  random: (length: number) => Uint8Array,
): SharedSecret {
  switch (key.type) {
    case 'RSA': {
      const secret = new SecretBytes(random(digestBytes));
      return { secret, encrypted: encryptRsaOaep(key.unique, terminated(purpose), secret.reveal) };
    }
    case 'ECC': {
      const ephemeral = generateAgreementKey();
      using privateKey = ephemeral.privateKey;
      using shared = agree(privateKey, ephemeral, key.unique);
      if (shared === undefined) throw new RangeError('the key is not on the curve');
      const encrypted = new ByteWriter().sized16(ephemeral.x).sized16(ephemeral.y).done();
      return { secret: KDFe(shared, purpose, ephemeral.x, key.unique.x, digestBytes), encrypted };
    }
  }
}
