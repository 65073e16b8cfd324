/**
 * The archive entry `manifest`, docs/spec/archive.md, "Manifest": what the archive says about itself. Until its
 * environment opens, all of it is a claim. Leaves out comparing the claims with what can be computed
 * (`sealing/archive.ts`).
 */
import { archiveEntryLimits, type Manifest, type SummedEntry } from '../domain/archive.ts';
import { features, limits } from '../domain/environment.ts';
import {
  computerName,
  count,
  hexBytes,
  id,
  instant,
  mapped,
  pair,
  readAccount,
  writeAccount,
  yesNo,
} from './forms.ts';
import { TextReader, TextWriter, type ValueForm } from './text.ts';

type Sum = Manifest['entries'][SummedEntry];

const name = id('TpmName');
const bytes16 = hexBytes(16);
const sha256 = hexBytes(32);
/** Generations are 32-bit numbers in their files. */
const generation = count(1, 0xffff_ffff);
const credentials = count(0, limits.credentials);
const activeFeatures = count(0, features.length);
const environmentBytes = count(1, archiveEntryLimits.environment);

const summedEntries = [
  'grants',
  'buk.public',
  'buk.duplicate',
  'buk.seed',
  'vault-key.public',
  'vault-key.private',
] as const;

/** `<size> <SHA-256>`. */
function sumForm(entry: SummedEntry): ValueForm<Sum> {
  const sizeAndSum = pair(count(1, archiveEntryLimits[entry]), sha256);
  return mapped(
    sizeAndSum,
    ([sizeBytes, sha256]): Sum => ({ sizeBytes, sha256 }),
    ({ sizeBytes, sha256 }) => [sizeBytes, sha256] as const,
  );
}

/** `ParameterInvalid` or `LimitExceeded` where the format cannot hold a value. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const writer = new TextWriter('manifest')
    .field('archive', id('ArchiveId'), manifest.archive)
    .field('created', instant, manifest.created)
    .field('rehearsal', yesNo, manifest.rehearsal)
    .field('source-computer', computerName, manifest.sourceComputer)
    .field('source-fingerprint', id('IdentityFingerprint'), manifest.sourceFingerprint)
    .field('source-key', name, manifest.sourceKey);
  writeAccount(writer, manifest.account);
  writer
    .field('destination-computer', computerName, manifest.destinationComputer)
    .field('destination-key', name, manifest.destinationKey)
    .field('basic-user-key', name, manifest.basicUserKey)
    .field('nonce', bytes16, manifest.nonce)
    .field('generation', generation, manifest.generation)
    .field('credentials', credentials, manifest.credentials)
    .field('active-features', activeFeatures, manifest.activeFeatures)
    .field('password-salt', bytes16, manifest.passwordSalt)
    .field('transfer-code', yesNo, manifest.transferCode)
    .list('replaces', name, manifest.replaces);
  for (const entry of summedEntries) writer.field(entry, sumForm(entry), manifest.entries[entry]);
  return writer
    .field('environment', environmentBytes, manifest.environmentBytes)
    .optional('history-head', sha256, manifest.historyHead.length === 0 ? undefined : manifest.historyHead)
    .done();
}

/** `path` is for messages. `ManifestMalformed`, `VersionUnsupported`, `LimitExceeded`. */
export function decodeManifest(bytes: Uint8Array, path: string): Manifest {
  const reader = new TextReader(bytes, 'manifest', path);
  const manifest: Manifest = {
    archive: reader.field('archive', id('ArchiveId')),
    created: reader.field('created', instant),
    rehearsal: reader.field('rehearsal', yesNo),
    sourceComputer: reader.field('source-computer', computerName),
    sourceFingerprint: reader.field('source-fingerprint', id('IdentityFingerprint')),
    sourceKey: reader.field('source-key', name),
    account: readAccount(reader),
    destinationComputer: reader.field('destination-computer', computerName),
    destinationKey: reader.field('destination-key', name),
    basicUserKey: reader.field('basic-user-key', name),
    nonce: reader.field('nonce', bytes16),
    generation: reader.field('generation', generation),
    credentials: reader.field('credentials', credentials),
    activeFeatures: reader.field('active-features', activeFeatures),
    passwordSalt: reader.field('password-salt', bytes16),
    transferCode: reader.field('transfer-code', yesNo),
    replaces: reader.list('replaces', name),
    entries: readEntries(reader),
    environmentBytes: reader.field('environment', environmentBytes),
    historyHead: reader.optional('history-head', sha256) ?? new Uint8Array(),
  };
  reader.end();
  return manifest;
}

/** Literal, so that the compiler sees that none is missing; evaluated in the order of the lines. */
function readEntries(reader: TextReader): Manifest['entries'] {
  const sum = (entry: SummedEntry): Sum => reader.field(entry, sumForm(entry));
  return {
    grants: sum('grants'),
    'buk.public': sum('buk.public'),
    'buk.duplicate': sum('buk.duplicate'),
    'buk.seed': sum('buk.seed'),
    'vault-key.public': sum('vault-key.public'),
    'vault-key.private': sum('vault-key.private'),
  };
}
