/**
 * `New-SPMigrationAuthority`: a fleet authority's key file (private half under the Owner Password) and its public half
 * for all computers. Works on any computer, initialized or not.
 */
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail } from '../domain/error.ts';
import { groupFingerprint } from '../domain/ids.ts';
import {
  encodeAuthorityFile,
  encodeAuthorityPublic,
  encodeOwnerPasswordBackup,
} from '../format/authority-v1.ts';
import { createAuthority, sealAuthority, type AuthorityKey } from '../sealing/authority.ts';
import { authorityFingerprint } from '../sealing/fingerprints.ts';
import type { Call, Changer } from './operation.ts';
import { requireAcceptable, type PasswordRules } from './password-rules.ts';
import { recordIfPlatform } from './record.ts';
import type { SaltedRoot } from './secrets.ts';
import type { AuthorityResult } from './results.ts';

export interface NewAuthorityParameters extends PasswordRules {
  readonly path: string;
  readonly name?: string;
  readonly backupPath?: string;
  readonly overwrite?: boolean;
}

const ownerPassword = 'the new Owner Password';

export const newAuthority: Changer<NewAuthorityParameters, AuthorityResult> = async (call, parameters) => {
  const { files } = call.ports;
  const overwrite = parameters.overwrite ?? false;
  const name = parameters.name ?? 'fleet';
  const path = await files.outputPath(parameters.path, `${name}.spauthority`, overwrite);
  const publicPath = await files.outputPath(`${path}.pub`, '', overwrite);
  const backupPath =
    parameters.backupPath === undefined
      ? undefined
      : await files.outputPath(parameters.backupPath, `${name}.spownerbackup`, overwrite);
  requireAcceptable(call.secrets, 'ownerPassword', ownerPassword, parameters);
  return {
    plan: {
      action: 'Make a fleet authority',
      target: path,
      impact: 'medium',
      lines: [
        `A new authority key is made and kept in ${path} under the Owner Password.`,
        `Its public half is written to ${publicPath}; computers are initialized with it.`,
        ...(backupPath === undefined
          ? []
          : [`A backup file that opens it without the Owner Password is written to ${backupPath}.`]),
      ],
      facts: { path, backupPath: backupPath ?? null },
    },
    prepare: async () => {
      await call.secrets.freshRoot('ownerPassword', ownerPassword);
    },
    apply: async () => {
      const made = await makeAuthority(call, backupPath !== undefined);
      using key = made.key;
      await files.writePrivate(path, made.file, overwrite);
      await files.write(
        publicPath,
        encodeAuthorityPublic({ rehearsal: call.ports.rehearsal, publicKey: key.public }),
        overwrite,
      );
      if (backupPath !== undefined) await writeBackup(call, backupPath, made, overwrite);
      call.secrets.spendFresh('ownerPassword');
      const fingerprint = authorityFingerprint(key.public);
      await recordIfPlatform(call, 'platform', 'authority-new', { authority: fingerprint, path });
      return {
        path,
        publicPath,
        fingerprint: groupFingerprint(fingerprint),
        backupPath: backupPath ?? null,
        rehearsal: call.ports.rehearsal,
      };
    },
  };
};

export interface MadeAuthority {
  readonly key: AuthorityKey;
  /** The key file, encrypted. */
  readonly file: Uint8Array;
  readonly backupKey: SecretBytes | undefined;
}

/** A new authority under the Owner Password of this conversation; also used for a platform's own authority. */
export async function makeAuthority(call: Call, withBackup: boolean): Promise<MadeAuthority> {
  const owner: SaltedRoot = await call.secrets.freshRoot('ownerPassword', ownerPassword);
  const { random, rehearsal } = call.ports;
  const backupKey = withBackup ? new SecretBytes(random(32)) : undefined;
  const key = createAuthority();
  const sealed = sealAuthority(key, {
    owner,
    random,
    rehearsal,
    ...(backupKey === undefined ? {} : { backupKey }),
  });
  return { key, file: encodeAuthorityFile(sealed), backupKey };
}

/** Writes the owner-password backup file: a random key, never the password. */
export async function writeBackup(
  call: Call,
  path: string,
  made: Pick<MadeAuthority, 'key' | 'backupKey'>,
  overwrite: boolean,
): Promise<void> {
  if (made.backupKey === undefined) throw fail('InternalError', { problem: 'no backup key was made' });
  using key = made.backupKey;
  const authority = authorityFingerprint(made.key.public);
  using file = encodeOwnerPasswordBackup({ authority, rehearsal: call.ports.rehearsal, key });
  await call.ports.files.writePrivate(path, file.reveal, overwrite);
}
