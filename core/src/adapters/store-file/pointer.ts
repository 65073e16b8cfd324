/**
 * Reading a store: the pointer, what it names, what is kept. Nothing here needs the lock: a reader that meets a switch
 * half-way looks again (docs/spec/environment-store.md, "Reading").
 */
import { fail } from '../../domain/error.ts';
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

/** How often a reader follows a pointer that keeps moving. A change takes longer than a look, so one or two are the rule. */
const readTries = 20;

/** What a reader needs to know of a store. */
export interface StorePlace {
  readonly disk: FileSystem;
  readonly layout: Layout;
  /** The folder must belong to it. */
  readonly storageKey: TpmName;
}

/**
 * The pointer; undefined in a folder that holds no store. The pointer is written before anything else, so generations
 * without one are damage, and nothing is ever removed then.
 */
export async function readPointer(place: StorePlace): Promise<Pointer | undefined> {
  const { disk, layout, storageKey } = place;
  const bytes = await readIfThere(disk, layout.current, maximumBytesOf('environment-pointer'));
  if (bytes === undefined) {
    if ((await listIfThere(disk, layout.epochs)).length === 0) return undefined;
    // The folder may have come into being between the two looks.
    if ((await disk.status(layout.current)) !== undefined) return readPointer(place);
    throw fail('EnvironmentDamaged', { path: layout.folder, problem: 'the file current is missing' });
  }
  const pointer = decodePointer(bytes, layout.current);
  if (pointer.storageKey !== storageKey) throw fail('EnvironmentOfOtherPlatform', { path: layout.folder });
  return pointer;
}

/** Whether two looks at the pointer saw the same state. */
export function samePointer(a: Pointer | undefined, b: Pointer | undefined): boolean {
  return a?.epoch === b?.epoch && a?.generation === b?.generation && a?.returned === b?.returned;
}

/**
 * What `look` finds at one state of the store: it looks again where the pointer moved meanwhile, since what the old one named may
 * have gone while it looked.
 */
export async function atOneState<Value>(
  place: StorePlace,
  look: (pointer: Pointer | undefined) => Promise<Value>,
): Promise<Value> {
  let pointer = await readPointer(place);
  for (let attempt = 1; ; attempt++) {
    const value = await look(pointer);
    const again = await readPointer(place);
    if (samePointer(pointer, again) || attempt === readTries) return value;
    pointer = again;
  }
}

/** The generation that the pointer names, read at one moment. */
export async function readCurrent(place: StorePlace): Promise<StoredGeneration | undefined> {
  const { disk, layout } = place;
  let pointer = await readPointer(place);
  for (let attempt = 1; ; attempt++) {
    if (pointer?.generation === undefined) return undefined;
    const path = layout.generation(pointer.epoch, pointer.generation);
    // A generation's bytes never change: where it is there, the pointer need not be looked at again.
    const found = await readGeneration(disk, { epoch: pointer.epoch, generation: pointer.generation }, path);
    if (found !== undefined) return found;
    const again = await readPointer(place);
    if (samePointer(pointer, again) || attempt === readTries) throw missingGeneration(path);
    pointer = again;
  }
}

/** `EnvironmentDamaged`: what `current` names is not there. */
export function missingGeneration(path: string): Error {
  return fail('EnvironmentDamaged', { path, problem: 'the current generation is missing' });
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

/** Numbers of the folders in `epochs` or `quarantine`, newest first. */
export async function listEpochs(disk: FileSystem, folder: string): Promise<readonly number[]> {
  const numbers = (await listIfThere(disk, folder))
    .map(parseEpochName)
    .filter((epoch) => epoch !== undefined);
  return numbers.sort((a, b) => b - a);
}

/** What is kept of the present epoch, newest first. */
export async function presentGenerations(
  { disk, layout }: StorePlace,
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
 * Whether a folder in quarantine with this number is an environment that was set aside. A copy of the present epoch or of a
 * later one never took effect; what came back is only not removed yet.
 */
export function isSetAside(pointer: Pointer | undefined, epoch: number): boolean {
  return pointer === undefined || (epoch < pointer.epoch && epoch !== pointer.returned);
}

/** Environments set aside, newest first. */
export async function listQuarantine(
  { disk, layout }: StorePlace,
  pointer: Pointer | undefined,
): Promise<readonly QuarantinedEnvironment[]> {
  const found: QuarantinedEnvironment[] = [];
  for (const epoch of await listEpochs(disk, layout.quarantine)) {
    if (!isSetAside(pointer, epoch)) continue;
    const path = layout.quarantined(epoch);
    const [generation] = await listGenerations(disk, path, largestNumber);
    if (generation !== undefined) found.push({ id: String(epoch), generation, path });
  }
  return found;
}

/** Numbers of one of them, newest first; empty where there is none of this number. */
export async function quarantinedGenerations(
  { disk, layout }: StorePlace,
  pointer: Pointer | undefined,
  epoch: number | undefined,
): Promise<readonly number[]> {
  if (epoch === undefined || !isSetAside(pointer, epoch)) return [];
  return listGenerations(disk, layout.quarantined(epoch), largestNumber);
}
