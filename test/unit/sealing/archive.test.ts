/** Archives sealed, read and opened: damage, dishonest manifests, and changes that only opening shows. */
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../core/src/bytes/bytes.ts';
import { sha256 } from '../../../core/src/crypto/hash.ts';
import {
  archiveEntries,
  type ArchiveParts,
  type Manifest,
  type SummedEntry,
} from '../../../core/src/domain/archive.ts';
import { toId } from '../../../core/src/domain/ids.ts';
import { encodeGrants } from '../../../core/src/format/grants-v1.ts';
import { decodeManifest, encodeManifest } from '../../../core/src/format/manifest-v1.ts';
import { encodeSums } from '../../../core/src/format/sums-v1.ts';
import {
  openArchive,
  readArchive,
  sealArchive,
  type ArchiveContent,
} from '../../../core/src/sealing/archive.ts';
import { verifyChain } from '../../../core/src/sealing/grants.ts';
import { makeArchive } from '../../testkit/sealed-archive.ts';
import {
  codeOf,
  errorOf,
  grantFrom,
  makeKey,
  makePlatform,
  revealed,
  seededBytes,
  seededSecret,
} from '../../testkit/sealing.ts';

const made = makeArchive();
const { content, parts, archiveKey, environment } = made;

/** The archive with another manifest and fitting sums: what a forger without the password can make. */
function forged(
  changes: Partial<Manifest>,
  entries: Partial<Record<SummedEntry, Uint8Array>> = {},
): ArchiveParts {
  const manifest = decodeManifest(parts.manifest, 'x');
  const sums = Object.fromEntries(
    Object.entries(entries).map(([entry, bytes]) => [
      entry,
      { sizeBytes: bytes.length, sha256: sha256(bytes) },
    ]),
  );
  const manifestBytes = encodeManifest({
    ...manifest,
    entries: { ...manifest.entries, ...sums },
    ...changes,
  });
  return {
    ...parts,
    ...entries,
    manifest: manifestBytes,
    sums: encodeSums({ manifest: sha256(manifestBytes), environment: sha256(parts.environment) }),
  };
}
const resealed = (changes: Partial<ArchiveContent>): ArchiveParts => sealArchive({ ...content, ...changes });

describe('archive', () => {
  test('reads and opens to what was sealed', () => {
    const read = readArchive(parts, 'x.sparc');
    expect(Object.keys(parts)).toEqual([...archiveEntries]);
    expect(read.name).toBe(made.key.name);
    expect(read.grants.map(({ grant }) => grant.serial)).toEqual(
      content.grants.map(({ grant }) => grant.serial),
    );
    expect(read.duplicate).toEqual(content.duplicate);
    expect(read.vaultKey).toEqual(content.vaultKey);
    expect(read.manifest).toMatchObject(content.manifest);
    expect(verifyChain({ ...read, nonce: read.manifest.nonce }, 'x').grants).toHaveLength(1);
    const opened = openArchive(read, archiveKey, 'x.sparc');
    expect(opened.publicPart).toEqual(environment.publicPart);
    expect(revealed(opened)).toEqual(revealed(environment));
  });

  test('each entry damaged by one bit, and each cut short', () => {
    for (const entry of archiveEntries) {
      if (entry === 'sums') continue;
      const bytes = parts[entry];
      const flipped = bytes.map((byte, index) => (index === bytes.length >> 1 ? byte ^ 4 : byte));
      for (const damaged of [flipped, bytes.subarray(0, -1), new Uint8Array()]) {
        expect(
          codeOf(() => readArchive({ ...parts, [entry]: damaged }, 'x')),
          entry,
        ).toBe('ArchiveDamaged');
      }
    }
    expect(codeOf(() => readArchive({ ...parts, sums: parts.sums.subarray(0, -1) }, 'x'))).toBe(
      'ArchiveMalformed',
    );
  });

  test('every damaged entry is named, not only the first', () => {
    const flip = (bytes: Uint8Array): Uint8Array =>
      bytes.map((byte, index) => (index === 9 ? byte ^ 1 : byte));
    const { grants, environment: sealed, manifest } = parts;
    const problemOf = (damage: object): unknown =>
      errorOf(() => readArchive({ ...parts, ...damage }, 'x'))?.details.problem;
    expect(problemOf({ grants: flip(grants) })).toBe('"grants" is not what was written');
    expect(
      problemOf({ grants: flip(grants), 'buk.seed': flip(parts['buk.seed']), environment: flip(sealed) }),
    ).toBe('"grants", "buk.seed", "environment" are not what was written');
    expect(problemOf({ manifest: flip(manifest), environment: flip(sealed) })).toBe(
      '"manifest", "environment" are not what was written',
    );
  });

  test('an environment of another size than its manifest says', () => {
    const { environmentBytes } = decodeManifest(parts.manifest, 'x');
    expect(codeOf(() => readArchive(forged({ environmentBytes: environmentBytes + 1 }), 'x'))).toBe(
      'ArchiveDamaged',
    );
  });

  test('an entry that is too large is refused before it is read', () => {
    expect(errorOf(() => readArchive({ ...parts, 'buk.public': new Uint8Array(1025) }, 'x'))).toMatchObject({
      code: 'LimitExceeded',
      details: { actual: 1025, maximum: 1024 },
    });
  });

  test('a manifest whose claims are not what is there', () => {
    const other = makeKey(made.source.authority, 'other');
    const elsewhere = makePlatform('PC-X');
    const changed: readonly ArchiveParts[] = [
      forged({ basicUserKey: other.name }),
      forged({ destinationKey: elsewhere.name }),
      forged({ rehearsal: false }),
      forged({}, { 'buk.public': other.public }),
      forged({}, { 'vault-key.public': made.key.public }),
      forged({}, { grants: encodeGrants([grantFrom(made.source, elsewhere).bytes]) }),
    ];
    for (const one of changed) expect(codeOf(() => readArchive(one, 'x'))).toBe('ArchiveChanged');
  });

  test('claims that cannot be computed show as changed when it is opened', () => {
    const changed: readonly ArchiveParts[] = [
      forged({ account: { id: 'uid:7@0123456789abcdef0123', name: 'eve' } }),
      forged({ generation: 99 }),
      forged({ credentials: 1 }),
      forged({ sourceComputer: 'PC-Z' }),
      forged({ replaces: [made.key.name] }),
      forged({}, { 'buk.duplicate': seededBytes('other duplicate', 200) }),
      forged({}, { 'vault-key.private': seededBytes('other blob', 140) }),
    ];
    for (const one of changed) {
      const read = readArchive(one, 'x');
      expect(codeOf(() => openArchive(read, archiveKey, 'x'))).toBe('ArchiveChanged');
    }
  });

  test('another nonce leads to another policy than the key has', () => {
    const read = readArchive(forged({ nonce: seededBytes('other nonce', 16) }), 'x');
    expect(codeOf(() => verifyChain({ ...read, nonce: read.manifest.nonce }, 'x'))).toBe(
      'BasicUserKeyPolicyWrong',
    );
  });

  test('an environment that contradicts its manifest, although its maker had the keys', () => {
    const { manifest } = content;
    const wrong: readonly ArchiveParts[] = [
      resealed({ manifest: { ...manifest, credentials: 3 } }),
      resealed({ manifest: { ...manifest, activeFeatures: 0 } }),
      resealed({ manifest: { ...manifest, replaces: [made.key.name] } }),
      resealed({
        environment: {
          ...environment,
          publicPart: { ...environment.publicPart, rootAuthority: made.destination.authority.public },
        },
      }),
      resealed({
        environment: { ...environment, privatePart: { ...environment.privatePart, keys: new Map() } },
      }),
    ];
    for (const one of wrong) {
      const read = readArchive(one, 'x');
      expect(codeOf(() => openArchive(read, archiveKey, 'x'))).toBe('ArchiveChanged');
    }
  });

  test('another key does not open it; with a transfer code a wrong one may be the reason', () => {
    const read = readArchive(parts, 'x');
    expect(codeOf(() => openArchive(read, seededSecret('guess'), 'x'))).toBe('ArchiveChanged');
    const withCode = readArchive(resealed({ manifest: { ...content.manifest, transferCode: true } }), 'x');
    const error = errorOf(() => openArchive(withCode, seededSecret('guess'), 'x'));
    expect(error?.code).toBe('PasswordRejected');
    expect(error?.message).toContain('password or transfer code');
  });

  test('keys of another archive id or code are other keys', () => {
    const { user } = made;
    const id = content.manifest.archive;
    const other = toId('ArchiveId', toHex(seededBytes('other archive', 16)));
    const all = [
      user.keys.archiveKey(user.vaultKey, id),
      user.keys.archiveKey(user.vaultKey, other),
      user.keys.archiveKey(user.vaultKey, id, seededSecret('code', 10)),
    ].map(({ reveal }) => toHex(reveal));
    expect(new Set(all).size).toBe(3);
  });
});
