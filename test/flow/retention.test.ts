/**
 * What is kept while an environment goes on (docs/spec/environment-store.md, "Which generations are kept"): ten generations, and
 * beyond them what holds the only copy of a key, until that is removed for good.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CredentialResult } from '../../core/src/operations/results.ts';
import type { Computer } from '../testkit/computer.ts';
import { environmentFolder, keptFiles } from '../testkit/kept-files.ts';
import { copyWorld, makeWorld, password, removeWorld, type MadeWorld } from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
}, 60_000);
afterAll(() => removeWorld(made));

const add = (computer: Computer, friendlyName: string) =>
  computer.one<CredentialResult>(
    'credential-new',
    { subject: 'Anna Müller', friendlyName, algorithm: 'P-256' },
    { password },
  );

/** Changes the environment so many times; what it holds stays the same. */
async function change(computer: Computer, times: number): Promise<void> {
  const all = await computer.run<CredentialResult>('credential-list');
  const active = all.find(({ label }) => label === 'Anna Müller');
  for (let index = 0; index < times; index++) {
    const name = index % 2 === 0 ? 'feature-enable' : 'feature-disable';
    const parameters = {
      feature: 'Efs',
      ...(index % 2 === 0 ? { credential: active?.credential ?? '' } : {}),
    };
    await computer.run(name, parameters, { password });
  }
}

const numberOf = (path: string): number => Number(/(\d+)\.spenv$/.exec(path)?.[1]);

/** Numbers of the kept generations, and of those that hold a credential with its key. */
async function kept(
  computer: Computer,
  credential = '',
): Promise<{ readonly all: readonly number[]; readonly holding: readonly number[] }> {
  const files = await keptFiles(computer, [password]);
  const holding = files.filter(({ environment }) =>
    [...(environment?.privatePart.keys.keys() ?? [])].some((id) => id === credential),
  );
  return { all: files.map(({ path }) => numberOf(path)), holding: holding.map(({ path }) => numberOf(path)) };
}

describe('after many changes', () => {
  it('ten generations are kept', async () => {
    const { a } = await copyWorld(made);
    await change(a, 16);
    const { all } = await kept(a);
    expect(all).toHaveLength(10);
    expect(Math.max(...all) - Math.min(...all)).toBe(9);
  });

  it('what holds a removed credential is still there, and brings it back', async () => {
    const { a } = await copyWorld(made);
    const removed = await add(a, 'Old');
    const { holding } = await kept(a, removed.credential);
    await a.run('credential-remove', { credential: removed.credential }, { password });
    await change(a, 15);

    const later = await kept(a, removed.credential);
    expect(later.holding).toEqual(holding);
    expect(later.all).toHaveLength(11);
    expect(Math.max(...later.all) - (holding[0] ?? 0)).toBe(16);

    await a.run('undo', { credential: 'Old' }, { password });
    expect(await a.run<CredentialResult>('credential-list')).toContainEqual(
      expect.objectContaining({ credential: removed.credential, state: 'Retained' }),
    );
    // It is here again: at the next change nothing old is needed for it.
    await change(a, 1);
    expect((await kept(a)).all).toHaveLength(10);
  });

  it('one generation does for credentials that were removed one after another', async () => {
    const { a } = await copyWorld(made);
    const removed: CredentialResult[] = [];
    for (const label of ['One', 'Two', 'Three']) removed.push(await add(a, label));
    const newest = Math.max(...(await kept(a)).all);
    for (const { credential } of removed) await a.run('credential-remove', { credential }, { password });
    await change(a, 13);
    const { all } = await kept(a);
    expect(all.slice(0, 1)).toEqual([newest]);
    expect(all).toHaveLength(11);
  });

  it('nothing is kept for a credential that was removed for good', async () => {
    const { a } = await copyWorld(made);
    const removed = await add(a, 'Old');
    await a.run('credential-remove', { credential: removed.credential }, { password });
    await change(a, 12);
    expect((await kept(a)).all).toHaveLength(11);
    await a.run('credential-remove', { credential: removed.credential, permanent: true }, { password });
    await change(a, 1);
    const { all, holding } = await kept(a, removed.credential);
    expect([all.length, holding]).toEqual([10, []]);
  });

  it('a copy that does not open is none, and what opens is kept', async () => {
    const { a } = await copyWorld(made);
    const removed = await add(a, 'Old');
    await change(a, 1);
    const [older, newer] = (await kept(a, removed.credential)).holding;
    await a.run('credential-remove', { credential: removed.credential }, { password });
    // The newer copy still says what it holds, and does not open any more.
    const path = await pathOf(a, newer);
    const bytes = await readFile(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(path, bytes);
    await change(a, 14);
    const names = await readdir(dirname(path));
    expect(names).toContain(basename(await pathOf(a, older)));
    await rm(path, { force: true });
    expect((await kept(a, removed.credential)).holding).toEqual([older]);
  });

  it('what cannot be read is kept, and no change fails for it', async () => {
    const { a } = await copyWorld(made);
    const [oldest] = (await kept(a)).all;
    await change(a, 1);
    const path = await pathOf(a, oldest);
    await rm(path);
    // Reading it fails, as it does at a bad sector.
    await mkdir(path);
    await change(a, 14);
    const names = (await readdir(dirname(path))).filter((name) => name.endsWith('.spenv'));
    expect(names).toHaveLength(11);
    expect(names).toContain(basename(path));
  });
});

async function pathOf(computer: Computer, generation = 0): Promise<string> {
  const name = `${String(generation).padStart(6, '0')}.spenv`;
  return join(await environmentFolder(computer), 'epochs', '1', name);
}
