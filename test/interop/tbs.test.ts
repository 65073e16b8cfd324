/**
 * The transport to Windows' TPM Base Services, by node:ffi in a thread, with a library of their shape that asks a swtpm
 * (`testkit/tbs/tbs.c`). What this cannot show is in docs/windows-checklist.md.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { toHex } from '../../core/src/bytes/bytes.ts';
import { openTbs } from '../../core/src/adapters/chip-tpm2/transport/tbs.ts';
import { maximumMessageBytes } from '../../core/src/adapters/chip-tpm2/transport/transport.ts';
import type { Transport, TransportProblem } from '../../core/src/adapters/chip-tpm2/transport/transport.ts';
import { startTcpSwtpm, type TcpSwtpm } from '../testkit/swtpm-tcp.ts';
import { buildTbs, hasTbs } from '../testkit/tbs/library.ts';
import { expectProblem, getRandom, message, runProgram } from '../testkit/transports.ts';

const longMs = 10_000;
const shortMs = 300;
const name = 'TPM Base Services';

describe.skipIf(!hasTbs())('TPM Base Services', () => {
  let folder: string;
  let library: string;
  let swtpm: TcpSwtpm;
  let log: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spmigration-tbs-'));
    library = buildTbs(folder);
    swtpm = await startTcpSwtpm();
  });
  afterAll(async () => {
    await swtpm.stop();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    log = join(folder, 'log');
    await rm(log, { force: true });
    vi.stubEnv('SPTBS_LOG', log);
    vi.stubEnv('SPTBS_PORT', String(swtpm.port));
  });

  const calls = async (): Promise<readonly string[]> =>
    existsSync(log) ? (await readFile(log, 'utf8')).trimEnd().split('\n') : [];

  async function opened(): Promise<Transport> {
    const transport = await openTbs(library);
    onTestFinished(() => transport.close());
    return transport;
  }

  it('gives a context for TPM 2.0, sends commands, and closes the context once', async () => {
    const transport = await openTbs(library);
    expect(transport).toMatchObject({ name, exclusive: false });
    const first = await transport.send(getRandom, longMs);
    const second = await transport.send(getRandom, longMs);
    expect(first.subarray(0, 12)).toEqual(message(0, Uint8Array.of(0, 8), 20));
    expect(first).toHaveLength(20);
    expect(second).not.toEqual(first);
    await transport.close();
    await transport.close();
    const submit = `submit locality 0 priority 200 length ${getRandom.length} room ${maximumMessageBytes}`;
    expect(await calls()).toEqual(['create version 2 flags 4', submit, submit, 'close']);
    await expectProblem(transport.send(getRandom, longMs), 'lost');
  });

  it('hands on what the TPM refuses', async () => {
    const transport = await opened();
    expect(await transport.send(message(0x1ff), longMs)).toEqual(message(0x143));
    expect(await transport.send(getRandom, longMs)).toHaveLength(20);
  });

  it('serves several programs and contexts at once', async () => {
    const [first, second] = [await opened(), await opened()];
    const both = await Promise.all([first.send(getRandom, longMs), second.send(getRandom, longMs)]);
    for (const response of both) expect(response).toHaveLength(20);
    await first.close();
    expect(await second.send(getRandom, longMs)).toHaveLength(20);
  });

  it('does not stop the program while a command takes its time', async () => {
    const transport = await opened();
    vi.stubEnv('SPTBS_DELAY', String(shortMs));
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 10);
    await transport.send(getRandom, longMs);
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(5);
  });

  const results: readonly (readonly [code: string, name: string, problem: TransportProblem])[] = [
    ['0x8028400f', 'TBS_E_TPM_NOT_FOUND', 'absent'],
    ['0x80284010', 'TBS_E_SERVICE_DISABLED', 'absent'],
    ['0x80284016', 'TBS_E_DEACTIVATED', 'absent'],
    ['0x80284012', 'TBS_E_ACCESS_DENIED', 'denied'],
    ['0x80070005', 'E_ACCESSDENIED', 'denied'],
    ['0x80284009', 'TBS_E_TOO_MANY_TBS_CONTEXTS', 'busy'],
    ['0x8028400a', 'TBS_E_TOO_MANY_RESOURCES', 'busy'],
    ['0x8028400b', 'TBS_E_SERVICE_START_PENDING', 'busy'],
    ['0x80280800', 'TPM_E_RETRY', 'busy'],
    ['0x80280802', 'TPM_E_DOING_SELFTEST', 'busy'],
    ['0x80284008', 'TBS_E_SERVICE_NOT_RUNNING', 'lost'],
    ['0x80284001', 'TBS_E_INTERNAL_ERROR', 'lost'],
    ['0x80284006', 'TBS_E_IOERROR', 'lost'],
    ['0x8028400d', 'TBS_E_COMMAND_CANCELED', 'lost'],
    ['0x80090000', 'a code that nobody knows', 'lost'],
  ];
  const blocking = [
    ['0x80280400', 'TPM_E_COMMAND_BLOCKED', 'blocked'],
    ['0x80280403', 'TPM_E_EMBEDDED_COMMAND_BLOCKED', 'blocked'],
  ] as const;

  it.each(results)('%s (%s) for a context is %s', async (code, _, problem) => {
    vi.stubEnv('SPTBS_CREATE', code);
    const error = await expectProblem(openTbs(library), problem);
    expect(error).toMatchObject({ where: name, cause: code });
  });

  it.each(results)('%s (%s) for a command is %s, and the end of the context', async (code, _, problem) => {
    const transport = await opened();
    vi.stubEnv('SPTBS_SUBMIT', code);
    await expectProblem(transport.send(getRandom, longMs), problem);
    vi.stubEnv('SPTBS_SUBMIT', undefined);
    await expectProblem(transport.send(getRandom, longMs), problem);
    await expect.poll(calls).toContain('close');
  });

  it.each([...results, ...blocking])('%s (%s) within a response is %s', async (code, _, problem) => {
    const transport = await opened();
    vi.stubEnv('SPTBS_RESPONSE', toHex(message(Number(code))));
    await expectProblem(transport.send(getRandom, longMs), problem);
  });

  it.each(blocking)(
    '%s (%s) for a command is %s, and the next command goes through',
    async (code, _, problem) => {
      const transport = await opened();
      vi.stubEnv('SPTBS_SUBMIT', code);
      await expectProblem(transport.send(getRandom, longMs), problem);
      vi.stubEnv('SPTBS_SUBMIT', undefined);
      expect(await transport.send(getRandom, longMs)).toHaveLength(20);
    },
  );

  it('is absent where there is no library, or another one', async () => {
    await expectProblem(openTbs(join(folder, 'none.so')), 'absent');
    await writeFile(join(folder, 'text.so'), 'no library');
    await expectProblem(openTbs(join(folder, 'text.so')), 'absent');
    await expectProblem(openTbs('libc.so.6'), 'absent');
    // Without a path it is Windows' own, of which there is none here.
    await expectProblem(openTbs(), 'absent');
  });

  it('is busy where a context takes too long', async () => {
    vi.stubEnv('SPTBS_DELAY', '1000');
    const begun = performance.now();
    await expectProblem(openTbs(library, shortMs), 'busy');
    expect(performance.now() - begun).toBeLessThan(900);
    // The thread closes what it got too late.
    await expect.poll(calls, { timeout: longMs }).toContain('close');
  });

  it.each<[string, string, string?]>([
    ['empty', ''],
    ['shorter than a header', toHex(message(0)).slice(0, 18)],
    ['shorter than it says', toHex(message(0, new Uint8Array(4), 20))],
    ['longer than it says', `${toHex(message(0))}00`],
    ['noise', 'ff'.repeat(40)],
    ['said to be longer than there was room', toHex(message(0)), '5000'],
  ])('is lost where a response is %s', async (_, response, length) => {
    const transport = await opened();
    vi.stubEnv('SPTBS_RESPONSE', response);
    vi.stubEnv('SPTBS_LENGTH', length);
    await expectProblem(transport.send(getRandom, longMs), 'lost');
  });

  it('is lost where the TPM goes', async () => {
    const other = await startTcpSwtpm();
    vi.stubEnv('SPTBS_PORT', String(other.port));
    const transport = await opened();
    expect(await transport.send(getRandom, longMs)).toHaveLength(20);
    await other.stop();
    await expectProblem(transport.send(getRandom, longMs), 'lost');
  });

  it('is given up in time, and closes its context when the call is over', async () => {
    const transport = await opened();
    vi.stubEnv('SPTBS_DELAY', '1500');
    const begun = performance.now();
    await expectProblem(transport.send(getRandom, shortMs), 'timeout');
    await transport.close();
    await expectProblem(transport.send(getRandom, longMs), 'timeout');
    expect(performance.now() - begun).toBeLessThan(1_400);
    expect(await calls()).not.toContain('close');
    await expect.poll(calls, { timeout: longMs }).toContain('close');
  });

  it('may be closed in the middle of a command', async () => {
    const transport = await opened();
    vi.stubEnv('SPTBS_DELAY', '500');
    const sending = expectProblem(transport.send(getRandom, longMs), 'lost');
    await delay(50);
    await transport.close();
    await sending;
  });

  it('keeps no program alive, and says nothing of experiments', async () => {
    const open = `const transport = await transports.openTbs(${JSON.stringify(library)});`;
    const idle = await runProgram(
      'tbs.ts',
      `${open} console.log((await transport.send(getRandom, 10_000)).length);`,
    );
    expect(idle).toMatchObject({ code: 0, stdout: '20\n', stderr: '' });
    const waiting = await runProgram(
      'tbs.ts',
      `${open} transport.send(getRandom, 10_000).then(() => console.log('answered'));`,
    );
    expect(waiting).toMatchObject({ code: 0, stdout: 'answered\n', stderr: '' });
    const unused = await runProgram('tbs.ts', open);
    expect(unused).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const closing = await runProgram('tbs.ts', `${open} await transport.close(); console.log('closed');`);
    expect(closing).toMatchObject({ code: 0, stdout: 'closed\n', stderr: '' });
    const absent = await runProgram(
      'tbs.ts',
      `await transports.openTbs('/none.so').catch((e) => console.log(e.message));`,
    );
    expect(absent).toMatchObject({ code: 0, stdout: `${name}: absent\n`, stderr: '' });
  });

  it('lets a program end after a time-out as soon as the call is over', async () => {
    const program = await runProgram(
      'tbs.ts',
      `const transport = await transports.openTbs(${JSON.stringify(library)});
       process.env.SPTBS_DELAY = '2000';
       await transport.send(getRandom, 100).catch((error) => console.log(error.problem));
       await transport.close();
       process.exitCode = 3;`,
    );
    expect(program).toMatchObject({ code: 3, stdout: 'timeout\n', stderr: '' });
    expect(program.milliseconds).toBeLessThan(longMs);
  });
});
