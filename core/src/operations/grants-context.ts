/**
 * The grants and revocation lists that can be seen from here: the platform's own and those in the paths the caller
 * named. A file that is not valid is reported and passed over, so that one bad file on a share stops nobody; only a damaged
 * list in the platform's own folder stops everything, since it might revoke the grant at hand.
 */
import { isSPMigrationError } from '../domain/error.ts';
import type { SignedGrant, SignedRevocationList } from '../domain/grant.ts';
import type { AuthorityFingerprint, GrantSerial } from '../domain/ids.ts';
import { decodeGrant } from '../format/grant-v1.ts';
import { expectKind, recogniseKind } from '../format/kind.ts';
import { decodeRevocationList } from '../format/revocation-list-v1.ts';
import { verifyGrant, verifyRevocationList } from '../sealing/grants.ts';
import type { Call } from './operation.ts';

/** Bound for one grant file: a thousand delegations of about 250 bytes, and more. */
export const maximumGrantBytes = 4 * 1024 * 1024;

export interface FoundGrant {
  readonly path: string;
  readonly signed: SignedGrant;
  /** The folder or file it was found in, so that it is found again there. */
  readonly grantPath: string;
}

export interface GrantsHere {
  readonly grants: readonly FoundGrant[];
  readonly revocations: readonly SignedRevocationList[];
  /** The reason where a list of its signer revokes the grant, else undefined. */
  readonly revoked: (signer: AuthorityFingerprint, serial: GrantSerial) => string | undefined;
}

interface RawFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly grantPath: string;
  /** It lies in the platform's own folder, where only administrators write. */
  readonly own: boolean;
}

/** Everything that can be seen, verified; see the file's head. */
export async function grantsHere(call: Call, grantPaths: readonly string[]): Promise<GrantsHere> {
  const grants: FoundGrant[] = [];
  for (const file of await rawFiles(call, 'grants', '.spgrant', grantPaths)) {
    const signed = await passingOver(call, () => readGrant(file.bytes, file.path));
    if (signed !== undefined) grants.push({ path: file.path, signed, grantPath: file.grantPath });
  }
  const lists: SignedRevocationList[] = [];
  for (const file of await rawFiles(call, 'revocations', '.sprevoked', grantPaths)) {
    const read = (): SignedRevocationList => readRevocationList(file.bytes, file.path);
    // A damaged list of the platform's own might revoke this very grant: then nothing is permitted.
    const list = file.own ? read() : await passingOver(call, read);
    if (list !== undefined) lists.push(list);
  }
  const revocations = newestLists(lists);
  return { grants, revocations, revoked: (signer, serial) => revocationReason(lists, signer, serial) };
}

/** Decodes and verifies one grant file. */
export function readGrant(bytes: Uint8Array, path: string): SignedGrant {
  expectKind(bytes, 'grant', path);
  const signed = decodeGrant(bytes, path);
  verifyGrant(signed, path);
  return signed;
}

/** Decodes and verifies one revocation list. */
export function readRevocationList(bytes: Uint8Array, path: string): SignedRevocationList {
  expectKind(bytes, 'revocation-list', path);
  const signed = decodeRevocationList(bytes, path);
  verifyRevocationList(signed, path);
  return signed;
}

/** The list with the highest number of each authority. */
function newestLists(lists: readonly SignedRevocationList[]): readonly SignedRevocationList[] {
  const newest = new Map<AuthorityFingerprint, SignedRevocationList>();
  for (const list of lists) {
    const known = newest.get(list.signer);
    if (known === undefined || known.list.number < list.list.number) newest.set(list.signer, list);
  }
  return [...newest.values()];
}

/** A serial never leaves a list: any valid list that names it revokes it, also one that another overtook. */
function revocationReason(
  lists: readonly SignedRevocationList[],
  signer: AuthorityFingerprint,
  serial: GrantSerial,
): string | undefined {
  for (const { list, signer: by } of lists) {
    const entry = by === signer ? list.revoked.find((one) => one.serial === serial) : undefined;
    if (entry !== undefined) return entry.reason;
  }
  return undefined;
}

async function rawFiles(
  call: Call,
  collection: 'grants' | 'revocations',
  extension: string,
  grantPaths: readonly string[],
): Promise<readonly RawFile[]> {
  const { platform, files } = call.ports;
  const found: RawFile[] = [];
  for (const file of await platform.list(collection))
    found.push({ ...file, grantPath: file.path, own: true });
  for (const grantPath of grantPaths) {
    for (const path of await files.list(grantPath, extension)) {
      const read = (): Promise<Uint8Array> => files.read(path, maximumGrantBytes);
      // Who named a file must be told that it cannot be read; who named a folder did not mean everything in it.
      const bytes = path === grantPath ? await read() : await passingOver(call, read);
      if (bytes === undefined) continue;
      // A named file is what it says inside, whatever it is called; what is neither is reported as no grant.
      const isList = recogniseKind(bytes).kind === 'revocation-list';
      if (path === grantPath && isList !== (collection === 'revocations')) continue;
      found.push({ path, bytes, grantPath, own: false });
    }
  }
  return found;
}

/** The value, or undefined and a warning where a file is not valid. */
export async function passingOver<Value>(
  call: Call,
  read: () => Value | Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    call.report.warning(`Passed over: ${error.message} ${error.hint}`, error.code);
    return undefined;
  }
}
