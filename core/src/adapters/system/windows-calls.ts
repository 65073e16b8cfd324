/**
 * What all calls of Windows' own functions have in common (docs/decisions/0015-windows-by-node-ffi.md): places that functions
 * write to, libraries from the system's folder and nowhere else, and what a failed call is. Leaves out which functions there are.
 */
import { fail } from '../../domain/error.ts';
import { fromWide } from './windows.ts';

/** A place of 8 bytes that a function writes to. */
export class Cell {
  readonly bytes = new Uint8Array(8);
  readonly #view = new DataView(this.bytes.buffer);

  constructor(value = 0) {
    this.#view.setUint32(0, value, true);
  }

  get u32(): number {
    return this.#view.getUint32(0, true);
  }

  get u64(): bigint {
    return this.#view.getBigUint64(0, true);
  }
}

let folder: string | undefined;

/** Full path of one of Windows' libraries: not by its name alone, and not by what the environment says. */
export function systemLibrary(name: string): string {
  if (folder === undefined) {
    // In every process already, whatever lies in whichever folder.
    const { functions } = process.getBuiltinModule('node:ffi').dlopen('kernel32.dll', {
      GetSystemDirectoryW: { arguments: ['buffer', 'uint32'], return: 'uint32' },
    });
    const path = new Uint8Array(2 * 260);
    functions.GetSystemDirectoryW(path, path.length / 2);
    folder = fromWide(path);
  }
  return `${folder}\\${name}`;
}

const held = new Set<Uint8Array>();

/** Runs `work`, which gives Windows nothing but the address of these bytes: they stay where they are meanwhile. */
export function holding<Result>(bytes: readonly Uint8Array[], work: () => Result): Result {
  for (const one of bytes) held.add(one);
  try {
    return work();
  } finally {
    for (const one of bytes) held.delete(one);
  }
}

/** A function of Windows that failed, where no failure is foreseen: `StorageFailed`. */
export function failed(call: string, code?: number): Error {
  const problem = code === undefined ? `${call} failed` : `${call} answered ${code}`;
  return fail('StorageFailed', { path: 'Windows', problem });
}
