/**
 * What only Windows itself can tell, as the adapters ask it (`windows-itself.ts` asks the real one; tests on other systems
 * answer in its place), and how what it answers reads: SIDs and values of the registry.
 */

export interface Windows {
  /** SID of the account that this process runs as, `S-1-…`. */
  userSid(): string;
  /**
   * The account's user principal name, `anna@contoso.example`. Undefined for local accounts, which have none, and where Windows
   * does not find it. May ask the domain, which takes its time where that is far.
   */
  principalName(): string | undefined;
  /** Whether Administrators is an enabled group of this process: elevated administrators, and the system itself. */
  isAdministrator(): boolean;
  /**
   * When a process started, as 1 to 40 letters and digits that no later process with its number has. `ended`: there is none
   * (any more); `hidden`: it may not be looked at, or it does not exist.
   */
  processStart(pid: number): string;
  /** The values in a key of HKEY_LOCAL_MACHINE; undefined where there is no such key. */
  machineValues(key: string): RegistryValues | undefined;
}

/** By name: strings, numbers, and undefined for what is neither. */
export type RegistryValues = ReadonlyMap<string, string | number | undefined>;

/** LocalSystem, LocalService, NetworkService and the accounts of services (ruling 14). */
export function isServiceSid(sid: string): boolean {
  return ['S-1-5-18', 'S-1-5-19', 'S-1-5-20'].includes(sid) || sid.startsWith('S-1-5-80-');
}

const longestSid = 15;
const sidHeaderBytes = 8;

/** A SID as text ([MS-DTYP] 2.4.2: revision, count, authority in 6 bytes, then 32-bit numbers); undefined for other bytes. */
export function sidText(bytes: Uint8Array): string | undefined {
  const [revision, count = 0] = bytes;
  if (revision !== 1 || count > longestSid || bytes.length < sidHeaderBytes + 4 * count) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const authority = view.getUint16(2) * 2 ** 32 + view.getUint32(4);
  const numbers = Array.from({ length: count }, (_, index) =>
    view.getUint32(sidHeaderBytes + 4 * index, true),
  );
  return ['S', revision, authority, ...numbers].join('-');
}

/** A user principal name as grants may name it; undefined for other text. */
export function principalNameOf(text: string): string | undefined {
  return text.length <= 320 && /^[^\s\p{C}]+@[^\s\p{C}]+$/u.test(text) ? text : undefined;
}

const REG_SZ = 1;
const REG_DWORD = 4;

/** A string, which ends at its first NUL, or a number; undefined for every other type. */
export function registryValue(type: number, data: Uint8Array): string | number | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (type === REG_DWORD && data.length === 4) return view.getUint32(0, true);
  return type === REG_SZ ? fromWide(data) : undefined;
}

/** UTF-16 with a NUL at its end, as Windows takes texts. */
export function toWide(value: string): Uint8Array {
  return Buffer.from(`${value}\0`, 'utf16le');
}

/** Text up to the first NUL. */
export function fromWide(bytes: Uint8Array): string {
  return new TextDecoder('utf-16le').decode(bytes).replace(/\0[^]*$/, '');
}
