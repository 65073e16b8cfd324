/**
 * Undo against a plain model: whatever a person does in whatever order, an undo brings back exactly what was here at the
 * generation that it goes to, less what was removed for good, and no key is ever lost that was not. The model only remembers
 * what was seen after each generation; it knows nothing of files, keys and passwords.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { hasCode } from '../../core/src/domain/error.ts';
import type {
  ArchiveResult,
  CredentialResult,
  ImportResult,
  UndoResult,
} from '../../core/src/operations/results.ts';
import type { Computer } from '../testkit/computer.ts';
import { environmentFolder, keptFiles } from '../testkit/kept-files.ts';
import { copyWorld, makeWorld, password, removeWorld, type MadeWorld, type World } from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const secrets = { password };
const features = ['SecureEmail', 'Efs', 'SecureDrive'] as const;
const archives = ['first.sparc', 'second.sparc'] as const;

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
  const { a, b, share } = made.world;
  const exported = (name: string) =>
    a.one<ArchiveResult>('export', { path: join(share, name), destination: 'PC-B' }, secrets);
  const first = await exported(archives[0]);
  await a.run('credential-new', { subject: 'Second', algorithm: 'P-256' }, secrets);
  await a.run('feature-enable', { feature: 'Efs', credential: 'Second' }, secrets);
  await exported(archives[1]);
  await b.run('import', { path: first.path }, secrets);
}, 60_000);
afterAll(() => removeWorld(made));

/** Features and what waits to be enabled, by credential id. */
type Seen = Readonly<Record<string, readonly [string, string]>>;

interface Snapshot {
  readonly seen: Seen;
  /** Archives that count as merged. */
  readonly merged: readonly string[];
  readonly removed: readonly string[];
}

class Model {
  /** By generation number. */
  readonly snapshots = new Map<number, Snapshot>();
  generation = 0;

  get present(): Snapshot {
    return this.at(this.generation);
  }

  at(generation: number): Snapshot {
    const snapshot = this.snapshots.get(generation);
    if (snapshot === undefined) throw new Error(`generation ${generation} was never seen`);
    return snapshot;
  }

  next(snapshot: Snapshot): void {
    this.generation += 1;
    this.snapshots.set(this.generation, snapshot);
  }

  /** A removal for good reaches every generation. */
  forget(id: string): void {
    for (const [number, snapshot] of this.snapshots) {
      const { [id]: _gone, ...seen } = snapshot.seen;
      this.snapshots.set(number, { ...snapshot, seen });
    }
  }

  /** The number that an undo without a choice goes to; undefined where there is nothing to undo. */
  before(kept: readonly number[]): number | undefined {
    const now = this.present;
    for (let number = this.generation - 1; kept.includes(number); number--) {
      const then = this.at(number);
      if (!same(now, then)) return number;
      if (now.removed.some((id) => !then.removed.includes(id))) return undefined;
    }
    return undefined;
  }

  setAside(kept: readonly number[]): readonly string[] {
    const all = new Set(kept.flatMap((number) => Object.keys(this.at(number).seen)));
    return [...all].filter((id) => !(id in this.present.seen)).sort();
  }
}

function same(one: Snapshot, other: Snapshot): boolean {
  const text = ({ seen, merged }: Snapshot): string =>
    JSON.stringify([Object.entries(seen).sort(([a], [b]) => (a < b ? -1 : 1)), [...merged].sort()]);
  return text(one) === text(other);
}

async function look(computer: Computer): Promise<Seen> {
  const list = await computer.run<CredentialResult>('credential-list');
  return Object.fromEntries(
    list.map(({ credential, features: active, proposed }) => [credential, [active.join(), proposed.join()]]),
  );
}

async function keptNumbers(computer: Computer): Promise<readonly number[]> {
  const epochs = join(await environmentFolder(computer), 'epochs');
  const [epoch = '', ...more] = await readdir(epochs);
  expect(more).toEqual([]);
  return (await readdir(join(epochs, epoch))).map((name) => Number.parseInt(name, 10));
}

/** What to do, and a number by which it chooses among what there is. */
const step = fc.record({
  kind: fc.constantFrom(
    'add',
    'enable',
    'enable',
    'disable',
    'remove',
    'remove for good',
    'merge',
    'undo',
    'undo',
    'undo to',
    'undo removal',
  ),
  choice: fc.nat(1000),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function chosen<Value>(list: readonly Value[], choice: number): Value | undefined {
  return list[choice % Math.max(1, list.length)];
}

/** Does it, and holds what is seen then against the model. */
async function perform({ b, share }: World, model: Model, { kind, choice }: Step): Promise<void> {
  const before = model.present;
  const ids = Object.keys(before.seen).sort();
  const unused = ids.filter((id) => before.seen[id]?.[0] === '');
  const kept = await keptNumbers(b);
  const credential = chosen(ids, choice);
  const feature = features[choice % features.length] ?? 'Efs';
  /** Takes what is seen as the next generation, where one was written. */
  const changed = async (merged = before.merged): Promise<void> => {
    const seen = await look(b);
    if ((await keptNumbers(b)).includes(model.generation + 1)) model.next({ ...before, seen, merged });
    else expect(seen).toEqual(before.seen);
  };
  switch (kind) {
    case 'add':
      await b.run('credential-new', { subject: `Made ${choice}`, algorithm: 'P-256' }, secrets);
      return changed();
    case 'enable':
      if (credential !== undefined) await b.run('feature-enable', { feature, credential }, secrets);
      return changed();
    case 'disable':
      await b.run('feature-disable', { feature }, secrets);
      return changed();
    case 'remove': {
      const going = chosen(unused, choice);
      if (going !== undefined) await b.run('credential-remove', { credential: going }, secrets);
      return changed();
    }
    case 'remove for good': {
      const going = chosen([...unused, ...model.setAside(kept)], choice);
      if (going === undefined) return;
      await b.run('credential-remove', { credential: going, permanent: true }, secrets);
      model.forget(going);
      model.next({ ...model.present, removed: [...before.removed, going] });
      expect(await look(b)).toEqual(model.present.seen);
      return;
    }
    case 'merge': {
      const name = archives[choice % archives.length] ?? '';
      const { items } = await b.one<ImportResult>('import', { path: join(share, name) }, secrets);
      for (const { action, credential: id } of items)
        expect(action === 'Skip').toBe(before.removed.includes(id) && !(id in before.seen));
      return changed([...new Set([...before.merged, name])]);
    }
    case 'undo':
      return undoTo(b, model, {}, model.before(kept));
    case 'undo to': {
      const generation = chosen(kept, choice) ?? 0;
      const differs = !same(model.at(generation), before);
      return undoTo(b, model, { generation }, differs ? generation : undefined);
    }
    case 'undo removal': {
      const back = chosen(model.setAside(kept), choice);
      if (back === undefined) return;
      const undone = await b.one<UndoResult>('undo', { credential: back }, secrets);
      expect(undone.items).toMatchObject([{ credential: back, action: 'Return', features: [] }]);
      model.next({ ...before, seen: { ...before.seen, [back]: ['', ''] } });
      expect(await look(b)).toEqual(model.present.seen);
    }
  }
}

async function undoTo(
  computer: Computer,
  model: Model,
  parameters: { readonly generation?: number },
  target: number | undefined,
): Promise<void> {
  const before = model.present;
  if (target === undefined) {
    const failure: unknown = await computer
      .run('undo', { ...parameters }, secrets)
      .catch((error: unknown) => error);
    expect(hasCode(failure, 'NothingToUndo')).toBe(true);
    expect(await look(computer)).toEqual(before.seen);
    return;
  }
  const undone = await computer.one<UndoResult>('undo', { ...parameters }, secrets);
  model.next({ ...model.at(target), removed: before.removed });
  expect(undone).toMatchObject({ kind: 'Generation', restored: target, generation: model.generation });
  expect(await look(computer)).toEqual(model.present.seen);
  const gone = Object.keys(before.seen).filter((id) => !(id in model.present.seen));
  const leaving = undone.items.filter(({ action }) => action === 'Leave').map(({ credential }) => credential);
  expect(leaving.toSorted()).toEqual(gone.toSorted());
}

it('undo brings back what was here then, and no order of changes loses a key', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (steps) => {
      const world = await copyWorld(made);
      const { b } = world;
      const model = new Model();
      model.next({ seen: await look(b), merged: [archives[0]], removed: [] });
      const ever = new Set(Object.keys(model.present.seen));
      for (const one of steps) {
        await perform(world, model, one);
        for (const id of Object.keys(model.present.seen)) ever.add(id);
        const listed = await b.run<CredentialResult>('credential-list', { includeSetAside: true });
        const aside = listed.filter(({ state }) => state === 'SetAside').map(({ credential }) => credential);
        expect(aside.toSorted()).toEqual(model.setAside(await keptNumbers(b)));
        const removed = new Set(model.present.removed);
        const reachable = new Set(listed.map(({ credential }) => credential));
        expect([...ever].filter((id) => !reachable.has(id) && !removed.has(id))).toEqual([]);
      }
      for (const { environment, publicKeys } of await keptFiles(b, [password])) {
        const certified = environment?.publicPart.credentials.map(({ publicKey }) =>
          Buffer.from(publicKey).toString('hex'),
        );
        expect([...publicKeys].sort()).toEqual(certified?.sort());
      }
    }),
    { numRuns: 8 },
  );
}, 240_000);
