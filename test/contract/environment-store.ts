/** What every environment store must do (port `environment-store`), whatever it keeps its bytes in. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { toId } from '../../core/src/domain/ids.ts';
import type { EnvironmentStore } from '../../core/src/ports/environment-store.ts';

export const platformId = toId('PlatformId', 'ab'.repeat(10));
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

  describe(`environment store: ${name}`, () => {
    it('holds nothing at first', async () => {
      const store = (await makePlace()).open();
      expect(await store.current()).toBeUndefined();
      expect(await store.generations()).toEqual([]);
      expect(await store.quarantine()).toEqual([]);
      expect(await store.installed()).toEqual(new Map());
      expect(await store.attempts()).toEqual({ failed: 0, last: 0 });
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

    it('refuses a generation that does not follow', async () => {
      const store = (await makePlace()).open();
      await append(store, 3);
      await expect(append(store, 3)).rejects.toMatchObject({ code: 'InternalError' });
      expect(await store.current()).toMatchObject({ generation: 3 });
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
      await expect(other.setAttempts({ failed: 1, last: 1 })).rejects.toMatchObject(refusal);
      expect(await place.open().current()).toMatchObject({ generation: 1, bytes: content(1) });
    });

    it('keeps the records beside the generations', async () => {
      const place = await makePlace();
      const thumbprints = new Map([
        ['cd'.repeat(16), 'AB'.repeat(20)],
        ['0d'.repeat(16), 'EF'.repeat(20)],
      ]);
      await place.open().setInstalled(thumbprints);
      await place.open().setAttempts({ failed: 3, last: 1_800_000_000 });
      expect(new Map(await place.open().installed())).toEqual(thumbprints);
      expect(await place.open().attempts()).toEqual({ failed: 3, last: 1_800_000_000 });
      await place.open().setInstalled(new Map());
      expect(await place.open().installed()).toEqual(new Map());
      expect(await place.open().current()).toBeUndefined();
    });
  });
}
