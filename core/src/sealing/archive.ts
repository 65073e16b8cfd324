/**
 * Sealing, reading and opening archives, docs/spec/archive.md, "Construction" (rulings 3, 7 and 11). Three layers: `sums`
 * and the manifest's hashes show damage on the way; what can be computed from the entries is compared with what the
 * manifest claims; and only when `environment` opens, whose associated data is the manifest, is the whole authentic.
 * `readArchive` does all that needs no secret. Leaves out the ZIP around the entries (`adapters/zip`), chains of grants
 * (`chain.ts`), and the chip that yields the vault key.
 */
import { equal } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { openAesGcm, sealAesGcm } from '../crypto/aead.ts';
import { sha256 } from '../crypto/hash.ts';
import {
  archiveEntries,
  archiveEntryLimits,
  type ArchiveParts,
  type Manifest,
  type SummedEntry,
} from '../domain/archive.ts';
import type { Environment, KeyBlob } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import type { SignedGrant } from '../domain/grant.ts';
import type { TpmName } from '../domain/ids.ts';
import { decodeArchiveEnvironment, encodeArchiveEnvironment } from '../format/archive-environment-v1.ts';
import { decodeGrant } from '../format/grant-v1.ts';
import { decodeGrants, encodeGrants } from '../format/grants-v1.ts';
import { decodeManifest, encodeManifest } from '../format/manifest-v1.ts';
import { decodeSums, encodeSums } from '../format/sums-v1.ts';
import type { Duplicate } from '../tpm2/duplication.ts';
import { isVaultKey } from '../tpm2/templates.ts';
import { disposeKeys, misfitOf, zeroNonce } from './environment.ts';
import { tpmName } from './fingerprints.ts';

/** Length of an AES-GCM tag in bytes. */
const tagBytes = 16;

export interface ArchiveContent {
  readonly manifest: Omit<Manifest, 'entries' | 'environmentBytes'>;
  /** The chain, oldest first. */
  readonly grants: readonly SignedGrant[];
  /** TPMT_PUBLIC. */
  readonly basicUserKey: Uint8Array;
  readonly duplicate: Duplicate;
  readonly vaultKey: KeyBlob;
  readonly environment: Environment;
  /** 32 bytes, `UserKeys.archiveKey` for this archive's id: it must seal nothing else. */
  readonly archiveKey: SecretBytes;
}

/** An archive of which everything was checked that needs no secret; what the manifest alone says is still a claim. */
export interface ReadArchive {
  readonly manifest: Manifest;
  /** As they stand in the archive: the associated data of `environment`. */
  readonly manifestBytes: Uint8Array;
  /** Decoded, not verified (`verifyChain`); oldest first, at least one. */
  readonly grants: readonly SignedGrant[];
  /** TPMT_PUBLIC; template and policy are not checked yet (`verifyChain`, `checkBasicUserKey`). */
  readonly basicUserKey: Uint8Array;
  /** Computed from `basicUserKey`. */
  readonly name: TpmName;
  readonly duplicate: Duplicate;
  readonly vaultKey: KeyBlob;
  readonly sealedEnvironment: Uint8Array;
}

/** The entries of a new archive. `LimitExceeded`, `ParameterInvalid` where a format cannot hold a value. */
export function sealArchive(content: ArchiveContent): ArchiveParts {
  const summed: Record<SummedEntry, Uint8Array> = {
    grants: encodeGrants(content.grants.map(({ bytes }) => bytes)),
    'buk.public': content.basicUserKey,
    'buk.duplicate': content.duplicate.duplicate,
    'buk.seed': content.duplicate.seed,
    'vault-key.public': content.vaultKey.public,
    'vault-key.private': content.vaultKey.private,
  };
  using plaintext = encodeArchiveEnvironment(content.environment);
  const manifestBytes = encodeManifest({
    ...content.manifest,
    entries: {
      grants: sumOf(summed.grants),
      'buk.public': sumOf(summed['buk.public']),
      'buk.duplicate': sumOf(summed['buk.duplicate']),
      'buk.seed': sumOf(summed['buk.seed']),
      'vault-key.public': sumOf(summed['vault-key.public']),
      'vault-key.private': sumOf(summed['vault-key.private']),
    },
    environmentBytes: plaintext.length + tagBytes,
  });
  const environment = sealAesGcm(content.archiveKey, zeroNonce, plaintext.reveal, sha256(manifestBytes));
  const sums = encodeSums({ manifest: sha256(manifestBytes), environment: sha256(environment) });
  const parts: ArchiveParts = { manifest: manifestBytes, ...summed, environment, sums };
  requireWithinLimits(parts, 'the archive');
  return parts;
}

/**
 * Every check that needs neither secret nor platform. `LimitExceeded`; `ArchiveMalformed`, `ManifestMalformed`,
 * `GrantMalformed`, `VersionUnsupported` from the formats; `ArchiveDamaged` where sums, sizes or hashes do not fit;
 * `ArchiveChanged` where they do and the manifest still claims something else than is there. `path` is for messages.
 */
export function readArchive(parts: ArchiveParts, path: string): ReadArchive {
  requireWithinLimits(parts, path);
  const manifest = requireUndamaged(parts, path);
  const grants = decodeGrants(parts.grants, path).map((bytes, index) =>
    decodeGrant(bytes, `${path} (grant ${String(index + 1)})`),
  );
  const read: ReadArchive = {
    manifest,
    manifestBytes: parts.manifest,
    grants,
    basicUserKey: parts['buk.public'],
    name: tpmName(parts['buk.public']),
    duplicate: { duplicate: parts['buk.duplicate'], seed: parts['buk.seed'] },
    vaultKey: { public: parts['vault-key.public'], private: parts['vault-key.private'] },
    sealedEnvironment: parts.environment,
  };
  requireHonest(read, path);
  return read;
}

/** The manifest, once every entry is what it and `sums` say. All that is damaged is named, as far as it can be known. */
function requireUndamaged(parts: ArchiveParts, path: string): Manifest {
  const sums = decodeSums(parts.sums, path);
  const fits = (entry: 'manifest' | 'environment'): boolean => equal(sha256(parts[entry]), sums[entry]);
  if (!fits('manifest'))
    throw damaged(path, fits('environment') ? ['manifest'] : ['manifest', 'environment']);
  const manifest = decodeManifest(parts.manifest, path);
  const changed = archiveEntries.filter((entry) => {
    if (entry === 'manifest' || entry === 'sums') return false;
    if (entry === 'environment') return !fits(entry) || parts[entry].length !== manifest.environmentBytes;
    const { sizeBytes, sha256: hash } = manifest.entries[entry];
    return parts[entry].length !== sizeBytes || !equal(sha256(parts[entry]), hash);
  });
  if (changed.length > 0) throw damaged(path, changed);
  return manifest;
}

/**
 * The environment in the archive. `ArchiveChanged` where anything was changed; where a transfer code is part of the key
 * that cannot be told from a wrong one, so it is `PasswordRejected`. `path` is for messages. The caller disposes the
 * private keys.
 */
export function openArchive(read: ReadArchive, archiveKey: SecretBytes, path: string): Environment {
  const { manifest } = read;
  const opened = openAesGcm(archiveKey, zeroNonce, read.sealedEnvironment, sha256(read.manifestBytes));
  if (opened === undefined) throw notOpened(manifest, path);
  using plaintext = new SecretBytes(opened);
  const environment = decodeArchiveEnvironment(plaintext.reveal, path);
  const problem = misfitOf(environment) ?? falseClaim(read, environment);
  if (problem === undefined) return environment;
  disposeKeys(environment);
  throw fail('ArchiveChanged', { path, problem });
}

/** The manifest may claim only what the entries show. The account and the counts stay claims until it is opened. */
function requireHonest({ manifest, grants, name, vaultKey }: ReadArchive, path: string): void {
  const last = grants.at(-1)?.grant;
  const changed = (problem: string): Error => fail('ArchiveChanged', { path, problem });
  if (manifest.basicUserKey !== name) throw changed('its manifest names another Basic User Key');
  if (last === undefined || tpmName(last.destinationKey) !== manifest.destinationKey) {
    throw changed('its manifest names another destination than its grant');
  }
  if (grants.some(({ grant }) => grant.rehearsal !== manifest.rehearsal)) {
    throw changed('its manifest and its grants disagree on whether this is a rehearsal');
  }
  if (!isVaultKey(vaultKey.public)) throw changed('its vault key is not of the template of a vault key');
}

/** What the opened environment contradicts. Its maker had the password; a fault in another program shows here. */
function falseClaim(
  { manifest, grants }: ReadArchive,
  { publicPart, privatePart }: Environment,
): string | undefined {
  const root = grants[0]?.grant.authority;
  if (root === undefined || !equal(root, publicPart.rootAuthority)) {
    return 'its environment names another root authority than its grants';
  }
  if (manifest.credentials !== publicPart.credentials.length)
    return 'its manifest claims another number of credentials';
  if (manifest.activeFeatures !== Object.keys(publicPart.features).length) {
    return 'its manifest claims another number of active features';
  }
  const claimed = manifest.replaces.join();
  return claimed === privatePart.replaces.join() ? undefined : 'its manifest claims to continue other keys';
}

function notOpened(manifest: Manifest, path: string): Error {
  if (!manifest.transferCode) {
    return fail('ArchiveChanged', { path, problem: 'its environment does not open with the keys in it' });
  }
  const which = 'the password or transfer code (or the archive was changed)';
  return fail('PasswordRejected', {
    which,
    whose: `${manifest.account.name} and the transfer code of ${path}`,
  });
}

function requireWithinLimits(parts: ArchiveParts, path: string): void {
  for (const entry of archiveEntries) {
    const actual = parts[entry].length;
    const maximum = archiveEntryLimits[entry];
    if (actual > maximum) throw fail('LimitExceeded', { what: `${entry} in ${path}`, actual, maximum });
  }
}

function sumOf(bytes: Uint8Array): Manifest['entries'][SummedEntry] {
  return { sizeBytes: bytes.length, sha256: sha256(bytes) };
}

function damaged(path: string, entries: readonly string[]): Error {
  const names = entries.map((entry) => `"${entry}"`).join(', ');
  const problem = `${names} ${entries.length === 1 ? 'is' : 'are'} not what was written`;
  return fail('ArchiveDamaged', { path, problem });
}
