/** Which way leads to the TPM: by system outside of rehearsals, by SPMIGRATION_TPM within. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findTransport } from '../../../../core/src/adapters/chip-tpm2/transport/find-transport.ts';
import { TransportError } from '../../../../core/src/adapters/chip-tpm2/transport/transport.ts';
import { makeTemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { expectProblem, message, serve } from '../../../testkit/transports.ts';

const systems = ['linux', 'win32', 'darwin'] as const;

/** Where opening led, from the name in its error: nothing is there. */
async function whereTo(open: ReturnType<typeof findTransport>): Promise<string> {
  try {
    const transport = await open?.();
    await transport?.close();
    return transport === undefined ? 'nowhere' : `opened ${transport.name}`;
  } catch (error) {
    if (error instanceof TransportError) return error.where;
    throw error;
  }
}

describe('outside of rehearsals', () => {
  it('leads to the resource manager on Linux and to TBS on Windows, and elsewhere nowhere', async () => {
    const find = (system: NodeJS.Platform) => findTransport({ system, rehearsal: false, tpm: undefined });
    expect(await whereTo(find('linux'))).toMatch(/^(opened )?\/dev\/tpmrm0$/);
    expect(await whereTo(find('win32'))).toMatch(/^(opened )?TPM Base Services$/);
    expect(find('darwin')).toBeUndefined();
    expect(find('freebsd')).toBeUndefined();
  });

  it('takes no notice of SPMIGRATION_TPM, whatever it says', async () => {
    let asked = false;
    const { port } = await serve(() => (asked = true), { host: '127.0.0.1' });
    for (const tpm of [`127.0.0.1:${port}`, 'nonsense']) {
      const open = findTransport({ system: 'linux', rehearsal: false, tpm });
      expect(await whereTo(open)).toMatch(/\/dev\/tpmrm0$/);
    }
    expect(asked).toBe(false);
  });
});

describe('in a rehearsal', () => {
  it.each(systems)('without SPMIGRATION_TPM there is no TPM: %s', (system) => {
    expect(findTransport({ system, rehearsal: true, tpm: undefined })).toBeUndefined();
    expect(findTransport({ system, rehearsal: true, tpm: '' })).toBeUndefined();
  });

  it.each([
    ['127.0.0.1:1', 'swtpm at 127.0.0.1:1'],
    ['[::1]:1', 'swtpm at [::1]:1'],
    ['localhost:1', 'swtpm at localhost:1'],
    ['unix:/none/swtpm', 'swtpm at /none/swtpm'],
    ['unix:/a b:c/swtpm', 'swtpm at /a b:c/swtpm'],
    ['tbs:/none/tbs.so', 'TPM Base Services'],
  ])('%s leads to %s', async (tpm, where) => {
    expect(await whereTo(findTransport({ system: 'linux', rehearsal: true, tpm }))).toBe(where);
  });

  it('reaches what listens there', async () => {
    const path = join(await makeTemporaryFolder(), 'swtpm');
    await serve((socket) => socket.write(message(0)), { path });
    const open = findTransport({ system: 'linux', rehearsal: true, tpm: `unix:${path}` });
    const transport = await open!();
    expect(await transport.send(message(0x17b), 1_000)).toEqual(message(0));
    await transport.close();
    await expectProblem(transport.send(message(0x17b), 1_000), 'lost');
  });

  it('takes the system for its library on Windows, and elsewhere only a path, for tests', () => {
    const windows = (tpm: string) => () => findTransport({ system: 'win32', rehearsal: true, tpm });
    expect(windows('tbs')()).toBeTypeOf('function');
    // Which library is loaded there no environment variable decides.
    for (const named of ['tbs:tbs.dll', String.raw`tbs:C:\test\tbs.dll`, 'tbs:/test/tbs.dll', 'tbs:']) {
      expect(windows(named)).toThrow(expect.objectContaining({ code: 'ParameterInvalid' }));
    }
    const linux = (tpm: string) => () => findTransport({ system: 'linux', rehearsal: true, tpm });
    for (const named of ['tbs', String.raw`tbs:C:\test\tbs.dll`]) {
      expect(linux(named)).toThrow(expect.objectContaining({ code: 'ParameterInvalid' }));
    }
  });

  it.each([
    ...[
      '2321',
      '127.0.0.1',
      '127.0.0.1:',
      '127.0.0.1:0',
      '127.0.0.1:02321',
      '127.0.0.1:65536',
      '127.0.0.1:2321 ',
    ],
    ...[
      '127.0.0.2:2321',
      '10.0.0.1:2321',
      'example.com:2321',
      'localhost.example.com:2321',
      '::1:2321',
      '[::]:2321',
    ],
    ...[
      'unix:',
      'unix:swtpm',
      'unix:./swtpm',
      'unix:/a\0b',
      'UNIX:/swtpm',
      '/dev/tpm0',
      '/dev/tpmrm0',
      'device:/dev/tpm0',
    ],
    ...['tbs:', 'tbs:tbs.so', 'tbs:../tbs.so', 'swtpm:host=127.0.0.1,port=2321', ' unix:/swtpm', 'none'],
  ])('%j is refused, and what is allowed is said', (tpm) => {
    for (const system of systems) {
      expect(() => findTransport({ system, rehearsal: true, tpm })).toThrow(
        expect.objectContaining({
          code: 'ParameterInvalid',
          message: expect.stringMatching(
            /SPMIGRATION_TPM.*127\.0\.0\.1:2321.*\[::1\]:2321.*localhost:2321.*unix:\/.*tbs/,
          ) as unknown,
        }),
      );
    }
  });
});
