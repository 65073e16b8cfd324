/**
 * Windows' data protection (Win32: dpapi.h) through `node:ffi`, with the machine's keys: what one account of a computer encrypts
 * every other there opens, and no other computer does. It asks nobody anything. Buffers with secrets are overwritten before
 * Windows gets them back.
 */
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import type { MachineProtection } from '../../ports/machine-protection.ts';
import { failed, holding, systemLibrary } from './windows-calls.ts';
import { toWide } from './windows.ts';

const CRYPTPROTECT_UI_FORBIDDEN = 1;
const CRYPTPROTECT_LOCAL_MACHINE = 4;
const flags = CRYPTPROTECT_UI_FORBIDDEN | CRYPTPROTECT_LOCAL_MACHINE;

/**
 * What says that the bytes are not this computer's, or were changed: ERROR_FILE_NOT_FOUND (of the key), ERROR_INVALID_DATA, and
 * NTE_BAD_HASH, _KEY, _LEN, _DATA, _SIGNATURE, _KEY_STATE, NTE_NOT_FOUND, NTE_DECRYPTION_FAILURE. Any other failure (no memory, a
 * service that does not answer, a code that was lost) says nothing about them, and must not pass for a chip that is gone.
 */
const refusals: readonly number[] = [
  2, 13, 0x8009_0002, 0x8009_0003, 0x8009_0004, 0x8009_0005, 0x8009_0006, 0x8009_000b, 0x8009_0011,
  0x8009_002c,
];

let opened: MachineProtection | undefined;

export function windowsProtection(): MachineProtection {
  return (opened ??= openProtection());
}

function openProtection(): MachineProtection {
  const ffi = process.getBuiltinModule('node:ffi');
  const { functions: kernel } = ffi.dlopen('kernel32.dll', {
    GetLastError: { arguments: [], return: 'uint32' },
    LocalFree: { arguments: ['pointer'], return: 'pointer' },
  });
  const { functions: crypt } = ffi.dlopen(systemLibrary('crypt32.dll'), {
    CryptProtectData: {
      arguments: ['buffer', 'buffer', 'buffer', 'pointer', 'pointer', 'uint32', 'buffer'],
      return: 'int32',
    },
    CryptUnprotectData: {
      arguments: ['buffer', 'pointer', 'buffer', 'pointer', 'pointer', 'uint32', 'buffer'],
      return: 'int32',
    },
  });

  /** DATA_BLOB: length and address. */
  const blobOf = (bytes: Uint8Array): Uint8Array => {
    const blob = new Uint8Array(16);
    const view = new DataView(blob.buffer);
    view.setUint32(0, bytes.length, true);
    view.setBigUint64(8, ffi.getRawPointer(bytes), true);
    return blob;
  };

  /** A copy of what Windows made; its own is overwritten and given back. */
  const taken = (blob: Uint8Array): Uint8Array => {
    const view = new DataView(blob.buffer);
    const [length, address] = [view.getUint32(0, true), view.getBigUint64(8, true)];
    try {
      const bytes = new Uint8Array(ffi.toArrayBuffer(address, length));
      ffi.exportBuffer(Buffer.alloc(length), address, length);
      return bytes;
    } finally {
      kernel.LocalFree(address);
    }
  };

  return {
    protect: (secret, purpose) => {
      const made = new Uint8Array(16);
      // A copy of its own: a view into a larger buffer has no address for itself.
      using plaintext = SecretBytes.copyOf(secret.reveal);
      const [from, bound] = [blobOf(plaintext.reveal), blobOf(purpose)];
      const done = holding([plaintext.reveal, purpose], () =>
        crypt.CryptProtectData(from, toWide('SPMigration'), bound, 0n, 0n, flags, made),
      );
      if (done === 0) throw failed('CryptProtectData', kernel.GetLastError());
      return taken(made);
    },
    unprotect: (bytes, purpose) => {
      const made = new Uint8Array(16);
      const done = holding([bytes, purpose], () =>
        crypt.CryptUnprotectData(blobOf(bytes), 0n, blobOf(purpose), 0n, 0n, flags, made),
      );
      if (done !== 0) return new SecretBytes(taken(made));
      const code = kernel.GetLastError();
      if (!refusals.includes(code)) throw failed('CryptUnprotectData', code);
      return { refused: `Windows refuses it (0x${code.toString(16).padStart(8, '0')})` };
    },
  };
}
