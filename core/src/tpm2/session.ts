/**
 * Authorization sessions (TPM 2.0 Part 1, clauses 17 and 19): rolling nonces, HMACs over commands and responses, and the
 * encryption of a first parameter (clause 19.3, AES-128-CFB). SHA-256 throughout. Sessions are salted, so that who reads or
 * answers on the bus knows none of their keys; one without salt, for what has no secret at all, cannot encrypt. Password
 * sessions do not exist here: they send authValues.
 */
import { concat } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { aesCfbBytes, decryptAesCfb, encryptAesCfb } from '../crypto/aes-cfb.ts';
import { hmacSha256 } from '../crypto/hash.ts';
import { digestBytes } from './constants.ts';
import { KDFa } from './kdf.ts';

/** Length of the nonces that this side makes, in bytes. */
export const nonceCallerBytes = digestBytes;

export type SessionKind = 'hmac' | 'policy';

/** One open session. Dispose it with its connection. */
export class Session {
  readonly handle: number;
  readonly kind: SessionKind;
  /** Whether it can encrypt parameters: it has a key that only the TPM and this process know. */
  readonly encrypts: boolean;
  readonly #key: SecretBytes;
  #nonceCaller: Uint8Array;
  #nonceTPM: Uint8Array;
  /** After TPM2_PolicyAuthValue: the authValue enters the HMAC of a policy session, too. */
  #needsAuthValue = false;

  /**
   * `salt` is the 32 bytes that were encrypted to the TPM's key; it is not owned. sessionKey = KDFa(salt, "ATH", nonceTPM,
   * nonceCaller), Part 1, clause 19.6.8, for a session that is not bound; none without salt.
   */
  constructor(
    handle: number,
    kind: SessionKind,
    salt: SecretBytes | undefined,
    nonceTPM: Uint8Array,
    nonceCaller: Uint8Array,
  ) {
    this.handle = handle;
    this.kind = kind;
    this.encrypts = salt !== undefined;
    this.#key =
      salt === undefined
        ? new SecretBytes(new Uint8Array())
        : KDFa(salt, 'ATH', concat(nonceTPM, nonceCaller), digestBytes);
    this.#nonceTPM = nonceTPM;
    this.#nonceCaller = nonceCaller;
  }

  get nonceCaller(): Uint8Array {
    return this.#nonceCaller;
  }

  /** The session's policy has had TPM2_PolicyAuthValue. */
  requireAuthValue(): void {
    this.#needsAuthValue = true;
  }

  /** A new nonce for the next command. */
  begin(random: (length: number) => Uint8Array): void {
    this.#nonceCaller = random(nonceCallerBytes);
  }

  /** HMAC of a command, Part 1, clause 19.6.5. `attributes` is its TPMA_SESSION. */
  commandHmac(cpHash: Uint8Array, attributes: number, authValue: SecretBytes | undefined): Uint8Array {
    using key = this.#hmacKey(authValue);
    return hmacSha256(key.reveal, cpHash, this.#nonceCaller, this.#nonceTPM, Uint8Array.of(attributes));
  }

  /** The HMAC that the response must have. The TPM's nonce is the one of the next command. */
  responseHmac(
    rpHash: Uint8Array,
    nonceTPM: Uint8Array,
    attributes: number,
    authValue: SecretBytes | undefined,
  ): Uint8Array {
    this.#nonceTPM = nonceTPM;
    using key = this.#hmacKey(authValue);
    return hmacSha256(key.reveal, rpHash, nonceTPM, this.#nonceCaller, Uint8Array.of(attributes));
  }

  /** The first parameter of a command, encrypted. */
  encrypt(body: Uint8Array, authValue: SecretBytes | undefined): Uint8Array {
    using derived = this.#encryptionKey(authValue, this.#nonceCaller, this.#nonceTPM);
    using key = SecretBytes.copyOf(derived.reveal.subarray(0, aesCfbBytes));
    return encryptAesCfb(key, derived.reveal.subarray(aesCfbBytes), body);
  }

  /** The first parameter of a response (after `responseHmac`), decrypted. The caller clears it. */
  decrypt(body: Uint8Array, authValue: SecretBytes | undefined): Uint8Array {
    using derived = this.#encryptionKey(authValue, this.#nonceTPM, this.#nonceCaller);
    using key = SecretBytes.copyOf(derived.reveal.subarray(0, aesCfbBytes));
    using plaintext = decryptAesCfb(key, derived.reveal.subarray(aesCfbBytes), body);
    return new Uint8Array(plaintext.reveal);
  }

  dispose(): void {
    this.#key.dispose();
  }

  #hmacKey(authValue: SecretBytes | undefined): SecretBytes {
    const enters = this.kind === 'hmac' || this.#needsAuthValue;
    return joinedKey(this.#key, enters ? authValue : undefined);
  }

  /** Key and initialisation vector: KDFa(sessionValue, "CFB", newer nonce, older nonce), Part 1, clause 19.3.5. */
  #encryptionKey(authValue: SecretBytes | undefined, newer: Uint8Array, older: Uint8Array): SecretBytes {
    // Whether or not the HMAC has it, a session that authorizes encrypts with the authValue as well (clause 19.2).
    using sessionValue = joinedKey(this.#key, authValue);
    return KDFa(sessionValue, 'CFB', concat(newer, older), 2 * aesCfbBytes);
  }
}

/** sessionKey ‖ authValue, the latter without trailing zeros (Part 1, clause 19.6.5). */
function joinedKey(sessionKey: SecretBytes, authValue: SecretBytes | undefined): SecretBytes {
  if (authValue === undefined) return SecretBytes.copyOf(sessionKey.reveal);
  const bytes = authValue.reveal;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return new SecretBytes(concat(sessionKey.reveal, bytes.subarray(0, end)));
}
