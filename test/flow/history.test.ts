/** The history of what people did and tried: every action of a person, success or refusal, with the generation that it made. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HistoryEventResult } from '../../core/src/operations/results.ts';
import type { Computer } from '../testkit/computer.ts';
import {
  copyWorld,
  fingerprintOf,
  makeWorld,
  ownerPassword,
  password,
  rejection,
  removeWorld,
  type MadeWorld,
} from '../testkit/world.ts';

vi.mock('../../core/src/crypto/kdf.ts', async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
}, 60_000);
afterAll(() => removeWorld(made));

const newest = async (
  computer: Computer,
  scope: 'user' | 'platform',
): Promise<HistoryEventResult | undefined> =>
  (await computer.run<HistoryEventResult>('history')).findLast((line) => line.scope === scope);

describe('the history', () => {
  it('names the generation that each event made', async () => {
    const { a } = await copyWorld(made);
    await a.run('feature-disable', { feature: 'SecureEmail' }, { password });
    const lines = await a.run<HistoryEventResult>('history');
    const generations = lines
      .filter(({ scope }) => scope === 'user')
      .map((line) => [line.operation, line.generation]);
    expect(generations).toEqual([
      ['user-initialize', 1],
      ['credential-new', 2],
      ['feature-enable', 3],
      ['export', null],
      ['feature-disable', 4],
    ]);
  });

  it('says what was refused, in the chain of whoever may write there', async () => {
    const world = await copyWorld(made);
    const { a, b, share } = world;
    const archive = made.archive.path.replace(made.world.share, share);
    await rejection(() => b.run('import', { path: archive }, { password: 'a wrong password' }));
    expect(await newest(b, 'user')).toMatchObject({
      operation: 'import',
      outcome: 'PasswordRejected',
      generation: null,
      summary: `path: ${archive}`,
    });
    const path = join(share, 'PC-B.spid');
    await rejection(() => a.run('access-grant', { path }, { ownerPassword: 'a wrong password' }));
    expect(await newest(a, 'platform')).toMatchObject({ outcome: 'OwnerPasswordRejected' });
    // Who is no administrator cannot write the platform's chain.
    a.ports = { ...a.ports, account: { ...a.ports.account, isAdministrator: () => Promise.resolve(false) } };
    await rejection(() => a.run('identity-export', { path: share, overwrite: true }));
    expect(await newest(a, 'user')).toMatchObject({
      operation: 'identity-export',
      outcome: 'NotAdministrator',
    });
  });

  it('says nothing of slips, nor of what was only looked at', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const before = await fingerprintOf(world.folder);
    await rejection(() => a.run('feature-enable', { feature: 'Efs', credential: 'nobody' }, { password }));
    await rejection(() => a.run('export', { path: world.share, destination: 'PC-B' }));
    await rejection(() => a.plan('export', { path: world.share, destination: 'PC-C' }, { password }));
    expect(await fingerprintOf(world.folder)).toEqual(before);
  });

  it('that cannot be written does not take the place of the refusal', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const broken = { ...a.ports.history(undefined), append: () => Promise.reject(new RangeError('a fault')) };
    a.ports = { ...a.ports, history: () => broken };
    await expect(a.run('export', { path: world.share, destination: 'PC-C' }, { password })).rejects.toThrow(
      'a fault',
    );
    const { fail } = await import('../../core/src/domain/error.ts');
    const full = { ...broken, append: () => Promise.reject(fail('StorageFull', { path: 'history' })) };
    a.ports = { ...a.ports, history: () => full };
    const error = await rejection(() =>
      a.run('export', { path: world.share, destination: 'PC-C' }, { password }),
    );
    expect(error.code).toBe('DestinationNotAuthorized');
  });

  it('holds no password of a refused try', async () => {
    const world = await copyWorld(made);
    await rejection(() =>
      world.a.run(
        'export',
        { path: world.share, destination: 'PC-B', overwrite: true },
        { password: 'Geheim 77 Geheim' },
      ),
    );
    const text = JSON.stringify(await world.a.run('history'));
    expect(text).toContain('PasswordRejected');
    expect(text).not.toContain('Geheim');
    expect(text).not.toContain(ownerPassword);
  });
});
