/**
 * What tests of the transports to a TPM share: messages that look like a TPM's, a server that answers as a test says, and
 * programs of their own that use a transport and should end. No TPM is needed for any of it.
 */
import { spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { ByteWriter } from '../../core/src/bytes/reader.ts';
import {
  TransportError,
  type TransportProblem,
} from '../../core/src/adapters/chip-tpm2/transport/transport.ts';
import { ROOT } from '../../scripts/build/platform.ts';

/** TPM2_GetRandom of 8 bytes. */
export const getRandom = message(0x17b, Uint8Array.of(0, 8));

/** Tag TPM_ST_NO_SESSIONS, size, code, body: a command, or a response with that code. */
export function message(
  code: number,
  body: Uint8Array = new Uint8Array(),
  size = 10 + body.length,
): Uint8Array {
  return new ByteWriter().u16(0x8001).u32(size).u32(code).raw(body).done();
}

/** Waits for `work` to fail with a `TransportError`, checks its problem, and answers it. */
export async function expectProblem(
  work: Promise<unknown>,
  problem: TransportProblem,
): Promise<TransportError> {
  const error: unknown = await work.then(
    () => 'no error',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TransportError);
  expect(error).toMatchObject({ name: 'TransportError', problem });
  return error as TransportError;
}

/** What a server does with the n-th chunk that a client sends, counted from 0. */
export type Answering = (socket: Socket, n: number) => void;

export interface TestServer {
  readonly port: number;
  /** Connections that are open now. */
  readonly clients: ReadonlySet<Socket>;
}

/** A server on a free port of `host`, or on a Unix socket; ended with the test. */
export async function serve(answer: Answering, where: { readonly path: string } | { readonly host: string }) {
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    let n = 0;
    clients.add(socket);
    socket.on('data', () => {
      answer(socket, n++);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => clients.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen('path' in where ? where.path : { host: where.host, port: 0 }, resolve);
  });
  onTestFinished(() => stop(server, clients));
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, clients };
}

function stop(server: Server, clients: ReadonlySet<Socket>): Promise<void> {
  for (const client of clients) client.destroy();
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

/**
 * Runs a program in a Node of its own until it ends by itself; killed after 20 s (code null). `body` has `transports`, the
 * module of that name under chip-tpm2/transport, and `getRandom`.
 */
export function runProgram(module: string, body: string): Promise<Ended> {
  const url = pathToFileURL(join(ROOT, 'core/src/adapters/chip-tpm2/transport', module)).href;
  const command = `Uint8Array.from(${JSON.stringify([...getRandom])})`;
  const source = `const transports = await import(${JSON.stringify(url)}); const getRandom = ${command}; ${body}`;
  return ended(process.execPath, ['--input-type=module', '--eval', source]);
}

/** Runs any program to its end. */
export function ended(program: string, parameters: readonly string[]): Promise<Ended> {
  const begun = performance.now();
  const child = spawn(program, parameters, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, stdout, stderr, milliseconds: performance.now() - begun });
    });
  });
}
