/**
 * What an environment store holds, as one value: everything that it says it has, read. Two stores with the same value are
 * the same to whoever uses them. Leaves out the records beside the generations.
 */
import { fromUtf8 } from '../../core/src/bytes/bytes.ts';
import type { EnvironmentStore, StoredGeneration } from '../../core/src/ports/environment-store.ts';
import type { FailingDisk } from './failing-disk.ts';

export interface StoreState {
  readonly epoch: number | undefined;
  /** Number of the present generation; undefined where there is no environment. */
  readonly current: number | undefined;
  /** Texts of the kept generations by number, newest first. */
  readonly kept: readonly (readonly [number, string])[];
  /** Environments in quarantine, newest first, each with its generations. */
  readonly quarantine: readonly {
    readonly id: string;
    readonly generations: readonly (readonly [number, string])[];
  }[];
}

/** Reads all of a store. Throws where it names something that it does not give. */
export async function stateOf(store: EnvironmentStore): Promise<StoreState> {
  const current = await store.current();
  const kept: (readonly [number, string])[] = [];
  for (const id of await store.generations()) {
    kept.push([id.generation, textOf(await store.generation(id), `generation ${id.generation}`)]);
  }
  const [newest] = kept;
  if (newest?.[0] !== current?.generation || (current && newest?.[1] !== textOf(current, 'current')))
    throw new Error('the present generation is not the newest that is kept');
  const quarantine: { id: string; generations: (readonly [number, string])[] }[] = [];
  for (const { id, generation } of await store.quarantine()) {
    const generations: (readonly [number, string])[] = [];
    for (const number of await store.quarantinedGenerations(id)) {
      const stored = await store.quarantinedGeneration(id, number);
      generations.push([number, textOf(stored, `generation ${number} of quarantine ${id}`)]);
    }
    if (generations[0]?.[0] !== generation) throw new Error(`quarantine ${id} has another newest generation`);
    quarantine.push({ id, generations });
  }
  return { epoch: current?.epoch, current: current?.generation, kept, quarantine };
}

function textOf(stored: StoredGeneration | undefined, what: string): string {
  const text = stored && fromUtf8(stored.bytes);
  if (text === undefined) throw new Error(`${what} is not there`);
  return text;
}

/**
 * Whether a store that was interrupted is in `wanted`, coming from `old`. Generations that the change was to drop may still be
 * kept: dropping frees space and decides nothing; `current` names the same content, and the next change drops them again.
 */
export function isState(found: StoreState, wanted: StoreState, old: StoreState): boolean {
  const numbers = new Set(wanted.kept.map(([number]) => number));
  const mayStay = found.epoch === wanted.epoch && old.epoch === wanted.epoch ? old.kept : [];
  const extra = found.kept.filter(([number]) => !numbers.has(number));
  const kept = found.kept.filter(([number]) => numbers.has(number));
  if (!extra.every(([number, text]) => mayStay.some(([n, t]) => n === number && t === text))) return false;
  return JSON.stringify({ ...found, kept }) === JSON.stringify(wanted);
}

/** Generation files in a store's folder that its state does not account for, and temporary files and locks. */
export function meaninglessFiles(disk: FailingDisk, folder: string, state: StoreState): readonly string[] {
  const nameOf = (number: number): string => `${String(number).padStart(6, '0')}.spenv`;
  const known = new Set([
    ...state.kept.map(([number]) => `${folder}/epochs/${state.epoch ?? 0}/${nameOf(number)}`),
    ...state.quarantine.flatMap(({ id, generations }) =>
      generations.map(([number]) => `${folder}/quarantine/${id}/${nameOf(number)}`),
    ),
  ]);
  return disk.files().filter((path) => /\.spenv|\.tmp$|lock\./.test(path) && !known.has(path));
}
