/**
 * Security descriptors as Windows gives them ([MS-DTYP] 2.4), made of SIDs and entries, and a Windows that has such descriptors
 * for files on a disk of Linux: it answers for what the platform's folder holds, in place of the functions of Windows.
 */
import { lstatSync, mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeSecurity } from '../../../core/src/adapters/system/security-descriptor.ts';
import type { WindowsFiles } from '../../../core/src/adapters/system/windows-files.ts';
import { fail } from '../../../core/src/domain/error.ts';

/** Type, flags, rights and account of an entry, as in the bytes. */
export interface MadeEntry {
  readonly type?: number;
  readonly flags?: number;
  readonly rights: number;
  readonly sid: string;
}

export const anna = 'S-1-5-21-1-2-3-1001';
export const ben = 'S-1-5-21-1-2-3-1002';
export const users = 'S-1-5-32-545';

/** A SID as bytes. */
export function sidBytes(sid: string): Uint8Array {
  const [, revision = 0, authority = 0, ...numbers] = sid.split('-').map(Number);
  const bytes = new Uint8Array(8 + 4 * numbers.length);
  const view = new DataView(bytes.buffer);
  bytes.set([revision, numbers.length]);
  view.setUint16(2, Math.floor(authority / 2 ** 32));
  view.setUint32(4, authority % 2 ** 32);
  for (const [index, number] of numbers.entries()) view.setUint32(8 + 4 * index, number, true);
  return bytes;
}

function entryBytes({ type = 0, flags = 0, rights, sid }: MadeEntry): Uint8Array {
  const account = sidBytes(sid);
  const bytes = new Uint8Array(8 + account.length);
  const view = new DataView(bytes.buffer);
  bytes.set([type, flags]);
  view.setUint16(2, bytes.length, true);
  view.setUint32(4, rights, true);
  bytes.set(account, 8);
  return bytes;
}

/** `entries`: undefined for a descriptor without a list. */
export function descriptor(owner: string, entries: readonly MadeEntry[] | undefined): Uint8Array {
  const parts = entries?.map(entryBytes) ?? [];
  const listBytes = entries === undefined ? 0 : 8 + parts.reduce((sum, part) => sum + part.length, 0);
  const account = sidBytes(owner);
  const bytes = new Uint8Array(20 + account.length + listBytes);
  const view = new DataView(bytes.buffer);
  bytes[0] = 1;
  view.setUint16(2, 0x8004, true);
  view.setUint32(4, 20, true);
  bytes.set(account, 20);
  if (entries === undefined) return bytes;
  const list = 20 + account.length;
  view.setUint32(16, list, true);
  bytes[list] = 2;
  view.setUint16(list + 2, listBytes, true);
  view.setUint16(list + 4, parts.length, true);
  let offset = list + 8;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

const accounts: Readonly<Record<string, string>> = {
  BA: 'S-1-5-32-544',
  SY: 'S-1-5-18',
  BU: users,
  CO: 'S-1-3-0',
};
const rightsOf: Readonly<Record<string, number>> = { FA: 0x1f01ff, FR: 0x120089, FRFX: 0x1200a9 };
const flagsOf: Readonly<Record<string, number>> = { OI: 1, CI: 2, IO: 8 };

/** The descriptor of a text of the form that the product writes (SDDL), as Windows makes it. */
export function fromText(text: string): Uint8Array {
  const [, owner = '', list = ''] = /^O:(.+?)D:P((?:\([^()]*\))*)$/.exec(text) ?? [];
  const entries = [...list.matchAll(/\(A;([A-Z]*);([A-Za-z0-9]+);;;([^)]+)\)/g)].map(
    ([, flags = '', rights = '', account = '']): MadeEntry => ({
      flags: (flags.match(/../g) ?? []).reduce((sum, flag) => sum | flagsOf[flag]!, 0),
      rights: rights.startsWith('0x') ? Number(rights) : rightsOf[rights]!,
      sid: accounts[account] ?? account,
    }),
  );
  return descriptor(accounts[owner] ?? owner, entries);
}

/** What a file gets from its folder's list, and its maker. */
function inherited(parent: Uint8Array, maker: string): Uint8Array {
  const entries = (decodeSecurity(parent)?.entries ?? []).filter((entry) => entry.inherited);
  const of = ({ account, rights }: { readonly account: string; readonly rights: number }): MadeEntry => ({
    rights,
    sid: account === 'S-1-3-0' ? maker : account,
  });
  return descriptor(maker, entries.map(of));
}

export class WindowsFilesDouble implements WindowsFiles {
  /** By the number of the file, which stays the same when it is renamed. */
  readonly #descriptors = new Map<bigint, Uint8Array>();
  readonly #closed = new Set<bigint>();
  /** Whom files belong to that are made without a descriptor. */
  maker = anna;

  set(path: string, bytes: Uint8Array): void {
    this.#descriptors.set(lstatSync(path, { bigint: true }).ino, bytes);
  }

  /** From now on nobody may read its list, as where its owner denies that to everybody. */
  close(path: string): void {
    this.#closed.add(lstatSync(path, { bigint: true }).ino);
  }

  descriptorOf = (path: string): Uint8Array => {
    if (this.#closed.has(lstatSync(path, { bigint: true }).ino)) throw fail('StorageDenied', { path });
    const found = this.#descriptors.get(lstatSync(path, { bigint: true }).ino);
    if (found !== undefined) return found;
    const made = inherited(this.descriptorOf(dirname(path)), this.maker);
    this.set(path, made);
    return made;
  };

  descriptorOfOpen = (file: number): Uint8Array => this.descriptorOf(readlinkSync(`/proc/self/fd/${file}`));

  makeFolder = (path: string, list: string): void => {
    this.#make(path, list, () => {
      mkdirSync(path);
    });
  };

  makeFile = (path: string, list: string): void => {
    this.#make(path, list, () => {
      writeFileSync(path, '', { flag: 'wx' });
    });
  };

  setDescriptor = (path: string, list: string): void => {
    this.set(path, fromText(list));
  };

  #make(path: string, list: string, make: () => void): void {
    try {
      make();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw fail('OutputExists', { path });
    }
    this.set(path, fromText(list));
  }
}
