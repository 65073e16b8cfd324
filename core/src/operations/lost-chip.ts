/**
 * Whether a platform is lost: its chip was cleared, or has another storage key than the recorded one. Nothing that was under
 * the recorded key opens any more, here or from an archive for it, so that the platform may be initialized again. A chip that
 * only cannot be asked now (absent, busy, locked for this account) is not lost.
 */
import { equal } from '../bytes/bytes.ts';
import { fail, hasCode, isSPMigrationError, type SPMigrationError } from '../domain/error.ts';
import type { Platform } from './platform-context.ts';

/** Why it is lost; undefined where it is not, as far as is known. */
export async function lostChip({ chip, settings }: Platform): Promise<SPMigrationError | undefined> {
  try {
    return equal(await chip.storageKey(), settings.storageKey) ? undefined : fail('StorageKeyChanged');
  } catch (error) {
    for (const code of ['ChipCleared', 'StorageKeyChanged', 'StorageKeyNotOpened'] as const)
      if (hasCode(error, code)) return error;
    // A software chip whose file is gone has none: to it, the platform was never initialized.
    if (hasCode(error, 'PlatformNotInitialized')) return fail('StorageKeyChanged', {}, error);
    if (isSPMigrationError(error)) return undefined;
    throw error;
  }
}
