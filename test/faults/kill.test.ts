/**
 * The real executable, killed (SIGKILL) at a random time of an operation, on the real disk: the computer is then in its old or
 * its new state, the lock of the dead process keeps nobody out, the operation can be made again, and the next change leaves no
 * temporary file. The times come from a seed that a failure names; half of them lie near the end, where files are written.
 * With SPMIGRATION_FULL=1 it kills 200 times, else 16, and in the Windows lane 6 of three operations. Every single step,
 * simulated: operations.test.ts.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CredentialResult, StatusResult } from '../../core/src/operations/results.ts';
import type { Computer } from '../testkit/computer.ts';
import { Conversation, type WireRequest } from '../testkit/conversation.ts';
import { builtExecutable } from '../testkit/executable.ts';
import { windowsLane } from '../testkit/windows/lane.ts';
import { copyWorld, makeWorld, password, removeWorld, type MadeWorld, type World } from '../testkit/world.ts';

vi.mock('../../core/src/crypto/kdf.ts', async (original) =>
  (await import('../testkit/memo-kdf.ts')).memoizedKdf(original),
);

const newPassword = 'ein neues Passwort äöü 2';
const seed = process.env.SPMIGRATION_KILL_SEED ?? '1';
const full = process.env.SPMIGRATION_FULL === '1';
const kills = full ? 200 : 16;
/** Those that run where each start takes a second: a new environment, a file elsewhere, a change of all files. */
const onWindows = ['an import that installs', 'an export', 'a change of the password'];

let made: MadeWorld;
let executable: string;
beforeAll(async () => {
  executable = await builtExecutable();
  made = await makeWorld();
}, 240_000);
afterAll(() => removeWorld(made));

interface Killed {
  readonly on: (world: World) => Computer;
  /** Makes the situation, in a copy of the world. */
  readonly before?: (world: World) => Promise<unknown>;
  readonly request: (world: World) => WireRequest;
  /** More of the state than the environment. */
  readonly beside?: (world: World) => Promise<unknown>;
}

const archiveIn = ({ share }: World): string => join(share, basename(made.archive.path));
const importing = (world: World, more = {}): WireRequest => ({
  cmd: 'import',
  params: { path: archiveIn(world), ...more },
  secrets: { password },
});

const operations: Readonly<Record<string, Killed>> = {
  'an import that installs': { on: ({ b }) => b, request: (world) => importing(world) },
  'an import that merges': {
    on: ({ a }) => a,
    before: async (world) => {
      const identity = await world.a.one<{ path: string }>('identity-export', { path: world.share });
      await world.b.run('import', { path: archiveIn(world) }, { password });
      await world.b.run('credential-new', { subject: 'At B', algorithm: 'P-256' }, { password });
      await world.b.run('access-grant', { path: identity.path }, { ownerPassword: 'Owner Password 2' });
      await world.b.run(
        'export',
        { path: join(world.share, 'back.sparc'), destination: 'PC-A' },
        { password },
      );
    },
    request: ({ share }) => ({
      cmd: 'import',
      params: { path: join(share, 'back.sparc') },
      secrets: { password },
    }),
  },
  'an import that replaces': {
    on: ({ b }) => b,
    before: ({ b }) => b.run('user-initialize', {}, { password }),
    request: (world) => importing(world, { allowReplace: true }),
  },
  'an export': {
    on: ({ a }) => a,
    request: ({ share }) => ({
      cmd: 'export',
      params: { path: join(share, 'new.sparc'), destination: 'PC-B' },
      secrets: { password },
    }),
    // Whole or not there: another computer judges.
    beside: async ({ b, share }) => {
      const path = join(share, 'new.sparc');
      return (
        existsSync(path) &&
        (await b.one<{ fits: boolean }>('archive-test', { path, forThisComputer: true })).fits
      );
    },
  },
  'a change of the password': {
    on: ({ a }) => a,
    request: () => ({ cmd: 'user-password', secrets: { password, newPassword } }),
    beside: ({ a }) => opensWith(a, newPassword),
  },
  'a new credential': {
    on: ({ a }) => a,
    request: () => ({
      cmd: 'credential-new',
      params: { subject: 'New', algorithm: 'P-256' },
      secrets: { password },
    }),
  },
  'an undo': { on: ({ a }) => a, request: () => ({ cmd: 'undo', secrets: { password } }) },
  'a removed user': { on: ({ a }) => a, request: () => ({ cmd: 'user-remove' }) },
};

/** Whether this password opens the environment: planning a change of it needs that, and changes nothing. */
async function opensWith(computer: Computer, secret: string): Promise<boolean> {
  try {
    await computer.plan('user-password', {}, { password: secret, newPassword: 'never set, only planned' });
    return true;
  } catch {
    return false;
  }
}

/** What a person sees of the computer, without what differs from run to run (ids of new keys). */
async function see({ on, beside }: Killed, world: World): Promise<string> {
  const computer = on(world);
  const status = await computer.one<StatusResult>('status');
  const credentials = status.userInitialized ? await computer.run<CredentialResult>('credential-list') : [];
  const rows = credentials
    .map(({ label, state, features }) => [label, state, ...features].join(' '))
    .toSorted();
  const { generation, quarantined } = status;
  return JSON.stringify({ generation, quarantined, rows, beside: await beside?.(world) });
}

/** A share of 1 that depends on the seed and on what it is for. */
function drawn(what: string): number {
  return createHash('sha256').update(`${seed} ${what}`).digest().readUInt32BE() / 2 ** 32;
}

async function temporaries(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /\.tmp$|lock\./.test(basename(name)));
}

async function prepared(killing: Killed): Promise<World> {
  const world = await copyWorld(made);
  await killing.before?.(world);
  return world;
}

const each = Math.ceil(kills / Object.keys(operations).length);

const chosen = Object.entries(operations).filter(
  ([name]) => full || windowsLane() === undefined || onWindows.includes(name),
);

describe.each(chosen)('%s', (name, killing) => {
  const { on, request } = killing;
  const talkTo = (world: World): Conversation => {
    const { home } = on(world);
    return new Conversation(executable, { SPMIGRATION_HOME: home, HOME: home });
  };

  it('killed at any time is done or not done', { timeout: 900_000 }, async () => {
    const whole = await prepared(killing);
    const old = await see(killing, whole);
    const conversation = talkTo(whole);
    await conversation.until(({ t }) => t === 'hello');
    const since = performance.now();
    expect((await conversation.ask(request(whole))).at(-1)).toMatchObject({ ok: true });
    const milliseconds = performance.now() - since;
    await conversation.end();
    const now = await see(killing, whole);
    expect(now).not.toBe(old);

    for (let kill = 1; kill <= each; kill++) {
      const part = drawn(`${name} ${kill}`);
      const at = milliseconds * (kill % 2 === 0 ? part : 0.75 + part / 3);
      const place = `seed ${seed}, kill ${kill} after ${at.toFixed(0)} of ${milliseconds.toFixed(0)} ms`;
      const world = await prepared(killing);
      const killed = talkTo(world);
      // Before that it has done nothing.
      await killed.until(({ t }) => t === 'hello');
      killed.write(killed.encode(request(world)));
      await delay(at);
      killed.child.kill('SIGKILL');
      expect((await killed.ended()).stderr, place).toBe('');

      const state = await see(killing, world);
      expect([old, now], place).toContain(state);
      if (state === old) {
        const again = talkTo(world);
        expect((await again.ask(request(world))).at(-1), place).toMatchObject({ ok: true });
        await again.end();
        expect(await see(killing, world), place).toBe(now);
      }
      // The next change takes away what the dead process left.
      const { userInitialized } = await on(world).one<StatusResult>('status');
      await on(world).run(userInitialized ? 'user-remove' : 'user-initialize', {}, { password });
      expect(await temporaries(on(world).home), place).toEqual([]);
    }
  });
});
