/**
 * TPM2_MakeCredential in software, byte for byte (TPM 2.0 Part 1, clause 24; Part 3, clause 12.6): a secret that a TPM gives
 * out only if it holds the private endorsement key **and** the object with this Name, loaded with its private area. The wrapper
 * is that of a duplicate (`protection.ts`) around the secret, with a seed of another label. Opening is the TPM's
 * (TPM2_ActivateCredential); no software of ours does it.
 */
import { ByteWriter } from '../bytes/reader.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { digestBytes } from './constants.ts';
import { wrapOuter } from './protection.ts';
import { shareSecret } from './secret-sharing.ts';
import type { EccPublic, RsaPublic } from './structures.ts';

/** What TPM2_ActivateCredential takes. */
export interface MadeCredential {
  /** Body of TPM2B_ID_OBJECT: HMAC and encrypted secret. */
  readonly credentialBlob: Uint8Array;
  /** Body of TPM2B_ENCRYPTED_SECRET. */
  readonly encryptedSecret: Uint8Array;
}

/**
 * A credential for the holder of `endorsementKey` (as `endorsementKeyArea` accepted it) and of the object `name`. `secret` has
 * at most 32 bytes; `random` answers that many strong random bytes.
 */
export function makeCredential(
  endorsementKey: EccPublic | RsaPublic,
  name: Uint8Array,
  secret: SecretBytes,
  random: (length: number) => Uint8Array,
): MadeCredential {
  if (secret.length > digestBytes) throw new RangeError('the secret of a credential has at most 32 bytes');
  const shared = shareSecret(endorsementKey, 'IDENTITY', random);
  using seed = shared.secret;
  using content = new SecretBytes(new ByteWriter().sized16(secret.reveal).done());
  return { credentialBlob: wrapOuter(seed, name, content.reveal), encryptedSecret: shared.encrypted };
}
