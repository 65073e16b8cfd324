/**
 * The authority key and its file's slots (docs/spec/authority.md, "Construction"; ruling 7): the 32-byte scalar sealed
 * under a key of the Owner Password, and once more under a random key where there is an owner-password backup.
 * The slot of the Owner Password can be guessed at by whoever holds the file: that is why it lies in the administrators'
 * folder, and why Argon2id stands before it. Leaves out reading and writing the file (`format/authority-v1.ts`).
 */
import { ascii } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { openAesGcm, sealAesGcm } from '../crypto/aead.ts';
import { hkdf } from '../crypto/kdf.ts';
import { generateSigningKey, sign } from '../crypto/signature.ts';
import { fail } from '../domain/error.ts';
import type { AuthorityFile, BackupSlot } from '../format/authority-v1.ts';
import { kindLine } from '../format/kind.ts';
import { approvalMessage } from '../tpm2/policy.ts';
import { authorityPoint, authorityTemplate } from '../tpm2/templates.ts';
import { lengthPrefixed } from './fingerprints.ts';

const nonceBytes = 12;
const scalarBytes = 32;
const noSalt = new Uint8Array();

/** An opened authority. Dispose it on every path. */
export interface AuthorityKey extends Disposable {
  /** The scalar, 32 bytes. */
  readonly privateKey: SecretBytes;
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array;
  dispose(): void;
}

/** What opens the slots of a new file. */
export interface AuthorityLocks {
  /** Root of the Owner Password, and the 16-byte salt it was derived with. */
  readonly owner: { readonly root: SecretBytes; readonly salt: Uint8Array };
  /** 32 random bytes, kept in the owner-password backup. */
  readonly backupKey?: SecretBytes;
  readonly random: (length: number) => Uint8Array;
  readonly rehearsal: boolean;
}

/** A new authority. Key generation cannot be seeded (`crypto/p256.ts`). */
export function createAuthority(): AuthorityKey {
  const { privateKey, x, y } = generateSigningKey();
  return authorityKey(privateKey, authorityTemplate(x, y));
}

/** The file of an authority, its key sealed once for each lock. */
export function sealAuthority(key: AuthorityKey, locks: AuthorityLocks): AuthorityFile {
  const { owner, backupKey, random, rehearsal } = locks;
  const first = {
    kind: 'owner-password',
    salt: owner.salt,
    ...sealSlot(key, ownerSlotKey(owner.root), random),
  } as const;
  if (backupKey === undefined) return { rehearsal, publicKey: key.public, slots: [first] };
  const second: BackupSlot = { kind: 'backup', ...sealSlot(key, backupSlotKey(backupKey), random) };
  return { rehearsal, publicKey: key.public, slots: [first, second] };
}

/**
 * The authority in the file. `OwnerPasswordRejected` where the password (or the backup's key) is wrong or the file was
 * changed, which cannot be told apart; `AuthorityMalformed` where it holds no authority key or no slot for a backup.
 * `path` is for messages.
 */
export function openAuthority(
  file: AuthorityFile,
  by: { readonly ownerRoot: SecretBytes } | { readonly backupKey: SecretBytes },
  path: string,
): AuthorityKey {
  if (authorityPoint(file.publicKey) === undefined) {
    throw fail('AuthorityMalformed', { path, problem: 'its public key is not that of an authority' });
  }
  const [first, second] = file.slots;
  const slot = 'ownerRoot' in by ? first : second;
  if (slot === undefined) {
    throw fail('AuthorityMalformed', { path, problem: 'it was made without an owner-password backup' });
  }
  using key = 'ownerRoot' in by ? ownerSlotKey(by.ownerRoot) : backupSlotKey(by.backupKey);
  const opened = openAesGcm(key, slot.nonce12, slot.sealed, slotContext(file.publicKey));
  if (opened?.length !== scalarBytes) throw fail('OwnerPasswordRejected', { path });
  return authorityKey(new SecretBytes(opened), file.publicKey);
}

/** Salt of the Owner Password in the file, 16 bytes. */
export function ownerSalt(file: AuthorityFile): Uint8Array {
  return file.slots[0].salt;
}

/** Signs a message of ours (r ‖ s, 64 bytes); it begins with its kind line. */
export function signMessage(key: AuthorityKey, message: Uint8Array): Uint8Array {
  const point = authorityPoint(key.public);
  if (point === undefined) throw new RangeError('not an authority key');
  return sign(key.privateKey, point.x, point.y, message);
}

/** Signs a policy digest for a chip (r ‖ s, 64 bytes). The caller has computed the digest itself. */
export function signApproval(
  key: AuthorityKey,
  approvedPolicy: Uint8Array,
  policyRef: Uint8Array,
): Uint8Array {
  return signMessage(key, approvalMessage(approvedPolicy, policyRef));
}

function authorityKey(privateKey: SecretBytes, publicArea: Uint8Array): AuthorityKey {
  const dispose = (): void => {
    privateKey.dispose();
  };
  return { privateKey, public: publicArea, dispose, [Symbol.dispose]: dispose };
}

/** Disposes `slotKey`. */
function sealSlot(
  key: AuthorityKey,
  slotKey: SecretBytes,
  random: AuthorityLocks['random'],
): { readonly nonce12: Uint8Array; readonly sealed: Uint8Array } {
  using used = slotKey;
  const nonce12 = random(nonceBytes);
  return { nonce12, sealed: sealAesGcm(used, nonce12, key.privateKey.reveal, slotContext(key.public)) };
}

function ownerSlotKey(root: SecretBytes): SecretBytes {
  return hkdf([root], noSalt, 'spmigration/v1 owner-slot');
}

function backupSlotKey(backupKey: SecretBytes): SecretBytes {
  return hkdf([backupKey], noSalt, 'spmigration/v1 backup-slot');
}

/** A slot opens in this kind of file and beside this public key only. */
function slotContext(publicKey: Uint8Array): Uint8Array {
  return lengthPrefixed(ascii(kindLine('authority')), publicKey);
}
