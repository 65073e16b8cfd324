/** Which generations may go when the next one is written (docs/spec/environment-store.md, "Which generations are kept"). */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../core/src/bytes/bytes.ts';
import type { Credential, PublicPart } from '../../../core/src/domain/environment.ts';
import { fail } from '../../../core/src/domain/error.ts';
import { toId, type CredentialId } from '../../../core/src/domain/ids.ts';
import { encodePublicPart } from '../../../core/src/format/environment-v1.ts';
import { assembleGeneration, encodeHeader } from '../../../core/src/format/generation-v1.ts';
import { surplusGenerations } from '../../../core/src/operations/retention.ts';
import type { GenerationId, StoredGeneration } from '../../../core/src/ports/environment-store.ts';

/** A credential called by a letter; the same letter is the same key. A small letter is still a request. */
function credential(letter: string): Credential {
  const key = letter.toUpperCase();
  const pending = letter !== key;
  return {
    id: idOf(letter),
    label: letter,
    publicKey: utf8(`key of ${key}`),
    certificate: pending ? undefined : utf8(`certificate of ${key}`),
    chain: [],
    request: pending ? utf8(`request of ${key}`) : undefined,
    origin: 'new',
    added: 0,
    protection: 'vault',
  };
}

function idOf(letter: string): CredentialId {
  return toId('CredentialId', letter.charCodeAt(0).toString(16).padStart(32, '0'));
}

function publicPart(letters: string): PublicPart {
  const credentials = Array.from(letters, credential).sort((a, b) => (a.id < b.id ? -1 : 1));
  return { credentials, features: {}, proposed: {}, rootAuthority: utf8('root'), grants: [] };
}

function generationFile(generation: number, letters: string): Uint8Array {
  const header = encodeHeader({
    platformId: 'ab'.repeat(10),
    generation,
    parent: generation - 1,
    passwordSalt: new Uint8Array(16),
    keySalt: new Uint8Array(16),
    nonce: new Uint8Array(16),
    basicUserKey: utf8('key'),
    basicUserKeyPrivate: utf8('blob'),
    vaultKey: { public: utf8('key'), private: utf8('blob') },
  });
  return assembleGeneration(header, encodePublicPart(publicPart(letters)), new Uint8Array(16));
}

interface Situation {
  /** Letters of each kept generation, oldest first; `undefined`: a file that cannot be read. */
  readonly kept: readonly (string | undefined)[];
  readonly next: string;
  readonly tombstones?: string;
  /** Generations under another password. */
  readonly closed?: readonly number[];
}

/** Numbers that may go, and those that were read for it. */
async function surplus({ kept, next, tombstones = '', closed = [] }: Situation): Promise<{
  readonly drop: readonly number[];
  readonly read: readonly number[];
}> {
  const read: number[] = [];
  const store = {
    generation: ({ epoch, generation }: GenerationId): Promise<StoredGeneration | undefined> => {
      read.push(generation);
      const letters = kept[generation - 1];
      const path = String(generation);
      if (letters === undefined)
        return Promise.reject(fail('StorageFailed', { path, problem: 'a bad sector' }));
      const bytes = letters === '?' ? utf8('no generation') : generationFile(generation, letters);
      return Promise.resolve({ epoch, generation, bytes, path });
    },
  };
  const drop = await surplusGenerations(
    store,
    kept.map((_, index) => ({ epoch: 1, generation: index + 1 })).reverse(),
    { publicPart: publicPart(next), tombstones: Array.from(tombstones, idOf) },
    (_, path) => !closed.includes(Number(path)),
  );
  return { drop: [...drop].sort((a, b) => a - b), read };
}

const times = (count: number, letters: string): readonly string[] =>
  Array.from({ length: count }, () => letters);

describe('of the generations that are kept', () => {
  it('none goes while there are not more than ten with the next one', async () => {
    expect(await surplus({ kept: times(9, 'A'), next: 'A' })).toEqual({ drop: [], read: [] });
  });

  it('the eleventh goes where the next one has all that it has, and only it is read for that', async () => {
    expect(await surplus({ kept: times(10, 'AB'), next: 'ABC' })).toEqual({ drop: [1], read: [1] });
  });

  it('the newest one beyond ten that holds a removed credential stays, for as long as that is', async () => {
    const kept = ['AB', 'AB', ...times(9, 'A')];
    expect((await surplus({ kept, next: 'A' })).drop).toEqual([1]);
    expect((await surplus({ kept: ['AB', ...times(40, 'A')], next: 'A' })).drop).not.toContain(1);
  });

  it('one among the newest ten does as well as an old one', async () => {
    const kept = ['AB', ...times(5, 'A'), 'AB', ...times(4, 'A')];
    expect((await surplus({ kept, next: 'A' })).drop).toEqual([1, 2]);
  });

  it('one does for many that were removed one after another', async () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
    // Generation n lost the first n - 1 letters: what each one holds, the first holds too.
    const kept = Array.from(letters, (_, index) => letters.slice(index));
    const { drop } = await surplus({ kept, next: '' });
    expect(drop).toEqual(Array.from({ length: 16 }, (_, index) => index + 2));
  });

  it('as many as are needed stay where each removed credential was there at another time', async () => {
    const kept = ['A', 'B', 'C', 'CD', 'E', ...times(9, 'Z')];
    expect((await surplus({ kept, next: 'Z' })).drop).toEqual([3]);
  });

  it('the same stay at every later change', async () => {
    const removed = ['AB', 'BC', ...times(9, 'C')];
    let kept: (string | undefined)[] = removed;
    for (let change = 0; change < 15; change++) {
      const { drop } = await surplus({ kept, next: 'C' });
      // Numbers stay in the test's own row: what was dropped is read as nothing that holds anything.
      kept = [...kept.map((letters, index) => (drop.includes(index + 1) ? '' : letters)), 'C'];
      expect(kept.join('')).toContain('A');
      expect(kept.join('')).toContain('B');
    }
  });

  it('a request is not missed once its certificate came, as its key goes on', async () => {
    expect((await surplus({ kept: ['Ab', ...times(9, 'AB')], next: 'AB' })).drop).toEqual([1]);
    // Where both were removed, the completed one does for the request, and not the other way round.
    expect((await surplus({ kept: ['b', 'B', ...times(9, '')], next: '' })).drop).toEqual([1]);
    expect((await surplus({ kept: ['B', 'b', ...times(9, '')], next: '' })).drop).toEqual([]);
  });

  it('a request that was withdrawn stays', async () => {
    expect((await surplus({ kept: ['Ab', ...times(10, 'A')], next: 'A' })).drop).toEqual([2]);
  });

  it('nothing stays for what was removed for good', async () => {
    const kept = ['AB', ...times(9, 'A')];
    expect((await surplus({ kept, next: 'A', tombstones: 'B' })).drop).toEqual([1]);
    expect((await surplus({ kept: ['ABC', ...times(9, 'A')], next: 'A', tombstones: 'B' })).drop).toEqual([]);
  });

  it.each([
    ['cannot be read', undefined],
    ['is damaged', '?'],
  ])('one that %s stays, stands in nobody’s way, and holds nothing for the others', async (_, unreadable) => {
    expect((await surplus({ kept: [unreadable, ...times(10, 'A')], next: 'A' })).drop).toEqual([2]);
    const kept = ['AB', ...times(5, 'A'), unreadable, ...times(4, 'A')];
    expect((await surplus({ kept, next: 'A' })).drop).toEqual([2]);
  });

  it('one that does not open holds nothing for the others, and stays for what only it has', async () => {
    // Generations 1 and 3 have B; 3 is under another password.
    const kept = ['AB', 'A', 'AB', ...times(9, 'A')];
    expect((await surplus({ kept, next: 'A', closed: [3] })).drop).toEqual([2, 3]);
    expect((await surplus({ kept, next: 'A', closed: [1, 3] })).drop).toEqual([2]);
    // Also one of the newest ten.
    const newer = ['AB', ...times(5, 'A'), 'AB', ...times(4, 'A')];
    expect((await surplus({ kept: newer, next: 'A', closed: [7] })).drop).toEqual([2]);
    // Where the present content has everything, an old password keeps nothing.
    expect((await surplus({ kept: times(10, 'A'), next: 'A', closed: [1] })).drop).toEqual([1]);
  });
});
