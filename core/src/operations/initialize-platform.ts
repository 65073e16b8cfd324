/**
 * `Initialize-SPMigrationPlatform`: the chip's storage key, the authority (a local owner's own, or a fleet's public
 * half) and the platform folder. The settings file is written last: until then the platform is not initialized. Once only,
 * except where the chip was cleared or replaced since (`lost-chip.ts`): then new settings take the place of the old ones.
 */
import { equal } from '../bytes/bytes.ts';
import { fail } from '../domain/error.ts';
import { formatInstant } from '../domain/time.ts';
import type { PlatformSettings } from '../domain/platform.ts';
import { groupFingerprint } from '../domain/ids.ts';
import { decodeAuthorityPublic } from '../format/authority-v1.ts';
import { expectKind } from '../format/kind.ts';
import { encodePlatformSettings } from '../format/platform-v1.ts';
import { authorityFingerprint, tpmName } from '../sealing/fingerprints.ts';
import { findLeftAuthority, maximumAuthorityBytes } from './authority-context.ts';
import { chooseChip, type ChipChoice } from './choose-chip.ts';
import { makeAuthority, writeBackup } from './new-authority.ts';
import type { Call, Changer } from './operation.ts';
import { requireAcceptable, type PasswordRules } from './password-rules.ts';
import { lostChip } from './lost-chip.ts';
import {
  findPlatform,
  requireAdministrator,
  requirePlatform,
  requireSameKind,
  type Platform,
} from './platform-context.ts';
import { record } from './record.ts';
import type { StatusResult } from './results.ts';
import { statusOf } from './status.ts';

export interface InitializePlatformParameters extends PasswordRules {
  readonly chip?: ChipChoice;
  readonly authorityPath?: string;
  readonly backupPath?: string;
  readonly overwrite?: boolean;
}

const ownerPassword = 'the new Owner Password of this platform';

/** What it means that the chip was cleared or replaced, and what does not. */
const initializedAgain: readonly string[] = [
  'The platform is initialized again. Its authority, the grants that were signed here and the history of the platform stay.',
  'Environments of users on this computer do not open any more, unless the chip makes the very same storage key again; archives for this computer do not, either.',
];

export const initializePlatform: Changer<InitializePlatformParameters, StatusResult> = async (
  call,
  parameters,
) => {
  const { ports, secrets } = call;
  await requireAdministrator(ports);
  const before = await findPlatform(ports);
  const lost = before && (await lostChip(before));
  if (before !== undefined && lost === undefined) {
    throw fail('PlatformAlreadyInitialized', { since: formatInstant(before.settings.created) });
  }
  const fleetKey =
    parameters.authorityPath === undefined
      ? fleetKeyOf(before)
      : await readFleetKey(call, parameters.authorityPath);
  if (fleetKey === undefined) {
    if (!secrets.has('ownerPassword')) throw fail('OwnerPasswordRequired');
    requireAcceptable(secrets, 'ownerPassword', ownerPassword, parameters);
  }
  const left = fleetKey === undefined ? await findLeftAuthority(call) : undefined;
  if (before !== undefined) {
    const named = parameters.authorityPath !== undefined;
    requireSameAuthority(before, fleetKey ?? left?.publicKey, ports.platform.path, named);
  }
  if (left !== undefined && parameters.backupPath !== undefined) {
    throw fail('ParameterInvalid', {
      parameter: 'OwnerPasswordBackupPath',
      problem: 'an authority key is here already and is kept; a backup file is written only with a new key',
    });
  }
  const computer = await ports.account.computerName();
  const { backupPath: backup } = parameters;
  const overwrite = parameters.overwrite ?? false;
  const backupPath =
    backup === undefined
      ? undefined
      : await ports.files.outputPath(backup, `${computer}.spownerbackup`, overwrite);
  const chosen = await chooseChip(ports, parameters.chip ?? 'Auto');
  return {
    plan: {
      action: 'Initialize the platform',
      target: computer,
      impact: lost === undefined ? 'medium' : 'high',
      lines: [
        ...(lost === undefined ? [] : [lost.message, ...initializedAgain]),
        ...(before?.settings.chip === 'tpm2' && chosen.kind === 'software'
          ? ['Until now a TPM guarded keys here; from now on no chip does.']
          : []),
        ...chosen.lines,
        left !== undefined
          ? `The authority key that is here already, ${groupFingerprint(authorityFingerprint(left.publicKey))}, is kept; its Owner Password must open it.`
          : fleetKey === undefined
            ? 'A local authority key is made under the Owner Password: its owner decides where keys may go.'
            : `The fleet authority ${groupFingerprint(authorityFingerprint(fleetKey))} decides where keys may go; no Owner Password is kept here.`,
        `The platform folder is ${ports.platform.path}.`,
        ...(ports.rehearsal ? ['This is a rehearsal: nothing of it can be mixed with real platforms.'] : []),
      ],
      facts: {
        computer,
        chip: chosen.kind,
        storageKey: chosen.present === undefined ? null : tpmName(chosen.present),
        authority: fleetKey === undefined ? null : authorityFingerprint(fleetKey),
        kept: left === undefined ? null : authorityFingerprint(left.publicKey),
        lost: lost?.code ?? null,
      },
    },
    prepare: async () => {
      if (left !== undefined) await left.prepare();
      else if (fleetKey === undefined) await secrets.freshRoot('ownerPassword', ownerPassword);
    },
    apply: async () => {
      if (left !== undefined) (await left.open()).dispose();
      await ports.platform.prepare();
      const storageKey = await chosen.chip.provision();
      // The one that was tried and shown; where there was none, whatever the chip has now was made by it for this.
      if (chosen.present !== undefined && !equal(storageKey, chosen.present)) throw fail('StorageKeyChanged');
      const authorityKey =
        fleetKey ?? left?.publicKey ?? (await makeLocalAuthority(call, backupPath, overwrite));
      const settings: PlatformSettings = {
        computer,
        chip: chosen.kind,
        rehearsal: ports.rehearsal,
        storageKey,
        authorityKey,
        authority: fleetKey === undefined ? 'local' : 'fleet',
        created: ports.clock(),
      };
      await ports.platform.putSettings(encodePlatformSettings(settings));
      const platform = await requirePlatform(ports);
      await record(call, 'platform', {
        operation: 'platform-initialize',
        account: platform.account,
        platform: platform.ids.platformId,
        facts: { computer, platform: platform.ids.platformId, authority: platform.authority },
      });
      return statusOf(call, platform);
    },
  };
};

/** The fleet's authority of a platform that is initialized again: it goes on to decide. */
function fleetKeyOf(before: Platform | undefined): Uint8Array | undefined {
  return before?.settings.authority === 'fleet' ? before.settings.authorityKey : undefined;
}

/**
 * A platform that is initialized again stays its authority's: no administrator becomes the owner by taking the chip's key
 * out. A new owner begins with a new platform folder.
 */
function requireSameAuthority(
  { settings }: Platform,
  found: Uint8Array | undefined,
  platformPath: string,
  named: boolean,
): void {
  if (found !== undefined && equal(found, settings.authorityKey)) return;
  const expected = groupFingerprint(authorityFingerprint(settings.authorityKey));
  if (named) {
    throw fail('ParameterInvalid', {
      parameter: 'AuthorityPath',
      problem: `this platform stays under its authority, ${expected}; leave the parameter out`,
    });
  }
  throw fail('PlatformDamaged', {
    path: platformPath,
    problem: `its authority key, ${expected}, is not there, and only that can decide here`,
  });
}

async function readFleetKey(call: Call, path: string): Promise<Uint8Array> {
  const bytes = await call.ports.files.read(path, maximumAuthorityBytes);
  expectKind(bytes, 'authority-public', path);
  const decoded = decodeAuthorityPublic(bytes, path);
  requireSameKind(path, decoded.rehearsal, call.ports.rehearsal);
  return decoded.publicKey;
}

async function makeLocalAuthority(
  call: Call,
  backupPath: string | undefined,
  overwrite: boolean,
): Promise<Uint8Array> {
  const made = await makeAuthority(call, backupPath !== undefined);
  using key = made.key;
  await call.ports.platform.putAuthorityKey(made.file);
  if (backupPath !== undefined) await writeBackup(call, backupPath, made, overwrite);
  call.secrets.spendFresh('ownerPassword');
  return key.public;
}
