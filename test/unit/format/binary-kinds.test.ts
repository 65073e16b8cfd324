/** The binary kinds and the archive's parts: round trips, canonical form, bounds, and what is refused. */
import { describe, expect, test } from 'vitest';
import { ascii, concat, fromUtf8, utf8 } from '../../../core/src/bytes/bytes.ts';
import type { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import type { Environment, PrivatePart, PublicPart } from '../../../core/src/domain/environment.ts';
import { isSPMigrationError } from '../../../core/src/domain/error.ts';
import type { CredentialId } from '../../../core/src/domain/ids.ts';
import {
  decodeArchiveEnvironment,
  encodeArchiveEnvironment,
} from '../../../core/src/format/archive-environment-v1.ts';
import {
  assembleGeneration,
  decodeGeneration,
  decodePrivatePart,
  decodePublicPart,
  encodeHeader,
  encodePrivatePart,
  encodePublicPart,
} from '../../../core/src/format/generation-v1.ts';
import { decodeGrants, encodeGrants } from '../../../core/src/format/grants-v1.ts';
import { decodeManifest, encodeManifest } from '../../../core/src/format/manifest-v1.ts';
import { decodeSums, encodeSums } from '../../../core/src/format/sums-v1.ts';
import {
  fixedBytes,
  fixedId,
  sampleCredential,
  sampleEnvironment,
  sampleHeader,
  sampleManifest,
} from '../../testkit/format-samples.ts';

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isSPMigrationError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('it was accepted');
}

/** An environment with its secrets laid open, for comparing. */
function open({ publicPart, privatePart }: Environment): unknown {
  return { publicPart, privatePart: { ...privatePart, keys: openKeys(privatePart.keys) } };
}
function openKeys(keys: ReadonlyMap<CredentialId, SecretBytes>): unknown {
  return [...keys].map(([id, key]) => [id, key.reveal]);
}

const { publicPart, privatePart } = sampleEnvironment();
const publicBytes = encodePublicPart(publicPart);
const privateBytes = encodePrivatePart(privatePart).reveal;
const without = (part: Partial<PublicPart>): PublicPart => ({
  ...publicPart,
  features: {},
  proposed: {},
  ...part,
});
const ascending = <T extends { id: string }>(list: readonly T[]): readonly T[] =>
  [...list].sort((a, b) => (a.id < b.id ? -1 : 1));

describe('public part', () => {
  test.each([
    ['full', publicPart],
    ['empty', without({ credentials: [], grants: [] })],
    [
      'with every origin',
      without({
        credentials: ascending(
          (['pfx', 'store', 'new', 'migration'] as const).map((origin, i) => ({
            ...sampleCredential(i),
            origin,
          })),
        ),
      }),
    ],
    ['with late dates', without({ credentials: [{ ...sampleCredential(1), added: 253_402_300_799 }] })],
    ['without a chain', without({ credentials: [{ ...sampleCredential(1), chain: [] }] })],
  ])('reads back: %s', (_, part) => {
    expect(decodePublicPart(encodePublicPart(part), 'x')).toEqual(part);
  });

  test('holds as many credentials as there may be', () => {
    const credentials = Array.from({ length: 10_000 }, (_, index) => sampleCredential(index));
    const bytes = encodePublicPart({ ...publicPart, credentials, features: {}, proposed: {} });
    expect(decodePublicPart(bytes, 'x').credentials).toHaveLength(10_000);
  });

  test('does not depend on the order of credentials', () => {
    expect(encodePublicPart({ ...publicPart, credentials: [...publicPart.credentials].reverse() })).toEqual(
      publicBytes,
    );
  });

  test('is not written where it contradicts itself', () => {
    const credential = sampleCredential(1);
    const write = (part: Partial<PublicPart>) => () => encodePublicPart(without(part));
    expect(write({ credentials: [credential, credential] })).toThrow(RangeError);
    expect(write({ credentials: [], features: { Efs: credential.id } })).toThrow(RangeError);
    expect(write({ credentials: [{ ...credential, request: fixedBytes(9, 9) }] })).toThrow(RangeError);
    expect(write({ credentials: [{ ...credential, certificate: undefined }] })).toThrow(RangeError);
    expect(refusal(write({ credentials: [{ ...credential, label: 'x'.repeat(257) }] }))).toMatch(
      /^LimitExceeded/,
    );
    expect(refusal(write({ credentials: [{ ...credential, certificate: new Uint8Array(65_537) }] }))).toMatch(
      /^LimitExceeded/,
    );
    expect(
      refusal(
        write({
          credentials: [{ ...credential, chain: Array.from({ length: 11 }, () => fixedBytes(9, 1)) }],
        }),
      ),
    ).toMatch(/^LimitExceeded/);
    expect(refusal(write({ grants: Array.from({ length: 6 }, () => fixedBytes(9, 1)) }))).toMatch(
      /^LimitExceeded/,
    );
    expect(
      refusal(write({ credentials: Array.from({ length: 10_001 }, (_, i) => sampleCredential(i * 10)) })),
    ).toMatch(/^LimitExceeded/);
  });

  test('refuses unsorted credentials', () => {
    // Two parts with one credential each, then their credentials joined in the wrong order.
    const [first, second] = ascending([sampleCredential(1), sampleCredential(2)]).map((one) =>
      encodePublicPart(without({ credentials: [one], grants: [] })),
    );
    const headLength = encodePublicPart(without({ credentials: [], grants: [] })).length;
    if (first === undefined || second === undefined) throw new Error('two parts');
    const joined = concat(
      second.subarray(0, headLength - 1),
      Uint8Array.of(2),
      second.subarray(headLength),
      first.subarray(headLength),
    );
    expect(refusal(() => decodePublicPart(joined, 'x'))).toContain('not sorted');
    const right = concat(
      second.subarray(0, headLength - 1),
      Uint8Array.of(2),
      first.subarray(headLength),
      second.subarray(headLength),
    );
    expect(decodePublicPart(right, 'x').credentials).toHaveLength(2);
  });

  test('refuses features that are not in order, come twice or do not exist', () => {
    // Root authority and grants, each behind its length, then the count of features.
    const at = 2 + 88 + 1 + (4 + 900) + (4 + 901) + 1;
    expect(publicBytes[at - 1]).toBe(2);
    const [before, first, second] = [
      [0, at],
      [at, at + 17],
      [at + 17, at + 34],
    ].map(([from, to]) => publicBytes.slice(from, to));
    if (before === undefined || first === undefined || second === undefined) throw new Error('three pieces');
    const unknown = concat(Uint8Array.of(4), second.slice(1));
    for (const pair of [
      [second, first],
      [first, first],
      [first, unknown],
    ]) {
      const changed = concat(before, ...pair, publicBytes.slice(at + 34));
      expect(refusal(() => decodePublicPart(changed, 'x'))).toContain(
        'features that are unknown or not in order',
      );
    }
  });

  test('refuses a feature of a credential that is not there', () => {
    const at = 2 + 88 + 1 + (4 + 900) + (4 + 901) + 2;
    const changed = publicBytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(refusal(() => decodePublicPart(changed, 'x'))).toContain('assigns a credential that is not there');
  });

  test('every truncation and every trailing byte is refused', () => {
    for (let length = 0; length < publicBytes.length; length++) {
      expect(refusal(() => decodePublicPart(publicBytes.subarray(0, length), 'x'))).toMatch(
        /^EnvironmentDamaged: .*the public part /,
      );
    }
    expect(
      refusal(() => decodePublicPart(concat(publicBytes, Uint8Array.of(0)), 'x', 'ArchiveMalformed')),
    ).toBe(
      'ArchiveMalformed: x is not an archive as SPMigration writes it: the public part has trailing bytes',
    );
  });
});

describe('private part', () => {
  const empty: PrivatePart = {
    keys: new Map(),
    importedArchives: [],
    revocationNumbers: [],
    tombstones: [],
    replaces: [],
  };
  test.each([
    ['full', privatePart],
    ['empty', empty],
  ])('reads back: %s', (_, part) => {
    const read = decodePrivatePart(encodePrivatePart(part).reveal, 'x');
    expect({ ...read, keys: openKeys(read.keys) }).toEqual({ ...part, keys: openKeys(part.keys) });
  });

  test('is a secret, and its keys are copies', () => {
    expect(String(encodePrivatePart(privatePart))).toBe('[secret]');
    const bytes = privateBytes.slice();
    const read = decodePrivatePart(bytes, 'x');
    bytes.fill(0);
    expect(openKeys(read.keys)).toEqual(openKeys(privatePart.keys));
  });

  test('does not depend on the order of its lists', () => {
    const lists = {
      ...empty,
      tombstones: [fixedId('CredentialId', 1), fixedId('CredentialId', 2)],
      replaces: [fixedId('TpmName', 1), fixedId('TpmName', 2)],
    };
    const reversed = {
      ...empty,
      tombstones: [...lists.tombstones].reverse(),
      replaces: [...lists.replaces].reverse(),
    };
    expect(encodePrivatePart(reversed).reveal).toEqual(encodePrivatePart(lists).reveal);
  });

  test('every truncation is refused', () => {
    for (let length = 0; length < privateBytes.length; length++) {
      expect(refusal(() => decodePrivatePart(privateBytes.subarray(0, length), 'x'))).toMatch(
        /^EnvironmentDamaged: .*the private part /,
      );
    }
  });

  test.each(['tombstones', 'replaces'] as const)('refuses %s that are not sorted or come twice', (list) => {
    const kind = list === 'replaces' ? 'TpmName' : 'CredentialId';
    const ids = [fixedId(kind, 1), fixedId(kind, 2)].sort();
    const bytes = encodePrivatePart({ ...empty, [list]: ids }).reveal;
    const length = (ids[0] ?? '').length / 2;
    // Each list stands behind a count of two bytes; `replaces` is the last one, `tombstones` the one before.
    const end = bytes.length - (list === 'replaces' ? 0 : 2);
    const [first, second] = [bytes.slice(end - 2 * length, end - length), bytes.slice(end - length, end)];
    for (const pair of [
      [second, first],
      [first, first],
    ]) {
      const changed = concat(bytes.slice(0, end - 2 * length), ...pair, bytes.slice(end));
      expect(refusal(() => decodePrivatePart(changed, 'x'))).toContain('not sorted or has an element twice');
    }
  });

  test('a list that claims to be longer than it may is refused at once', () => {
    expect(refusal(() => decodePrivatePart(Uint8Array.of(0xff, 0xff), 'x'))).toContain(
      'a list that is too long',
    );
    const before = encodePrivatePart(empty).reveal;
    expect(
      refusal(() => decodePrivatePart(concat(before.subarray(0, 2), Uint8Array.of(0xff, 0xff)), 'x')),
    ).toContain('a list that is too long');
  });

  test('limits hold when writing', () => {
    const tooMany = {
      ...empty,
      tombstones: Array.from({ length: 10_001 }, (_, i) => fixedId('CredentialId', i)),
    };
    expect(refusal(() => encodePrivatePart(tooMany))).toMatch(/^LimitExceeded/);
    expect(() =>
      encodePrivatePart({ ...empty, tombstones: [fixedId('CredentialId', 1), fixedId('CredentialId', 1)] }),
    ).toThrow(RangeError);
  });
});

describe('generation', () => {
  const sealed = fixedBytes(300, 5);
  const file = assembleGeneration(encodeHeader(sampleHeader), publicBytes, sealed);
  test('reads back, and gives the bytes that are authenticated', () => {
    const read = decodeGeneration(file, 'x');
    expect(read.header).toEqual(sampleHeader);
    expect(read.headerBytes).toEqual(encodeHeader(sampleHeader));
    expect(read.publicBytes).toEqual(publicBytes);
    expect(read.publicPart).toEqual(publicPart);
    expect(read.sealedPrivate).toEqual(sealed);
    expect(fromUtf8(read.headerBytes.subarray(0, 26))).toBe('SPMigration generation v1\n');
  });
  test('a newer one is left alone, anything else is damage', () => {
    const newer = file.slice();
    newer[24] = 0x32;
    expect(refusal(() => decodeGeneration(newer, 'x'))).toMatch(
      /^StoreNewer: x was written by a newer version of SPMigration \(2\)/,
    );
    expect(refusal(() => decodeGeneration(new Uint8Array(), 'x'))).toMatch(
      /^EnvironmentDamaged: .*an empty file stands in place of/,
    );
    expect(refusal(() => decodeGeneration(concat(file, Uint8Array.of(0)), 'x'))).toContain(
      'the file has trailing bytes',
    );
    for (let length = 0; length < file.length; length += 7) {
      expect(refusal(() => decodeGeneration(file.subarray(0, length), 'x'))).toMatch(/^EnvironmentDamaged/);
    }
  });
  test('a generation is newer than its parent', () => {
    const file = assembleGeneration(encodeHeader({ ...sampleHeader, parent: 7 }), publicBytes, sealed);
    expect(refusal(() => decodeGeneration(file, 'x'))).toContain('not newer than its parent');
  });
  test('header fields have their lengths', () => {
    expect(() => encodeHeader({ ...sampleHeader, keySalt: fixedBytes(15, 1) })).toThrow(RangeError);
    expect(() => encodeHeader({ ...sampleHeader, platformId: '00' })).toThrow(RangeError);
    expect(refusal(() => encodeHeader({ ...sampleHeader, basicUserKey: new Uint8Array(1025) }))).toMatch(
      /^LimitExceeded/,
    );
  });
});

describe('entries of an archive', () => {
  test('environment reads back', () => {
    const environment = sampleEnvironment();
    const secret = encodeArchiveEnvironment(environment);
    expect(open(decodeArchiveEnvironment(secret.reveal, 'x'))).toEqual(open(environment));
    expect(refusal(() => decodeArchiveEnvironment(secret.reveal.subarray(0, 900), 'x'))).toMatch(
      /^ArchiveMalformed/,
    );
    expect(
      refusal(() => decodeArchiveEnvironment(ascii('SPMigration archive-environment v2\n'), 'x')),
    ).toMatch(/^VersionUnsupported/);
  });

  test('grants read back, one to five', () => {
    const chain = [1, 2, 3, 4, 5].map((seed) => fixedBytes(100 * seed, seed));
    expect(decodeGrants(encodeGrants(chain), 'x')).toEqual(chain);
    expect(() => encodeGrants([])).toThrow(RangeError);
    const bytes = encodeGrants(chain);
    bytes[22] = 6;
    expect(refusal(() => decodeGrants(bytes, 'x'))).toContain('does not have 1 to 5 grants');
    bytes[22] = 4;
    expect(refusal(() => decodeGrants(bytes, 'x'))).toContain('has trailing bytes');
  });

  test('sums read back', () => {
    const sums = { manifest: fixedBytes(32, 1), environment: fixedBytes(32, 2) };
    expect(decodeSums(encodeSums(sums), 'x')).toEqual(sums);
    expect(refusal(() => decodeSums(encodeManifest(sampleManifest), 'x'))).toContain(
      'a manifest stands in place of a list of sums',
    );
  });

  test.each([
    ['plain', sampleManifest],
    [
      'with everything',
      {
        ...sampleManifest,
        account: { id: 'sid:S-1-5-21-1-2-3-1001', name: 'anna', upn: 'a@b' },
        transferCode: true,
        replaces: [fixedId('TpmName', 1), fixedId('TpmName', 2)].sort(),
        historyHead: new Uint8Array(),
      },
    ],
  ])('manifest reads back: %s', (_, manifest) => {
    expect(decodeManifest(encodeManifest(manifest), 'x')).toEqual(manifest);
  });

  test('a full manifest fits its bound', () => {
    const replaces = Array.from({ length: 1000 }, (_, i) => fixedId('TpmName', i)).sort();
    expect(decodeManifest(encodeManifest({ ...sampleManifest, replaces }), 'x').replaces).toHaveLength(1000);
  });

  test.each([
    [
      "a size beyond the entry's bound",
      'buk.seed: 102',
      'buk.seed: 1025',
      'line 22: the value of "buk.seed"',
    ],
    [
      'generation 0',
      'generation: 12',
      'generation: 0',
      'line 14: the value of "generation" is not a whole number from 1',
    ],
    ['a leading zero', 'generation: 12', 'generation: 012', 'line 14'],
    [
      'a missing entry',
      /buk\.seed: .*\n/,
      '',
      'line 22: "buk.seed" is expected here, not "vault-key.public"',
    ],
  ])('manifest refuses %s', (_, from, to, problem) => {
    const text = (fromUtf8(encodeManifest(sampleManifest)) ?? '').replace(from, to);
    const message = refusal(() => decodeManifest(utf8(text), 'x'));
    expect(message).toMatch(/^ManifestMalformed/);
    expect(message).toContain(problem);
  });
});
