/**
 * Which chip a platform gets: the one that was asked for, or the best that is there. A TPM that is there and cannot be used
 * is an error and never passed over in silence; only where there is none `Auto` takes the software chip.
 */
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail, hasCode } from '../domain/error.ts';
import type { ChipKind } from '../domain/platform.ts';
import type { Chip, ChipDescription } from '../ports/chip.ts';
import type { Ports } from '../ports/ports.ts';

export type ChipChoice = 'Auto' | 'Tpm2' | 'Software';

export interface ChosenChip {
  readonly chip: Chip;
  readonly kind: ChipKind;
  /** TPMT_PUBLIC of the storage key that the chip has already, which is used then. */
  readonly present: Uint8Array | undefined;
  /** What was found and what it is worth, for the plan. */
  readonly lines: readonly string[];
}

/** `ChipNotFound`, `ChipAccessDenied`, `ChipDisabled`, `ChipOwnerPasswordSet`, `StorageKeyUnsuitable`, …. */
export async function chooseChip(ports: Ports, choice: ChipChoice): Promise<ChosenChip> {
  const found = choice === 'Software' ? undefined : await findTpm(ports, choice);
  const kind: ChipKind = found === undefined ? 'software' : 'tpm2';
  const chip = found?.chip ?? (await ports.chip('software'));
  const { model, enforcement, storageDisabled, ownerPasswordSet } =
    found?.description ?? (await chip.describe());
  if (storageDisabled === true) throw fail('ChipDisabled');
  const present = await findStorageKey(chip);
  if (present === undefined && ownerPasswordSet === true) throw fail('ChipOwnerPasswordSet');
  if (present !== undefined) await tryStorageKey(chip, ports);
  const key = present === undefined ? 'is made in' : 'is used as it is there, in';
  return {
    chip,
    kind,
    present,
    lines: [
      ...(choice === 'Auto' && found === undefined ? ['No TPM was found.'] : []),
      `The storage key of this computer ${key}: ${model}. ${enforcement}`,
    ],
  };
}

/** Whoever made the storage key that is there may have given it a password: makes a key under it, and keeps nothing of it. */
async function tryStorageKey(chip: Chip, { random }: Ports): Promise<void> {
  using authValue = new SecretBytes(random(32));
  await chip.createBasicUserKey(random(32), authValue);
}

async function findTpm(
  ports: Ports,
  choice: 'Auto' | 'Tpm2',
): Promise<{ readonly chip: Chip; readonly description: ChipDescription } | undefined> {
  const chip = await ports.chip('tpm2');
  try {
    return { chip, description: await chip.describe() };
  } catch (error) {
    if (choice === 'Auto' && hasCode(error, 'ChipNotFound')) return undefined;
    throw error;
  }
}

async function findStorageKey(chip: Chip): Promise<Uint8Array | undefined> {
  try {
    return await chip.storageKey();
  } catch (error) {
    // One that does not open here is set aside when a new one is made.
    if (hasCode(error, 'PlatformNotInitialized') || hasCode(error, 'StorageKeyNotOpened')) return undefined;
    throw error;
  }
}
