/**
 * Ways to a TPM on which something goes wrong: transports that cannot be opened, that another program or a wire-tapper has
 * changed, or that die. Everything that is not changed goes to the TPM behind them.
 */
import { ByteWriter } from '../../core/src/bytes/reader.ts';
import {
  TransportError,
  type OpenTransport,
  type Transport,
  type TransportProblem,
} from '../../core/src/adapters/chip-tpm2/transport/transport.ts';
import { CC, type CommandName } from '../../core/src/tpm2/constants.ts';
import type { Exchange } from './swtpm.ts';

const commandNames = new Map<number, CommandName>(
  Object.entries(CC).map(([name, code]) => [code, name as CommandName]),
);

/** What a command on the wire is. */
export function nameOfCommand(command: Uint8Array): CommandName {
  const code = new DataView(command.buffer, command.byteOffset).getUint32(6);
  const name = commandNames.get(code);
  if (name === undefined) throw new Error(`0x${code.toString(16)} is no command of this product`);
  return name;
}

/** A response that holds nothing but a response code. */
export function responseWith(responseCode: number): Uint8Array {
  return new ByteWriter().u16(0x8001).u32(10).u32(responseCode).done();
}

/** One command, which it may or may not send on, and what to answer. `number` counts from 1, over all openings. */
export type Interception = (sent: {
  readonly name: CommandName;
  readonly number: number;
  readonly command: Uint8Array;
  readonly send: () => Promise<Uint8Array>;
}) => Promise<Uint8Array> | Uint8Array;

/** The way to a TPM with somebody in between. */
export function intercepted(
  open: OpenTransport,
  interception: Interception,
  changes: Partial<Pick<Transport, 'exclusive' | 'name'>> = {},
): OpenTransport {
  let number = 0;
  return async () => {
    const transport = await open();
    return {
      name: transport.name,
      exclusive: transport.exclusive,
      ...changes,
      send: async (command, timeoutMs) => {
        number += 1;
        const send = (): Promise<Uint8Array> => transport.send(command, timeoutMs);
        return interception({ name: nameOfCommand(command), number, command, send });
      },
      close: () => transport.close(),
    };
  };
}

/** The way to a TPM on which the n-th command loses its last bit. */
export function changedCommand(open: OpenTransport, at: number): OpenTransport {
  let number = 0;
  return async () => {
    const transport = await open();
    return {
      name: transport.name,
      exclusive: transport.exclusive,
      send: (command, timeoutMs) => {
        number += 1;
        const last = (command.at(-1) ?? 0) ^ 1;
        return transport.send(number === at ? command.with(-1, last) : command, timeoutMs);
      },
      close: () => transport.close(),
    };
  };
}

/** A TPM that cannot be reached. */
export function unreachable(problem: TransportProblem, where: string): OpenTransport {
  return () => Promise.reject(new TransportError(problem, where));
}

/** A way that is cut with the n-th command, before it arrives or after it was done, and stays cut. */
export function dying(open: OpenTransport, at: number, arrives: boolean): OpenTransport {
  let sent = 0;
  return async () => {
    if (sent >= at) throw new TransportError('absent', 'the TPM that is gone');
    const transport = await open();
    const lost = (): TransportError => new TransportError('lost', transport.name);
    return {
      name: transport.name,
      exclusive: transport.exclusive,
      send: async (command, timeoutMs) => {
        if (sent >= at) throw lost();
        sent += 1;
        if (sent < at) return transport.send(command, timeoutMs);
        if (arrives) await transport.send(command, timeoutMs);
        throw lost();
      },
      close: () => transport.close(),
    };
  };
}

/** A resource manager that goes on with the TPM as it is after `reset`, which comes before the n-th command. */
export function resetBefore(open: OpenTransport, at: number, reset: () => Promise<void>): OpenTransport {
  let number = 0;
  return async () => {
    let transport = await open();
    return {
      name: transport.name,
      exclusive: transport.exclusive,
      send: async (command, timeoutMs) => {
        number += 1;
        if (number === at) {
          await transport.close();
          await reset();
          transport = await open();
        }
        return transport.send(command, timeoutMs);
      },
      close: () => transport.close(),
    };
  };
}

const handleGivers: readonly CommandName[] = ['StartAuthSession', 'Load', 'LoadExternal', 'CreatePrimary'];

/** What a TPM was asked to load and never to take out, as the bus shows it. */
export function leftOnBus(exchanges: readonly Exchange[]): readonly number[] {
  const loaded = new Set<number>();
  for (const { command, response } of exchanges) {
    const name = nameOfCommand(command);
    const [asked, answered] = [viewOf(command), viewOf(response)];
    if (answered.getUint32(6) !== 0) continue;
    if (handleGivers.includes(name)) loaded.add(answered.getUint32(10));
    else if (name === 'FlushContext') loaded.delete(asked.getUint32(10));
    // Ends the session that authorizes it, the first one: after two handles and the length of the authorizations.
    else if (name === 'Duplicate') loaded.delete(asked.getUint32(22));
  }
  return [...loaded];
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
