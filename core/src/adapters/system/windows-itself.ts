/**
 * Asks Windows by its own functions (Win32: processthreadsapi.h, securitybaseapi.h, secext.h, winreg.h) through `node:ffi`
 * (docs/decisions/0015-windows-by-node-ffi.md). No program is started, so none can be put in its place, and no translated text
 * is read. Leaves out what the answers mean.
 */
import { Cell, failed, systemLibrary } from './windows-calls.ts';
import {
  fromWide,
  principalNameOf,
  registryValue,
  sidText,
  toWide,
  type RegistryValues,
  type Windows,
} from './windows.ts';

const TOKEN_QUERY = 8;
const TokenUser = 1;
/** Enough for TOKEN_USER and the longest SID (68 bytes). */
const tokenUserBytes = 256;

const NameUserPrincipal = 8;
/** Characters with the NUL at the end, more than any directory takes. */
const longestPrincipalName = 1025;

/** S-1-5-32-544. */
const administrators = Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0);

const PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;
const SYNCHRONIZE = 0x100000;
const WAIT_OBJECT_0 = 0;

const HKEY_LOCAL_MACHINE = 0xffff_ffff_8000_0002n;
/** KEY_READ and KEY_WOW64_64KEY. */
const READ_64 = 0x20019 | 0x100;
const ERROR_FILE_NOT_FOUND = 2;
const ERROR_NO_MORE_ITEMS = 259;
/** Limits of the registry: a name's characters with its NUL; and what a value may have here, in bytes. */
const longestName = 16_384;
const longestValue = 65_536;

let opened: Windows | undefined;

/** Windows, as this process sees it. Its answers are `StorageFailed` where a function of Windows fails. */
export function windowsItself(): Windows {
  return (opened ??= openWindows());
}

function openWindows(): Windows {
  const ffi = process.getBuiltinModule('node:ffi');
  // In every process already, whatever lies in whichever folder.
  const { functions: kernel } = ffi.dlopen('kernel32.dll', {
    GetCurrentProcess: { arguments: [], return: 'pointer' },
    OpenProcess: { arguments: ['uint32', 'int32', 'uint32'], return: 'pointer' },
    GetProcessTimes: { arguments: ['pointer', 'buffer', 'buffer', 'buffer', 'buffer'], return: 'int32' },
    WaitForSingleObject: { arguments: ['pointer', 'uint32'], return: 'uint32' },
    CloseHandle: { arguments: ['pointer'], return: 'int32' },
  });
  const { functions: advapi } = ffi.dlopen(systemLibrary('advapi32.dll'), {
    OpenProcessToken: { arguments: ['pointer', 'uint32', 'buffer'], return: 'int32' },
    GetTokenInformation: { arguments: ['pointer', 'uint32', 'buffer', 'uint32', 'buffer'], return: 'int32' },
    CheckTokenMembership: { arguments: ['pointer', 'buffer', 'buffer'], return: 'int32' },
    RegOpenKeyExW: { arguments: ['pointer', 'buffer', 'uint32', 'uint32', 'buffer'], return: 'int32' },
    RegEnumValueW: {
      arguments: ['pointer', 'uint32', 'buffer', 'buffer', 'pointer', 'buffer', 'buffer', 'buffer'],
      return: 'int32',
    },
    RegCloseKey: { arguments: ['pointer'], return: 'int32' },
  });

  const userSid = (): string => {
    const token = new Cell();
    if (advapi.OpenProcessToken(kernel.GetCurrentProcess(), TOKEN_QUERY, token.bytes) === 0)
      throw failed('OpenProcessToken');
    try {
      const user = new Uint8Array(tokenUserBytes);
      if (advapi.GetTokenInformation(token.u64, TokenUser, user, user.length, new Cell().bytes) === 0)
        throw failed('GetTokenInformation');
      // TOKEN_USER begins with the address of the SID, which lies behind it in the same buffer.
      const address = new DataView(user.buffer).getBigUint64(0, true);
      const sid = sidText(user.subarray(Number(address - ffi.getRawPointer(user))));
      if (sid === undefined) throw failed('GetTokenInformation');
      return sid;
    } finally {
      kernel.CloseHandle(token.u64);
    }
  };

  let named: { readonly name: string | undefined } | undefined;
  const principalName = (): string | undefined => (named ??= { name: findPrincipalName() }).name;

  const findPrincipalName = (): string | undefined => {
    const { functions: security } = ffi.dlopen(systemLibrary('secur32.dll'), {
      GetUserNameExW: { arguments: ['uint32', 'buffer', 'buffer'], return: 'uint8' },
    });
    const text = new Uint8Array(2 * longestPrincipalName);
    // No failure is one of ours: a local account has no such name, and a domain that is far tells none.
    if (security.GetUserNameExW(NameUserPrincipal, text, new Cell(longestPrincipalName).bytes) === 0)
      return undefined;
    return principalNameOf(fromWide(text));
  };

  const isAdministrator = (): boolean => {
    const member = new Cell();
    if (advapi.CheckTokenMembership(0n, administrators, member.bytes) === 0)
      throw failed('CheckTokenMembership');
    return member.u32 !== 0;
  };

  const processStart = (pid: number): string => {
    const found = kernel.OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, 0, pid);
    if (found === 0n) return 'hidden';
    try {
      // Its number stays taken while anybody else holds it, although it has ended.
      if (kernel.WaitForSingleObject(found, 0) === WAIT_OBJECT_0) return 'ended';
      const created = new Cell();
      const other = new Cell().bytes;
      if (kernel.GetProcessTimes(found, created.bytes, other, other, other) === 0) return 'hidden';
      return created.u64.toString(36);
    } finally {
      kernel.CloseHandle(found);
    }
  };

  const machineValues = (key: string): RegistryValues | undefined => {
    const handle = new Cell();
    const code = advapi.RegOpenKeyExW(HKEY_LOCAL_MACHINE, toWide(key), 0, READ_64, handle.bytes);
    if (code === ERROR_FILE_NOT_FOUND) return undefined;
    if (code !== 0) throw failed('RegOpenKeyExW', code);
    try {
      return valuesOf(handle.u64);
    } finally {
      advapi.RegCloseKey(handle.u64);
    }
  };

  const valuesOf = (key: bigint): RegistryValues => {
    const values = new Map<string, string | number | undefined>();
    const name = new Uint8Array(2 * longestName);
    const data = new Uint8Array(longestValue);
    for (let index = 0; ; index++) {
      const [nameLength, type, length] = [new Cell(longestName), new Cell(), new Cell(longestValue)] as const;
      const into = [name, nameLength.bytes, 0n, type.bytes, data, length.bytes] as const;
      const code = advapi.RegEnumValueW(key, index, ...into);
      if (code === ERROR_NO_MORE_ITEMS) return values;
      if (code !== 0) throw failed('RegEnumValueW', code);
      const value = registryValue(type.u32, data.subarray(0, length.u32));
      values.set(fromWide(name.subarray(0, 2 * nameLength.u32)), value);
    }
  };

  return { userSid, principalName, isAdministrator, processStart, machineValues };
}
