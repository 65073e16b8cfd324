/** Vectors of archives: the container's tricks, entries that disagree, and what only opening shows. */
import { crc32 } from 'node:zlib';
import { concat, fromUtf8, toHex, utf8 } from '../../../core/src/bytes/bytes.ts';
import { sha256 } from '../../../core/src/crypto/hash.ts';
import type { ArchiveParts } from '../../../core/src/domain/archive.ts';
import type { ErrorCode } from '../../../core/src/domain/error-catalogue.ts';
import { encodeArchiveEnvironment } from '../../../core/src/format/archive-environment-v1.ts';
import { encodeSums } from '../../../core/src/format/sums-v1.ts';
import { basicUserKeyPolicy } from '../../../core/src/sealing/basic-user-key.ts';
import { basicUserKeyTemplate } from '../../../core/src/tpm2/templates.ts';
import { writeZip, zipEntriesOf, type WrittenEntry, type ZipTricks } from '../zip-writer.ts';
import { accepted, edited, flipped, refused, type Scenario } from './case.ts';
import { seeded, seededKeyPair } from './deterministic.ts';
import type { Vector } from './vector-file.ts';
import {
  grantAtoB,
  grantBtoC,
  grantTo,
  makeArchive,
  makeEnvironment,
  nonce,
  password,
  platformA,
  platformB,
  platformC,
  signGrantFile,
  transferCode,
  type VectorPlatform,
} from './world.ts';

const parts = makeArchive();
const entries = zipEntriesOf(parts);
const good = writeZip(entries);

const container = (comment: string): Scenario => ({ read: 'archive', spec: 'archive.md#container', comment });
const verifying = (comment: string): Scenario => ({
  read: 'archive',
  stage: 'verify',
  spec: 'archive.md#reading',
  comment,
});

/** A container that must not pass, made from the good entries. */
function trick(
  name: string,
  comment: string,
  list: readonly WrittenEntry[],
  tricks: ZipTricks = {},
  code: ErrorCode = 'ArchiveMalformed',
): Vector {
  return refused(`archive-zip-${name}`, code, container(comment), writeZip(list, tricks));
}
const at = (index: number, change: Partial<WrittenEntry>): readonly WrittenEntry[] =>
  entries.map((entry, i) => (i === index ? { ...entry, ...change } : entry));

const containerCases: readonly Vector[] = [
  accepted('archive-zip-good', container('the container of an archive'), good),
  trick('extra-entry', 'an entry after the last one', [...entries, { name: 'readme', data: utf8('hello') }]),
  trick('path-entry', 'an entry whose name climbs out of a folder', [
    ...entries,
    { name: '../../startup.cmd', data: utf8('hello') },
  ]),
  trick('path-instead', 'a path in place of a name', at(3, { name: '../buk.seed' })),
  trick('missing-entry', 'no chain of grants', entries.toSpliced(1, 1)),
  trick('missing-last', 'no sums', entries.toSpliced(8, 1)),
  trick('repeated-entry', 'the manifest twice', entries.toSpliced(1, 0, ...entries.slice(0, 1))),
  trick('swapped-entries', 'two entries in the wrong order', [
    ...entries.slice(0, 2),
    ...entries.slice(2, 4).reverse(),
    ...entries.slice(4),
  ]),
  trick('case', 'a name in capitals', at(8, { name: 'SUMS' })),
  trick('compressed', 'an entry marked as deflated', at(7, { method: 8 })),
  trick('encrypted', 'an entry marked as encrypted', at(7, { flags: 1 })),
  trick('descriptor', 'an entry whose size stands behind it', at(7, { flags: 8 })),
  trick('extra-field', 'an extra field in both headers', at(7, { extra: Uint8Array.of(1, 0, 0, 0) })),
  trick('time', 'an entry with a time of its own', at(7, { date: 0x5d79 })),
  trick('two-sizes', 'compressed and real size differ', at(7, { compressedSize: 10 })),
  trick('empty-entry', 'an entry without content', at(4, { data: new Uint8Array() })),
  trick(
    'oversized-entry',
    'an entry larger than its bound',
    at(8, { data: seeded('sums', 1025) }),
    {},
    'LimitExceeded',
  ),
  trick(
    'oversized-claim',
    'an entry that claims four gigabytes',
    at(7, { size: 0xffff_ffff, compressedSize: 0xffff_ffff }),
    {},
    'LimitExceeded',
  ),
  trick('overlap', 'an entry that reaches into the next', at(6, { size: 400, compressedSize: 400 })),
  trick('gap', 'bytes between two entries', at(7, { gap: 4 })),
  trick('before-directory', 'bytes before the central directory', entries, {
    beforeDirectory: seeded('gap', 4),
  }),
  trick('central-name', 'local and central headers name different entries', entries, {
    central: (i, record) => (i === 1 ? { ...record, name: 'GRANTS' } : record),
  }),
  trick('central-size', 'local and central headers have different sizes', entries, {
    central: (i, record) => (i === 7 ? { ...record, size: 9, compressedSize: 9 } : record),
  }),
  trick('central-offset', 'the central header points to another entry', entries, {
    central: (i, record) => (i === 7 ? { ...record, offset: 0 } : record),
  }),
  trick('central-fewer', 'the central directory leaves an entry out', entries, { centralCount: 8, count: 8 }),
  trick('central-comment', 'a comment on an entry', entries, {
    central: (i, record) => (i === 7 ? { ...record, comment: utf8('x') } : record),
  }),
  trick('comment', 'a comment on the file', entries, { comment: utf8('hello') }),
  trick('count', 'the end record counts fewer entries', entries, { count: 8 }),
  trick('disk', 'the end record speaks of a second disk', entries, { disk: 1 }),
  trick('after', 'a byte after the end', entries, { after: Uint8Array.of(0) }),
  refused(
    'archive-zip-before',
    'WrongFileKind',
    container('a byte before the start'),
    concat(Uint8Array.of(0), good),
  ),
  refused(
    'archive-zip-other',
    'WrongFileKind',
    container('another ZIP file'),
    writeZip([{ name: 'word/document.xml', data: utf8('<w/>') }]),
  ),
  refused(
    'archive-zip-bom',
    'FileMangled',
    container('a byte order mark before it'),
    concat(Uint8Array.of(0xef, 0xbb, 0xbf), good),
  ),
  refused(
    'archive-zip-truncated',
    'ArchiveDamaged',
    container('the last byte is missing'),
    good.slice(0, -1),
  ),
  refused(
    'archive-zip-half',
    'ArchiveDamaged',
    container('half of it is missing'),
    good.slice(0, good.length >> 1),
  ),
  refused(
    'archive-zip-crc',
    'ArchiveDamaged',
    container('one bit of an entry is flipped'),
    writeZip(at(7, { data: flipped(parts.environment, 50), crc: crc32(parts.environment) })),
  ),
];

/** The container of changed entries, with sums that fit again, as a forger writes them. */
function forged(changed: ArchiveParts): Uint8Array {
  const sums = encodeSums({ manifest: sha256(changed.manifest), environment: sha256(changed.environment) });
  return writeZip(zipEntriesOf({ ...changed, sums }));
}
const withManifest = (from: string | RegExp, to: string): Uint8Array =>
  forged({ ...parts, manifest: edited(parts.manifest, from, to) });

const otherKey = basicUserKeyTemplate(
  basicUserKeyPolicy(platformC.authority.public, nonce),
  seededKeyPair('another key'),
);
const grantByC = signGrantFile(grantTo(platformB, platformC.authority), platformC.authority);

const readingCases: readonly Vector[] = [
  accepted('archive-verified', verifying('everything that needs no secret holds'), good),
  accepted(
    'archive-onward',
    verifying('moved on to C by a chain of two grants'),
    writeZip(zipEntriesOf(makeArchive({ grants: [grantAtoB, grantBtoC], destination: platformC }))),
  ),
  refused(
    'archive-sums',
    'ArchiveDamaged',
    verifying('the environment is not the one that was summed'),
    writeZip(zipEntriesOf({ ...parts, environment: flipped(parts.environment, 5) })),
  ),
  refused(
    'archive-sums-newer',
    'VersionUnsupported',
    verifying('sums of a later version'),
    writeZip(zipEntriesOf({ ...parts, sums: edited(parts.sums, 'v1', 'v2') })),
  ),
  refused(
    'archive-hash',
    'ArchiveDamaged',
    verifying('an entry is not the one whose hash stands in the manifest'),
    forged({ ...parts, 'buk.seed': flipped(parts['buk.seed'], 5) }),
  ),
  refused(
    'archive-manifest-line',
    'ManifestMalformed',
    verifying('a line too many in the manifest'),
    withManifest('generation', 'colour: blue\ngeneration'),
  ),
  refused(
    'archive-manifest-newer',
    'VersionUnsupported',
    verifying('a manifest of a later version'),
    withManifest('manifest v1', 'manifest v2'),
  ),
  refused(
    'archive-manifest-key',
    'ArchiveChanged',
    verifying('the manifest claims another Basic User Key'),
    withManifest(/basic-user-key: 000b../, 'basic-user-key: 000bff'),
  ),
  refused(
    'archive-manifest-destination',
    'ArchiveChanged',
    verifying('the manifest claims another destination'),
    withManifest(/destination-key: .*\n/, `destination-key: ${platformC.name}\n`),
  ),
  refused(
    'archive-manifest-rehearsal',
    'ArchiveChanged',
    verifying('the manifest claims a rehearsal'),
    withManifest('rehearsal: no', 'rehearsal: yes'),
  ),
  refused(
    'archive-foreign-key',
    'BasicUserKeyPolicyWrong',
    verifying('a key of another authority than the grant'),
    writeZip(zipEntriesOf(makeArchive({ basicUserKey: otherKey }))),
  ),
  refused(
    'archive-foreign-grant',
    'BasicUserKeyPolicyWrong',
    verifying("a grant by an authority that is not the key's"),
    writeZip(zipEntriesOf(makeArchive({ grants: [grantByC] }))),
  ),
  refused(
    'archive-chain-order',
    'BasicUserKeyPolicyWrong',
    verifying('the chain begins with its second grant'),
    writeZip(zipEntriesOf(makeArchive({ grants: [grantBtoC, grantAtoB] }))),
  ),
  refused(
    'archive-chain-gap',
    'BasicUserKeyPolicyWrong',
    verifying('the chain lacks its first grant'),
    writeZip(zipEntriesOf(makeArchive({ grants: [grantBtoC], destination: platformC }))),
  ),
  refused(
    'archive-chain-no-onward',
    'GrantChainInvalid',
    verifying('the first grant does not delegate'),
    writeZip(
      zipEntriesOf(
        makeArchive({
          grants: [
            signGrantFile(grantTo(platformB, platformA.authority, { onward: 'no' }), platformA.authority),
            grantBtoC,
          ],
          destination: platformC,
        }),
      ),
    ),
  ),
  refused(
    'archive-grant-signature',
    'SignatureInvalid',
    verifying('the grant in the archive was changed'),
    writeZip(zipEntriesOf(makeArchive({ grants: [edited(grantAtoB, 'PC-B', 'PC-X')] }))),
  ),
];

/** What the reader has: the destination's chip and a password. */
function opening(comment: string, on: VectorPlatform = platformB, more: Scenario['given'] = {}): Scenario {
  return {
    read: 'archive',
    stage: 'open',
    spec: 'archive.md#construction',
    comment,
    given: {
      'storage-key': `${toHex(on.storageKey.privateKey.reveal)}${toHex(on.storageKey.seedValue.reveal)}`,
      password: toHex(utf8(password)),
      ...more,
    },
  };
}
const opened = { 'environment-sha256': toHex(sha256(encodeArchiveEnvironment(makeEnvironment()).reveal)) };
const withCode = writeZip(zipEntriesOf(makeArchive({ transferCode: true })));

const openingCases: readonly Vector[] = [
  accepted('archive-opened', opening('the destination and the password open it', platformB, opened), good),
  accepted(
    'archive-opened-with-code',
    opening('with the transfer code', platformB, { ...opened, 'transfer-code': toHex(transferCode) }),
    withCode,
  ),
  refused(
    'archive-wrong-password',
    'PasswordRejected',
    opening('another password', platformB, { password: toHex(utf8('wrong')) }),
    good,
  ),
  refused(
    'archive-wrong-code',
    'PasswordRejected',
    opening('another transfer code', platformB, { 'transfer-code': toHex(seeded('other code', 10)) }),
    withCode,
  ),
  refused(
    'archive-other-platform',
    'ArchiveNotForThisPlatform',
    opening("another platform's chip", platformC),
    good,
  ),
  refused(
    'archive-duplicate-changed',
    'ArchiveNotForThisPlatform',
    opening('one bit of the key that is handed over is flipped'),
    forged(rehashed({ ...parts, 'buk.duplicate': flipped(parts['buk.duplicate'], 60) }, 'buk.duplicate')),
  ),
  refused(
    'archive-account-changed',
    'ArchiveChanged',
    opening('the manifest was given to another account'),
    withManifest(/account: .*\n/, 'account: sid:S-1-5-21-1-2-3-1002\n'),
  ),
  refused(
    'archive-older-claimed',
    'ArchiveChanged',
    opening('the manifest claims a later generation'),
    withManifest('generation: 7', 'generation: 9'),
  ),
  refused(
    'archive-environment-changed',
    'ArchiveChanged',
    opening('one bit of the environment is flipped'),
    forged({ ...parts, environment: flipped(parts.environment, 100) }),
  ),
];

/** The entries with the manifest's hash of one of them made to fit. */
function rehashed(changed: ArchiveParts, entry: 'buk.duplicate'): ArchiveParts {
  const hash = toHex(sha256(changed[entry]));
  const text = fromUtf8(changed.manifest) ?? '';
  return { ...changed, manifest: utf8(text.replace(/(buk\.duplicate: \d+ ).*\n/, `$1${hash}\n`)) };
}

export const archiveCases: readonly Vector[] = [...containerCases, ...readingCases, ...openingCases];
