/**
 * Reading a store: the pointer, what it names, what is kept. Nothing here needs the lock: a reader that meets a switch
 * half-way reads the pointer again (docs/spec/environment-store.md, "Reading").
 */
import { equal } from '../../bytes/bytes.ts';
import { fail, hasCode } from '../../domain/error.ts';
import type { TpmName } from '../../domain/ids.ts';
import { maximumBytesOf } from '../../format/kind.ts';
import type {
  GenerationId,
  QuarantinedEnvironment,
  StoredGeneration,
} from '../../ports/environment-store.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import { listIfThere, readIfThere } from './durable.ts';
import { parseEpochName, parseGenerationName, type Layout } from './layout.ts';
import { decodePointer, largestNumber, type Pointer } from './state-files.ts';

/** How often a reader follows a pointer that keeps moving. */
const readTries = 5;

/**
 * The pointer; undefined in a folder that holds no store. The pointer is written before anything else, so generations
 * without one are damage, and nothing is ever removed then.
 */
export async function readPointer(
  disk: FileSystem,
  layout: Layout,
  storageKey: TpmName,
): Promise<Pointer | undefined> {
  const bytes = await readIfThere(disk, layout.current, maximumBytesOf('environment-pointer'));
  if (bytes === undefined) {
    if ((await listIfThere(disk, layout.epochs)).length === 0) return undefined;
    // The folder may have come into being between the two looks.
    if ((await disk.status(layout.current)) !== undefined) return readPointer(disk, layout, storageKey);
    throw fail('EnvironmentDamaged', { path: layout.folder, problem: 'the file current is missing' });
  }
  const pointer = decodePointer(bytes, layout.current);
  if (pointer.storageKey !== storageKey) throw fail('EnvironmentOfOtherPlatform', { path: layout.folder });
  return pointer;
}

/** The generation that the pointer names, read at one moment. */
export async function readCurrent(
  disk: FileSystem,
  layout: Layout,
  storageKey: TpmName,
): Promise<StoredGeneration | undefined> {
  for (let attempt = 1; ; attempt++) {
    const pointer = await readPointer(disk, layout, storageKey);
    if (pointer?.generation === undefined) return undefined;
    const path = layout.generation(pointer.epoch, pointer.generation);
    try {
      const { bytes } = await disk.read(path, maximumBytesOf('generation'));
      return { epoch: pointer.epoch, generation: pointer.generation, bytes, path };
    } catch (error) {
      if (!hasCode(error, 'FileNotFound')) throw error;
      const again = await readPointer(disk, layout, storageKey);
      const moved = again?.epoch !== pointer.epoch || again.generation !== pointer.generation;
      if (!moved || attempt === readTries) {
        throw fail('EnvironmentDamaged', { path, problem: 'the current generation is missing' }, error);
      }
    }
  }
}

/** Numbers of the generations in a folder up to `newest`, newest first. */
export async function listGenerations(
  disk: FileSystem,
  folder: string,
  newest: number,
): Promise<readonly number[]> {
  const numbers = (await listIfThere(disk, folder))
    .map(parseGenerationName)
    .filter((number) => number !== undefined);
  return numbers.filter((number) => number <= newest).sort((a, b) => b - a);
}

/** What is kept of the present epoch, newest first. */
export async function presentGenerations(
  disk: FileSystem,
  layout: Layout,
  pointer: Pointer | undefined,
): Promise<readonly GenerationId[]> {
  if (pointer?.generation === undefined) return [];
  const { epoch } = pointer;
  const numbers = await listGenerations(disk, layout.epoch(epoch), pointer.generation);
  return numbers.map((generation) => ({ epoch, generation }));
}

/** A generation's bytes; undefined where it is not there. */
export async function readGeneration(
  disk: FileSystem,
  { epoch, generation }: GenerationId,
  path: string,
): Promise<StoredGeneration | undefined> {
  const bytes = await readIfThere(disk, path, maximumBytesOf('generation'));
  return bytes === undefined ? undefined : { epoch, generation, bytes, path };
}

/**
 * Whether a quarantined epoch came back as the present one, and only its removal was interrupted. No two writings of a
 * generation are alike, as each has a salt of its own: equal bytes are a copy.
 */
export async function isReturned(
  disk: FileSystem,
  layout: Layout,
  pointer: Pointer,
  quarantined: number,
): Promise<boolean> {
  const [generation] = await listGenerations(disk, layout.quarantined(quarantined), largestNumber);
  if (generation === undefined || pointer.generation === undefined) return false;
  const there = layout.quarantinedGeneration(quarantined, generation);
  const here = layout.generation(pointer.epoch, generation);
  const [size, other] = [(await disk.status(there))?.sizeBytes, (await disk.status(here))?.sizeBytes];
  if (size === undefined || size !== other) return false;
  const maximum = maximumBytesOf('generation');
  const [a, b] = [await readIfThere(disk, there, maximum), await readIfThere(disk, here, maximum)];
  return a !== undefined && b !== undefined && equal(a, b);
}

/** Environments set aside, newest first. A copy of the present epoch or a later one never took effect. */
export async function listQuarantine(
  disk: FileSystem,
  layout: Layout,
  pointer: Pointer | undefined,
): Promise<readonly QuarantinedEnvironment[]> {
  const epochs = (await listIfThere(disk, layout.quarantine))
    .map(parseEpochName)
    .filter((epoch) => epoch !== undefined)
    .filter((epoch) => pointer === undefined || epoch < pointer.epoch)
    .sort((a, b) => b - a);
  const found: QuarantinedEnvironment[] = [];
  for (const epoch of epochs) {
    const path = layout.quarantined(epoch);
    const [generation] = await listGenerations(disk, path, largestNumber);
    if (generation === undefined) continue;
    if (pointer !== undefined && (await isReturned(disk, layout, pointer, epoch))) continue;
    found.push({ id: String(epoch), generation, path });
  }
  return found;
}
