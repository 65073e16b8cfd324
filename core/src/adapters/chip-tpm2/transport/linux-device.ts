/**
 * A TPM behind Linux' resource manager, `/dev/tpmrm0`: one write is a command, one read its response, and what a client
 * loads is the client's own (drivers/char/tpm/tpm-dev-common.c, tpm2-space.c). Leaves out `/dev/tpm0`, which has no
 * resource manager and is one program's at a time.
 *
 * Opened with O_NONBLOCK: since Linux 4.20 the write then only hands the command over, and a read answers nothing (0
 * bytes) until the driver has taken it up, afterwards it waits for the response. Older kernels do the whole command in
 * the write. Either way a system call may stay in the kernel as long as the TPM is silent, and no process ends before its
 * calls do, by whatever means: the driver bounds that itself, to 2 minutes, 5 for making keys (ETIME). Everything that a
 * time-out of ours does is to stop waiting; no new call is begun after it.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createTransport, type Line } from './lifetime.ts';
import { maximumMessageBytes, TransportError, type Transport, type TransportProblem } from './transport.ts';

/** Between reads of a device that has not taken the command up yet. */
const firstPauseMs = 1;
const longestPauseMs = 16;
/** In all 2.5 s. The driver takes a command up within milliseconds; what says nothing for longer is at its end. */
const mostEmptyReads = 160;

/** Opens a device. `TransportError` with `absent`, `denied`, `busy` or `lost`. `openFile` is for tests. */
export async function openLinuxDevice(path = '/dev/tpmrm0', openFile = open): Promise<Transport> {
  let file: FileHandle;
  try {
    file = await openFile(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    throw new TransportError(openProblem(error), path, error);
  }
  // What a container's set-up may leave in place of a device that is not there: a file would take every command.
  if (!(await file.stat()).isCharacterDevice()) {
    await file.close();
    throw new TransportError('absent', path, 'it is no device');
  }
  return createTransport(new DeviceLine(path, file));
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function openProblem(error: unknown): TransportProblem {
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENXIO':
    case 'ENODEV':
    case 'EISDIR':
      return 'absent';
    case 'EACCES':
    case 'EPERM':
      return 'denied';
    case 'EBUSY':
      return 'busy';
    default:
      return 'lost';
  }
}

/** Of a device that is open: one that is not there any more is lost. */
function useProblem(error: unknown): TransportProblem {
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return 'denied';
    case 'EBUSY':
      return 'busy';
    // The driver's own bound, if it is shorter than ours.
    case 'ETIME':
    case 'ETIMEDOUT':
      return 'timeout';
    default:
      return 'lost';
  }
}

class DeviceLine implements Line {
  readonly name: string;
  readonly exclusive = false;
  readonly #file: FileHandle;
  #underWay = false;
  #released = false;

  constructor(path: string, file: FileHandle) {
    this.name = path;
    this.#file = file;
  }

  async exchange(command: Uint8Array): Promise<Uint8Array> {
    this.#underWay = true;
    try {
      const { bytesWritten } = await this.#file.write(command, 0, command.length, null);
      if (bytesWritten < command.length)
        throw new TransportError('lost', this.name, 'half a command was taken');
      return await this.#response();
    } catch (error) {
      throw error instanceof TransportError ? error : new TransportError(useProblem(error), this.name, error);
    } finally {
      this.#underWay = false;
    }
  }

  async release(): Promise<void> {
    this.#released = true;
    const closed = this.#file.close().catch(() => undefined);
    // Closing waits for the command that is under way, whose response is of no interest any more.
    if (!this.#underWay) await closed;
  }

  async #response(): Promise<Uint8Array> {
    const buffer = new Uint8Array(maximumMessageBytes);
    let empty = 0;
    for (let pauseMs = firstPauseMs; !this.#released; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const length = await this.#read(buffer);
      if (length !== undefined && length > 0) return buffer.slice(0, length);
      if (length === 0 && ++empty === mostEmptyReads) break;
      await delay(pauseMs);
    }
    throw new TransportError('lost', this.name, 'it gives nothing to read');
  }

  /** How many bytes came; undefined where the device asks to be asked later. */
  async #read(buffer: Uint8Array): Promise<number | undefined> {
    try {
      return (await this.#file.read(buffer, 0, buffer.length, null)).bytesRead;
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') return undefined;
      throw error;
    }
  }
}
