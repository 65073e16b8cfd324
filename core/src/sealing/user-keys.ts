/**
 * The keys that come from the Basic User Password's root, docs/spec/keys.md, "From a password" (rulings 7 and 11). Each
 * has a label of its own in HKDF. Whatever may lie on a share is sealed under a key that needs the chip as well, since a
 * key of the password alone would let every reader try passwords there. One key does without: the wrapper of the software
 * chip's blob, which lies in the user's own folder only. The at-rest key itself is never an AES key.
 */
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fromHex } from '../bytes/bytes.ts';
import { hkdf } from '../crypto/kdf.ts';
import type { ArchiveId } from '../domain/ids.ts';
import { transferCodeBytes } from '../domain/transfer-code.ts';

/** Length of a root in bytes. */
const rootBytes = 32;
/** Length of an inner wrapper key in bytes: AES-128 (TPM 2.0 Part 1, clause 23.3). */
const innerKeyBytes = 16;
/** Length of a key salt in bytes. */
export const keySaltBytes = 16;

const noSalt = new Uint8Array();

/** Keys of one password and salt. Dispose it; the root stays its owner's. */
export class UserKeys {
  /** Authorises the use of the Basic User Key: 32 bytes, the last never 0. */
  readonly basicUserAuth: SecretBytes;
  /** Authorises the use of the vault key: 32 bytes, the last never 0. */
  readonly vaultAuth: SecretBytes;
  /** The password's share in every key that seals an environment: 32 bytes, input of a derivation only. */
  readonly atRest: SecretBytes;
  readonly #root: SecretBytes;

  /** `root` is 32 bytes from `deriveRoot`; it is not owned. */
  constructor(root: SecretBytes) {
    if (root.length !== rootBytes) throw new RangeError('the root of a password has 32 bytes');
    this.#root = root;
    this.basicUserAuth = authValue(hkdf([root], noSalt, 'spmigration/v1 basic-user-auth'));
    this.vaultAuth = authValue(hkdf([root], noSalt, 'spmigration/v1 vault-auth'));
    this.atRest = hkdf([root], noSalt, 'spmigration/v1 at-rest');
  }

  /** The inner wrapper of a handed-over Basic User Key, 16 bytes: a destination without the user opens nothing. */
  innerKey(archive: ArchiveId, transferCode?: SecretBytes): SecretBytes {
    const inputs = [this.#root, ...codeInput(transferCode)];
    return hkdf(inputs, idBytes(archive), 'spmigration/v1 duplication-inner-key', innerKeyBytes);
  }

  /** The key of an archive's `environment`, 32 bytes: needs chip, password and, where there is one, transfer code. */
  archiveKey(vaultKey: SecretBytes, archive: ArchiveId, transferCode?: SecretBytes): SecretBytes {
    const inputs = [vaultKey, this.atRest, ...codeInput(transferCode)];
    return hkdf(inputs, idBytes(archive), 'spmigration/v1 archive');
  }

  dispose(): void {
    this.basicUserAuth.dispose();
    this.vaultAuth.dispose();
    this.atRest.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The key of a generation's private part, 32 bytes: needs both the chip and the password. */
export function environmentKey(vaultKey: SecretBytes, atRest: SecretBytes, keySalt: Uint8Array): SecretBytes {
  checkKeySalt(keySalt);
  return hkdf([vaultKey, atRest], keySalt, 'spmigration/v1 environment');
}

/** The key around a software chip's Basic User Key blob, 32 bytes. */
export function basicUserKeyWrapper(atRest: SecretBytes, keySalt: Uint8Array): SecretBytes {
  checkKeySalt(keySalt);
  return hkdf([atRest], keySalt, 'spmigration/v1 buk-wrap');
}

/** A TPM drops trailing zeros of an authValue (Part 1, clause 19.6.4.3), so that a last byte of 0 becomes 1. */
function authValue(derived: SecretBytes): SecretBytes {
  const last = derived.length - 1;
  if (derived.reveal[last] === 0) derived.reveal[last] = 1;
  return derived;
}

function codeInput(transferCode: SecretBytes | undefined): readonly SecretBytes[] {
  if (transferCode === undefined) return [];
  // A fixed length: what is joined in front of it has one, too, so that the joined inputs have one reading.
  if (transferCode.length !== transferCodeBytes) throw new RangeError('a transfer code has 10 bytes');
  return [transferCode];
}

function idBytes(archive: ArchiveId): Uint8Array {
  const bytes = fromHex(archive);
  if (bytes === undefined) throw new RangeError('not an archive id');
  return bytes;
}

function checkKeySalt(keySalt: Uint8Array): void {
  if (keySalt.length !== keySaltBytes) throw new RangeError('a key salt has 16 bytes');
}
