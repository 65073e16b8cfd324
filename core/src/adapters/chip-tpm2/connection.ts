/**
 * One opened TPM, for as long as something of this process is loaded in it: runs commands in order, sends those again
 * that the TPM was too busy for, knows everything that it has loaded, and takes it out at the end, whatever happened
 * (TPM 2.0 Part 1, clause 30: there are as few as three slots, and not every TPM has a resource manager before it).
 */
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { encodeCommand, type Authorization, type Command, type SentCommand } from '../../tpm2/command.ts';
import { TPM2_FlushContext, TPM2_GetCapability_handles } from '../../tpm2/commands/session.ts';
import { HANDLES, type CommandName } from '../../tpm2/constants.ts';
import { RC_SUCCESS, Tpm2Error } from '../../tpm2/response-code.ts';
import type { Random } from '../../ports/surroundings.ts';
import { toTransportFailure } from './to-error.ts';
import { headerBytes, TransportError, type Transport } from './transport/transport.ts';

/** How long a TPM may take: making an RSA key takes minutes on some, anything else is done in seconds. */
const timeoutMs = 60_000;
const keyGenerationTimeoutMs = 300_000;

/** Answers that ask for the same command again (Part 3, clause 5.5; NV_RATE: Part 1, clause 37.7.3). */
const tryAgain: readonly string[] = ['RETRY', 'TESTING', 'YIELDED', 'NV_RATE'];
const noMemory: readonly string[] = [
  'OBJECT_MEMORY',
  'SESSION_MEMORY',
  'SESSION_HANDLES',
  'OBJECT_HANDLES',
  'MEMORY',
];
/** 20 ms, doubling to 1 s: about 27 s in all. */
const mostTries = 32;
const firstDelayMs = 20;
const longestDelayMs = 1_000;

export interface ConnectionOptions {
  readonly transport: Transport;
  readonly random: Random;
  /** Waits that many milliseconds. */
  readonly delay: (ms: number) => Promise<unknown>;
}

export class Connection {
  readonly #transport: Transport;
  readonly #random: Random;
  readonly #delay: (ms: number) => Promise<unknown>;
  /** Transient objects and sessions that this connection has to take out. */
  readonly #loaded = new Set<number>();
  #queue: Promise<unknown> = Promise.resolve();
  #alive = true;

  constructor({ transport, random, delay }: ConnectionOptions) {
    this.#transport = transport;
    this.#random = random;
    this.#delay = delay;
  }

  /** Runs a command when those before it are done. `Tpm2Error`, `MalformedResponse`; transports fail in catalogue codes. */
  run<Response>(command: Command<Response>, ...authorizations: Authorization[]): Promise<Response> {
    return this.#inOrder(async () => {
      try {
        return await this.#run(command, authorizations);
      } catch (error) {
        if (!this.#transport.exclusive || !isOutOfMemory(error)) throw error;
        // A program that was killed before it took its objects out: nobody else uses this TPM, so they are no one's.
        await this.#flushStrangers();
        return await this.#run(command, authorizations);
      } finally {
        if (command.secretParameter === true) command.parameters.fill(0);
      }
    });
  }

  /** Takes an object or session out. */
  async flush(handle: number): Promise<void> {
    await this.run(TPM2_FlushContext(handle));
    this.#loaded.delete(handle);
  }

  /**
   * Does something with an object or session that is loaded, and takes it out, unless a command has ended it. Where the work
   * fails, that is what is said, whatever becomes of the taking out: it is tried once more at the end.
   */
  async whileLoaded<Value>(
    { handle }: { readonly handle: number },
    work: () => Promise<Value>,
  ): Promise<Value> {
    let value: Value;
    try {
      value = await work();
    } catch (error) {
      if (this.#loaded.has(handle)) await this.flush(handle).catch(() => undefined);
      throw error;
    }
    try {
      if (this.#loaded.has(handle)) await this.flush(handle);
      return value;
    } catch (error) {
      if (value instanceof SecretBytes) value.dispose();
      throw error;
    }
  }

  /** Takes out what is left and closes the transport. Never throws: what it was done for has failed or succeeded already. */
  async close(): Promise<void> {
    // Last come, first gone: a session is taken out after the objects that were loaded under it.
    for (const handle of [...this.#loaded].reverse()) {
      if (!this.#alive) break;
      await this.flush(handle).catch(() => undefined);
    }
    this.#loaded.clear();
    await this.#transport.close();
  }

  async #run<Response>(
    command: Command<Response>,
    authorizations: readonly Authorization[],
  ): Promise<Response> {
    // Encoding clears a secret parameter, and a command may have to be encoded twice.
    const copied = { ...command, parameters: new Uint8Array(command.parameters) };
    const sent = encodeCommand(copied, authorizations, this.#random);
    const { handle, reader, clear } = await this.#exchange(command, sent);
    for (const { session, ends } of authorizations) if (ends === true) this.#loaded.delete(session.handle);
    try {
      const response = command.read(reader, handle);
      reader.end();
      return response;
    } finally {
      clear();
    }
  }

  async #exchange<Response>(
    { name, givesHandle }: Command<Response>,
    sent: SentCommand,
  ): Promise<ReturnType<SentCommand['receive']>> {
    for (let tries = 1; ; tries++) {
      const response = await this.#send(name, sent.bytes);
      // Before it is believed: a response that was changed on its way also leaves something loaded.
      const handle = givesHandle === true ? handleIn(response) : undefined;
      if (handle !== undefined) this.#loaded.add(handle);
      try {
        return sent.receive(response);
      } catch (error) {
        const again = error instanceof Tpm2Error && tryAgain.includes(error.reason);
        if (!again || tries === mostTries) throw error;
      }
      await this.#delay(Math.min(firstDelayMs * 2 ** (tries - 1), longestDelayMs));
    }
  }

  async #send(name: CommandName, bytes: Uint8Array): Promise<Uint8Array> {
    const makesKey = name === 'CreatePrimary' || name === 'Create';
    try {
      return await this.#transport.send(bytes, makesKey ? keyGenerationTimeoutMs : timeoutMs);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      this.#alive = error.problem === 'blocked';
      throw toTransportFailure(error, name);
    }
  }

  async #flushStrangers(): Promise<void> {
    for (const first of [HANDLES.TRANSIENT, HANDLES.LOADED_SESSION, HANDLES.SAVED_SESSION]) {
      for (const handle of await this.#run(TPM2_GetCapability_handles(first), [])) {
        if (!this.#loaded.has(handle)) await this.#run(TPM2_FlushContext(handle), []);
      }
    }
  }

  #inOrder<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#queue.then(work, work);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}

/** The handle of a response that says success; undefined in any other. */
function handleIn(response: Uint8Array): number | undefined {
  if (response.length < headerBytes + 4) return undefined;
  const view = new DataView(response.buffer, response.byteOffset);
  return view.getUint32(headerBytes - 4) === RC_SUCCESS ? view.getUint32(headerBytes) : undefined;
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Tpm2Error && noMemory.includes(error.reason);
}
