/**
 * The thread in which Windows' TPM Base Services are called, by Node's own `node:ffi`: the calls are synchronous, and making
 * a key takes minutes on some TPMs. The thread is started from the source text of `runTbsWorker`, because the executable
 * has no files that could be started; so that function uses nothing from outside of itself but Node's globals. tbs.h:
 * Tbsi_Context_Create, Tbsip_Submit_Command, Tbsip_Context_Close. Leaves out what results mean (`tbs.ts`).
 */

/** What the thread is started with. */
export interface TbsWorkerData {
  /** Full path of the library; undefined for `tbs.dll` of Windows' system folder. */
  readonly library: string | undefined;
  readonly maximumBytes: number;
}

/** What the thread is told: a command, or to close the context and end. */
export type TbsRequest = { readonly command: Uint8Array } | 'close';

/** What it answers, first for the context and then for every command. */
export type TbsReply =
  /** A TBS_RESULT, and the response where it is 0. */
  | { readonly result: number; readonly response?: Uint8Array }
  /** There is no library to call. */
  | { readonly missing: string };

/** The whole program of the thread. */
export function runTbsWorker(): void {
  const threads = process.getBuiltinModule('node:worker_threads');
  const { parentPort } = threads;
  const { library, maximumBytes } = threads.workerData as TbsWorkerData;
  const reply = (message: TbsReply): void => parentPort?.postMessage(message);

  /**
   * The folder is asked for, not taken from the environment, and tbs.dll is opened by its full path: a library of that name
   * elsewhere is a stranger's. kernel32.dll is in every process already, whatever lies in whichever folder.
   */
  const systemLibrary = (): string => {
    const { functions } = process.getBuiltinModule('node:ffi').dlopen('kernel32.dll', {
      GetSystemDirectoryW: { arguments: ['buffer', 'uint32'], return: 'uint32' },
    });
    const folder = new Uint16Array(260);
    const length = functions.GetSystemDirectoryW(folder, folder.length);
    // 0 where it fails, and what it would need where that is more: neither may lead to another folder.
    if (length === 0 || length >= folder.length) throw new RangeError('the system has no folder');
    return `${String.fromCharCode(...folder.subarray(0, length))}\\tbs.dll`;
  };

  const openLibrary = () => {
    return process.getBuiltinModule('node:ffi').dlopen(library ?? systemLibrary(), {
      Tbsi_Context_Create: { arguments: ['buffer', 'buffer'], return: 'uint32' },
      Tbsip_Submit_Command: {
        arguments: ['pointer', 'uint32', 'uint32', 'buffer', 'uint32', 'buffer', 'buffer'],
        return: 'uint32',
      },
      Tbsip_Context_Close: { arguments: ['pointer'], return: 'uint32' },
    }).functions;
  };

  let tbs: ReturnType<typeof openLibrary>;
  try {
    tbs = openLibrary();
  } catch (error) {
    reply({ missing: error instanceof Error ? error.message : 'it cannot be opened' });
    return;
  }
  // TBS_CONTEXT_PARAMS2: version 2; bit 2 of the flags is includeTpm20, the others (requestRaw, includeTpm12) stay off.
  const parameters = new Uint32Array([2, 1 << 2]);
  const handle = new BigUint64Array(1);
  const created = tbs.Tbsi_Context_Create(parameters, handle);
  reply({ result: created });
  if (created !== 0) return;
  const [context = 0n] = handle;

  const submit = (command: Uint8Array): TbsReply => {
    const response = new Uint8Array(maximumBytes);
    const length = new Uint32Array([response.length]);
    // TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL.
    const result = tbs.Tbsip_Submit_Command(context, 0, 200, command, command.length, response, length);
    return result === 0 ? { result, response: response.slice(0, length[0]) } : { result };
  };
  parentPort?.on('message', (request: TbsRequest) => {
    if (request !== 'close') {
      reply(submit(request.command));
      return;
    }
    tbs.Tbsip_Context_Close(context);
    parentPort.close();
  });
}
