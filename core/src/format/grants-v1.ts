/**
 * The archive entry `grants`, docs/spec/archive.md, "Grants": the chain of grant files, oldest first. Leaves out the
 * grants themselves (`grant-v1.ts`) and whether they are a chain (`sealing/grants.ts`).
 */
import { ascii } from '../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../bytes/reader.ts';
import { fail } from '../domain/error.ts';
import { maximumChainLength } from '../domain/grant.ts';
import { expectKind, kindLine, maximumBytesOf } from './kind.ts';

/** `grants`: 1 to 5 grant files. */
export function encodeGrants(grants: readonly Uint8Array[]): Uint8Array {
  if (grants.length < 1 || grants.length > maximumChainLength)
    throw new RangeError('a chain has 1 to 5 grants');
  const writer = new ByteWriter().raw(ascii(`${kindLine('grants')}\n`)).u8(grants.length);
  for (const grant of grants) writer.sized32(grant);
  return writer.done();
}

/** `path` is for messages. `ArchiveMalformed`, `VersionUnsupported`, `LimitExceeded`. */
export function decodeGrants(bytes: Uint8Array, path: string): readonly Uint8Array[] {
  expectKind(bytes, 'grants', path);
  const error = (problem: string): Error =>
    fail('ArchiveMalformed', { path, problem: `its chain of grants ${problem}` });
  const reader = new ByteReader(bytes, error);
  reader.take(kindLine('grants').length + 1);
  const length = reader.u8();
  if (length < 1 || length > maximumChainLength) throw error('does not have 1 to 5 grants');
  const grants = Array.from({ length }, () => reader.sized32(maximumBytesOf('grant')));
  reader.end();
  return grants;
}
