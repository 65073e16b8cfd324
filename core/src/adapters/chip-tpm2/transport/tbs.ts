/**
 * A TPM behind Windows' TPM Base Services, in a thread of its own (`tbs-worker.ts`). TBS shares the TPM among programs and
 * takes out what a context has loaded when the context closes. Results: learn.microsoft.com, "TBS Return Codes", and
 * winerror.h. They come as results of a call and, from the driver, as the code within a response. Leaves out
 * cancelling: a command that nobody waits for any more ends in the driver, and this process not before it.
 */
import { Worker } from 'node:worker_threads';
import { createTransport, type Line } from './lifetime.ts';
import { runTbsWorker, type TbsReply, type TbsRequest, type TbsWorkerData } from './tbs-worker.ts';
import {
  headerBytes,
  maximumMessageBytes,
  TransportError,
  type Transport,
  type TransportProblem,
} from './transport.ts';

const name = 'TPM Base Services';

/** How long the service may take to start and to give a context. */
const openMs = 30_000;

/** What is not here is `lost`: TBS_E_INTERNAL_ERROR, IOERROR, COMMAND_CANCELED (before standby), … */
const problems: ReadonlyMap<number, TransportProblem> = new Map<number, TransportProblem>([
  [0x8028400f, 'absent'], // TBS_E_TPM_NOT_FOUND
  [0x80284010, 'absent'], // TBS_E_SERVICE_DISABLED: an administrator's decision, for everybody
  [0x80284016, 'absent'], // TBS_E_DEACTIVATED; later TBS_E_PROVISIONING_INCOMPLETE
  [0x80284012, 'denied'], // TBS_E_ACCESS_DENIED
  [0x80070005, 'denied'], // E_ACCESSDENIED
  [0x80280400, 'blocked'], // TPM_E_COMMAND_BLOCKED
  [0x80280403, 'blocked'], // TPM_E_EMBEDDED_COMMAND_BLOCKED
  [0x80284009, 'busy'], // TBS_E_TOO_MANY_TBS_CONTEXTS
  [0x8028400a, 'busy'], // TBS_E_TOO_MANY_RESOURCES
  [0x8028400b, 'busy'], // TBS_E_SERVICE_START_PENDING
  [0x80280800, 'busy'], // TPM_E_RETRY
  [0x80280802, 'busy'], // TPM_E_DOING_SELFTEST
  // Not an absent TPM, so that nobody goes on without one because a service failed: TBS_E_SERVICE_NOT_RUNNING.
  [0x80284008, 'lost'],
]);

/**
 * Opens a context. `TransportError` with `absent`, `denied`, `busy` or `lost`. `library` is the full path of another library
 * with the same functions; without it, Windows' own.
 */
export async function openTbs(library?: string, patienceMs = openMs): Promise<Transport> {
  const line = new TbsLine({ library, maximumBytes: maximumMessageBytes });
  const timer = setTimeout(() => {
    line.fail(new TransportError('busy', name, 'no context in time'));
  }, patienceMs);
  try {
    await line.opened();
  } catch (error) {
    await line.release();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return createTransport(line);
}

/** What a result other than 0 means. */
function tbsProblem(result: number): TransportProblem {
  return problems.get(result) ?? 'lost';
}

class TbsLine implements Line {
  readonly name = name;
  readonly exclusive = false;
  readonly #worker: Worker;
  readonly #ended = Promise.withResolvers<undefined>();
  /** The reply that is waited for: first that of the context. */
  #reply = Promise.withResolvers<TbsReply>();
  /** Whether the thread is within a call. */
  #calling = true;
  /** Why nothing will come any more. */
  #gone: TransportError | undefined;

  constructor(workerData: TbsWorkerData) {
    this.#worker = new Worker(`(${runTbsWorker.toString()})()`, {
      eval: true,
      workerData,
      // node:ffi is experimental (decision 0014), which is no news for whoever runs this.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#worker.on('message', (reply: TbsReply) => {
      this.#calling = false;
      this.#reply.resolve(reply);
    });
    this.#worker.on('error', (error) => {
      this.fail(new TransportError('lost', name, error));
    });
    this.#worker.on('exit', () => {
      this.#calling = false;
      this.fail(new TransportError('lost', name, 'its thread ended'));
      this.#ended.resolve(undefined);
    });
    // After the listeners, as these would take it back.
    this.#worker.unref();
  }

  /** Waits until the context is there. */
  async opened(): Promise<void> {
    const reply = await this.#reply.promise;
    if ('missing' in reply) throw new TransportError('absent', name, reply.missing);
    throwFor(reply.result);
  }

  async exchange(command: Uint8Array): Promise<Uint8Array> {
    if (this.#gone !== undefined) throw this.#gone;
    this.#reply = Promise.withResolvers<TbsReply>();
    this.#calling = true;
    this.#tell({ command });
    const reply = await this.#reply.promise;
    if ('missing' in reply) throw new TransportError('lost', name, reply.missing);
    throwFor(reply.result);
    const response = reply.response ?? new Uint8Array();
    throwFor(codeIn(response));
    return response;
  }

  async release(): Promise<void> {
    this.#tell('close');
    // A thread within a call cannot be ended; it closes the context by itself when the call returns.
    if (this.#calling) return;
    this.#worker.ref();
    await this.#ended.promise;
  }

  /** Ends every wait, present and to come. */
  fail(error: TransportError): void {
    this.#gone ??= error;
    this.#reply.reject(this.#gone);
  }

  #tell(request: TbsRequest): void {
    this.#worker.postMessage(request);
  }
}

/** `TransportError` for a TBS_RESULT other than 0. */
function throwFor(result: number): void {
  if (result !== 0) throw new TransportError(tbsProblem(result), name, `0x${result.toString(16)}`);
}

/** The code within a response if it is one of Windows' (an HRESULT of a failure); a TPM's own are for others to read. */
function codeIn(response: Uint8Array): number {
  if (response.length < headerBytes) return 0;
  const code = new DataView(response.buffer, response.byteOffset, response.length).getUint32(6);
  return code >= 0x80000000 ? code : 0;
}
