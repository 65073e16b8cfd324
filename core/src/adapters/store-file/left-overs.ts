/**
 * Taking away what interrupted changes left (docs/spec/environment-store.md, "Left-overs"). Removes only what the pointer
 * makes meaningless, never a name that is not the store's, and nothing at all where the files beside the pointer cannot be
 * what an interrupted change left: then the pointer is not the newest one, and what looks like left-overs is the environment.
 */
import { join } from 'node:path';
import { fail, isSPMigrationError } from '../../domain/error.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { Processes } from '../../ports/processes.ts';
import { listIfThere, removeLeftOver } from './durable.ts';
import { parseGenerationName, type Layout } from './layout.ts';
import { isSetAside, listEpochs, listGenerations, missingGeneration, type StorePlace } from './pointer.ts';
import { largestNumber, type Pointer } from './state-files.ts';

/** Removes all left-overs of a store; call it with the lock held. `EnvironmentDamaged` where it would remove more than that. */
export async function removeLeftOvers(
  place: StorePlace,
  processes: Processes,
  pointer: Pointer | undefined,
): Promise<void> {
  const { disk, layout } = place;
  const files = [...(await deadFiles(disk, processes, layout.folder))];
  const folders: string[] = [];
  if (pointer !== undefined) {
    const laterGenerations = await findLaterGenerations(place, pointer);
    const epochs = await findOtherEpochs(place, pointer);
    const quarantine = await listEpochs(disk, layout.quarantine);
    if (quarantine.some((epoch) => epoch > pointer.epoch)) throw outdated(layout);
    files.push(...laterGenerations);
    folders.push(...epochs);
    for (const epoch of quarantine) {
      const folder = layout.quarantined(epoch);
      if (isSetAside(pointer, epoch)) files.push(...(await deadFiles(disk, processes, folder)));
      else folders.push(folder);
    }
  }
  if (files.length === 0 && folders.length === 0) return;
  // A program that died just after its switch may not have made it durable: what the older pointer names must not go before.
  await disk.syncFolder(layout.folder);
  for (const file of files) await removeLeftOver(disk, file);
  for (const folder of folders) await removeFolderOfStore(disk, folder);
}

/** Syncs every folder below a store's own in which a program that was stopped may have changed names. */
export async function makeDurable({ disk, layout }: StorePlace): Promise<void> {
  const folders = [layout.epochs, layout.quarantine];
  for (const epoch of await listEpochs(disk, layout.epochs)) folders.push(layout.epoch(epoch));
  for (const epoch of await listEpochs(disk, layout.quarantine)) folders.push(layout.quarantined(epoch));
  for (const folder of folders)
    if ((await disk.status(folder))?.kind === 'folder') await disk.syncFolder(folder);
}

/** A generation above the present one never took effect. One append makes one. */
async function findLaterGenerations(
  { disk, layout }: StorePlace,
  { epoch, generation = 0 }: Pointer,
): Promise<readonly string[]> {
  const numbers = await listGenerations(disk, layout.epoch(epoch), largestNumber);
  if (generation > 0 && !numbers.includes(generation))
    throw missingGeneration(layout.generation(epoch, generation));
  const later = numbers.filter((number) => number > generation);
  if (later.length > 1) throw outdated(layout);
  return later.map((number) => layout.generation(epoch, number));
}

/** The next epoch never took effect; an earlier one was replaced, and is in quarantine if it was set aside. */
async function findOtherEpochs({ disk, layout }: StorePlace, pointer: Pointer): Promise<readonly string[]> {
  const epochs = await listEpochs(disk, layout.epochs);
  if (epochs.some((epoch) => epoch > pointer.epoch + 1)) throw outdated(layout);
  return epochs.filter((epoch) => epoch !== pointer.epoch).map((epoch) => layout.epoch(epoch));
}

function outdated(layout: Layout): Error {
  const problem = 'the file current is older than the files beside it; nothing was removed';
  return fail('EnvironmentDamaged', { path: layout.folder, problem });
}

const mark = '\\.(\\d{1,10})\\.([a-z0-9]{1,40})\\.\\d{1,10}';
const temporaryPattern = new RegExp(`${mark}\\.tmp$`);
const lockPattern = new RegExp(`^(?:history-|records-)?lock\\..*${mark}$`);
const generationTemporaryPattern = new RegExp(`^\\d{6,9}\\.spenv${mark}\\.tmp$`);

/** Temporary files and locks in a folder whose process is gone. */
async function deadFiles(
  disk: FileSystem,
  processes: Processes,
  folder: string,
  patterns: readonly RegExp[] = [temporaryPattern, lockPattern],
): Promise<readonly string[]> {
  const dead: string[] = [];
  for (const name of await listIfThere(disk, folder)) {
    const [, pid, start] =
      patterns.map((pattern) => pattern.exec(name)).find((match) => match !== null) ?? [];
    if (pid === undefined || start === undefined) continue;
    if (!(await processes.isAlive({ pid: Number(pid), start }))) dead.push(join(folder, name));
  }
  return dead;
}

/**
 * Removes what programs that were stopped were about to put under a name in a folder; locks stay, since they say that their
 * holder did not finish. Nobody waits for these files: a failure to remove one is none of what the caller does.
 */
export async function removeDeadTemporaries(
  disk: FileSystem,
  processes: Processes,
  folder: string,
): Promise<void> {
  for (const path of await deadFiles(disk, processes, folder, [temporaryPattern]))
    await removeLeftOver(disk, path);
}

/**
 * Removes the store's files in a folder of one epoch, and the folder where it holds nothing else. A failure is none of the
 * change that made it meaningless (see `removeLeftOver`).
 */
export async function removeFolderOfStore(disk: FileSystem, folder: string): Promise<void> {
  if ((await disk.status(folder))?.kind !== 'folder') return;
  for (const name of await disk.list(folder)) {
    if (isOfStore(name)) await removeLeftOver(disk, join(folder, name));
  }
  try {
    await disk.removeFolder(folder);
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
  }
}

/**
 * Makes sure that a folder which is to be filled holds nothing of the store: what could not be removed before would be taken
 * for a part of what is written now. The disk's error where it still cannot be removed.
 */
export async function requireNothingIn(disk: FileSystem, folder: string): Promise<void> {
  for (const name of await listIfThere(disk, folder)) {
    if (isOfStore(name)) await disk.remove(join(folder, name));
  }
}

function isOfStore(name: string): boolean {
  return parseGenerationName(name) !== undefined || generationTemporaryPattern.test(name);
}
