/**
 * Sealing and opening generations of an environment, docs/spec/environment-store.md, "Construction" (ruling 7). The private
 * part is encrypted under a key that needs the chip (vault key) and the password (at-rest key), and authenticates header
 * and public part with it. A key salt is fresh for every writing, so every key encrypts once, under the zero nonce.
 * On the software chip the Basic User Key's blob is encrypted once more, under the password, as any reader of the
 * platform folder could open it otherwise.
 */
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { openAesGcm, sealAesGcm } from '../crypto/aead.ts';
import { sha256 } from '../crypto/hash.ts';
import type { Environment, GenerationHeader } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import type { ChipKind } from '../domain/platform.ts';
import {
  assembleGeneration,
  decodePrivatePart,
  encodeHeader,
  encodePrivatePart,
  encodePublicPart,
  type DecodedGeneration,
} from '../format/generation-v1.ts';
import { basicUserKeyWrapper, environmentKey } from './user-keys.ts';

/** One encryption under each key, so its nonce may be constant. */
export const zeroNonce: Uint8Array = new Uint8Array(12);

export interface EnvironmentKeys {
  /** 32 bytes, unsealed by the chip. */
  readonly vaultKey: SecretBytes;
  /** 32 bytes, of the password (`UserKeys.atRest`). */
  readonly atRest: SecretBytes;
}

/**
 * The bytes of a generation file. `header.keySalt` must be 16 fresh random bytes. `LimitExceeded`; RangeError where keys
 * and credentials do not belong together.
 */
export function sealGeneration(
  header: GenerationHeader,
  environment: Environment,
  keys: EnvironmentKeys,
): Uint8Array {
  const misfit = misfitOf(environment);
  if (misfit !== undefined) throw new RangeError(`an environment that contradicts itself: ${misfit}`);
  const headerBytes = encodeHeader(header);
  const publicBytes = encodePublicPart(environment.publicPart);
  using privateBytes = encodePrivatePart(environment.privatePart);
  using key = environmentKey(keys.vaultKey, keys.atRest, header.keySalt);
  const sealed = sealAesGcm(key, zeroNonce, privateBytes.reveal, sha256(headerBytes, publicBytes));
  return assembleGeneration(headerBytes, publicBytes, sealed);
}

/**
 * The environment in a generation. `EnvironmentDamaged` where anything in the file was changed; with keys of another
 * generation's password or chip it looks the same. `path` is for messages. The caller disposes the private keys.
 */
export function openGeneration(decoded: DecodedGeneration, keys: EnvironmentKeys, path: string): Environment {
  using key = environmentKey(keys.vaultKey, keys.atRest, decoded.header.keySalt);
  const associated = sha256(decoded.headerBytes, decoded.publicBytes);
  const opened = openAesGcm(key, zeroNonce, decoded.sealedPrivate, associated);
  if (opened === undefined) {
    throw fail('EnvironmentDamaged', { path, problem: 'it was changed, or does not belong to these keys' });
  }
  using plaintext = new SecretBytes(opened);
  const privatePart = decodePrivatePart(plaintext.reveal, path);
  const environment = { publicPart: decoded.publicPart, privatePart };
  const misfit = misfitOf(environment);
  if (misfit === undefined) return environment;
  disposeKeys(environment);
  throw fail('EnvironmentDamaged', { path, problem: misfit });
}

/** The chip's blob as a header holds it. `keySalt` is the header's; the same salt must not wrap two blobs. */
export function sealBasicUserKey(
  blob: Uint8Array,
  basicUserKeyPublic: Uint8Array,
  keySalt: Uint8Array,
  chip: ChipKind,
  atRest: SecretBytes,
): Uint8Array {
  switch (chip) {
    case 'tpm2':
      return blob;
    case 'software': {
      using wrapper = basicUserKeyWrapper(atRest, keySalt);
      return sealAesGcm(wrapper, zeroNonce, blob, sha256(basicUserKeyPublic));
    }
  }
}

/**
 * The chip's blob in a header. `PasswordRejected` where the wrapper does not open; on a TPM a wrong password shows only
 * when the key is used. `whose` says whose password it is, for messages.
 */
export function openBasicUserKey(
  header: GenerationHeader,
  chip: ChipKind,
  atRest: SecretBytes,
  whose: string,
): Uint8Array {
  switch (chip) {
    case 'tpm2':
      return header.basicUserKeyPrivate;
    case 'software': {
      using wrapper = basicUserKeyWrapper(atRest, header.keySalt);
      const blob = openAesGcm(wrapper, zeroNonce, header.basicUserKeyPrivate, sha256(header.basicUserKey));
      if (blob === undefined) throw fail('PasswordRejected', { which: 'the Basic User Password', whose });
      return blob;
    }
  }
}

/** What of an environment's two parts does not fit together; undefined where every credential has exactly its key. */
export function misfitOf({ publicPart, privatePart }: Environment): string | undefined {
  const { keys } = privatePart;
  if (publicPart.credentials.some(({ id }) => !keys.has(id))) return 'a credential has no private key';
  return keys.size === publicPart.credentials.length ? undefined : 'a private key has no credential';
}

/** Clears the private keys of an environment that is not handed out. */
export function disposeKeys({ privatePart }: Environment): void {
  for (const key of privatePart.keys.values()) key.dispose();
}
