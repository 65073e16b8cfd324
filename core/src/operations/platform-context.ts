/**
 * The platform an operation runs on: its settings, identifiers, the calling account and the policy, checked together
 * once. Everything here is unconditional: no operation works on a platform whose chip or folder is not the recorded one.
 */
import { equal } from '../bytes/bytes.ts';
import { fail } from '../domain/error.ts';
import type { AuthorityFingerprint } from '../domain/ids.ts';
import type { Account, PlatformIds, PlatformSettings } from '../domain/platform.ts';
import type { Policy } from '../domain/policy.ts';
import { decodePlatformSettings } from '../format/platform-v1.ts';
import type { Chip } from '../ports/chip.ts';
import type { Ports } from '../ports/ports.ts';
import { authorityFingerprint, platformIdsOf } from '../sealing/fingerprints.ts';

export interface Platform {
  readonly settings: PlatformSettings;
  readonly ids: PlatformIds;
  readonly authority: AuthorityFingerprint;
  readonly account: Account;
  readonly policy: Policy;
  /** The chip that was recorded at initialization. */
  readonly chip: Chip;
}

/** The platform, or undefined where it is not initialized. `RehearsalMixed`, `RehearsalForbidden`, `PlatformDamaged`. */
export async function findPlatform(ports: Ports): Promise<Platform | undefined> {
  const policy = await ports.policy.read();
  if (ports.rehearsal && !policy.allowRehearsal) throw fail('RehearsalForbidden');
  const file = await ports.platform.settings();
  if (file === undefined) return undefined;
  const settings = decodePlatformSettings(file.bytes, file.path);
  if (settings.rehearsal !== ports.rehearsal) {
    throw fail('RehearsalMixed', { path: file.path, ...kinds(settings.rehearsal, ports.rehearsal) });
  }
  const ids = platformIdsOf(settings);
  const account = await ports.account.current(ids.platformId);
  const chip = await ports.chip(settings.chip, settings.storageKey);
  return { settings, ids, authority: authorityFingerprint(settings.authorityKey), account, policy, chip };
}

/** The platform as it is recorded: for what only looks, and asks nothing of the chip. `PlatformNotInitialized`. */
export async function recordedPlatform(ports: Ports): Promise<Platform> {
  const platform = await findPlatform(ports);
  if (platform === undefined) throw fail('PlatformNotInitialized');
  return platform;
}

/** The platform; also asks the chip whether its storage key is the recorded one: `StorageKeyChanged`. */
export async function requirePlatform(ports: Ports): Promise<Platform> {
  const platform = await recordedPlatform(ports);
  if (!equal(await platform.chip.storageKey(), platform.settings.storageKey)) throw fail('StorageKeyChanged');
  return platform;
}

/** `NotAdministrator` unless the caller may administer the platform. */
export async function requireAdministrator(ports: Ports): Promise<void> {
  if (await ports.account.isAdministrator()) return;
  const account = await ports.account.current(undefined);
  throw fail('NotAdministrator', { account: account.name });
}

/** `RehearsalMixed` where a file is of the other kind than this platform. */
export function requireSameKind(path: string, fileRehearsal: boolean, here: boolean): void {
  if (fileRehearsal !== here) throw fail('RehearsalMixed', { path, ...kinds(fileRehearsal, here) });
}

function kinds(file: boolean, here: boolean): { kind: string; here: string } {
  const word = (rehearsal: boolean): string => (rehearsal ? 'rehearsal' : 'real platform');
  return { kind: word(file), here: word(here) };
}
