/**
 * The authority key an owner's operation signs with: the platform's own, or a fleet authority's file named by the
 * caller, opened with the Owner Password or the owner-password backup file. Nothing of a user is needed or touched.
 */
import { fail, hasCode } from '../domain/error.ts';
import { groupFingerprint } from '../domain/ids.ts';
import type { PasswordAttempts } from '../ports/environment-store.ts';
import {
  decodeAuthorityFile,
  decodeOwnerPasswordBackup,
  type AuthorityFile,
} from '../format/authority-v1.ts';
import { expectKind } from '../format/kind.ts';
import { openAuthority, ownerSalt, type AuthorityKey } from '../sealing/authority.ts';
import { authorityFingerprint } from '../sealing/fingerprints.ts';
import { countingFailures, ownerTries } from './lock-out.ts';
import type { Call } from './operation.ts';
import { requireSameKind, type Platform } from './platform-context.ts';

export interface AuthorityChoice {
  /** A fleet authority's key file; undefined: the platform's own authority. */
  readonly authorityPath?: string | undefined;
  /** The owner-password backup file, accepted instead of the Owner Password. */
  readonly backupPath?: string | undefined;
}

/** A key file that was read and not opened. */
export interface ChosenAuthority {
  readonly path: string;
  readonly publicKey: Uint8Array;
  readonly local: boolean;
  /** As it was read: its slots, still closed. */
  readonly file: AuthorityFile;
  /** The file's bytes as they are now. */
  readonly read: () => Promise<Uint8Array>;
  /** Derives the root, without using it. */
  readonly prepare: () => Promise<void>;
  /** Opens the key; dispose it. `OwnerPasswordRequired`, `OwnerPasswordRejected`, `LockedOut`. */
  readonly open: () => Promise<AuthorityKey>;
}

/** Bound for authority files of each kind. */
export const maximumAuthorityBytes = 64 * 1024;

/** Finds the key file. `NoLocalAuthority` where this platform only knows a fleet authority's public half. */
export async function chooseAuthority(
  call: Call,
  platform: Platform | undefined,
  choice: AuthorityChoice,
): Promise<ChosenAuthority> {
  return choose(call, await authorityFile(call, platform, choice), choice.backupPath);
}

/**
 * The authority key of a platform whose settings were lost, or whose initialization was interrupted; undefined where
 * there is none. It must not be made anew: every Basic User Key under it could be moved by nobody any more.
 */
export async function findLeftAuthority(call: Call): Promise<ChosenAuthority | undefined> {
  const file = await call.ports.platform.authorityKey();
  return file && choose(call, { path: file.path, bytes: file.bytes, local: true }, undefined);
}

interface KeyFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly local: boolean;
}

function choose(call: Call, file: KeyFile, backupPath: string | undefined): ChosenAuthority {
  expectKind(file.bytes, 'authority', file.path);
  const decoded = decodeAuthorityFile(file.bytes, file.path);
  requireSameKind(file.path, decoded.rehearsal, call.ports.rehearsal);
  const root = () =>
    call.secrets.root('ownerPassword', ownerSalt(decoded), `the Owner Password of ${file.path}`);
  const attempts = {
    read: (): Promise<PasswordAttempts> => call.ports.platform.ownerAttempts(),
    update: (change: (value: PasswordAttempts) => PasswordAttempts) =>
      call.ports.platform.updateOwnerAttempts(change),
  };
  const open = async (): Promise<AuthorityKey> => {
    if (backupPath !== undefined) return openWithBackup(call, decoded, backupPath, file.path);
    const ownerRoot = await root();
    const openIt = () => Promise.resolve(openAuthority(decoded, { ownerRoot }, file.path));
    // The counter lies in the private platform folder, which only a local authority's owner can write.
    if (!file.local) return openIt();
    const isWrong = (error: unknown): boolean => hasCode(error, 'OwnerPasswordRejected');
    return countingFailures(attempts, ownerTries, call.ports.clock(), isWrong, openIt);
  };
  const prepare = async (): Promise<void> => {
    if (backupPath === undefined && call.secrets.has('ownerPassword')) await root();
  };
  const { path, local } = file;
  const read = async (): Promise<Uint8Array> =>
    local
      ? ((await call.ports.platform.authorityKey())?.bytes ?? new Uint8Array())
      : call.ports.files.read(path, maximumAuthorityBytes);
  return { path, publicKey: decoded.publicKey, local, file: decoded, read, prepare, open };
}

async function authorityFile(
  call: Call,
  platform: Platform | undefined,
  choice: AuthorityChoice,
): Promise<KeyFile> {
  if (choice.authorityPath !== undefined) {
    const bytes = await call.ports.files.read(choice.authorityPath, maximumAuthorityBytes);
    return { path: choice.authorityPath, bytes, local: false };
  }
  if (platform === undefined) throw fail('PlatformNotInitialized');
  if (platform.settings.authority === 'fleet')
    throw fail('NoLocalAuthority', { authority: groupFingerprint(platform.authority) });
  const file = await call.ports.platform.authorityKey();
  if (file === undefined)
    throw fail('PlatformDamaged', {
      path: call.ports.platform.path,
      problem: 'the authority key is missing',
    });
  return { path: file.path, bytes: file.bytes, local: true };
}

async function openWithBackup(
  call: Call,
  decoded: ReturnType<typeof decodeAuthorityFile>,
  backupPath: string,
  path: string,
): Promise<AuthorityKey> {
  const bytes = await call.ports.files.read(backupPath, maximumAuthorityBytes);
  expectKind(bytes, 'owner-password-backup', backupPath);
  const backup = decodeOwnerPasswordBackup(bytes, backupPath);
  bytes.fill(0);
  using backupKey = backup.key;
  if (backup.authority !== authorityFingerprint(decoded.publicKey)) {
    throw fail('OwnerPasswordRejected', { path: `${path} (the backup file is for another authority)` });
  }
  return openAuthority(decoded, { backupKey }, path);
}
