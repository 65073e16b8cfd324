/**
 * The three files of an authority, docs/spec/authority.md: the key file (`.spauthority`: the signing key encrypted in one
 * or two slots), its public half (`.spauthority.pub`), and the owner-password backup (a random key that opens the second
 * slot). Leaves out the encryption (`sealing/authority.ts`); the AAD of a slot is made of `kindLine('authority')` and
 * the public key.
 */
import { concat } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import type { AuthorityFingerprint } from '../domain/ids.ts';
import { hexBytes, id, mapped, pair, publicArea, base64Bytes, yesNo } from './forms.ts';
import { secretHexLine, TextReader, TextWriter } from './text.ts';

/** A slot that the Owner Password opens: salt 16 bytes, nonce 12 bytes, sealed = 32 bytes of key and 16 of tag. */
export interface OwnerPasswordSlot {
  readonly kind: 'owner-password';
  readonly salt: Uint8Array;
  readonly nonce12: Uint8Array;
  readonly sealed: Uint8Array;
}

/** A slot that the key in the owner-password backup opens. */
export interface BackupSlot {
  readonly kind: 'backup';
  readonly nonce12: Uint8Array;
  readonly sealed: Uint8Array;
}

export interface AuthorityPublic {
  readonly rehearsal: boolean;
  /** TPMT_PUBLIC. */
  readonly publicKey: Uint8Array;
}

/** The first slot is the Owner Password's, a second one the backup's. */
export interface AuthorityFile extends AuthorityPublic {
  readonly slots: readonly [OwnerPasswordSlot] | readonly [OwnerPasswordSlot, BackupSlot];
}

export interface OwnerPasswordBackup {
  /** Whose slot it opens. */
  readonly authority: AuthorityFingerprint;
  readonly rehearsal: boolean;
  /** 32 bytes. */
  readonly key: SecretBytes;
}

const nonce = hexBytes(12);
const sealedKey = base64Bytes(48, 48);

const nonceAndKey = pair(nonce, sealedKey);
const saltNonceAndKey = pair(hexBytes(16), nonceAndKey);

const ownerPasswordSlot = mapped(
  saltNonceAndKey,
  ([salt, [nonce12, sealed]]): OwnerPasswordSlot => ({ kind: 'owner-password', salt, nonce12, sealed }),
  ({ salt, nonce12, sealed }) => [salt, [nonce12, sealed]] as const,
);

const backupSlot = mapped(
  nonceAndKey,
  ([nonce12, sealed]): BackupSlot => ({ kind: 'backup', nonce12, sealed }),
  ({ nonce12, sealed }) => [nonce12, sealed] as const,
);

export function encodeAuthorityFile(file: AuthorityFile): Uint8Array {
  const [first, second] = file.slots;
  return new TextWriter('authority')
    .field('rehearsal', yesNo, file.rehearsal)
    .field('public-key', publicArea, file.publicKey)
    .field('owner-password-slot', ownerPasswordSlot, first)
    .optional('backup-slot', backupSlot, second)
    .done();
}

/** `path` is for messages. `AuthorityMalformed`, `WrongFileKind`, `FileMangled`, `VersionUnsupported`, `LimitExceeded`. */
export function decodeAuthorityFile(bytes: Uint8Array, path: string): AuthorityFile {
  const reader = new TextReader(bytes, 'authority', path);
  const rehearsal = reader.field('rehearsal', yesNo);
  const publicKey = reader.field('public-key', publicArea);
  const first = reader.field('owner-password-slot', ownerPasswordSlot);
  const second = reader.optional('backup-slot', backupSlot);
  reader.end();
  return { rehearsal, publicKey, slots: second === undefined ? [first] : [first, second] };
}

export function encodeAuthorityPublic(authority: AuthorityPublic): Uint8Array {
  return new TextWriter('authority-public')
    .field('rehearsal', yesNo, authority.rehearsal)
    .field('public-key', publicArea, authority.publicKey)
    .done();
}

/** Errors as `decodeAuthorityFile`. */
export function decodeAuthorityPublic(bytes: Uint8Array, path: string): AuthorityPublic {
  const reader = new TextReader(bytes, 'authority-public', path);
  const authority = {
    rehearsal: reader.field('rehearsal', yesNo),
    publicKey: reader.field('public-key', publicArea),
  };
  reader.end();
  return authority;
}

/** Length of the key in bytes. */
const backupKeyLength = 32;

/** The whole file, which holds the secret and so is one. */
export function encodeOwnerPasswordBackup(backup: OwnerPasswordBackup): SecretBytes {
  if (backup.key.length !== backupKeyLength) throw new RangeError('the key of a backup has 32 bytes');
  const before = new TextWriter('owner-password-backup')
    .field('authority', id('AuthorityFingerprint'), backup.authority)
    .field('rehearsal', yesNo, backup.rehearsal)
    .done();
  using line = secretHexLine('key', backup.key);
  return new SecretBytes(concat(before, line.reveal));
}

/** The caller clears `bytes`. Errors as `decodeAuthorityFile`. */
export function decodeOwnerPasswordBackup(bytes: Uint8Array, path: string): OwnerPasswordBackup {
  const reader = new TextReader(bytes, 'owner-password-backup', path);
  const authority = reader.field('authority', id('AuthorityFingerprint'));
  const rehearsal = reader.field('rehearsal', yesNo);
  const key = reader.secretHex('key', backupKeyLength);
  try {
    reader.end();
    return { authority, rehearsal, key };
  } catch (error) {
    key.dispose();
    throw error;
  }
}
