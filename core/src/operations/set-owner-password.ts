/**
 * `Set-SPMigrationOwnerPassword`: another Owner Password for the authority key of this platform, or of a fleet authority's
 * file. The key is the same, so grants and keys do not notice. Opened by the present password or by the owner-password backup
 * file. A backup that exists goes on opening the key, unless a new one is asked for.
 */
import { equal } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail, isSPMigrationError } from '../domain/error.ts';
import { groupFingerprint } from '../domain/ids.ts';
import { decodeAuthorityFile, encodeAuthorityFile, type AuthorityFile } from '../format/authority-v1.ts';
import { openAuthority, sealAuthority, type AuthorityKey } from '../sealing/authority.ts';
import { authorityFingerprint } from '../sealing/fingerprints.ts';
import { chooseAuthority, type AuthorityChoice, type ChosenAuthority } from './authority-context.ts';
import { writeBackup } from './new-authority.ts';
import type { Call, Changer } from './operation.ts';
import { requireAcceptable, type PasswordRules } from './password-rules.ts';
import { findPlatform, requireAdministrator, requirePlatform, type Platform } from './platform-context.ts';
import { record } from './record.ts';
import type { AuthorityResult } from './results.ts';
import type { SaltedRoot } from './secrets.ts';

export interface SetOwnerPasswordParameters extends AuthorityChoice, PasswordRules {
  readonly newBackupPath?: string;
  readonly overwrite?: boolean;
}

const newOwnerPassword = 'the new Owner Password';

export const setOwnerPassword: Changer<SetOwnerPasswordParameters, AuthorityResult> = async (
  call,
  parameters,
) => {
  const { ports, secrets } = call;
  const platform = await platformFor(call, parameters);
  const chosen = await chooseAuthority(call, platform, parameters);
  requireNewPassword(call, parameters);
  const overwrite = parameters.overwrite ?? false;
  const fingerprint = authorityFingerprint(chosen.publicKey);
  const backupPath =
    parameters.newBackupPath === undefined
      ? undefined
      : await ports.files.outputPath(
          parameters.newBackupPath,
          `${chosen.local ? (platform?.settings.computer ?? 'platform') : 'fleet'}.spownerbackup`,
          overwrite,
        );
  return {
    plan: {
      action: 'Change the Owner Password',
      target: `the authority ${groupFingerprint(fingerprint)} (${chosen.path})`,
      impact: 'medium',
      lines: [
        'The authority key is encrypted anew under the new Owner Password; the old one does not open it any more.',
        ...(chosen.local ? [] : ['Copies of the file that lie elsewhere still open with the old one.']),
        backupPath === undefined
          ? 'An owner-password backup file that exists goes on opening it.'
          : `A new owner-password backup is written to ${backupPath}; an older one does not open it any more.`,
      ],
      facts: { path: chosen.path, authority: fingerprint, backupPath: backupPath ?? null },
    },
    prepare: async () => {
      await chosen.prepare();
      await secrets.freshRoot('newPassword', newOwnerPassword);
    },
    apply: async () => {
      const written = await changeOwnerPassword(call, chosen, backupPath, overwrite);
      if (chosen.local && platform !== undefined) {
        await ports.platform.setOwnerAttempts({ failed: 0, last: 0 });
        await record(call, 'platform', {
          operation: 'authority-password',
          account: platform.account,
          platform: platform.ids.platformId,
          facts: { authority: fingerprint, backup: backupPath === undefined ? 'kept' : 'new' },
        });
      }
      return {
        path: chosen.path,
        publicPath: `${chosen.path}.pub`,
        fingerprint: groupFingerprint(fingerprint),
        backupPath: written,
        rehearsal: ports.rehearsal,
      };
    },
  };
};

/** The platform's own authority is its administrator's; a fleet's file is whoever's it is. */
async function platformFor(call: Call, { authorityPath }: AuthorityChoice): Promise<Platform | undefined> {
  if (authorityPath !== undefined) return findPlatform(call.ports);
  await requireAdministrator(call.ports);
  return requirePlatform(call.ports);
}

function requireNewPassword(call: Call, parameters: SetOwnerPasswordParameters): void {
  const { secrets } = call;
  if (parameters.backupPath === undefined && !secrets.has('ownerPassword'))
    throw fail('OwnerPasswordRequired');
  if (!secrets.has('newPassword')) throw fail('NewPasswordRequired', { which: newOwnerPassword });
  requireAcceptable(secrets, 'newPassword', newOwnerPassword, parameters);
  if (secrets.same('ownerPassword', 'newPassword'))
    throw fail('PasswordUnacceptable', { which: newOwnerPassword, problem: 'it is the present one' });
}

/**
 * Answers the path of the new backup file, or null. The key file comes first: an interruption then leaves a key that the
 * new password opens; the other way round a person who came with the old backup could be left with neither.
 */
async function changeOwnerPassword(
  call: Call,
  chosen: ChosenAuthority,
  backupPath: string | undefined,
  overwrite: boolean,
): Promise<string | null> {
  const { random, rehearsal } = call.ports;
  using key = await chosen.open();
  const owner: SaltedRoot = await call.secrets.freshRoot('newPassword', newOwnerPassword);
  using backupKey = new SecretBytes(random(32));
  const made = sealAuthority(key, {
    owner,
    random,
    rehearsal,
    ...(backupPath === undefined ? {} : { backupKey }),
  });
  const file = backupPath === undefined ? withBackupOf(chosen.file, made) : made;
  await write(call, chosen, encodeAuthorityFile(file));
  await requireOpensWith(call, chosen, owner, key);
  call.secrets.spendFresh('newPassword');
  if (backupPath === undefined) return null;
  try {
    await writeBackup(call, backupPath, { key, backupKey }, overwrite);
    return backupPath;
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    call.report.warning(
      `The new Owner Password is set, but its backup file was not written: ${error.message} An older one does not open the key any more.`,
      error.code,
    );
    return null;
  }
}

/** The second slot does not depend on the Owner Password: it is kept as it stands. */
function withBackupOf({ slots: [, backup] }: AuthorityFile, made: AuthorityFile): AuthorityFile {
  return backup === undefined ? made : { ...made, slots: [made.slots[0], backup] };
}

async function write(call: Call, chosen: ChosenAuthority, bytes: Uint8Array): Promise<void> {
  if (chosen.local) await call.ports.platform.putAuthorityKey(bytes);
  else await call.ports.files.writePrivate(chosen.path, bytes, true);
}

/** What was written opens, before anybody relies on it. */
async function requireOpensWith(
  call: Call,
  chosen: ChosenAuthority,
  owner: SaltedRoot,
  key: AuthorityKey,
): Promise<void> {
  using again = openAuthority(
    decodeAuthorityFile(await chosen.read(), chosen.path),
    { ownerRoot: owner.root },
    chosen.path,
  );
  if (!equal(again.privateKey.reveal, key.privateKey.reveal))
    throw fail('InternalError', { problem: 'the authority file that was written holds another key' });
  call.report.verbose(`${chosen.path} was read back and opens with the new Owner Password.`);
}
