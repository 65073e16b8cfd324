/** The socket transport with a real swtpm: TCP and Unix socket, two clients, and a TPM that is gone in the middle. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSocket } from '../../core/src/adapters/chip-tpm2/transport/socket.ts';
import { toldLength } from '../../core/src/adapters/chip-tpm2/transport/lifetime.ts';
import { hasSwtpm, Swtpm } from '../testkit/swtpm.ts';
import { startTcpSwtpm, type TcpSwtpm } from '../testkit/swtpm-tcp.ts';
import { expectProblem, getRandom, message } from '../testkit/transports.ts';

const longMs = 10_000;
const shortMs = 500;

/** Tag, size and code 0, the size of what follows, 8 bytes. */
function expectRandom(response: Uint8Array): void {
  expect(response).toHaveLength(20);
  expect(response.subarray(0, 12)).toEqual(message(0, Uint8Array.of(0, 8), 20));
}

describe.skipIf(!hasSwtpm())('swtpm', () => {
  let tcp: TcpSwtpm;
  let unix: Swtpm;

  beforeAll(async () => {
    [tcp, unix] = await Promise.all([startTcpSwtpm(), Swtpm.start()]);
  });
  afterAll(async () => {
    await Promise.all([tcp.stop(), unix.stop()]);
  });

  const ways = ['TCP', 'a Unix socket'] as const;
  const addressOf = (way: (typeof ways)[number]) =>
    way === 'TCP' ? { host: '127.0.0.1', port: tcp.port } : { path: unix.socket };

  it.each(ways)('answers over %s, also what it refuses', async (way) => {
    const transport = await openSocket(addressOf(way));
    for (let n = 0; n < 20; n++) expectRandom(await transport.send(getRandom, longMs));
    // TPM_RC_COMMAND_CODE: still a response.
    const refusal = await transport.send(message(0x1ff), longMs);
    expect(refusal).toEqual(message(0x143));
    expect(toldLength(refusal)).toBe(10);
    await transport.close();
  });

  it.each(ways)(
    'has one client at a time over %s: a second one is told so, and comes in afterwards',
    async (way) => {
      const first = await openSocket(addressOf(way));
      expectRandom(await first.send(getRandom, longMs));

      const second = await openSocket(addressOf(way), shortMs);
      const begun = performance.now();
      await expectProblem(second.send(getRandom, longMs), 'busy');
      expect(performance.now() - begun).toBeLessThan(longMs / 2);
      expectRandom(await first.send(getRandom, longMs));

      const third = await openSocket(addressOf(way));
      const waiting = third.send(getRandom, longMs);
      await first.close();
      expectRandom(await waiting);
      await third.close();
    },
  );

  it('is lost where it ends within a command, and absent afterwards', async () => {
    const mortal = await startTcpSwtpm();
    const address = { host: '127.0.0.1', port: mortal.port };
    const transport = await openSocket(address);
    expectRandom(await transport.send(getRandom, longMs));
    mortal.pause();
    const sending = expectProblem(transport.send(getRandom, longMs), 'lost');
    await mortal.stop();
    await sending;
    await expectProblem(transport.send(getRandom, longMs), 'lost');
    await expectProblem(openSocket(address), 'absent');
  });

  it('is lost where it ends between two commands, and found again when it is back', async () => {
    const mortal = await Swtpm.start();
    const transport = await mortal.open();
    expectRandom(await transport.send(getRandom, longMs));
    await mortal.powerCycle();
    await expectProblem(transport.send(getRandom, longMs), 'lost');
    const again = await mortal.open();
    expectRandom(await again.send(getRandom, longMs));
    await again.close();
    await mortal.stop();
    await expectProblem(mortal.open(), 'absent');
  });

  it('that stands still is given up in time', async () => {
    const still = await startTcpSwtpm();
    const transport = await openSocket({ host: '127.0.0.1', port: still.port });
    expectRandom(await transport.send(getRandom, longMs));
    still.pause();
    await expectProblem(transport.send(getRandom, shortMs), 'timeout');
    await still.stop();
  });
});
