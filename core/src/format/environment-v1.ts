/**
 * The two parts of an environment as bytes (docs/spec/environment-store.md, "Parts"): big-endian, every list with its
 * count before it, sorted and unique, so that the same environment always has the same bytes. Both parts stand in a
 * generation file and in an archive, whose kind line gives their version. Leaves out encryption, and whether the two
 * parts fit each other (`sealing/environment.ts`).
 */
import { compare, fromHex, fromUtf8, toHex, utf8 } from '../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../bytes/reader.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import {
  features,
  limits,
  type Credential,
  type CredentialOrigin,
  type Feature,
  type FeatureAssignments,
  type ImportedArchive,
  type PrivatePart,
  type PublicPart,
} from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import { maximumChainLength } from '../domain/grant.ts';
import { hexDigits, parseId, type CredentialId } from '../domain/ids.ts';
import type { Instant } from '../domain/time.ts';
import { maximumBytesOf } from './kind.ts';

/** What malformed parts are: in a store `EnvironmentDamaged`, in an archive `ArchiveMalformed`. */
export type PartMalformedCode = 'EnvironmentDamaged' | 'ArchiveMalformed';

/** Upper bounds in bytes that are this format's own; the others are `limits`. */
const publicKeyBytes = 4096;
const publicAreaBytes = 1024;
const requestBytes = 64 * 1024;
const maximumListLength = 1000;
/** Last second of the year 9999. */
const latestInstant = 253_402_300_799;

const featureCodes: Readonly<Record<Feature, number>> = { SecureEmail: 1, Efs: 2, SecureDrive: 3 };
const originCodes: Readonly<Record<CredentialOrigin, number>> = { pfx: 1, store: 2, new: 3, migration: 4 };
const origins = Object.keys(originCodes) as CredentialOrigin[];
const vaultProtection = 1;
/** What follows the public key of a credential. */
const withCertificate = 1;
const withRequest = 2;

/** The public part. `LimitExceeded` where it is larger than the format allows; RangeError where it contradicts itself. */
export function encodePublicPart(part: PublicPart): Uint8Array {
  const writer = new ByteWriter();
  bounded16(writer, part.rootAuthority, publicAreaBytes, 'the public area of the root authority');
  within(part.grants.length, maximumChainLength, 'the chain of grants');
  writer.u8(part.grants.length);
  for (const grant of part.grants) bounded32(writer, grant, maximumBytesOf('grant'), 'a grant');
  const known = new Set(part.credentials.map((credential) => credential.id));
  writeAssignments(writer, part.features, known);
  writeAssignments(writer, part.proposed, known);
  within(part.credentials.length, limits.credentials, 'the number of credentials');
  writer.u16(part.credentials.length);
  for (const credential of sorted(part.credentials, ({ id }) => id)) writeCredential(writer, credential);
  return writer.done();
}

/** `path` is for messages. Throws `malformed` with what is wrong. */
export function decodePublicPart(
  bytes: Uint8Array,
  path: string,
  malformed: PartMalformedCode = 'EnvironmentDamaged',
): PublicPart {
  const reader = new PartReader(bytes, path, malformed, 'public part');
  const rootAuthority = reader.sized16(publicAreaBytes);
  const grants = Array.from({ length: reader.count(reader.u8(), maximumChainLength) }, () =>
    reader.sized32(maximumBytesOf('grant')),
  );
  const assigned = readAssignments(reader);
  const proposed = readAssignments(reader);
  const credentials = Array.from({ length: reader.count(reader.u16(), limits.credentials) }, () =>
    readCredential(reader),
  );
  reader.end();
  reader.demandSorted(credentials.map(({ id }) => id));
  const known = new Set(credentials.map(({ id }) => id));
  for (const credential of [...Object.values(assigned), ...Object.values(proposed)]) {
    if (!known.has(credential)) throw reader.error('assigns a credential that is not there');
  }
  return { credentials, features: assigned, proposed, rootAuthority, grants };
}

/** The private part, as the secret that it is. `LimitExceeded` where it is larger than the format allows. */
export function encodePrivatePart(part: PrivatePart): SecretBytes {
  const writer = new ByteWriter();
  within(part.keys.size, limits.credentials, 'the number of keys');
  writer.u16(part.keys.size);
  for (const [id, key] of sorted([...part.keys], ([id]) => id)) {
    writer.raw(idBytes(id));
    bounded16(writer, key.reveal, limits.privateKeyBytes, 'a private key');
  }
  writeList(
    writer,
    part.importedArchives,
    limits.importedArchives,
    'the list of imported archives',
    ({ archive }) => archive,
    (entry) => {
      writer.raw(idBytes(entry.source)).u32(entry.generation);
    },
  );
  writeList(
    writer,
    part.revocationNumbers,
    maximumListLength,
    'the list of revocation numbers',
    ({ authority }) => authority,
    (entry) => {
      writer.u32(entry.number);
    },
  );
  writeList(writer, part.tombstones, limits.tombstones, 'the list of removed credentials', (id) => id);
  writeList(writer, part.replaces, maximumListLength, 'the list of replaced keys', (name) => name);
  return new SecretBytes(writer.done());
}

/** As `decodePublicPart`. The keys are copies, so the caller clears `bytes`. */
export function decodePrivatePart(
  bytes: Uint8Array,
  path: string,
  malformed: PartMalformedCode = 'EnvironmentDamaged',
): PrivatePart {
  const reader = new PartReader(bytes, path, malformed, 'private part');
  const keys = new Map<CredentialId, SecretBytes>();
  try {
    for (let left = reader.count(reader.u16(), limits.credentials); left > 0; left--) {
      const id = reader.id('CredentialId');
      if (keys.has(id)) throw reader.error('holds a key twice');
      keys.set(id, new SecretBytes(reader.sized16(limits.privateKeyBytes)));
    }
    reader.demandSorted([...keys.keys()]);
    const importedArchives = reader.list(limits.importedArchives, (): ImportedArchive => ({
      archive: reader.id('ArchiveId'),
      source: reader.id('TpmName'),
      generation: reader.u32(),
    }));
    reader.demandSorted(importedArchives.map(({ archive }) => archive));
    const revocationNumbers = reader.list(maximumListLength, () => ({
      authority: reader.id('AuthorityFingerprint'),
      number: reader.u32(),
    }));
    reader.demandSorted(revocationNumbers.map(({ authority }) => authority));
    const tombstones = reader.list(limits.tombstones, () => reader.id('CredentialId'));
    reader.demandSorted(tombstones);
    const replaces = reader.list(maximumListLength, () => reader.id('TpmName'));
    reader.demandSorted(replaces);
    reader.end();
    return { keys, importedArchives, revocationNumbers, tombstones, replaces };
  } catch (error) {
    for (const key of keys.values()) key.dispose();
    throw error;
  }
}

/** A reader that knows identifiers and counts, and turns every violation into the part's malformed error. */
class PartReader extends ByteReader {
  readonly error: (problem: string) => Error;

  constructor(bytes: Uint8Array, path: string, malformed: PartMalformedCode, name: string) {
    const error = (problem: string): Error => fail(malformed, { path, problem: `the ${name} ${problem}` });
    super(bytes, error);
    this.error = error;
  }

  count(value: number, maximum: number): number {
    if (value > maximum) throw this.error('holds a list that is too long');
    return value;
  }

  list<T>(maximum: number, read: () => T): readonly T[] {
    return Array.from({ length: this.count(this.u16(), maximum) }, read);
  }

  id<Kind extends keyof typeof hexDigits>(kind: Kind): NonNullable<ReturnType<typeof parseId<Kind>>> {
    const id = parseId(kind, toHex(this.take(hexDigits[kind] / 2)));
    if (id === undefined) throw this.error(`holds an invalid ${kind}`);
    return id;
  }

  instant(): Instant {
    const value = this.u32() * 2 ** 32 + this.u32();
    if (value > latestInstant) throw this.error('holds a time after the year 9999');
    return value;
  }

  /** Hex strings of one length sort as their bytes. */
  demandSorted(ids: readonly string[]): void {
    ids.forEach((id, index) => {
      if (index > 0 && id <= (ids[index - 1] ?? ''))
        throw this.error('holds a list that is not sorted or has an element twice');
    });
  }
}

function writeCredential(writer: ByteWriter, credential: Credential): void {
  writer.raw(idBytes(credential.id));
  within(
    Array.from(credential.label).length,
    limits.labelCharacters,
    'the label of a credential (in characters)',
  );
  writer.sized16(utf8(credential.label));
  bounded16(writer, credential.publicKey, publicKeyBytes, 'a public key');
  writer
    .u8(originCodes[credential.origin])
    .u32(Math.floor(credential.added / 2 ** 32))
    .u32(credential.added % 2 ** 32)
    .u8(vaultProtection);
  if (credential.certificate !== undefined) {
    if (credential.request !== undefined)
      throw new RangeError('a credential has a certificate or a request, not both');
    writer.u8(withCertificate);
    bounded32(writer, credential.certificate, limits.certificateBytes, 'a certificate');
    within(credential.chain.length, limits.chainCertificates, 'the chain of a certificate');
    writer.u8(credential.chain.length);
    for (const issuer of credential.chain)
      bounded32(writer, issuer, limits.certificateBytes, 'a certificate');
    return;
  }
  if (credential.request === undefined || credential.chain.length > 0) {
    throw new RangeError('a credential without certificate has a request and no chain');
  }
  writer.u8(withRequest);
  bounded32(writer, credential.request, requestBytes, 'a certificate request');
}

function readCredential(reader: PartReader): Credential {
  const id = reader.id('CredentialId');
  const label = fromUtf8(reader.sized16(limits.labelCharacters * 4));
  if (label === undefined || Array.from(label).length > limits.labelCharacters)
    throw reader.error('holds a label that is no text or too long');
  const publicKey = reader.sized16(publicKeyBytes);
  const originCode = reader.u8();
  const origin = origins.find((candidate) => originCodes[candidate] === originCode);
  if (origin === undefined) throw reader.error('holds a credential of unknown origin');
  const added = reader.instant();
  if (reader.u8() !== vaultProtection) throw reader.error('holds a credential with an unknown protection');
  const common = { id, label, publicKey, origin, added, protection: 'vault' } as const;
  switch (reader.u8()) {
    case withCertificate: {
      const certificate = reader.sized32(limits.certificateBytes);
      const length = reader.count(reader.u8(), limits.chainCertificates);
      const chain = Array.from({ length }, () => reader.sized32(limits.certificateBytes));
      return { ...common, certificate, chain, request: undefined };
    }
    case withRequest:
      return { ...common, certificate: undefined, chain: [], request: reader.sized32(requestBytes) };
    default:
      throw reader.error('holds a credential with neither certificate nor request');
  }
}

function writeAssignments(
  writer: ByteWriter,
  assignments: FeatureAssignments,
  known: ReadonlySet<CredentialId>,
): void {
  const assigned = features.flatMap((feature) => {
    const credential = assignments[feature];
    return credential === undefined ? [] : [{ feature, credential }];
  });
  writer.u8(assigned.length);
  for (const { feature, credential } of assigned) {
    if (!known.has(credential))
      throw new RangeError('a feature is assigned to a credential that is not there');
    writer.u8(featureCodes[feature]).raw(idBytes(credential));
  }
}

/** Features come in the order of their codes, each at most once. */
function readAssignments(reader: PartReader): FeatureAssignments {
  const assignments: Partial<Record<Feature, CredentialId>> = {};
  let before = 0;
  for (let left = reader.count(reader.u8(), features.length); left > 0; left--) {
    const code = reader.u8();
    const feature = features.find((candidate) => featureCodes[candidate] === code);
    if (feature === undefined || code <= before)
      throw reader.error('holds features that are unknown or not in order');
    assignments[feature] = reader.id('CredentialId');
    before = code;
  }
  return assignments;
}

/** A 16-bit count, then each element: the identifier it is sorted by, then what `rest` writes. */
function writeList<T>(
  writer: ByteWriter,
  values: readonly T[],
  maximum: number,
  what: string,
  idOf: (value: T) => string,
  rest?: (value: T) => void,
): void {
  within(values.length, maximum, what);
  writer.u16(values.length);
  for (const value of sorted(values, idOf)) {
    writer.raw(idBytes(idOf(value)));
    rest?.(value);
  }
}

/** A sorted copy; RangeError where an identifier is there twice. */
function sorted<T>(values: readonly T[], idOf: (value: T) => string): readonly T[] {
  const copy = [...values].sort((a, b) => compare(idBytes(idOf(a)), idBytes(idOf(b))));
  copy.forEach((value, index) => {
    const before = copy[index - 1];
    if (before !== undefined && idOf(before) === idOf(value))
      throw new RangeError('an identifier is there twice');
  });
  return copy;
}

function idBytes(id: string): Uint8Array {
  const bytes = fromHex(id);
  if (bytes === undefined) throw new RangeError('not an identifier');
  return bytes;
}

function bounded16(writer: ByteWriter, bytes: Uint8Array, maximum: number, what: string): void {
  within(bytes.length, maximum, what);
  writer.sized16(bytes);
}

function bounded32(writer: ByteWriter, bytes: Uint8Array, maximum: number, what: string): void {
  within(bytes.length, maximum, what);
  writer.sized32(bytes);
}

function within(actual: number, maximum: number, what: string): void {
  if (actual > maximum) throw fail('LimitExceeded', { what, actual, maximum });
}
