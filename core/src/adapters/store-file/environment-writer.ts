/**
 * Changing a store, with the lock held (docs/spec/environment-store.md, "Changes"; rulings 8 and 10). Every change has
 * the same shape: write everything new beside the old and sync it; switch `current` by one rename and sync that; take
 * away what lost its meaning. Before the switch the old state holds, from it on the new one. A change that fails before its
 * switch takes away what it wrote.
 */
import { dirname } from 'node:path';
import { fail, isSPMigrationError } from '../../domain/error.ts';
import { maximumBytesOf } from '../../format/kind.ts';
import type {
  EnvironmentWriter,
  GenerationFile,
  GenerationId,
  QuarantinedEnvironment,
  StoredGeneration,
} from '../../ports/environment-store.ts';
import type { Processes } from '../../ports/processes.ts';
import { ensureFolder, removeLeftOver, replaceFile } from './durable.ts';
import { fileMode, folderMode, parseEpochName, type Layout } from './layout.ts';
import { removeFolderOfStore, removeLeftOvers, requireNothingIn } from './left-overs.ts';
import {
  listGenerations,
  listQuarantine,
  presentGenerations,
  quarantinedGenerations,
  readCurrent,
  readPointer,
  samePointer,
  type StorePlace,
} from './pointer.ts';
import { encodePointer, largestNumber, type Pointer } from './state-files.ts';

/** A pointer to an environment. */
type Present = Pointer & { readonly generation: number };

export class FileEnvironmentWriter implements EnvironmentWriter {
  readonly #place: StorePlace;
  readonly #processes: Processes;

  constructor(place: StorePlace, processes: Processes) {
    this.#place = place;
    this.#processes = processes;
  }

  current(): Promise<StoredGeneration | undefined> {
    return readCurrent(this.#place);
  }

  async generations(): Promise<readonly GenerationId[]> {
    return presentGenerations(this.#place, await readPointer(this.#place));
  }

  async append(generation: number, bytes: Uint8Array, drop: readonly number[] = []): Promise<GenerationId> {
    const known = await readPointer(this.#place);
    requireFollowing(generation, known?.generation ?? 0);
    for (const dropped of drop) requireOld(dropped, generation);
    const pointer = known ?? (await this.#begin());
    const { epoch } = pointer;
    await this.#change(pointer, async () => {
      const folder = this.#layout.epoch(epoch);
      if (pointer.generation === undefined) await this.#makeFolder(folder);
      await this.#create(this.#layout.generation(epoch, generation), bytes);
      await this.#place.disk.syncFolder(folder);
      await this.#switchTo({ ...pointer, generation });
    });
    for (const dropped of drop)
      await removeLeftOver(this.#place.disk, this.#layout.generation(epoch, dropped));
    return { epoch, generation };
  }

  async rewrite(generations: AsyncIterable<GenerationFile>): Promise<GenerationId> {
    const pointer = await this.#present('written anew');
    const epoch = nextEpoch(pointer.epoch);
    const folder = this.#layout.epoch(epoch);
    const generation = await this.#change(pointer, async () => {
      await this.#makeFolder(folder);
      let newest = 0;
      for await (const file of generations) {
        requireFollowing(file.generation, newest);
        await this.#create(this.#layout.generation(epoch, file.generation), file.bytes);
        newest = file.generation;
      }
      if (newest < pointer.generation) {
        const problem = `a new epoch would end before generation ${pointer.generation}`;
        throw fail('InternalError', { problem });
      }
      await this.#place.disk.syncFolder(folder);
      await this.#clear(this.#layout.quarantined(pointer.epoch));
      await this.#switchTo({ ...pointer, epoch, generation: newest });
      return newest;
    });
    await this.#retire(this.#layout.epoch(pointer.epoch));
    return { epoch, generation };
  }

  async exchange(
    id: string,
  ): Promise<{ readonly now: GenerationId; readonly setAside: QuarantinedEnvironment | undefined }> {
    const known = await readPointer(this.#place);
    const returned = parseEpochName(id);
    const numbers = await quarantinedGenerations(this.#place, known, returned);
    const [generation] = numbers;
    if (returned === undefined || generation === undefined) {
      throw fail('InternalError', { problem: `there is no quarantined environment ${id}` });
    }
    const pointer = known ?? (await this.#begin());
    const epoch = nextEpoch(pointer.epoch);
    const setAside = await this.#change(pointer, async () => {
      // The pointer names one environment that came back: nothing of an earlier one may be there any more.
      if (pointer.returned !== undefined) await this.#clear(this.#layout.quarantined(pointer.returned));
      const aside = isPresent(pointer) ? await this.#copyToQuarantine(pointer) : undefined;
      if (aside === undefined) await this.#clear(this.#layout.quarantined(pointer.epoch));
      await this.#fill(this.#layout.epoch(epoch), numbers, (number) => [
        this.#layout.quarantinedGeneration(returned, number),
        this.#layout.generation(epoch, number),
      ]);
      await this.#switchTo({ ...pointer, epoch, generation, returned });
      return aside;
    });
    await this.#retire(this.#layout.epoch(pointer.epoch));
    await this.#retire(this.#layout.quarantined(returned));
    return { now: { epoch, generation }, setAside };
  }

  async rewriteQuarantined(id: string, { generation, bytes }: GenerationFile): Promise<void> {
    const epoch = parseEpochName(id);
    const numbers = await quarantinedGenerations(this.#place, await readPointer(this.#place), epoch);
    if (epoch === undefined || !numbers.includes(generation)) {
      throw fail('InternalError', { problem: `there is no generation ${generation} in quarantine ${id}` });
    }
    const path = this.#layout.quarantinedGeneration(epoch, generation);
    await replaceFile(this.#place.disk, this.#processes, path, bytes, fileMode);
  }

  async replace(
    generation: number,
    bytes: Uint8Array,
  ): Promise<{ readonly now: GenerationId; readonly setAside: QuarantinedEnvironment }> {
    requireFollowing(generation, 0);
    const pointer = await this.#present('set aside');
    const epoch = nextEpoch(pointer.epoch);
    const setAside = await this.#change(pointer, async () => {
      const aside = await this.#copyToQuarantine(pointer);
      const folder = this.#layout.epoch(epoch);
      await this.#makeFolder(folder);
      await this.#create(this.#layout.generation(epoch, generation), bytes);
      await this.#place.disk.syncFolder(folder);
      await this.#switchTo({ ...pointer, epoch, generation });
      return aside;
    });
    await this.#retire(this.#layout.epoch(pointer.epoch));
    return { now: { epoch, generation }, setAside };
  }

  async setAside(): Promise<QuarantinedEnvironment> {
    const pointer = await this.#present('set aside');
    const setAside = await this.#change(pointer, async () => {
      const aside = await this.#copyToQuarantine(pointer);
      const epoch = nextEpoch(pointer.epoch);
      await this.#clear(this.#layout.epoch(epoch));
      await this.#switchTo({ ...pointer, epoch, generation: undefined });
      return aside;
    });
    await this.#retire(this.#layout.epoch(pointer.epoch));
    return setAside;
  }

  get #layout(): Layout {
    return this.#place.layout;
  }

  async #present(whatFor: string): Promise<Present> {
    const pointer = await readPointer(this.#place);
    if (pointer !== undefined && isPresent(pointer)) return pointer;
    throw fail('InternalError', { problem: `there is no environment that could be ${whatFor}` });
  }

  /**
   * Runs a change up to its switch. Where it fails and the pointer did not move, nothing of it stays. Where the pointer moved,
   * the disk failed in making that durable: whether the old or the new state comes back is not known, so both are kept.
   */
  async #change<Value>(before: Pointer, change: () => Promise<Value>): Promise<Value> {
    try {
      return await change();
    } catch (error) {
      try {
        const now = await readPointer(this.#place);
        if (samePointer(before, now)) await removeLeftOvers(this.#place, this.#processes, now);
      } catch (second) {
        // The reason to tell is the first one; the next opening with the lock cleans up.
        if (!isSPMigrationError(second)) throw second;
      }
      throw error;
    }
  }

  /** The first pointer of a store. It comes before any generation, so that a missing one is always damage. */
  async #begin(): Promise<Pointer> {
    const { disk, layout, storageKey } = this.#place;
    const [newest] = await listQuarantine(this.#place, undefined);
    const epoch = newest === undefined ? 1 : nextEpoch(Number(newest.id));
    const pointer = { storageKey, epoch, generation: undefined };
    // A program that was killed may have made the folder, or one above it, and not its name durable.
    let path = layout.folder;
    while (path !== dirname(path)) {
      path = dirname(path);
      try {
        await disk.syncFolder(path);
      } catch (error) {
        // Folders above the user's own may be closed to them, and are not ours.
        if (!isSPMigrationError(error)) throw error;
      }
    }
    await this.#switchTo(pointer);
    return pointer;
  }

  /** A folder for one epoch that nothing names yet: empty, and durable with the names above it, whoever made them. */
  async #makeFolder(folder: string): Promise<void> {
    const { disk, layout } = this.#place;
    await ensureFolder(disk, folder, folderMode);
    await requireNothingIn(disk, folder);
    await disk.syncFolder(dirname(folder));
    await disk.syncFolder(layout.folder);
  }

  #create(path: string, bytes: Uint8Array): Promise<void> {
    return this.#place.disk.create(path, bytes, fileMode);
  }

  #switchTo(pointer: Pointer): Promise<void> {
    const { disk, layout } = this.#place;
    return replaceFile(disk, this.#processes, layout.current, encodePointer(pointer), fileMode);
  }

  /** Copies the present epoch; the copy means nothing until `current` names a later epoch. */
  async #copyToQuarantine({ epoch, generation }: Present): Promise<QuarantinedEnvironment> {
    const { disk, layout } = this.#place;
    const folder = layout.quarantined(epoch);
    const numbers = await listGenerations(disk, layout.epoch(epoch), generation);
    await this.#fill(folder, numbers, (number) => [
      layout.generation(epoch, number),
      layout.quarantinedGeneration(epoch, number),
    ]);
    return { id: String(epoch), generation, path: folder };
  }

  /** Copies generations into a folder that nothing names yet. `paths` says from where to where. */
  async #fill(
    folder: string,
    numbers: readonly number[],
    paths: (generation: number) => readonly [string, string],
  ): Promise<void> {
    const { disk } = this.#place;
    await this.#makeFolder(folder);
    for (const number of numbers) {
      const [from, to] = paths(number);
      const { bytes } = await disk.read(from, maximumBytesOf('generation'));
      await this.#create(to, bytes);
    }
    await disk.syncFolder(folder);
  }

  /**
   * Makes sure, durably, that a folder to which the next pointer gives a meaning holds nothing: what an interrupted change left in
   * it, was taken away since and came back with a loss of power would be an environment that never was.
   */
  async #clear(folder: string): Promise<void> {
    const { disk } = this.#place;
    await requireNothingIn(disk, folder);
    for (const path of [folder, dirname(folder)])
      if ((await disk.status(path)) !== undefined) await disk.syncFolder(path);
  }

  /** Takes away a folder that lost its meaning by a switch, and makes that durable where the disk lets it. */
  async #retire(folder: string): Promise<void> {
    const { disk } = this.#place;
    await removeFolderOfStore(disk, folder);
    try {
      await disk.syncFolder(dirname(folder));
    } catch (error) {
      if (!isSPMigrationError(error)) throw error;
    }
  }
}

function isPresent(pointer: Pointer): pointer is Present {
  return pointer.generation !== undefined;
}

function requireFollowing(generation: number, before: number): void {
  if (generation > largestNumber) {
    const what = 'the number of generations';
    throw fail('LimitExceeded', { what, actual: generation, maximum: largestNumber });
  }
  if (Number.isInteger(generation) && generation > before) return;
  throw fail('InternalError', { problem: `generation ${generation} cannot follow generation ${before}` });
}

function requireOld(dropped: number, generation: number): void {
  if (Number.isInteger(dropped) && dropped >= 1 && dropped < generation) return;
  throw fail('InternalError', { problem: `generation ${dropped} is not an old one` });
}

function nextEpoch(epoch: number): number {
  if (epoch < largestNumber) return epoch + 1;
  throw fail('LimitExceeded', { what: 'the number of epochs', actual: epoch + 1, maximum: largestNumber });
}
