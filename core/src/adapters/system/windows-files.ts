/**
 * Owners and access lists of files, asked of Windows itself and set there (Win32: fileapi.h, securitybaseapi.h, aclapi.h,
 * sddl.h) through `node:ffi`. A link is never followed: its own list is read. What lists mean: `security-descriptor.ts`. Node's
 * files are numbers of its C library; `uv_get_osfhandle`, which Node exports for addons, tells the handle behind one, so that
 * the list is that of the very file that is read.
 */
import { toNamespacedPath } from 'node:path';
import { fail, type SPMigrationError } from '../../domain/error.ts';
import { Cell, failed, holding, systemLibrary } from './windows-calls.ts';
import { toWide } from './windows.ts';

/** Descriptors are bytes as `decodeSecurity` reads them; `list` is a descriptor as text (SDDL). */
export interface WindowsFiles {
  /** `FileNotFound`, `StorageDenied`, `StorageFailed`, as all of these. */
  descriptorOf(path: string): Uint8Array;
  /** Of a file that Node has open. */
  descriptorOfOpen(file: number): Uint8Array;
  /** `OutputExists` where the name is taken. */
  makeFolder(path: string, list: string): void;
  /** An empty file. `OutputExists`. */
  makeFile(path: string, list: string): void;
  /** Replaces owner and list of what is there. */
  setDescriptor(path: string, list: string): void;
}

const READ_CONTROL = 0x2_0000;
const WRITE_DAC = 0x4_0000;
const WRITE_OWNER = 0x8_0000;
const FILE_GENERIC_WRITE = 0x12_0116;
const SHARE_ALL = 7;
const CREATE_NEW = 1;
const OPEN_EXISTING = 3;
/** FILE_FLAG_BACKUP_SEMANTICS, for folders, and FILE_FLAG_OPEN_REPARSE_POINT, for links themselves. */
const AS_IT_IS = 0x0200_0000 | 0x0020_0000;
const INVALID_HANDLE_VALUE = 0xffff_ffff_ffff_ffffn;

const OWNER_AND_LIST = 1 | 4;
/** PROTECTED_DACL_SECURITY_INFORMATION: nothing is inherited any more. */
const PROTECTED = 0x8000_0000;
const SE_FILE_OBJECT = 1;
const SDDL_REVISION_1 = 1;
/** A list has at most 64 KiB; beside it lie header and owner. */
const longestDescriptor = 0x1_0000 + 0x400;

const ERROR_FILE_NOT_FOUND = 2;
const ERROR_PATH_NOT_FOUND = 3;
const ERROR_ACCESS_DENIED = 5;
const ERROR_FILE_EXISTS = 80;
const ERROR_DISK_FULL = 112;
const ERROR_ALREADY_EXISTS = 183;
const ERROR_INVALID_OWNER = 1307;

let opened: WindowsFiles | undefined;

export function windowsFiles(): WindowsFiles {
  return (opened ??= openWindowsFiles());
}

function openWindowsFiles(): WindowsFiles {
  const ffi = process.getBuiltinModule('node:ffi');
  const { functions: kernel } = ffi.dlopen('kernel32.dll', {
    CreateDirectoryW: { arguments: ['buffer', 'buffer'], return: 'int32' },
    CreateFileW: {
      arguments: ['buffer', 'uint32', 'uint32', 'pointer', 'uint32', 'uint32', 'pointer'],
      return: 'pointer',
    },
    CloseHandle: { arguments: ['pointer'], return: 'int32' },
    GetLastError: { arguments: [], return: 'uint32' },
    LocalFree: { arguments: ['pointer'], return: 'pointer' },
  });
  const { functions: advapi } = ffi.dlopen(systemLibrary('advapi32.dll'), {
    GetKernelObjectSecurity: {
      arguments: ['pointer', 'uint32', 'buffer', 'uint32', 'buffer'],
      return: 'int32',
    },
    SetSecurityInfo: {
      arguments: ['pointer', 'uint32', 'uint32', 'pointer', 'pointer', 'pointer', 'pointer'],
      return: 'uint32',
    },
    GetSecurityDescriptorOwner: { arguments: ['pointer', 'buffer', 'buffer'], return: 'int32' },
    GetSecurityDescriptorDacl: { arguments: ['pointer', 'buffer', 'buffer', 'buffer'], return: 'int32' },
    ConvertStringSecurityDescriptorToSecurityDescriptorW: {
      arguments: ['buffer', 'uint32', 'buffer', 'pointer'],
      return: 'int32',
    },
  });
  // The running program itself, which is loaded already.
  const { functions: node } = ffi.dlopen(process.execPath, {
    uv_get_osfhandle: { arguments: ['int32'], return: 'pointer' },
  });

  const wide = (path: string): Uint8Array => toWide(toNamespacedPath(path));

  const open = (path: string, access: number): bigint => {
    const handle = kernel.CreateFileW(wide(path), access, SHARE_ALL, 0n, OPEN_EXISTING, AS_IT_IS, 0n);
    if (handle === INVALID_HANDLE_VALUE) throw refused('CreateFileW', kernel.GetLastError(), path);
    return handle;
  };

  const descriptorOfHandle = (handle: bigint, path: string): Uint8Array => {
    const bytes = new Uint8Array(longestDescriptor);
    const length = new Cell();
    if (advapi.GetKernelObjectSecurity(handle, OWNER_AND_LIST, bytes, bytes.length, length.bytes) === 0)
      throw refused('GetKernelObjectSecurity', kernel.GetLastError(), path);
    return bytes.slice(0, length.u32);
  };

  /** Runs `work` with the address of a descriptor, which is freed afterwards. */
  const withDescriptor = (list: string, work: (descriptor: bigint) => void): void => {
    const descriptor = new Cell();
    const into = [SDDL_REVISION_1, descriptor.bytes, 0n] as const;
    if (advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(toWide(list), ...into) === 0)
      throw failed('ConvertStringSecurityDescriptorToSecurityDescriptorW', kernel.GetLastError());
    try {
      work(descriptor.u64);
    } finally {
      kernel.LocalFree(descriptor.u64);
    }
  };

  /** SECURITY_ATTRIBUTES: its length, the descriptor, and no inheritance by other processes. */
  const attributes = (descriptor: bigint): Uint8Array => {
    const bytes = new Uint8Array(24);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, bytes.length, true);
    view.setBigUint64(8, descriptor, true);
    return bytes;
  };

  return {
    descriptorOf: (path) => {
      const handle = open(path, READ_CONTROL);
      try {
        return descriptorOfHandle(handle, path);
      } finally {
        kernel.CloseHandle(handle);
      }
    },
    descriptorOfOpen: (file) => {
      const handle = node.uv_get_osfhandle(file);
      if (handle === INVALID_HANDLE_VALUE) throw failed('uv_get_osfhandle');
      return descriptorOfHandle(handle, 'Windows');
    },
    makeFolder: (path, list) => {
      withDescriptor(list, (descriptor) => {
        if (kernel.CreateDirectoryW(wide(path), attributes(descriptor)) === 0)
          throw refused('CreateDirectoryW', kernel.GetLastError(), path);
      });
    },
    makeFile: (path, list) => {
      withDescriptor(list, (descriptor) => {
        const given = attributes(descriptor);
        const as = [FILE_GENERIC_WRITE, SHARE_ALL, ffi.getRawPointer(given), CREATE_NEW, 0, 0n] as const;
        const handle = holding([given], () => kernel.CreateFileW(wide(path), ...as));
        if (handle === INVALID_HANDLE_VALUE) throw refused('CreateFileW', kernel.GetLastError(), path);
        kernel.CloseHandle(handle);
      });
    },
    setDescriptor: (path, list) => {
      withDescriptor(list, (descriptor) => {
        const [owner, acl, unused] = [new Cell(), new Cell(), new Cell()] as const;
        advapi.GetSecurityDescriptorOwner(descriptor, owner.bytes, unused.bytes);
        advapi.GetSecurityDescriptorDacl(descriptor, unused.bytes, acl.bytes, unused.bytes);
        if (owner.u64 === 0n || acl.u64 === 0n) throw failed('GetSecurityDescriptorDacl');
        const handle = open(path, READ_CONTROL | WRITE_DAC | WRITE_OWNER);
        try {
          const what = OWNER_AND_LIST + PROTECTED;
          const code = advapi.SetSecurityInfo(handle, SE_FILE_OBJECT, what, owner.u64, 0n, acl.u64, 0n);
          if (code !== 0) throw refused('SetSecurityInfo', code, path);
        } finally {
          kernel.CloseHandle(handle);
        }
      });
    },
  };
}

/** What a failed call means for the path that it was about. */
function refused(call: string, code: number, path: string): SPMigrationError {
  switch (code) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
      return fail('FileNotFound', { path });
    case ERROR_ACCESS_DENIED:
    case ERROR_INVALID_OWNER:
      return fail('StorageDenied', { path });
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
      return fail('OutputExists', { path });
    case ERROR_DISK_FULL:
      return fail('StorageFull', { path });
    default:
      return fail('StorageFailed', { path, problem: `${call} answered ${code}` });
  }
}
