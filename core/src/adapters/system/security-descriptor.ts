/**
 * How Windows says who owns a file or folder and who may do what with it: security descriptors as bytes ([MS-DTYP] 2.4.6,
 * self-relative), read strictly, and the lists that the platform's folders get, as text (SDDL). Pure. Where something is in
 * doubt an entry grants: refusals in a list are not taken into account, and an entry of an unknown type grants everything.
 */
import type { FileAccess } from '../../ports/file-system.ts';
import { sidText } from './windows.ts';

export const ADMINISTRATORS = 'S-1-5-32-544';
export const LOCAL_SYSTEM = 'S-1-5-18';

/** Who can do everything anyway, and two names that stand for the owner: of what is made (only inherited), and of what is there. */
const powers: readonly string[] = [ADMINISTRATORS, LOCAL_SYSTEM, 'S-1-3-0', 'S-1-3-4'];

/** What people know by name, for messages. */
const names: Readonly<Record<string, string>> = {
  'S-1-1-0': 'Everyone',
  'S-1-5-4': 'Interactive',
  'S-1-5-7': 'Anonymous',
  'S-1-5-11': 'Authenticated Users',
  'S-1-5-32-545': 'Users',
  'S-1-5-32-546': 'Guests',
};

export interface Security {
  /** SID. */
  readonly owner: string;
  /** Entries that grant; undefined where there is no list at all, which grants everything to everybody. */
  readonly entries: readonly Entry[] | undefined;
}

interface Entry {
  /** SID, or words for an entry whose account is not known. */
  readonly account: string;
  readonly rights: number;
  /** Also, or only, for what will be made in the folder. */
  readonly inherited: boolean;
}

const SE_DACL_PRESENT = 0x0004;
const SE_SELF_RELATIVE = 0x8000;
const headerBytes = 20;
const listHeaderBytes = 8;
const OBJECT_AND_CONTAINER_INHERIT = 3;
const ACCESS_ALLOWED = 0;
const ACCESS_ALLOWED_CALLBACK = 9;
/** Types that only refuse. */
const refusals: readonly number[] = [1, 6, 10, 12];
const everything = 0x1000_0000;

/** Undefined for bytes that are no whole descriptor with an owner. */
export function decodeSecurity(bytes: Uint8Array): Security | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < headerBytes || view.getUint8(0) !== 1) return undefined;
  const control = view.getUint16(2, true);
  const owner = partAt(bytes, view.getUint32(4, true));
  if ((control & SE_SELF_RELATIVE) === 0 || owner === undefined) return undefined;
  const sid = sidText(owner);
  if (sid === undefined) return undefined;
  const listAt = view.getUint32(16, true);
  if ((control & SE_DACL_PRESENT) === 0 || listAt === 0) return { owner: sid, entries: undefined };
  const list = partAt(bytes, listAt);
  const entries = list && decodeList(list);
  return entries && { owner: sid, entries };
}

/** What begins at an offset behind the header. */
function partAt(bytes: Uint8Array, offset: number): Uint8Array | undefined {
  return offset < headerBytes || offset >= bytes.length ? undefined : bytes.subarray(offset);
}

function decodeList(bytes: Uint8Array): readonly Entry[] | undefined {
  if (bytes.length < listHeaderBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [revision, size, count] = [view.getUint8(0), view.getUint16(2, true), view.getUint16(4, true)];
  if ((revision !== 2 && revision !== 4) || size < listHeaderBytes || size > bytes.length) return undefined;
  const entries: Entry[] = [];
  let offset = listHeaderBytes;
  for (let index = 0; index < count; index++) {
    if (offset + 4 > size) return undefined;
    const length = view.getUint16(offset + 2, true);
    if (length < 4 || offset + length > size) return undefined;
    const entry = decodeEntry(bytes.subarray(offset, offset + length));
    if (entry === undefined) return undefined;
    if (entry !== 'refusal') entries.push(entry);
    offset += length;
  }
  return entries;
}

function decodeEntry(bytes: Uint8Array): Entry | 'refusal' | undefined {
  const [type = 0, flags = 0] = bytes;
  if (refusals.includes(type)) return 'refusal';
  const inherited = (flags & OBJECT_AND_CONTAINER_INHERIT) !== 0;
  if (type !== ACCESS_ALLOWED && type !== ACCESS_ALLOWED_CALLBACK)
    return { account: `whom an entry of type ${type} means`, rights: everything, inherited: true };
  if (bytes.length < 8) return undefined;
  const account = sidText(bytes.subarray(8));
  if (account === undefined) return undefined;
  const rights = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(4, true);
  return { account, rights, inherited };
}

const FILE_READ_DATA = 0x1;
const FILE_ADD_FILE = 0x2;
const FILE_READ_ATTRIBUTES = 0x80;
const READ_CONTROL = 0x2_0000;
const SYNCHRONIZE = 0x10_0000;
const GENERIC_ALL = 0x1000_0000;
const GENERIC_READ = 0x8000_0000;
/** Extended attributes, passing through or executing, attributes, the list itself, waiting; GENERIC_EXECUTE has no other. */
const harmless = 0x8 | 0x20 | FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE | 0x2000_0000;
const reading = FILE_READ_DATA | GENERIC_READ | GENERIC_ALL;

/**
 * What accounts may do there that are neither the owner, administrators, the system nor `trusted` (SIDs). What is only for things
 * that will be made in a folder counts as for the folder: they are to be its owner's, too.
 */
export function accessOf(security: Security, folder: boolean, trusted: readonly string[] = []): FileAccess {
  const everybody: Entry = { account: 'S-1-1-0', rights: everything, inherited: true };
  const ours = new Set([...powers, ...trusted, security.owner]);
  const others = (security.entries ?? [everybody]).filter(({ account }) => !ours.has(account));
  const who = (may: (entry: Entry) => boolean): string | undefined => {
    const found = others.find(may);
    return found && nameOfAccount(found.account);
  };
  const leaves = ({ rights, inherited }: Entry): boolean =>
    folder && !inherited && (rights & FILE_ADD_FILE) !== 0;
  return {
    read: who(({ rights }) => (rights & reading) !== 0),
    write: who((entry) => {
      const passed = harmless | FILE_READ_DATA | GENERIC_READ | (leaves(entry) ? FILE_ADD_FILE : 0);
      return (entry.rights & ~passed) !== 0;
    }),
    leave: who(leaves),
  };
}

/** A SID, and the name of those that everybody knows by it. */
export function nameOfAccount(sid: string): string {
  const name = names[sid];
  return name === undefined ? sid : `${name} (${sid})`;
}

/** Access lists of the platform's folder by the mode that the stores ask for (docs/spec/environment-store.md, "Platform folder"). */
const full = '(A;;FA;;;SY)(A;;FA;;;BA)';
const fullBelow = '(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)';
/** Attributes, owner and list, for who may pass through. */
const look = FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE;
const add = look | FILE_ADD_FILE | 0x20;
const hex = (rights: number): string => `0x${rights.toString(16)}`;

const folders: Readonly<Record<number, string>> = {
  0o755: `O:BAD:P${fullBelow}(A;OICI;FRFX;;;BU)`,
  0o700: `O:BAD:P${fullBelow}(A;;${hex(look)};;;BU)`,
  0o1733: `O:BAD:P${fullBelow}(A;OICIIO;FA;;;CO)(A;;${hex(add)};;;BU)(A;OIIO;${hex(look)};;;BU)`,
};
const files: Readonly<Record<number, string>> = {
  0o644: `O:BAD:P${full}(A;;FR;;;BU)`,
  0o600: `O:BAD:P${full}`,
};

/** For a folder or file of the administrators. RangeError for another mode: a fault of the program. */
export function administratorsList(kind: 'file' | 'folder', mode: number): string {
  const list = (kind === 'folder' ? folders : files)[mode];
  if (list === undefined) throw new RangeError(`there is no access list for ${mode.toString(8)}`);
  return list;
}

/** For a file that an account leaves for the administrators; others see that it is there, and whose it is. */
export function personsList(sid: string): string {
  return `O:${sid}D:P${full}(A;;FA;;;${sid})(A;;${hex(look)};;;BU)`;
}
