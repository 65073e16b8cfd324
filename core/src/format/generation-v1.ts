/**
 * Generation files (`000007.spenv`), docs/spec/environment-store.md, "Generation file": kind line, header, public part,
 * sealed private part. The header holds everything that is needed to open the file except chip and password; header and
 * public part are authenticated with the private part. Leaves out sealing (`sealing/environment.ts`) and the folder
 * (`adapters/store-file`).
 */
import { ascii, concat, fromHex, toHex } from '../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../bytes/reader.ts';
import type { GenerationHeader, PublicPart } from '../domain/environment.ts';
import { limits } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import { hexDigits } from '../domain/ids.ts';
import { decodePublicPart } from './environment-v1.ts';
import { expectKind, kindLine } from './kind.ts';

export {
  decodePrivatePart,
  decodePublicPart,
  encodePrivatePart,
  encodePublicPart,
} from './environment-v1.ts';

const publicAreaBytes = 1024;
const privateBlobBytes = 4096;
/** An AES-GCM ciphertext is never shorter than its tag. */
const minimumSealedBytes = 16;

export interface DecodedGeneration {
  readonly header: GenerationHeader;
  /** Kind line and header as they stand in the file: the first part of the AAD. */
  readonly headerBytes: Uint8Array;
  /** Readable without a password, and unverified until the private part opens. */
  readonly publicPart: PublicPart;
  /** The second part of the AAD. */
  readonly publicBytes: Uint8Array;
  readonly sealedPrivate: Uint8Array;
}

/** Kind line and header. RangeError where a fixed-length field has another length. */
export function encodeHeader(header: GenerationHeader): Uint8Array {
  const writer = new ByteWriter()
    .raw(ascii(`${kindLine('generation')}\n`))
    .raw(exactly(fromHex(header.platformId), hexDigits.PlatformId / 2))
    .u32(header.generation)
    .u32(header.parent)
    .raw(exactly(header.passwordSalt, 16))
    .raw(exactly(header.keySalt, 16))
    .raw(exactly(header.nonce, 16));
  for (const [bytes, maximum] of blobs(header)) {
    if (bytes.length > maximum)
      throw fail('LimitExceeded', { what: 'a key blob', actual: bytes.length, maximum });
    writer.sized16(bytes);
  }
  return writer.done();
}

/** The whole file, from `encodeHeader`, `encodePublicPart` and the sealed private part. `LimitExceeded`. */
export function assembleGeneration(
  header: Uint8Array,
  publicPart: Uint8Array,
  sealedPrivate: Uint8Array,
): Uint8Array {
  const lengths = new ByteWriter().u32(publicPart.length).u32(sealedPrivate.length).done();
  const bytes = concat(header, lengths.subarray(0, 4), publicPart, lengths.subarray(4), sealedPrivate);
  if (bytes.length > limits.environmentBytes) {
    throw fail('LimitExceeded', {
      what: 'the environment',
      actual: bytes.length,
      maximum: limits.environmentBytes,
    });
  }
  return bytes;
}

/** `path` is for messages. `EnvironmentDamaged`, `StoreNewer`, `LimitExceeded`. */
export function decodeGeneration(bytes: Uint8Array, path: string): DecodedGeneration {
  const { reader, header } = readHeader(bytes, path);
  const headerBytes = bytes.slice(0, reader.offset);
  const publicBytes = reader.sized32(limits.environmentBytes);
  const sealedPrivate = reader.sized32(limits.environmentBytes);
  reader.end();
  if (sealedPrivate.length < minimumSealedBytes)
    throw fail('EnvironmentDamaged', { path, problem: 'the private part ends too early' });
  return { header, headerBytes, publicPart: decodePublicPart(publicBytes, path), publicBytes, sealedPrivate };
}

/** Only the header, which says under which key and password the file is; nothing after it is looked at. The same codes. */
export function decodeGenerationHeader(bytes: Uint8Array, path: string): GenerationHeader {
  return readHeader(bytes, path).header;
}

function readHeader(
  bytes: Uint8Array,
  path: string,
): { readonly reader: ByteReader; readonly header: GenerationHeader } {
  expectKind(bytes, 'generation', path);
  const reader = new ByteReader(bytes, (problem) =>
    fail('EnvironmentDamaged', { path, problem: `the file ${problem}` }),
  );
  reader.take(kindLine('generation').length + 1);
  const header: GenerationHeader = {
    platformId: toHex(reader.take(hexDigits.PlatformId / 2)),
    generation: reader.u32(),
    parent: reader.u32(),
    passwordSalt: reader.take(16),
    keySalt: reader.take(16),
    nonce: reader.take(16),
    basicUserKey: reader.sized16(publicAreaBytes),
    basicUserKeyPrivate: reader.sized16(privateBlobBytes),
    vaultKey: { public: reader.sized16(publicAreaBytes), private: reader.sized16(privateBlobBytes) },
  };
  if (header.parent >= header.generation)
    throw fail('EnvironmentDamaged', { path, problem: 'the generation is not newer than its parent' });
  return { reader, header };
}

/** The variable parts of a header in their order, each with its bound. */
function blobs(header: GenerationHeader): readonly (readonly [Uint8Array, number])[] {
  return [
    [header.basicUserKey, publicAreaBytes],
    [header.basicUserKeyPrivate, privateBlobBytes],
    [header.vaultKey.public, publicAreaBytes],
    [header.vaultKey.private, privateBlobBytes],
  ];
}

function exactly(bytes: Uint8Array | undefined, length: number): Uint8Array {
  if (bytes?.length !== length)
    throw new RangeError(`a field of the header does not have ${String(length)} bytes`);
  return bytes;
}
