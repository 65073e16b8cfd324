/** A swtpm that listens on TCP, for the transports. Whoever wants a chip takes `swtpm.ts`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface TcpSwtpm {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Stops it in its tracks: connections stay, and nothing is answered. */
  pause(): void;
  /** Ends it and removes its state; may be called again. */
  stop(): Promise<void>;
}

/** Starts a new, empty TPM and waits until it listens. */
export async function startTcpSwtpm(): Promise<TcpSwtpm> {
  const folder = mkdtempSync(join(tmpdir(), 'spmigration-swtpm-'));
  const port = await freePort();
  const swtpm = spawn(
    'swtpm',
    [
      ...['socket', '--tpm2', '--tpmstate', `dir=${folder}`, '--flags', 'not-need-init,startup-clear'],
      ...['--server', `type=tcp,bindaddr=127.0.0.1,port=${port}`],
      // Without a control channel it would end with its first connection.
      ...['--ctrl', `type=unixio,path=${join(folder, 'control')}`],
    ],
    { stdio: 'ignore' },
  );
  const exited = once(swtpm, 'exit');
  const stop = async (): Promise<void> => {
    swtpm.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const pause = (): void => {
    swtpm.kill('SIGSTOP');
  };
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await listens(port)) return { port, pause, stop };
    if (swtpm.exitCode !== null) break;
    await delay(20);
  }
  await stop();
  throw new Error('swtpm did not start');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
