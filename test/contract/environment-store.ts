/** What every environment store must do (port `environment-store`), whatever it keeps its bytes in. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { toId } from '../../core/src/domain/ids.ts';
import type {
  EnvironmentStore,
  EnvironmentWriter,
  GenerationFile,
} from '../../core/src/ports/environment-store.ts';
import { stateOf, type StoreState } from '../testkit/store-state.ts';

export const platformId = toId('PlatformId', 'ab'.repeat(10));
/** A password that is tried. */
export const tried = { of: 'environment', passwordSalt: new Uint8Array(16).fill(0xa1) } as const;
export const storageKey = toId('TpmName', `000b${'11'.repeat(32)}`);
export const otherStorageKey = toId('TpmName', `000b${'22'.repeat(32)}`);

/** A fresh place, and stores on it as separate programs would open them. */
export interface StorePlace {
  open(key?: typeof storageKey): EnvironmentStore;
}

export function environmentStoreContract(name: string, makePlace: () => Promise<StorePlace>): void {
  const content = (number: number): Uint8Array => utf8(`generation ${number}`);
  const append = (store: EnvironmentStore, number: number): Promise<unknown> =>
    store.withLock((writer) => writer.append(number, content(number)));

  /** Files of these numbers, sealed anew under `mark`, as an epoch is written: one at a time. */
  async function* anew(mark: string, ...numbers: readonly number[]): AsyncGenerator<GenerationFile> {
    for (const generation of numbers)
      yield await Promise.resolve({ generation, bytes: utf8(`${mark} ${generation}`) });
  }
  /** That a change is refused with this code, and that another program finds everything as it was. */
  async function expectRefused(
    place: StorePlace,
    change: (writer: EnvironmentWriter) => Promise<unknown>,
    code = 'InternalError',
  ): Promise<void> {
    const before = await stateOf(place.open());
    await expect(place.open().withLock(change)).rejects.toMatchObject({ code });
    expect(await stateOf(place.open())).toEqual(before);
  }

  describe(`environment store: ${name}`, () => {
    it('holds nothing at first', async () => {
      const store = (await makePlace()).open();
      expect(await store.current()).toBeUndefined();
      expect(await store.generations()).toEqual([]);
      expect(await store.quarantine()).toEqual([]);
      expect(await store.installed()).toEqual(new Map());
      expect(await store.attempts(tried)).toEqual({ failed: 0, last: 0 });
    });

    it('gives back the newest generation, also to another program', async () => {
      const place = await makePlace();
      await append(place.open(), 1);
      await append(place.open(), 2);
      expect(await place.open().current()).toMatchObject({ epoch: 1, generation: 2, bytes: content(2) });
      expect(await place.open().generations()).toEqual([
        { epoch: 1, generation: 2 },
        { epoch: 1, generation: 1 },
      ]);
    });

    it('drops exactly the old generations that it is told to', async () => {
      const store = (await makePlace()).open();
      for (let number = 1; number <= 12; number++) await append(store, number);
      await store.withLock((writer) => writer.append(13, content(13), [1, 3]));
      expect((await store.generations()).map(({ generation }) => generation)).toEqual([
        13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 2,
      ]);
      expect(await store.generation({ epoch: 1, generation: 2 })).toMatchObject({ bytes: content(2) });
      expect(await store.generation({ epoch: 1, generation: 3 })).toBeUndefined();
    });

    it('drops nothing where the new generation is refused, or what is to go is not old', async () => {
      const place = await makePlace();
      for (const number of [1, 2, 3]) await append(place.open(), number);
      await expectRefused(place, (writer) => writer.append(3, content(3), [1]));
      for (const dropped of [4, 5, 0, -1, 1.5])
        await expectRefused(place, (writer) => writer.append(4, content(4), [1, dropped]));
    });

    it('takes it easily where what is to be dropped has gone already', async () => {
      const place = await makePlace();
      for (const number of [2, 3]) await append(place.open(), number);
      await place.open().withLock((writer) => writer.append(4, content(4), [1, 2]));
      expect((await stateOf(place.open())).kept.map(([number]) => number)).toEqual([4, 3]);
    });

    it('refuses a generation that does not follow', async () => {
      const place = await makePlace();
      await append(place.open(), 3);
      for (const number of [3, 2, 0, 3.5])
        await expectRefused(place, (writer) => writer.append(number, content(9)));
      await expectRefused(place, (writer) => writer.append(1_000_000_000, content(9)), 'LimitExceeded');
      await expectRefused(place, (writer) => writer.replace(0, content(9)));
    });

    it('writes every generation anew as one epoch', async () => {
      const place = await makePlace();
      for (const number of [1, 2, 3]) await append(place.open(), number);
      const now = await place.open().withLock((writer) => writer.rewrite(anew('new', 1, 2, 3)));
      expect(now).toEqual({ epoch: 2, generation: 3 });
      expect(await stateOf(place.open())).toEqual({
        epoch: 2,
        current: 3,
        kept: [
          [3, 'new 3'],
          [2, 'new 2'],
          [1, 'new 1'],
        ],
        quarantine: [],
      });
      expect(await place.open().generation({ epoch: 1, generation: 3 })).toBeUndefined();
      await append(place.open(), 4);
      expect(await place.open().current()).toMatchObject({ epoch: 2, generation: 4 });
    });

    it('writes exactly what it is given, a next generation included', async () => {
      const place = await makePlace();
      for (const number of [1, 2, 3]) await append(place.open(), number);
      await place.open().withLock((writer) => writer.rewrite(anew('new', 2, 3, 4)));
      const { current, kept } = await stateOf(place.open());
      expect([current, kept.map(([number]) => number)]).toEqual([4, [4, 3, 2]]);
    });

    it('can read the old epoch while it writes the new one', async () => {
      const place = await makePlace();
      for (const number of [1, 2]) await append(place.open(), number);
      const store = place.open();
      await store.withLock((writer) =>
        writer.rewrite(
          (async function* () {
            for (const id of [...(await writer.generations())].reverse()) {
              const stored = await store.generation(id);
              yield { generation: id.generation, bytes: stored?.bytes ?? utf8('lost') };
              expect(await place.open().current()).toMatchObject({ epoch: 1, generation: 2 });
            }
          })(),
        ),
      );
      expect((await stateOf(place.open())).kept).toEqual([
        [2, 'generation 2'],
        [1, 'generation 1'],
      ]);
    });

    it('keeps the old epoch where the new one is not written to its end', async () => {
      const place = await makePlace();
      await expectRefused(place, (writer) => writer.rewrite(anew('new', 1)));
      for (const number of [1, 2]) await append(place.open(), number);
      await expectRefused(place, (writer) => writer.rewrite(anew('new')));
      await expectRefused(place, (writer) => writer.rewrite(anew('new', 1)));
      await expectRefused(place, (writer) => writer.rewrite(anew('new', 2, 1)));
      await expectRefused(place, (writer) => writer.rewrite(anew('new', 1, 2, 2)));
      const before = await stateOf(place.open());
      await place.open().withLock(async (writer) => {
        const failing = (async function* (): AsyncGenerator<GenerationFile> {
          yield* anew('new', 1);
          throw new RangeError('the second could not be sealed');
        })();
        await expect(writer.rewrite(failing)).rejects.toThrow('the second could not be sealed');
        // Under the same lock it can be tried again: nothing of the first try is in the way.
        await writer.rewrite(anew('again', 1, 2));
      });
      expect(before).toMatchObject({ epoch: 1, current: 2 });
      expect(await stateOf(place.open())).toMatchObject({
        epoch: 2,
        kept: [
          [2, 'again 2'],
          [1, 'again 1'],
        ],
      });
    });

    it('exchanges the present environment with one from quarantine', async () => {
      const place = await makePlace();
      for (const number of [3, 4]) await append(place.open(), number);
      await place.open().withLock((writer) => writer.replace(1, utf8('another')));
      const first = await place.open().withLock((writer) => writer.exchange('1'));
      expect(first.now).toEqual({ epoch: 3, generation: 4 });
      expect(first.setAside).toMatchObject({ id: '2', generation: 1 });
      expect(await stateOf(place.open())).toEqual({
        epoch: 3,
        current: 4,
        kept: [
          [4, 'generation 4'],
          [3, 'generation 3'],
        ],
        quarantine: [{ id: '2', generations: [[1, 'another']] }],
      });
      // What came back is not in quarantine any more, and the exchange can be taken back in turn.
      expect(await place.open().quarantinedGenerations('1')).toEqual([]);
      expect(await place.open().quarantinedGeneration('1', 4)).toBeUndefined();
      const second = await place.open().withLock((writer) => writer.exchange('2'));
      expect(second.now).toEqual({ epoch: 4, generation: 1 });
      expect((await stateOf(place.open())).quarantine).toMatchObject([{ id: '3' }]);
      await append(place.open(), 2);
      expect(await place.open().current()).toMatchObject({ epoch: 4, generation: 2 });
    });

    it('takes an environment back where none is', async () => {
      const place = await makePlace();
      await append(place.open(), 4);
      await place.open().withLock((writer) => writer.setAside());
      const done = await place.open().withLock((writer) => writer.exchange('1'));
      expect(done).toEqual({ now: { epoch: 3, generation: 4 }, setAside: undefined });
      expect(await stateOf(place.open())).toEqual({
        epoch: 3,
        current: 4,
        kept: [[4, 'generation 4']],
        quarantine: [],
      } satisfies StoreState);
    });

    it('exchanges only with what is in quarantine', async () => {
      const place = await makePlace();
      await expectRefused(place, (writer) => writer.exchange('1'));
      await append(place.open(), 1);
      await place.open().withLock((writer) => writer.replace(1, utf8('another')));
      for (const id of ['2', '3', '01', '../epochs/2', ''])
        await expectRefused(place, (writer) => writer.exchange(id));
    });

    it('writes one generation in quarantine anew, and no other', async () => {
      const place = await makePlace();
      for (const number of [3, 4]) await append(place.open(), number);
      await place.open().withLock((writer) => writer.replace(1, utf8('another')));
      const file = { generation: 3, bytes: utf8('without a key') };
      await place.open().withLock((writer) => writer.rewriteQuarantined('1', file));
      expect(await stateOf(place.open())).toMatchObject({
        epoch: 2,
        kept: [[1, 'another']],
        quarantine: [
          {
            id: '1',
            generations: [
              [4, 'generation 4'],
              [3, 'without a key'],
            ],
          },
        ],
      });
      await place.open().withLock((writer) => writer.exchange('1'));
      expect((await stateOf(place.open())).kept).toContainEqual([3, 'without a key']);
    });

    it('adds nothing to quarantine, and writes nothing anew that is not there', async () => {
      const place = await makePlace();
      await append(place.open(), 3);
      await place.open().withLock((writer) => writer.replace(3, utf8('another')));
      const files = [
        ['1', 4],
        ['2', 3],
        ['x', 3],
        ['1', 0],
      ] as const;
      for (const [id, generation] of files) {
        const file = { generation, bytes: utf8('something else') };
        await expectRefused(place, (writer) => writer.rewriteQuarantined(id, file));
      }
    });

    it('gives only generations that are kept', async () => {
      const place = await makePlace();
      await append(place.open(), 1);
      await append(place.open(), 2);
      await place.open().withLock((writer) => writer.replace(1, utf8('another')));
      const store = place.open();
      for (const id of [
        { epoch: 1, generation: 1 },
        { epoch: 2, generation: 2 },
        { epoch: 3, generation: 1 },
      ])
        expect(await store.generation(id)).toBeUndefined();
      expect(await store.quarantinedGenerations('1')).toEqual([2, 1]);
      expect(await store.quarantinedGenerations('2')).toEqual([]);
      expect(await store.quarantinedGeneration('1', 1)).toMatchObject({ epoch: 1, generation: 1 });
      expect(await store.quarantinedGeneration('1', 3)).toBeUndefined();
      expect(await store.quarantinedGeneration('2', 1)).toBeUndefined();
    });

    it('sets an environment aside when another takes its place', async () => {
      const place = await makePlace();
      await append(place.open(), 1);
      await append(place.open(), 2);
      const replaced = await place.open().withLock((writer) => writer.replace(1, utf8('another')));
      expect(replaced.now).toEqual({ epoch: 2, generation: 1 });
      expect(replaced.setAside).toMatchObject({ id: '1', generation: 2 });
      expect(await place.open().current()).toMatchObject({ epoch: 2, generation: 1, bytes: utf8('another') });
      expect(await place.open().generations()).toEqual([{ epoch: 2, generation: 1 }]);
      expect(await place.open().quarantine()).toEqual([replaced.setAside]);
    });

    it('leaves none after setting aside, and begins a new epoch then', async () => {
      const place = await makePlace();
      await append(place.open(), 4);
      const setAside = await place.open().withLock((writer) => writer.setAside());
      expect(await place.open().current()).toBeUndefined();
      expect(await place.open().generations()).toEqual([]);
      expect(await place.open().quarantine()).toEqual([setAside]);
      const now = await place.open().withLock((writer) => writer.append(1, content(1)));
      expect(now).toEqual({ epoch: 2, generation: 1 });
      expect(await place.open().quarantine()).toEqual([setAside]);
    });

    it('has nothing to set aside where there is nothing', async () => {
      const store = (await makePlace()).open();
      await expect(store.withLock((writer) => writer.setAside())).rejects.toMatchObject({
        code: 'InternalError',
      });
      await expect(store.withLock((writer) => writer.replace(1, content(1)))).rejects.toMatchObject({
        code: 'InternalError',
      });
    });

    it('lets one program at a time change it, and readers always', async () => {
      const place = await makePlace();
      await append(place.open(), 1);
      await place.open().withLock(async (writer) => {
        await expect(append(place.open(), 9)).rejects.toMatchObject({ code: 'EnvironmentBusy' });
        await writer.append(2, content(2));
        expect(await place.open().current()).toMatchObject({ generation: 2 });
      });
      await append(place.open(), 3);
      expect(await place.open().current()).toMatchObject({ generation: 3 });
    });

    it('gives the lock back when the work fails', async () => {
      const place = await makePlace();
      const failing = place.open().withLock(() => Promise.reject(new RangeError('the work failed')));
      await expect(failing).rejects.toThrow('the work failed');
      await append(place.open(), 1);
      expect(await place.open().current()).toMatchObject({ generation: 1 });
    });

    it('refuses the folder of another platform, and touches nothing in it', async () => {
      const place = await makePlace();
      await append(place.open(), 1);
      const other = place.open(otherStorageKey);
      const refusal = { code: 'EnvironmentOfOtherPlatform' };
      await expect(other.current()).rejects.toMatchObject(refusal);
      await expect(other.generations()).rejects.toMatchObject(refusal);
      await expect(other.quarantine()).rejects.toMatchObject(refusal);
      await expect(append(other, 2)).rejects.toMatchObject(refusal);
      await expect(other.updateAttempts(tried, () => ({ failed: 1, last: 1 }))).rejects.toMatchObject(
        refusal,
      );
      expect(await place.open().current()).toMatchObject({ generation: 1, bytes: content(1) });
    });

    it('refuses every reading and change in it', async () => {
      const place = await makePlace();
      await append(place.open(), 1);
      await place.open().withLock((writer) => writer.replace(1, utf8('another')));
      const other = place.open(otherStorageKey);
      const refusal = { code: 'EnvironmentOfOtherPlatform' };
      await expect(other.generation({ epoch: 2, generation: 1 })).rejects.toMatchObject(refusal);
      await expect(other.quarantinedGenerations('1')).rejects.toMatchObject(refusal);
      await expect(other.quarantinedGeneration('1', 1)).rejects.toMatchObject(refusal);
      await expect(other.withLock((writer) => writer.exchange('1'))).rejects.toMatchObject(refusal);
      await expect(other.updateAttempts(tried, (now) => now)).rejects.toMatchObject(refusal);
      await expect(other.updateInstalled((now) => now)).rejects.toMatchObject(refusal);
    });

    it('takes over what several programs record at once', async () => {
      const place = await makePlace();
      await append(place.open(), 1);
      const many = Array.from({ length: 12 }, (_, index) => index);
      await Promise.all([
        ...many.map(() =>
          place.open().updateAttempts(tried, ({ failed, last }) => ({ failed: failed + 1, last: last + 1 })),
        ),
        ...many.map((index) =>
          place.open().updateInstalled((now) => new Map(now).set(idOf(index), 'AB'.repeat(20))),
        ),
      ]);
      expect(await place.open().attempts(tried)).toEqual({ failed: 12, last: 12 });
      expect([...(await place.open().installed()).keys()]).toEqual(many.map(idOf));
      await expect(
        place.open().updateAttempts(tried, () => {
          throw new RangeError('no such change');
        }),
      ).rejects.toThrow('no such change');
      expect(await place.open().attempts(tried)).toEqual({ failed: 12, last: 12 });
    });

    it('keeps the records beside the generations', async () => {
      const place = await makePlace();
      const thumbprints = new Map([
        ['cd'.repeat(16), 'AB'.repeat(20)],
        ['0d'.repeat(16), 'EF'.repeat(20)],
      ]);
      await place.open().updateInstalled(() => thumbprints);
      await place.open().updateAttempts(tried, () => ({ failed: 3, last: 1_800_000_000 }));
      expect(new Map(await place.open().installed())).toEqual(thumbprints);
      expect(await place.open().attempts(tried)).toEqual({ failed: 3, last: 1_800_000_000 });
      await place.open().updateInstalled(() => new Map());
      expect(await place.open().installed()).toEqual(new Map());
      expect(await place.open().current()).toBeUndefined();
    });

    it('counts tries for each password by itself, and those of archives apart', async () => {
      const place = await makePlace();
      const others = [
        { of: 'archive', passwordSalt: tried.passwordSalt },
        { of: 'environment', passwordSalt: new Uint8Array(16).fill(0xb2) },
      ] as const;
      await place.open().updateAttempts(tried, () => ({ failed: 3, last: 30 }));
      await place.open().updateAttempts(others[0], () => ({ failed: 2, last: 20 }));
      for (const other of [tried, ...others]) {
        expect(await place.open().attempts(other)).toMatchObject({
          failed: other === tried ? 3 : other.of === 'archive' ? 2 : 0,
        });
      }
      await place.open().updateAttempts(tried, () => ({ failed: 0, last: 0 }));
      expect(await place.open().attempts(tried)).toEqual({ failed: 0, last: 0 });
      expect(await place.open().attempts(others[0])).toEqual({ failed: 2, last: 20 });
    });

    it('keeps the tries of a hundred passwords, those that were tried most', async () => {
      const place = await makePlace();
      const of = (index: number) =>
        ({ of: 'archive', passwordSalt: new Uint8Array(16).fill(index) }) as const;
      await place.open().updateAttempts(tried, () => ({ failed: 5, last: 10 }));
      for (let index = 0; index < 101; index++)
        await place.open().updateAttempts(of(index), () => ({ failed: 1, last: 100 + index }));
      expect(await place.open().attempts(tried)).toEqual({ failed: 5, last: 10 });
      expect(await place.open().attempts(of(0))).toEqual({ failed: 0, last: 0 });
      expect(await place.open().attempts(of(1))).toEqual({ failed: 0, last: 0 });
      expect(await place.open().attempts(of(2))).toEqual({ failed: 1, last: 102 });
      expect(await place.open().attempts(of(100))).toEqual({ failed: 1, last: 200 });
    });
  });
}

function idOf(number: number): string {
  return number.toString(16).padStart(32, '0');
}
