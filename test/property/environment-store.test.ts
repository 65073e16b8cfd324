/**
 * The file store against a plain model in memory: random sequences of changes, refusals, other programs, crashes at a random
 * change of the disk and with a random part of the unsynced names lost. After each step the store equals the model; after a
 * crash the model before the step or after it. fast-check prints seed and path of a sequence that does not.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEnvironmentStore } from '../../core/src/adapters/store-file/environment-store.ts';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { hasCode } from '../../core/src/domain/error.ts';
import type {
  EnvironmentStore,
  EnvironmentWriter,
  GenerationFile,
} from '../../core/src/ports/environment-store.ts';
import { platformId, storageKey } from '../contract/environment-store.ts';
import { createFailingDisk, PowerLost, type FailingDisk } from '../testkit/failing-disk.ts';
import { isState, meaninglessFiles, stateOf, type StoreState } from '../testkit/store-state.ts';
import { createTestProcesses } from '../testkit/surroundings.ts';

const folder = '/data/store';

/** What a store is, without a disk. Values are never changed, only replaced. */
interface Model {
  /** The epoch that is, or that the next environment begins. 0: there is no store yet. */
  readonly epoch: number;
  readonly kept: ReadonlyMap<number, string>;
  readonly quarantine: ReadonlyMap<number, ReadonlyMap<number, string>>;
  /** Dropped from this epoch: a loss of power may bring them back, as that decides nothing. */
  readonly dropped: ReadonlyMap<number, string>;
}

const nothing: Model = { epoch: 0, kept: new Map(), quarantine: new Map(), dropped: new Map() };

/** Numbers in a step are chosen from what is there, so that most steps make sense; some must be refused. */
type Step =
  | { readonly kind: 'append'; readonly ahead: number; readonly drop: readonly number[] }
  | { readonly kind: 'replace'; readonly number: number }
  | { readonly kind: 'setAside' }
  | { readonly kind: 'exchange'; readonly which: number }
  | { readonly kind: 'rewrite'; readonly without: readonly number[]; readonly next: boolean }
  | { readonly kind: 'rewriteQuarantined'; readonly which: number; readonly generation: number };

interface Fault {
  /** At which change of the disk. */
  readonly at: number;
  readonly halfDone: boolean;
  /** Only the program ends; power is lost later or never. */
  readonly killed: boolean;
  readonly seed: number;
}

const small = fc.nat({ max: 11 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      ahead: fc.oneof(
        { weight: 6, arbitrary: fc.constant(1) },
        { weight: 1, arbitrary: fc.integer({ min: -1, max: 3 }) },
      ),
      drop: fc.array(small, { maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('replace' as const), number: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('setAside' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('exchange' as const), which: small }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('rewrite' as const),
      without: fc.array(small, { maxLength: 2 }),
      next: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('rewriteQuarantined' as const),
      which: small,
      generation: small,
    }),
  },
);
const fault: fc.Arbitrary<Fault | undefined> = fc.option(
  fc.record({
    at: fc.integer({ min: 1, max: 40 }),
    halfDone: fc.boolean(),
    killed: fc.boolean(),
    seed: fc.nat(),
  }),
  { nil: undefined, freq: 2 },
);

/** What the model becomes; undefined where the step must be refused. Pure. `tag` makes its texts its own. */
function expected(model: Model, chosen: Step, tag: string): Model | undefined {
  const newest = Math.max(0, ...model.kept.keys());
  const aside = new Map(model.quarantine);
  switch (chosen.kind) {
    case 'append': {
      const { number, drop } = appended(model, chosen);
      if (number <= newest || drop.some((dropped) => dropped < 1 || dropped >= number)) return undefined;
      const kept = new Map(model.kept).set(number, tag);
      const dropped = new Map(model.dropped);
      for (const one of new Set(drop)) {
        dropped.set(one, kept.get(one) ?? '');
        kept.delete(one);
      }
      return { ...model, epoch: firstEpoch(model), kept, dropped };
    }
    case 'replace':
      if (newest === 0) return undefined;
      aside.set(model.epoch, model.kept);
      return nextEpoch(model, new Map([[chosen.number, tag]]), aside);
    case 'setAside':
      if (newest === 0) return undefined;
      aside.set(model.epoch, model.kept);
      return nextEpoch(model, new Map(), aside);
    case 'exchange': {
      const id = pick([...aside.keys()], chosen.which);
      const returning = id === undefined ? undefined : aside.get(id);
      if (id === undefined || returning === undefined) return undefined;
      aside.delete(id);
      if (newest > 0) aside.set(model.epoch, model.kept);
      return nextEpoch(model, returning, aside);
    }
    case 'rewrite': {
      const numbers = rewritten(model, chosen);
      if (newest === 0 || Math.max(0, ...numbers) < newest) return undefined;
      const kept = new Map(numbers.map((number) => [number, `${tag} ${number}`]));
      return nextEpoch(model, kept, aside);
    }
    case 'rewriteQuarantined': {
      const id = pick([...aside.keys()], chosen.which);
      const generations = new Map(id === undefined ? [] : aside.get(id));
      const generation = pick([...generations.keys()], chosen.generation);
      if (id === undefined || generation === undefined) return undefined;
      aside.set(id, generations.set(generation, tag));
      return { ...model, quarantine: aside };
    }
  }
}

function nextEpoch({ epoch }: Model, kept: Model['kept'], quarantine: Model['quarantine']): Model {
  return { epoch: epoch + 1, kept, quarantine, dropped: new Map() };
}

/** Asks the store for the same. */
function perform(writer: EnvironmentWriter, model: Model, chosen: Step, tag: string): Promise<unknown> {
  switch (chosen.kind) {
    case 'append': {
      const { number, drop } = appended(model, chosen);
      return writer.append(number, utf8(tag), drop);
    }
    case 'replace':
      return writer.replace(chosen.number, utf8(tag));
    case 'setAside':
      return writer.setAside();
    case 'exchange':
      return writer.exchange(String(pick([...model.quarantine.keys()], chosen.which) ?? 77));
    case 'rewrite':
      return writer.rewrite(anew(rewritten(model, chosen), tag));
    case 'rewriteQuarantined': {
      const id = pick([...model.quarantine.keys()], chosen.which) ?? 77;
      const generation = pick([...(model.quarantine.get(id)?.keys() ?? [])], chosen.generation) ?? 77;
      return writer.rewriteQuarantined(String(id), { generation, bytes: utf8(tag) });
    }
  }
}

function appended(model: Model, { ahead, drop }: Step & { readonly kind: 'append' }) {
  const numbers = [...model.kept.keys()];
  const number = Math.max(0, ...numbers) + ahead;
  return { number, drop: drop.map((index) => numbers[index]).filter((one) => one !== undefined) };
}

function rewritten(model: Model, { without, next }: Step & { readonly kind: 'rewrite' }): readonly number[] {
  const numbers = [...model.kept.keys()].sort((a, b) => a - b).filter((_, index) => !without.includes(index));
  return next ? [...numbers, Math.max(0, ...model.kept.keys()) + 1] : numbers;
}

async function* anew(numbers: readonly number[], tag: string): AsyncGenerator<GenerationFile> {
  for (const generation of numbers)
    yield await Promise.resolve({ generation, bytes: utf8(`${tag} ${generation}`) });
}

function firstEpoch({ epoch, quarantine }: Model): number {
  return epoch > 0 ? epoch : Math.max(0, ...quarantine.keys()) + 1;
}

function pick<Value>(values: readonly Value[], index: number): Value | undefined {
  return values[index % Math.max(1, values.length)];
}

function asState({ epoch, kept, quarantine }: Model): StoreState {
  const newestFirst = (generations: ReadonlyMap<number, string>) =>
    [...generations].sort(([a], [b]) => b - a);
  const [newest] = newestFirst(kept);
  return {
    epoch: newest && epoch,
    current: newest?.[0],
    kept: newestFirst(kept),
    quarantine: [...quarantine]
      .sort(([a], [b]) => b - a)
      .map(([id, generations]) => ({ id: String(id), generations: newestFirst(generations) })),
  };
}

/** The model that a found state is: dropped generations that came back are kept again. */
function adopted(model: Model, { kept }: StoreState): Model {
  return { ...model, kept: new Map([...kept].reverse()) };
}

let processNumber = 1;

/** The store as a program of its own opens it; all earlier ones are gone. */
function open(disk: FailingDisk): EnvironmentStore {
  processNumber += 1;
  const processes = createTestProcesses().start(processNumber);
  return createEnvironmentStore({
    disk,
    processes,
    folder,
    platform: platformId,
    storageKey,
    lockWaitMilliseconds: 0,
  });
}

function survives(seed: number): (path: string, name: string) => boolean {
  return (path, name) =>
    ((createHash('sha256').update(`${seed} ${path}/${name}`).digest()[0] ?? 0) & 1) === 1;
}

/** A disk, what it holds, and what a loss of power may take it back to: before a program that was killed was done. */
interface Place {
  readonly disk: FailingDisk;
  readonly model: Model;
  readonly notDurable: readonly Model[];
}

/** Does one step. Throws where the store is not what the model says. */
async function take(
  { disk, model, notDurable }: Place,
  chosen: Step,
  accident: Fault | undefined,
  tag: string,
): Promise<Place> {
  const next = expected(model, chosen, tag);
  if (accident !== undefined) disk.losePowerAt(accident.at, accident.halfDone);
  const outcome = await open(disk)
    .withLock((writer) => perform(writer, model, chosen, tag))
    .then(
      () => 'done' as const,
      (error: unknown) => {
        if (error instanceof PowerLost) return 'crashed' as const;
        if (hasCode(error, 'InternalError')) return 'refused' as const;
        throw error;
      },
    );
  if (outcome !== 'crashed') expect(outcome).toBe(next === undefined ? 'refused' : 'done');
  // An accident that was to come later than the last change of the step comes after the step.
  const after = accident === undefined ? disk : afterAccident(disk, accident);
  const state = await stateOf(open(after));
  const made = next ?? model;
  const candidates =
    outcome !== 'crashed' ? [made] : accident?.killed === true ? [model, made] : [model, made, ...notDurable];
  const found = candidates.find((one) => isState(state, asState(one), asState(withDropped(one, model))));
  if (found === undefined) expect(state).toEqual(asState(made));
  return {
    disk: after,
    model: adopted(found ?? made, state),
    notDurable: outcome === 'crashed' && accident?.killed === true ? [...notDurable, model] : [],
  };
}

function afterAccident(disk: FailingDisk, { killed, seed }: Fault): FailingDisk {
  return killed ? disk.resume() : disk.restart(survives(seed));
}

/** All that may still be kept in the epoch of `one`. */
function withDropped(one: Model, before: Model): Model {
  const same = before.epoch === one.epoch ? before : one;
  return { ...one, kept: new Map([...same.dropped, ...one.dropped, ...same.kept]) };
}

describe('the store and its model', () => {
  it('agree after any sequence of changes, crashes and programs', { timeout: 120_000 }, async () => {
    const steps = fc.array(fc.tuple(step, fault), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        let place: Place = { disk: createFailingDisk(), model: nothing, notDurable: [] };
        for (const [index, [chosen, accident]] of sequence.entries())
          place = await take(place, chosen, accident, `step ${index}`);
        // Whatever happened: another program opens the store, and afterwards nothing is there without a meaning.
        await open(place.disk).withLock(() => Promise.resolve());
        const state = await stateOf(open(place.disk));
        expect(state).toEqual(asState(place.model));
        expect(meaninglessFiles(place.disk, folder, state)).toEqual([]);
      }),
      { numRuns: process.env.SLOW === '1' ? 5000 : 500 },
    );
  });
});
