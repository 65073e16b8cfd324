/**
 * The plaintext of an archive's entry `environment`, docs/spec/archive.md, "Environment": kind line, public part, private
 * part. Leaves out its encryption (`sealing/archive.ts`).
 */
import { ascii } from '../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../bytes/reader.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { limits, type Environment } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import {
  decodePrivatePart,
  decodePublicPart,
  encodePrivatePart,
  encodePublicPart,
} from './environment-v1.ts';
import { expectKind, kindLine } from './kind.ts';

/** `LimitExceeded` where the environment is too large. */
export function encodeArchiveEnvironment(environment: Environment): SecretBytes {
  using privateBytes = encodePrivatePart(environment.privatePart);
  const bytes = new ByteWriter()
    .raw(ascii(`${kindLine('archive-environment')}\n`))
    .sized32(encodePublicPart(environment.publicPart))
    .sized32(privateBytes.reveal)
    .done();
  const secret = new SecretBytes(bytes);
  // The entry also holds the tag of AES-GCM.
  const maximum = limits.environmentBytes - 16;
  if (bytes.length <= maximum) return secret;
  secret.dispose();
  throw fail('LimitExceeded', { what: 'the environment', actual: bytes.length, maximum });
}

/** `path` is for messages; the caller clears `bytes`. `ArchiveMalformed`, `VersionUnsupported`, `LimitExceeded`. */
export function decodeArchiveEnvironment(bytes: Uint8Array, path: string): Environment {
  expectKind(bytes, 'archive-environment', path);
  const reader = new ByteReader(bytes, (problem) =>
    fail('ArchiveMalformed', { path, problem: `its environment ${problem}` }),
  );
  reader.take(kindLine('archive-environment').length + 1);
  const publicBytes = reader.sized32(limits.environmentBytes);
  using privateBytes = new SecretBytes(reader.sized32(limits.environmentBytes));
  reader.end();
  return {
    publicPart: decodePublicPart(publicBytes, path, 'ArchiveMalformed'),
    privatePart: decodePrivatePart(privateBytes.reveal, path, 'ArchiveMalformed'),
  };
}
