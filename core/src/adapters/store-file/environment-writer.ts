/**
 * Changing a store, with the lock held (docs/spec/environment-store.md, "Changes"; rulings 8 and 10). Every change has
 * the same shape: write everything new beside the old and sync it; switch `current` by one rename and sync that; take
 * away what lost its meaning. Before the switch the old state holds, from it on the new one.
 */
import { fail } from '../../domain/error.ts';
import type { TpmName } from '../../domain/ids.ts';
import { maximumBytesOf } from '../../format/kind.ts';
import type {
  EnvironmentWriter,
  GenerationFile,
  GenerationId,
  QuarantinedEnvironment,
  StoredGeneration,
} from '../../ports/environment-store.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { Processes } from '../../ports/processes.ts';
import {
  ensureFolder,
  listIfThere,
  removeLeftOver,
  removeLeftOverFolder,
  removeTemporaries,
  replaceFile,
} from './durable.ts';
import { fileMode, folderMode, parseEpochName, parseGenerationName, type Layout } from './layout.ts';
import {
  isReturned,
  listGenerations,
  listQuarantine,
  presentGenerations,
  readCurrent,
  readPointer,
} from './pointer.ts';
import { encodePointer, largestNumber, type Pointer } from './state-files.ts';

export class FileEnvironmentWriter implements EnvironmentWriter {
  readonly #disk: FileSystem;
  readonly #processes: Processes;
  readonly #layout: Layout;
  readonly #storageKey: TpmName;

  constructor(disk: FileSystem, processes: Processes, layout: Layout, storageKey: TpmName) {
    this.#disk = disk;
    this.#processes = processes;
    this.#layout = layout;
    this.#storageKey = storageKey;
  }

  current(): Promise<StoredGeneration | undefined> {
    return readCurrent(this.#disk, this.#layout, this.#storageKey);
  }

  async generations(): Promise<readonly GenerationId[]> {
    return presentGenerations(this.#disk, this.#layout, await this.#pointer());
  }

  async append(generation: number, bytes: Uint8Array, drop: readonly number[] = []): Promise<GenerationId> {
    const pointer = (await this.#pointer()) ?? (await this.#begin());
    const before = pointer.generation ?? 0;
    requireFollowing(generation, before);
    await this.#write(pointer.epoch, generation, bytes);
    await this.#switchTo({ ...pointer, generation });
    for (const dropped of drop) {
      if (dropped >= generation)
        throw fail('InternalError', { problem: `generation ${dropped} is not an old one` });
      await removeLeftOver(this.#disk, this.#layout.generation(pointer.epoch, dropped));
    }
    return { epoch: pointer.epoch, generation };
  }

  async rewrite(generations: AsyncIterable<GenerationFile>): Promise<GenerationId> {
    const pointer = await this.#pointer();
    if (pointer?.generation === undefined) {
      throw fail('InternalError', { problem: 'there is no environment that could be written anew' });
    }
    const epoch = nextEpoch(pointer.epoch);
    const newest = await this.#writeAll(epoch, generations);
    if (newest < pointer.generation) {
      throw fail('InternalError', {
        problem: `a new epoch would end before generation ${pointer.generation}`,
      });
    }
    await this.#switchTo({ ...pointer, epoch, generation: newest });
    await removeLeftOverFolder(this.#disk, this.#layout.epoch(pointer.epoch));
    return { epoch, generation: newest };
  }

  async exchange(
    id: string,
  ): Promise<{ readonly now: GenerationId; readonly setAside: QuarantinedEnvironment | undefined }> {
    const pointer = await this.#pointer();
    const returning = parseEpochName(id);
    const numbers = returning === undefined ? [] : await this.#quarantinedNumbers(returning);
    const [generation] = numbers;
    if (pointer === undefined || returning === undefined || generation === undefined) {
      throw fail('InternalError', { problem: `there is no quarantined environment ${id}` });
    }
    const setAside = pointer.generation === undefined ? undefined : await this.#copyToQuarantine();
    const epoch = nextEpoch(pointer.epoch);
    for (const number of numbers) {
      const { bytes } = await this.#disk.read(
        this.#layout.quarantinedGeneration(returning, number),
        maximumBytesOf('generation'),
      );
      await this.#write(epoch, number, bytes);
    }
    await this.#switchTo({ ...pointer, epoch, generation });
    await removeLeftOverFolder(this.#disk, this.#layout.epoch(pointer.epoch));
    // Until it is gone, readers know it for what it is by its content (pointer.ts).
    await removeLeftOverFolder(this.#disk, this.#layout.quarantined(returning));
    return { now: { epoch, generation }, setAside: setAside?.setAside };
  }

  async rewriteQuarantined(id: string, { generation, bytes }: GenerationFile): Promise<void> {
    const epoch = parseEpochName(id);
    const numbers = epoch === undefined ? [] : await this.#quarantinedNumbers(epoch);
    if (epoch === undefined || !numbers.includes(generation)) {
      throw fail('InternalError', { problem: `there is no generation ${generation} in quarantine ${id}` });
    }
    const path = this.#layout.quarantinedGeneration(epoch, generation);
    await replaceFile(this.#disk, this.#processes, path, bytes, fileMode);
  }

  async replace(
    generation: number,
    bytes: Uint8Array,
  ): Promise<{ readonly now: GenerationId; readonly setAside: QuarantinedEnvironment }> {
    const { pointer, setAside } = await this.#copyToQuarantine();
    const epoch = nextEpoch(pointer.epoch);
    await this.#write(epoch, generation, bytes);
    await this.#switchTo({ ...pointer, epoch, generation });
    await removeLeftOverFolder(this.#disk, this.#layout.epoch(pointer.epoch));
    return { now: { epoch, generation }, setAside };
  }

  async setAside(): Promise<QuarantinedEnvironment> {
    const { pointer, setAside } = await this.#copyToQuarantine();
    await this.#switchTo({ ...pointer, epoch: nextEpoch(pointer.epoch), generation: undefined });
    await removeLeftOverFolder(this.#disk, this.#layout.epoch(pointer.epoch));
    return setAside;
  }

  /** Removes what an interrupted change left: nothing that `current` or a valid quarantine names. */
  async removeLeftOvers(): Promise<void> {
    const { epochs, quarantine, folder } = this.#layout;
    await removeTemporaries(this.#disk, this.#processes, folder);
    const pointer = await this.#pointer();
    if (pointer === undefined) return;
    for (const epoch of await this.#epochsIn(epochs)) {
      // A later epoch never took effect; an earlier one was replaced, and is in quarantine if it was set aside.
      if (epoch !== pointer.epoch) await removeLeftOverFolder(this.#disk, this.#layout.epoch(epoch));
    }
    for (const name of await listIfThere(this.#disk, this.#layout.epoch(pointer.epoch))) {
      const generation = parseGenerationName(name);
      if (generation !== undefined && generation > (pointer.generation ?? 0)) {
        await removeLeftOver(this.#disk, this.#layout.generation(pointer.epoch, generation));
      }
    }
    for (const epoch of await this.#epochsIn(quarantine)) {
      const folder = this.#layout.quarantined(epoch);
      if (epoch >= pointer.epoch || (await isReturned(this.#disk, this.#layout, pointer, epoch))) {
        await removeLeftOverFolder(this.#disk, folder);
      } else {
        await removeTemporaries(this.#disk, this.#processes, folder);
      }
    }
  }

  async #quarantinedNumbers(epoch: number): Promise<readonly number[]> {
    const pointer = await this.#pointer();
    const known = await listQuarantine(this.#disk, this.#layout, pointer);
    if (!known.some(({ id }) => id === String(epoch))) return [];
    return listGenerations(this.#disk, this.#layout.quarantined(epoch), largestNumber);
  }

  #pointer(): Promise<Pointer | undefined> {
    return readPointer(this.#disk, this.#layout, this.#storageKey);
  }

  async #epochsIn(folder: string): Promise<readonly number[]> {
    const names = await listIfThere(this.#disk, folder);
    return names.map(parseEpochName).filter((epoch) => epoch !== undefined);
  }

  /** The first pointer of a store. It comes before any generation, so that a missing one is always damage. */
  async #begin(): Promise<Pointer> {
    const [newest] = await listQuarantine(this.#disk, this.#layout, undefined);
    const epoch = newest === undefined ? 1 : nextEpoch(Number(newest.id));
    const pointer = { storageKey: this.#storageKey, epoch, generation: undefined };
    await this.#switchTo(pointer);
    return pointer;
  }

  async #write(epoch: number, generation: number, bytes: Uint8Array): Promise<void> {
    const folder = this.#layout.epoch(epoch);
    await ensureFolder(this.#disk, folder, folderMode);
    await this.#disk.create(this.#layout.generation(epoch, generation), bytes, fileMode);
    await this.#disk.syncFolder(folder);
  }

  /** Writes an epoch that nothing names yet; where that fails, nothing of it stays. Answers the newest number. */
  async #writeAll(epoch: number, generations: AsyncIterable<GenerationFile>): Promise<number> {
    try {
      let newest = 0;
      for await (const { generation, bytes } of generations) {
        requireFollowing(generation, newest);
        await this.#write(epoch, generation, bytes);
        newest = generation;
      }
      return newest;
    } catch (error) {
      await removeLeftOverFolder(this.#disk, this.#layout.epoch(epoch));
      throw error;
    }
  }

  #switchTo(pointer: Pointer): Promise<void> {
    return replaceFile(this.#disk, this.#processes, this.#layout.current, encodePointer(pointer), fileMode);
  }

  /** Copies the present epoch; the copy means nothing until `current` names a later epoch. */
  async #copyToQuarantine(): Promise<{
    readonly pointer: Pointer;
    readonly setAside: QuarantinedEnvironment;
  }> {
    const pointer = await this.#pointer();
    if (pointer?.generation === undefined) {
      throw fail('InternalError', { problem: 'there is no environment that could be set aside' });
    }
    const target = this.#layout.quarantined(pointer.epoch);
    await ensureFolder(this.#disk, target, folderMode);
    const generations = await listGenerations(
      this.#disk,
      this.#layout.epoch(pointer.epoch),
      pointer.generation,
    );
    for (const generation of generations) {
      const source = this.#layout.generation(pointer.epoch, generation);
      const { bytes } = await this.#disk.read(source, maximumBytesOf('generation'));
      await this.#disk.create(this.#layout.quarantinedGeneration(pointer.epoch, generation), bytes, fileMode);
    }
    await this.#disk.syncFolder(target);
    const setAside = { id: String(pointer.epoch), generation: pointer.generation, path: target };
    return { pointer, setAside };
  }
}

function requireFollowing(generation: number, before: number): void {
  if (generation > before) return;
  throw fail('InternalError', { problem: `generation ${generation} cannot follow generation ${before}` });
}

function nextEpoch(epoch: number): number {
  if (epoch >= largestNumber) {
    throw fail('LimitExceeded', { what: 'the number of epochs', actual: epoch + 1, maximum: largestNumber });
  }
  return epoch + 1;
}
