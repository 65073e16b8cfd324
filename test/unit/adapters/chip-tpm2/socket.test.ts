/** The transport to swtpm, against servers that misbehave. A real swtpm: test/interop/tpm-transports.test.ts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { concat } from '../../../../core/src/bytes/bytes.ts';
import { openSocket } from '../../../../core/src/adapters/chip-tpm2/transport/socket.ts';
import {
  maximumMessageBytes,
  type Transport,
} from '../../../../core/src/adapters/chip-tpm2/transport/transport.ts';
import { makeTemporaryFolder } from '../../../testkit/temporary-folder.ts';
import {
  expectProblem,
  getRandom,
  message,
  runProgram,
  serve,
  type Answering,
} from '../../../testkit/transports.ts';

const host = '127.0.0.1';
const response = message(0, Uint8Array.of(0, 4, 1, 2, 3, 4));
/** Long enough for any answer that is given, short enough to wait for. */
const shortMs = 300;
const longMs = 10_000;
/** Containers often have no IPv6. */
const hasIPv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);
const loopbacks = ['127.0.0.1', 'localhost', ...(hasIPv6 ? ['::1'] : [])];

const answer =
  (...chunks: readonly Uint8Array[]): Answering =>
  (socket) => {
    for (const chunk of chunks) socket.write(chunk);
  };
/** A good first answer, and then this. */
const then =
  (rest: (socket: Socket) => void): Answering =>
  (socket, n) => {
    if (n === 0) socket.write(response);
    else rest(socket);
  };

async function connected(answering: Answering, patienceMs = longMs) {
  const server = await serve(answering, { host });
  const transport = await openSocket({ host, port: server.port }, patienceMs);
  onTestFinished(() => transport.close());
  return { server, transport };
}

async function expectDead(transport: Transport, problem: Parameters<typeof expectProblem>[1]): Promise<void> {
  const begun = performance.now();
  await expectProblem(transport.send(getRandom, longMs), problem);
  expect(performance.now() - begun).toBeLessThan(longMs / 2);
}

describe('commands and responses', () => {
  it.each(loopbacks)('go over TCP, %s', async (name) => {
    const { port } = await serve(answer(response), { host: name });
    const transport = await openSocket({ host: name, port });
    expect(transport).toMatchObject({
      name: `swtpm at ${name === '::1' ? '[::1]' : name}:${port}`,
      exclusive: true,
    });
    expect(await transport.send(getRandom, longMs)).toEqual(response);
    expect(await transport.send(getRandom, longMs)).toEqual(response);
    await transport.close();
  });

  it('go over a Unix socket', async () => {
    const path = join(await makeTemporaryFolder(), 'swtpm');
    await serve(answer(response), { path });
    const transport = await openSocket({ path });
    expect(transport.name).toBe(`swtpm at ${path}`);
    expect(await transport.send(getRandom, longMs)).toEqual(response);
    await transport.close();
  });

  it('are whole, in whatever pieces they come', async () => {
    const { transport } = await connected((socket) => {
      void (async () => {
        for (const byte of response) {
          socket.write(Uint8Array.of(byte));
          await delay(1);
        }
      })();
    });
    expect(await transport.send(getRandom, longMs)).toEqual(response);
    expect(await transport.send(getRandom, longMs)).toEqual(response);
  });

  it('are as long as a TPM allows', async () => {
    const longest = message(0, new Uint8Array(maximumMessageBytes - 10));
    const { transport } = await connected(answer(longest));
    expect(await transport.send(getRandom, longMs)).toEqual(longest);
  });

  it('are one at a time: two at once are a fault of the program', async () => {
    const { transport } = await connected(answer(response));
    const first = transport.send(getRandom, longMs);
    await expect(transport.send(getRandom, longMs)).rejects.toBeInstanceOf(RangeError);
    expect(await first).toEqual(response);
  });
});

describe('absent', () => {
  it('where nothing listens', async () => {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    await expectProblem(openSocket({ host, port }), 'absent');
    const folder = await makeTemporaryFolder();
    await expectProblem(openSocket({ path: join(folder, 'none') }), 'absent');
    await writeFile(join(folder, 'file'), '');
    await expectProblem(openSocket({ path: join(folder, 'file') }), 'absent');
    await expectProblem(openSocket({ path: `/${'long/'.repeat(60)}` }), 'absent');
  });
});

describe('denied', () => {
  it('where this account may not use the socket', async () => {
    const path = join(await makeTemporaryFolder(), 'swtpm');
    await serve(answer(response), { path });
    await chmod(path, 0o000);
    // Permissions do not bind root, so root becomes nobody for it.
    const wasRoot = process.geteuid?.() === 0;
    if (wasRoot) {
      await chmod(join(path, '..'), 0o755);
      process.seteuid?.('nobody');
    }
    try {
      const error = await expectProblem(openSocket({ path }), 'denied');
      expect(error).toMatchObject({ where: `swtpm at ${path}`, cause: { code: 'EACCES' } });
    } finally {
      if (wasRoot) process.seteuid?.(0);
    }
  });
});

describe('busy', () => {
  it('where the first command gets no answer: another client has the TPM', async () => {
    const { server, transport } = await connected(() => undefined, shortMs);
    await expectProblem(transport.send(getRandom, longMs), 'busy');
    await expectDead(transport, 'busy');
    await expect.poll(() => server.clients.size).toBe(0);
  });

  it('also where less time was given than a first answer may take', async () => {
    const { transport } = await connected(() => undefined);
    await expectProblem(transport.send(getRandom, shortMs), 'busy');
  });

  it.each(['unix', 'tcp'])(
    'where the queue of waiting clients is full: %s',
    { timeout: 20_000 },
    async (kind) => {
      const path = join(await makeTemporaryFolder(), 'swtpm');
      const listen =
        kind === 'unix' ? JSON.stringify({ path, backlog: 1 }) : `{ host: '${host}', port: 0, backlog: 1 }`;
      const source = `const s = require('net').createServer().listen(${listen}, () => console.log(s.address().port ?? 0))`;
      const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
      onTestFinished(() => {
        child.kill('SIGKILL');
      });
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const address = kind === 'unix' ? { path } : { host, port: Number(line.toString()) };
      child.kill('SIGSTOP');
      const opened: Transport[] = [];
      onTestFinished(() => Promise.all(opened.map((transport) => transport.close())).then(() => undefined));
      const fill = async (): Promise<void> => {
        for (let n = 0; n < 10; n++) opened.push(await openSocket(address, shortMs));
      };
      await expectProblem(fill(), 'busy');
      expect(opened.length).toBeGreaterThan(0);
      // It was full for a moment only: who has the patience gets in.
      const patient = openSocket(address, longMs);
      await delay(shortMs);
      child.kill('SIGCONT');
      opened.push(await patient);
    },
  );
});

describe('timeout', () => {
  it('after an answer: the connection is ended', async () => {
    const { server, transport } = await connected(then(() => undefined));
    await transport.send(getRandom, longMs);
    await expectProblem(transport.send(getRandom, shortMs), 'timeout');
    await expectDead(transport, 'timeout');
    await expect.poll(() => server.clients.size).toBe(0);
  });

  it('also in the middle of a response', async () => {
    const { transport } = await connected(then((socket) => socket.write(response.subarray(0, 12))));
    await transport.send(getRandom, longMs);
    await expectProblem(transport.send(getRandom, shortMs), 'timeout');
  });
});

describe('lost', () => {
  it.each<[string, Answering]>([
    ['closed before the answer', (socket) => socket.end()],
    ['closed within the answer', (socket) => socket.end(response.subarray(0, 12))],
    ['reset', (socket) => socket.resetAndDestroy()],
    ['shorter than a header', answer(message(0, new Uint8Array(), 9))],
    ['longer than a TPM allows', answer(message(0, new Uint8Array(), maximumMessageBytes + 1))],
    ['a response and a rest', answer(concat(response, Uint8Array.of(0)))],
    ['another server', answer(new TextEncoder().encode('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['noise without an end', answer(new Uint8Array(100_000).fill(0xff))],
  ])('%s', async (_, answering) => {
    const { transport } = await connected(answering);
    await expectProblem(transport.send(getRandom, longMs), 'lost');
    await expectDead(transport, 'lost');
  });

  it('a rest that comes after the response', async () => {
    const { server, transport } = await connected(answer(response));
    await transport.send(getRandom, longMs);
    for (const client of server.clients) client.write('!');
    await expect.poll(() => server.clients.size).toBe(0);
    await expectDead(transport, 'lost');
  });

  it('closed between two commands', async () => {
    const { server, transport } = await connected(answer(response));
    await transport.send(getRandom, longMs);
    for (const client of server.clients) client.end();
    await expect.poll(() => server.clients.size).toBe(0);
    await expectDead(transport, 'lost');
  });
});

describe('close', () => {
  it('ends a command that is under way, and may come twice', async () => {
    const { server, transport } = await connected(then(() => undefined));
    await transport.send(getRandom, longMs);
    const sending = expectProblem(transport.send(getRandom, longMs), 'lost');
    await transport.close();
    await sending;
    await transport.close();
    await expectDead(transport, 'lost');
    await expect.poll(() => server.clients.size).toBe(0);
  });
});

describe('a program', () => {
  it('ends although its transport is open, and not before an answer is there', async () => {
    const { port } = await serve(
      (socket) => {
        setTimeout(() => socket.write(response), shortMs);
      },
      { host },
    );
    const program = await runProgram(
      'socket.ts',
      `const transport = await transports.openSocket({ host: '${host}', port: ${port} });
       transport.send(getRandom, 10_000).then((bytes) => console.log(bytes.length));`,
    );
    expect(program).toMatchObject({ code: 0, stdout: `${response.length}\n`, stderr: '' });
    const idle = await runProgram(
      'socket.ts',
      `await transports.openSocket({ host: '${host}', port: ${port} });`,
    );
    expect(idle).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});
