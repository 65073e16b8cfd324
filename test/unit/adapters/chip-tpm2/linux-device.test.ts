/**
 * The transport to a Linux device. There is no TPM here: what a device is to the system (opening, waiting, vanishing) is
 * tried with pseudo-terminals and the system's own devices, and the ways of the TPM driver with a double that has them.
 */
import { constants } from 'node:fs';
import { chmod, mkdir, writeFile, type FileHandle, type open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { concat } from '../../../../core/src/bytes/bytes.ts';
import { openLinuxDevice } from '../../../../core/src/adapters/chip-tpm2/transport/linux-device.ts';
import { maximumMessageBytes } from '../../../../core/src/adapters/chip-tpm2/transport/transport.ts';
import type { TransportProblem } from '../../../../core/src/adapters/chip-tpm2/transport/transport.ts';
import { makePseudoTerminal } from '../../../testkit/pseudo-terminal.ts';
import { makeTemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { expectProblem, getRandom, message, runProgram } from '../../../testkit/transports.ts';

const linux = process.platform === 'linux';
const response = message(0, Uint8Array.of(0, 4, 1, 2, 3, 4));
const shortMs = 300;
const longMs = 10_000;

describe.skipIf(!linux)('a device', () => {
  it('gets a command in one write and gives its response in one read', async () => {
    const commands: Uint8Array[] = [];
    const { path } = await makePseudoTerminal((command, reply) => {
      commands.push(command);
      reply(response);
    });
    const transport = await openLinuxDevice(path);
    expect(transport).toMatchObject({ name: path, exclusive: false });
    expect(await transport.send(getRandom, longMs)).toEqual(response);
    expect(await transport.send(getRandom, longMs)).toEqual(response);
    expect(commands).toEqual([getRandom, getRandom]);
    await transport.close();
    await expectProblem(transport.send(getRandom, longMs), 'lost');
  });

  it('may take its time', async () => {
    const { path } = await makePseudoTerminal((_, reply) => {
      setTimeout(() => {
        reply(response);
      }, shortMs);
    });
    const transport = await openLinuxDevice(path);
    expect(await transport.send(getRandom, longMs)).toEqual(response);
    await transport.close();
  });

  it.each<[string, Uint8Array]>([
    ['shorter than a header', response.subarray(0, 9)],
    ['shorter than it says', response.subarray(0, 12)],
    ['longer than it says', concat(response, Uint8Array.of(0))],
    ['no response at all', new TextEncoder().encode('login: ')],
  ])('is lost where a response is %s', async (_, bytes) => {
    const { path } = await makePseudoTerminal((_command, reply) => {
      reply(bytes);
    });
    const transport = await openLinuxDevice(path);
    await expectProblem(transport.send(getRandom, longMs), 'lost');
    await expectProblem(transport.send(getRandom, longMs), 'lost');
    await transport.close();
  });

  it('is lost where it vanishes, within a command and between two', async () => {
    const within = await makePseudoTerminal(() => {
      within.vanish();
    });
    const transport = await openLinuxDevice(within.path);
    await expectProblem(transport.send(getRandom, longMs), 'lost');
    await transport.close();

    const between = await makePseudoTerminal((_, reply) => {
      reply(response);
    });
    const other = await openLinuxDevice(between.path);
    expect(await other.send(getRandom, longMs)).toEqual(response);
    between.vanish();
    await expectProblem(other.send(getRandom, longMs), 'lost');
    await other.close();
  });

  it('that is silent is given up in time, and closes at once, also in the middle of a command', async () => {
    const { path } = await makePseudoTerminal(() => undefined);
    const transport = await openLinuxDevice(path);
    await expectProblem(transport.send(getRandom, shortMs), 'timeout');
    await expectProblem(transport.send(getRandom, longMs), 'timeout');
    await transport.close();

    const other = await openLinuxDevice(path);
    const sending = expectProblem(other.send(getRandom, longMs), 'lost');
    await other.close();
    await sending;
  });

  it('that is silent keeps no program from its end', async () => {
    const { path } = await makePseudoTerminal(() => undefined);
    const program = await runProgram(
      'linux-device.ts',
      `const transport = await transports.openLinuxDevice(${JSON.stringify(path)});
       await transport.send(getRandom, ${shortMs}).catch((error) => console.log(error.message));
       await transport.close();`,
    );
    expect(program).toMatchObject({ code: 0, stdout: `${path}: timeout\n`, stderr: '' });
    expect(program.milliseconds).toBeLessThan(longMs);
  });

  it('is absent where there is none, or something else in its place', async () => {
    const folder = await makeTemporaryFolder();
    await expectProblem(openLinuxDevice(join(folder, 'none')), 'absent');
    await writeFile(join(folder, 'file'), '');
    await expectProblem(openLinuxDevice(join(folder, 'file')), 'absent');
    await mkdir(join(folder, 'folder'));
    await expectProblem(openLinuxDevice(join(folder, 'folder')), 'absent');
    // ENXIO, as of a device whose driver is gone.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve));
    onTestFinished(() => void server.close());
    const error = await expectProblem(openLinuxDevice(join(folder, 'socket')), 'absent');
    expect(error).toMatchObject({ where: join(folder, 'socket'), cause: { code: 'ENXIO' } });
  });

  it('is denied to an account that may not open it', async () => {
    const path = join(await makeTemporaryFolder(), 'tpm');
    await writeFile(path, '');
    await chmod(path, 0o000);
    // Permissions do not bind root, so root becomes nobody for it.
    const wasRoot = process.geteuid?.() === 0;
    if (wasRoot) {
      await chmod(join(path, '..'), 0o755);
      process.seteuid?.('nobody');
    }
    try {
      await expectProblem(openLinuxDevice(path), 'denied');
    } finally {
      if (wasRoot) process.seteuid?.(0);
    }
  });

  it.each<[string, TransportProblem]>([
    // Takes everything and has nothing to read; has nothing but zeros; takes nothing.
    ['/dev/null', 'lost'],
    ['/dev/zero', 'lost'],
    ['/dev/full', 'lost'],
  ])('that is no TPM is not taken for one: %s', async (path, problem) => {
    const transport = await openLinuxDevice(path);
    await expectProblem(transport.send(getRandom, longMs), problem);
    await transport.close();
  });
});

/** What the TPM driver answers, call by call: bytes, a number of bytes without content, or an error. */
type Call = Uint8Array | number | string;

/** A device that is opened, and then answers `write` and `read` as it is told. */
function scripted(write: Call, ...reads: Call[]) {
  const calls: string[] = [];
  const answer = (call: Call | undefined): number => {
    if (typeof call === 'string') throw systemError(call);
    return typeof call === 'number' ? call : (call?.length ?? 0);
  };
  const file = {
    stat: () => Promise.resolve({ isCharacterDevice: () => true }),
    write: async (bytes: Uint8Array) => {
      await Promise.resolve();
      calls.push(`write ${bytes.length}`);
      return { bytesWritten: answer(write) };
    },
    read: async (buffer: Uint8Array) => {
      await Promise.resolve();
      calls.push(`read ${buffer.length}`);
      const call = reads.shift();
      const bytesRead = answer(call);
      if (call instanceof Uint8Array) buffer.set(call);
      return { bytesRead };
    },
    close: () => {
      calls.push('close');
      return Promise.resolve();
    },
  };
  const openFile = ((path: string, flags: number) => {
    calls.push(`open ${path} ${flags}`);
    return Promise.resolve(file as unknown as FileHandle);
  }) as typeof open;
  return { calls, openFile };
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe('the TPM driver', () => {
  it('answers nothing until it has taken the command up', async () => {
    const { calls, openFile } = scripted(getRandom, 0, 0, 'EAGAIN', response);
    const transport = await openLinuxDevice(undefined, openFile);
    expect(transport.name).toBe('/dev/tpmrm0');
    expect(await transport.send(getRandom, longMs)).toEqual(response);
    const reads = Array.from({ length: 4 }, () => `read ${maximumMessageBytes}`);
    const flags = constants.O_RDWR | constants.O_NONBLOCK;
    expect(calls).toEqual([`open /dev/tpmrm0 ${flags}`, `write ${getRandom.length}`, ...reads]);
    await transport.close();
    await transport.close();
    expect(calls.filter((call) => call === 'close')).toHaveLength(1);
  });

  it.each<[string, TransportProblem]>([
    ['ENOENT', 'absent'],
    ['ENXIO', 'absent'],
    ['ENODEV', 'absent'],
    ['EACCES', 'denied'],
    ['EPERM', 'denied'],
    ['EBUSY', 'busy'],
    ['EIO', 'lost'],
    ['EMFILE', 'lost'],
  ])('refuses to be opened with %s: %s', async (code, problem) => {
    const openFile = (() => Promise.reject(systemError(code))) as unknown as typeof open;
    const error = await expectProblem(openLinuxDevice('/dev/tpmrm0', openFile), problem);
    expect(error).toMatchObject({ where: '/dev/tpmrm0', cause: { code } });
  });

  it.each<[string, TransportProblem]>([
    ['EPIPE', 'lost'],
    ['ENODEV', 'lost'],
    ['EIO', 'lost'],
    ['EBUSY', 'busy'],
    ['EPERM', 'denied'],
    ['ETIME', 'timeout'],
  ])('fails with %s within a command, in the write or in the read: %s', async (code, problem) => {
    for (const { calls, openFile } of [scripted(code), scripted(getRandom, 0, code)]) {
      const transport = await openLinuxDevice('/dev/tpmrm0', openFile);
      await expectProblem(transport.send(getRandom, longMs), problem);
      expect(calls).toContain('close');
      await expectProblem(transport.send(getRandom, longMs), problem);
    }
  });

  it('never gets a command in two halves', async () => {
    const { calls, openFile } = scripted(getRandom.length - 1, response);
    const transport = await openLinuxDevice('/dev/tpmrm0', openFile);
    await expectProblem(transport.send(getRandom, longMs), 'lost');
    expect(calls.filter((call) => call.startsWith('write') || call.startsWith('read'))).toHaveLength(1);
  });

  it('is asked for nothing more after the time is over', async () => {
    const { calls, openFile } = scripted(getRandom);
    const transport = await openLinuxDevice('/dev/tpmrm0', openFile);
    await expectProblem(transport.send(getRandom, 50), 'timeout');
    await transport.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const after = calls.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(calls).toHaveLength(after);
  });
});
