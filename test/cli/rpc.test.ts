/**
 * The process protocol, spoken with the real executable: what it accepts, what ends a conversation, what a lost caller
 * leaves behind. Leaves out what the operations do; that is tested where they are called directly.
 */
import { PassThrough } from 'node:stream';
import { chmod, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveRpc } from '../../core/src/cli/rpc/serve.ts';
import type { ImportResult, StatusResult } from '../../core/src/operations/results.ts';
import { Conversation, type WireRecord, type WireRequest } from '../testkit/conversation.ts';
import { builtExecutable } from '../testkit/executable.ts';
import { createSeededRandom } from '../testkit/surroundings.ts';
import {
  copyWorld,
  expectComplete,
  fingerprintOf,
  makeWorld,
  password,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

let made: MadeWorld;
let executable: string;
beforeAll(async () => {
  executable = await builtExecutable();
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

const talkTo = (home: string, argv?: string[]): Conversation =>
  new Conversation(executable, { SPMIGRATION_HOME: home, HOME: home }, argv);

const status: WireRequest = { cmd: 'status' };

function importing(world: World): WireRequest {
  return {
    cmd: 'import',
    params: { path: join(world.share, basename(made.archive.path)) },
    secrets: { password },
  };
}

/** Sends raw bytes as a whole conversation. */
async function say(
  bytes: string | Uint8Array,
): Promise<{ code: number | null; records: readonly WireRecord[] }> {
  const conversation = talkTo(made.world.a.home);
  conversation.write(bytes);
  const ended = await conversation.end();
  expect(ended.stderr).toBe('');
  return ended;
}

describe('a conversation', () => {
  it('greets, answers two requests in a row, each with exactly one end, and exits with 0', async () => {
    const conversation = talkTo(made.world.a.home);
    const first = await conversation.ask(status);
    const second = await conversation.ask({ cmd: 'identity-read', params: { path: '/nowhere' } });
    const { code, records } = await conversation.end();
    expect(code).toBe(0);
    expect(records[0]).toMatchObject({ t: 'hello', protocol: 1 });
    expect(first.map(({ t }) => t)).toEqual(['result', 'end']);
    expect(first[0]?.value as StatusResult).toMatchObject({ computer: 'PC-A', rehearsal: true });
    expect(second.map(({ t }) => t)).toEqual(['error', 'end']);
    expect(second[0]).toMatchObject({
      code: 'FileNotFound',
      class: 'not-found',
      category: 'ObjectNotFound',
      target: '/nowhere',
    });
    expect(second[1]).toMatchObject({ ok: false });
    expectComplete(second[0] as unknown as { message: string; hint: string });
  });

  it('begins behind a byte order mark as well, whose bytes may come one by one', async () => {
    const conversation = talkTo(made.world.a.home);
    const request = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), conversation.encode(status)]);
    for (const byte of request.subarray(0, 6)) conversation.write(Uint8Array.of(byte));
    conversation.write(request.subarray(6));
    expect(await conversation.until(({ t }) => t === 'end')).toMatchObject({ id: 1, ok: true });
    await conversation.end();
  });

  it('is refused under another protocol number, with exit code 8', async () => {
    for (const argv of [['rpc', '--protocol', '2'], ['rpc'], ['rpc', '--protocol', '1', 'more']]) {
      const { code, records } = await talkTo(made.world.a.home, argv).end();
      expect(code).toBe(8);
      expect(records.at(-1)).toMatchObject({ t: 'error', code: 'ProtocolUnsupported' });
    }
  });

  it('without any request ends at once at the end of input', async () => {
    const { code, records } = await say('');
    expect({ code, records: records.length }).toEqual({ code: 0, records: 1 });
  });

  it('ends by itself ten seconds after its last request', { timeout: 20_000 }, async () => {
    const conversation = talkTo(made.world.a.home);
    await conversation.ask(status);
    const since = performance.now();
    expect((await conversation.ended()).code).toBe(0);
    const seconds = (performance.now() - since) / 1000;
    expect(seconds).toBeGreaterThan(9);
    expect(seconds).toBeLessThan(12);
  });
});

describe('a request that cannot be read ends the conversation with RequestMalformed', () => {
  const line = (fields: object): string => `${JSON.stringify({ v: 1, id: 1, cmd: 'status', ...fields })}\n`;
  const malformed: Readonly<Record<string, string | Uint8Array>> = {
    'an unknown field': line({ extra: 1 }),
    'another version': line({ v: 2 }),
    'no id': line({ id: 0 }),
    'an id that is text': line({ id: '1' }),
    'no operation': line({ cmd: 1 }),
    'an unknown mode': line({ mode: 'try' }),
    'parameters that are a list': line({ params: [] }),
    'too many secrets': line({ secrets: Array.from({ length: 9 }, () => ({ name: 'password', bytes: 1 })) }),
    'an over-long secret': line({ secrets: [{ name: 'password', bytes: 65_537 }] }),
    'a secret of negative length': line({ secrets: [{ name: 'password', bytes: -1 }] }),
    'no JSON': 'status\n',
    'JSON that is no object': '[]\n',
    'bytes that are no UTF-8': Buffer.from([0x7b, 0xff, 0x7d, 0x0a]),
    'an over-long line': `{"v":1,"id":1,"cmd":"${'x'.repeat(1024 * 1024)}"}\n`,
    'an over-long line without an end': 'x'.repeat(1024 * 1024 + 1),
  };
  it.each(Object.keys(malformed))('%s', async (what) => {
    // A second request behind it: nothing of it may be taken for one.
    const { code, records } = await say(
      Buffer.concat([Buffer.from(malformed[what] ?? ''), Buffer.from(line({}))]),
    );
    expect(code).toBe(0);
    expect(records.slice(1)).toMatchObject([
      { t: 'error', id: 0, code: 'RequestMalformed' },
      { t: 'end', id: 0, ok: false },
    ]);
  });
});

describe('a request that is read and wrong is answered, and the next one too', () => {
  const wrong: Readonly<Record<string, readonly [string, WireRequest]>> = {
    'an unknown operation': ['RequestMalformed', { cmd: 'format-disk' }],
    'a name that every object has': ['RequestMalformed', { cmd: 'constructor' }],
    'an unknown parameter': ['RequestMalformed', { cmd: 'status', params: { verbose: true } }],
    'an inherited parameter': ['RequestMalformed', { cmd: 'status', params: { toString: 'x' } }],
    'a value of the wrong kind': ['RequestMalformed', { cmd: 'identity-read', params: { path: 1 } }],
    'a missing parameter': ['ParameterInvalid', { cmd: 'identity-read' }],
    'a zero character': ['ParameterInvalid', { cmd: 'identity-read', params: { path: 'a\0b' } }],
    'a secret that it does not take': ['RequestMalformed', { cmd: 'status', secrets: { password } }],
    'a plan of a reader': ['RequestMalformed', { cmd: 'status', mode: 'plan' }],
    'apply without its plan': ['RequestMalformed', { cmd: 'user-remove', mode: 'apply' }],
    'a plan that has a planId': ['RequestMalformed', { cmd: 'user-remove', mode: 'plan', planId: 'x' }],
    'a plan that nobody was shown': ['PlanOutdated', { cmd: 'user-remove', mode: 'apply', planId: 'x' }],
    'a missing secret': ['PasswordRequired', { cmd: 'feature-disable', params: { feature: 'Efs' } }],
  };
  it('each with its code', async () => {
    const before = await fingerprintOf(made.world.folder);
    const conversation = talkTo(made.world.a.home);
    for (const [what, [code, request]] of Object.entries(wrong)) {
      const records = await conversation.ask(request);
      expect([what, records.map(({ t }) => t), records[0]?.code]).toEqual([what, ['error', 'end'], code]);
    }
    expect((await conversation.ask(status)).at(-1)).toMatchObject({ ok: true });
    expect((await conversation.end()).code).toBe(0);
    expect(await fingerprintOf(made.world.folder)).toEqual(before);
  });
});

describe('a caller that goes away', () => {
  it('in the middle of a secret has asked for nothing', async () => {
    const world = await copyWorld(made);
    const before = await fingerprintOf(world.folder);
    const conversation = talkTo(world.b.home);
    const bytes = conversation.encode(importing(world));
    conversation.write(bytes.subarray(0, bytes.length - 1));
    const { code, records } = await conversation.end();
    expect([code, records.map(({ t }) => t)]).toEqual([0, ['hello']]);
    expect(await fingerprintOf(world.folder)).toEqual(before);
  });

  it('while its request is worked on cancels it, and nothing changed', async () => {
    const world = await copyWorld(made);
    const before = await fingerprintOf(world.folder);
    const conversation = talkTo(world.b.home);
    conversation.write(conversation.encode(importing(world)));
    const { code, records } = await conversation.end();
    expect(code).toBe(0);
    expect(records.find(({ t }) => t === 'error')).toMatchObject({ code: 'OperationInterrupted' });
    expect(await fingerprintOf(world.folder)).toEqual(before);
  });
});

describe('plan, then apply', () => {
  it('needs no secret the second time in the same process, and every secret in another', async () => {
    const world = await copyWorld(made);
    const before = await fingerprintOf(world.folder);
    const conversation = talkTo(world.b.home);
    const { secrets: _, ...withoutSecrets } = importing(world);
    const planned = await conversation.ask({ ...importing(world), mode: 'plan' });
    const plan = planned.find(({ t }) => t === 'plan');
    expect(plan).toMatchObject({ operation: 'import', impact: 'medium' });
    expect(await fingerprintOf(world.folder)).toEqual(before);
    const planId = String(plan?.planId);
    const other = talkTo(world.b.home);
    const refused = await other.ask({ ...withoutSecrets, mode: 'apply', planId });
    expect(refused.find(({ t }) => t === 'error')).toMatchObject({ code: 'PasswordRequired' });
    await other.end();
    const applied = await conversation.ask({ ...withoutSecrets, mode: 'apply', planId });
    const result = applied.find(({ t }) => t === 'result')?.value as ImportResult | undefined;
    expect(result?.items).toEqual((plan?.value as ImportResult).items);
    const again = await conversation.ask({ ...withoutSecrets, mode: 'apply', planId });
    expect(again.find(({ t }) => t === 'error')).toMatchObject({ code: 'PlanOutdated' });
    expect((await conversation.end()).code).toBe(0);
  });

  it('warns in the plan of a replace, and refuses to apply it where that was not allowed', async () => {
    const world = await copyWorld(made);
    await world.b.run('user-initialize', {}, { password: 'another password' });
    const conversation = talkTo(world.b.home);
    const planned = await conversation.ask({ ...importing(world), mode: 'plan' });
    expect(planned.map(({ t, code }) => [t, code])).toContainEqual(['warning', 'ImportWouldReplace']);
    const planId = String(planned.find(({ t }) => t === 'plan')?.planId);
    const applied = await conversation.ask({ ...importing(world), mode: 'apply', planId });
    expect(applied.find(({ t }) => t === 'error')).toMatchObject({ code: 'ImportWouldReplace' });
    await conversation.end();
  });
});

it('a home that others may write is refused at the first request', async () => {
  const world = await copyWorld(made);
  const home = join(world.folder, 'open');
  await mkdir(home);
  await chmod(home, 0o777);
  const conversation = talkTo(home);
  expect((await conversation.ask(status))[0]).toMatchObject({ code: 'PlatformFolderUntrusted' });
  expect((await conversation.end()).code).toBe(0);
});

it('what cannot happen is InternalError, with its text, and no crash', async () => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const chunks: string[] = [];
  stdout.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  stdin.end(`${JSON.stringify({ v: 1, id: 1, cmd: 'status' })}\n`);
  const code = await serveRpc(['--protocol', '1'], {
    stdin,
    stdout,
    version: '0.0.0',
    compose: () => Promise.reject(new TypeError('a mistake in the program')),
    random: createSeededRandom('rpc'),
    idleMilliseconds: 1000,
  });
  const records = chunks
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as WireRecord);
  expect(code).toBe(0);
  expect(records[1]).toMatchObject({ t: 'error', code: 'InternalError', class: 'internal' });
  expect(String(records[1]?.message)).toContain('TypeError: a mistake in the program');
});
