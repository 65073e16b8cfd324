/**
 * Windows' data protection (Win32: dpapi.h) through `node:ffi`, with the machine's keys: what one account of a computer encrypts
 * every other there opens, and no other computer does. It asks nobody anything. Buffers with secrets are overwritten before
 * Windows gets them back.
 */
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import type { MachineProtection } from '../../ports/machine-protection.ts';
import { failed, systemLibrary } from './windows-calls.ts';
import { toWide } from './windows.ts';

const CRYPTPROTECT_UI_FORBIDDEN = 1;
const CRYPTPROTECT_LOCAL_MACHINE = 4;
const flags = CRYPTPROTECT_UI_FORBIDDEN | CRYPTPROTECT_LOCAL_MACHINE;

/** Failures that say nothing about the bytes: no memory, a service that cannot be reached (1700 to 1799), a system that ends. */
const passing: readonly number[] = [8, 14, 1115, 1450];

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
      if (crypt.CryptProtectData(from, toWide('SPMigration'), bound, 0n, 0n, flags, made) === 0)
        throw failed('CryptProtectData', kernel.GetLastError());
      return taken(made);
    },
    unprotect: (bytes, purpose) => {
      const made = new Uint8Array(16);
      if (crypt.CryptUnprotectData(blobOf(bytes), 0n, blobOf(purpose), 0n, 0n, flags, made) !== 0)
        return new SecretBytes(taken(made));
      const code = kernel.GetLastError();
      if (passing.includes(code) || (code >= 1700 && code < 1800)) throw failed('CryptUnprotectData', code);
      return { refused: `Windows refuses it (0x${code.toString(16).padStart(8, '0')})` };
    },
  };
}
