/**
 * swtpm over TCP or a Unix socket: raw TPM commands in, raw responses out, each told apart by the length in its header
 * (swtpm(8), `--server`). One client at a time: a second one is connected and then not answered, which is the only sign
 * that somebody else has this TPM. Leaves out swtpm's control channel.
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { joined } from '../../../bytes/bytes.ts';
import { createTransport, isResponseLength, toldLength, type Line, type Patience } from './lifetime.ts';
import { TransportError, type Transport, type TransportProblem } from './transport.ts';

/** Where swtpm listens. */
export type SocketAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** How long connecting may take, and the first answer after it. swtpm gives both at once when it is free. */
const firstAnswerMs = 10_000;

/** What connecting fails with where nothing listens, or nothing ever could. */
const nobodyListens: readonly string[] = [
  ...['ECONNREFUSED', 'ENOENT', 'ENOTDIR', 'ENOTSOCK', 'EINVAL', 'ENAMETOOLONG'],
  ...['ENOTFOUND', 'EADDRNOTAVAIL', 'ENETUNREACH', 'EHOSTUNREACH'],
];

/** Between tries where a Unix socket's queue of waiting clients is full. */
const queuePauseMs = 10;

/** Connects to swtpm. `TransportError` with `absent`, `denied`, `busy` or `lost`. `patienceMs` is for tests. */
export async function openSocket(address: SocketAddress, patienceMs = firstAnswerMs): Promise<Transport> {
  const name = `swtpm at ${nameOf(address)}`;
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      const socket = await connected(address, name, Math.max(1, end - performance.now()));
      return createTransport(new SocketLine(socket, name, patienceMs));
    } catch (error) {
      // Where clients come and go quickly, swtpm may not have seen the last ones go.
      if (!isQueueFull(error) || performance.now() + queuePauseMs >= end) throw error;
      await delay(queuePauseMs);
    }
  }
}

async function connected(address: SocketAddress, name: string, timeoutMs: number): Promise<Socket> {
  const socket = connect({ ...address } as NetConnectOpts);
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    reject(new TransportError('busy', name, 'not connected in time'));
  }, timeoutMs);
  socket.once('connect', () => {
    resolve(undefined);
  });
  // Stays: a socket whose error nobody hears ends the process.
  socket.on('error', reject);
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error instanceof TransportError ? error : new TransportError(connectProblem(error), name, error);
  } finally {
    clearTimeout(timer);
  }
}

function nameOf(address: SocketAddress): string {
  if ('path' in address) return address.path;
  const { host, port } = address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function isQueueFull(error: unknown): boolean {
  return error instanceof TransportError && codeOf(error.cause) === 'EAGAIN';
}

function connectProblem(error: unknown): TransportProblem {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') return 'denied';
  // A Unix socket whose queue of waiting clients is full; for TCP that is a connection that does not come about.
  if (code === 'EAGAIN' || code === 'ETIMEDOUT') return 'busy';
  return typeof code === 'string' && nobodyListens.includes(code) ? 'absent' : 'lost';
}

class SocketLine implements Line {
  readonly name: string;
  readonly exclusive = true;
  readonly #socket: Socket;
  readonly #firstAnswerMs: number;
  #answered = false;
  #received: Uint8Array = new Uint8Array();
  #waiting: PromiseWithResolvers<Uint8Array> | undefined;
  /** Why nothing will come any more. */
  #gone: TransportError | undefined;

  constructor(socket: Socket, name: string, patienceMs: number) {
    this.name = name;
    this.#socket = socket;
    this.#firstAnswerMs = patienceMs;
    socket.setNoDelay(true);
    socket.unref();
    socket.on('data', (bytes) => {
      // Text comes only from a socket for which an encoding was set.
      if (typeof bytes !== 'string') this.#receive(bytes);
    });
    socket.on('error', (error) => {
      this.#fail(error);
    });
    socket.on('close', () => {
      this.#fail('the connection was closed');
    });
  }

  async exchange(command: Uint8Array): Promise<Uint8Array> {
    if (this.#gone !== undefined) throw this.#gone;
    this.#waiting = Promise.withResolvers<Uint8Array>();
    this.#socket.write(command);
    return this.#waiting.promise;
  }

  patience(timeoutMs: number): Patience {
    if (this.#answered) return { milliseconds: timeoutMs, problem: 'timeout' };
    return { milliseconds: Math.min(timeoutMs, this.#firstAnswerMs), problem: 'busy' };
  }

  release(): Promise<void> {
    this.#socket.destroy();
    return Promise.resolve();
  }

  #receive(bytes: Uint8Array): void {
    this.#received = joined([this.#received, bytes]);
    if (this.#waiting === undefined) {
      this.#fail('bytes came without a command');
      return;
    }
    const length = toldLength(this.#received);
    if (length === undefined) return;
    if (!isResponseLength(length) || this.#received.length > length) {
      this.#fail(`${this.#received.length} bytes that are no response`);
    } else if (this.#received.length === length) {
      this.#answered = true;
      this.#waiting.resolve(this.#received);
      this.#waiting = undefined;
      this.#received = new Uint8Array();
    }
  }

  #fail(cause: unknown): void {
    this.#gone ??= new TransportError('lost', this.name, cause);
    this.#socket.destroy();
    this.#waiting?.reject(this.#gone);
    this.#waiting = undefined;
  }
}
