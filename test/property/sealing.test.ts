/**
 * What must hold for every input: what was sealed opens to the same, no changed bit opens or is accepted, and a grant for
 * one destination is never one for another. Keys are made once; fast-check chooses bits, labels and chains.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../core/src/bytes/bytes.ts';
import { sha256 } from '../../core/src/crypto/hash.ts';
import { archiveEntries, type ArchiveParts, type SummedEntry } from '../../core/src/domain/archive.ts';
import type { SPMigrationError } from '../../core/src/domain/error.ts';
import { errorCatalogue } from '../../core/src/domain/error-catalogue.ts';
import type { SignedGrant } from '../../core/src/domain/grant.ts';
import { decodeGeneration } from '../../core/src/format/generation-v1.ts';
import { decodeGrant } from '../../core/src/format/grant-v1.ts';
import { decodeManifest, encodeManifest } from '../../core/src/format/manifest-v1.ts';
import { encodeSums } from '../../core/src/format/sums-v1.ts';
import { openArchive, readArchive } from '../../core/src/sealing/archive.ts';
import { openGeneration, sealGeneration } from '../../core/src/sealing/environment.ts';
import { chainFor, verifyChain, verifyGrant } from '../../core/src/sealing/grants.ts';
import { evaluateChain } from '../../core/src/tpm2/evaluate.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import { decodePublic } from '../../core/src/tpm2/structures.ts';
import { makeArchive } from '../testkit/sealed-archive.ts';
import {
  errorOf,
  grantFrom,
  makeEnvironment,
  makeHeader,
  makeKey,
  makePlatform,
  makeUser,
  register,
  revealed,
  withBitFlipped,
  type TestPlatform,
} from '../testkit/sealing.ts';

/** The same cases in every run. */
const runs = (numRuns: number): fc.Parameters<unknown> => ({ numRuns, seed: 20_261_124 });
const bitOf = (bytes: Uint8Array): fc.Arbitrary<number> => fc.nat({ max: 8 * bytes.length - 1 });

/** A change ends as an integrity or authorisation error; only a changed kind line may look like another version. */
function expectRefused(error: SPMigrationError | undefined, bit: number, kindLineBytes = 40): void {
  expect(error, `bit ${bit}`).toBeDefined();
  if (error === undefined) return;
  const allowed = ['integrity', 'not-authorized', ...(bit < 8 * kindLineBytes ? ['unsupported'] : [])];
  expect(allowed, `bit ${bit}: ${error.code}`).toContain(errorCatalogue[error.code].class);
}

const archive = makeArchive();
const { keys, vaultKey } = archive.user;
const generation = sealGeneration(makeHeader(archive.key), archive.environment, {
  vaultKey,
  atRest: keys.atRest,
});

/** Everything that an import does before it uses what is in an archive. */
function accept(parts: ArchiveParts): void {
  const read = readArchive(parts, 'x');
  verifyChain({ grants: read.grants, basicUserKey: read.basicUserKey, nonce: read.manifest.nonce }, 'x');
  openArchive(read, archive.archiveKey, 'x');
}

describe('sealed, then opened', () => {
  const labels = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 6 });

  test('a generation is the same', () => {
    const user = makeUser('property');
    const open = { vaultKey: user.vaultKey, atRest: user.keys.atRest };
    const salt = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(labels, salt, fc.integer({ min: 1, max: 0xffff_ffff }), (names, keySalt, number) => {
        const environment = makeEnvironment(archive.key.rootAuthority, names);
        const header = makeHeader(archive.key, { keySalt, generation: number, parent: number - 1 });
        const decoded = decodeGeneration(sealGeneration(header, environment, open), 'g');
        const opened = openGeneration(decoded, open, 'g');
        expect(decoded.header).toEqual({ ...header, keySalt: Uint8Array.from(keySalt) });
        expect(opened.publicPart).toEqual(environment.publicPart);
        expect(revealed(opened)).toEqual(revealed(environment));
      }),
      runs(50),
    );
  });

  test('an archive is the same', () => {
    fc.assert(
      fc.property(labels, (names) => {
        const { parts, archiveKey, environment } = makeArchive(names);
        const opened = openArchive(readArchive(parts, 'x'), archiveKey, 'x');
        expect(opened.publicPart).toEqual(environment.publicPart);
        expect(revealed(opened)).toEqual(revealed(environment));
      }),
      runs(20),
    );
  });
});

describe('no changed bit is accepted', () => {
  test('in a generation', () => {
    fc.assert(
      fc.property(bitOf(generation), (bit) => {
        const open = (): void => {
          const decoded = decodeGeneration(withBitFlipped(generation, bit), 'g');
          openGeneration(decoded, { vaultKey, atRest: keys.atRest }, 'g');
        };
        expectRefused(errorOf(open), bit);
      }),
      runs(1000),
    );
  });

  const anyBit = fc
    .constantFrom(...archiveEntries)
    .chain((entry) => fc.record({ entry: fc.constant(entry), bit: bitOf(archive.parts[entry]) }));

  test('in an archive that was damaged', () => {
    fc.assert(
      fc.property(anyBit, ({ entry, bit }) => {
        const changed = { ...archive.parts, [entry]: withBitFlipped(archive.parts[entry], bit) };
        expectRefused(
          errorOf(() => {
            accept(changed);
          }),
          bit,
        );
      }),
      runs(1000),
    );
  });

  test('in an archive whose manifest and sums were made to fit', () => {
    fc.assert(
      fc.property(anyBit, ({ entry, bit }) => {
        expectRefused(
          errorOf(() => {
            accept(fitting(withBit(entry, bit)));
          }),
          bit,
        );
      }),
      runs(400),
    );
  });

  function withBit(entry: (typeof archiveEntries)[number], bit: number): ArchiveParts {
    return { ...archive.parts, [entry]: withBitFlipped(archive.parts[entry], bit) };
  }

  /** With the hashes that a forger can compute; a changed manifest stays as it is, and so does a changed sum. */
  function fitting(parts: ArchiveParts): ArchiveParts {
    if (parts.sums !== archive.parts.sums) return parts;
    let { manifest } = parts;
    if (manifest === archive.parts.manifest) {
      const old = decodeManifest(manifest, 'x');
      const entries = Object.fromEntries(
        Object.keys(old.entries).map((name) => {
          const bytes = parts[name as SummedEntry];
          return [name, { sizeBytes: bytes.length, sha256: sha256(bytes) }];
        }),
      );
      manifest = encodeManifest({ ...old, entries: { ...old.entries, ...entries } });
    }
    const sums = encodeSums({ manifest: sha256(manifest), environment: sha256(parts.environment) });
    return { ...parts, manifest, sums };
  }

  const [a, b, c] = ['PC-A', 'PC-B', 'PC-C'].map((name) => makePlatform(name)) as [
    TestPlatform,
    TestPlatform,
    TestPlatform,
  ];
  const key = makeKey(a.authority);
  const toB = grantFrom(a, b, { registrations: [register(key)] });
  const toC = grantFrom(b, c, { registrations: [register(key, [toB])] });

  test.each([
    ['by a root', toB],
    ['by a delegate', toC],
  ])('in a grant %s', (_, signed) => {
    fc.assert(
      fc.property(bitOf(signed.bytes), (bit) => {
        expectRefused(
          errorOf(() => {
            verifyGrant(decodeGrant(withBitFlipped(signed.bytes, bit), 'x'), 'x');
          }),
          bit,
        );
      }),
      runs(800),
    );
  });
});

describe('a grant for one destination is never one for another', () => {
  const platforms = Array.from({ length: 5 }, (_, index) => makePlatform(`PC-${index}`));
  const at = (index: number): TestPlatform => platforms[index] ?? platforms[0] ?? makePlatform('none');
  const key = makeKey(at(0).authority);

  test('over any walk from platform to platform, the chain permits exactly its last step', () => {
    const walk = fc
      .array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 5 })
      .map((stops) => [0, ...stops].filter((stop, index, all) => index === 0 || stop !== all[index - 1]))
      .filter((stops) => stops.length > 1);
    fc.assert(
      fc.property(walk, fc.boolean(), (stops, isBound) => {
        const changes = isBound ? { basicUserKey: [key.name] } : {};
        let held: readonly SignedGrant[] = [];
        stops.slice(1).forEach((stop, index) => {
          const from = at(stops[index] ?? 0);
          const to = at(stop);
          const candidate = grantFrom(from, to, { registrations: [register(key, held)] }, changes);
          const request = { basicUserKey: key.public, nonce: key.nonce };
          const chain = chainFor({ ...request, held, candidate, rootAuthority: key.rootAuthority });
          expect(verifyChain({ ...request, grants: chain.grants }, 'x').steps).toEqual(chain.steps);
          for (const other of platforms) {
            const verdict = evaluateChain({
              authPolicy: decodePublic(key.public)?.authPolicy ?? new Uint8Array(),
              object: nameOf(key.public),
              newParent: nameOf(other.identity.storageKey),
              steps: chain.steps,
              branches: chain.branches,
              user: true,
            });
            expect(verdict.kind).toBe(other === to ? 'allowed' : 'refused');
          }
          // As an import leaves it: the chain that was in the archive.
          held = chain.grants;
        });
      }),
      runs(25),
    );
  });

  test('its approvals do not fit the public area of any other storage key', () => {
    const [from, to] = [at(0), at(1)];
    const { grant, ...signed } = grantFrom(from, to);
    for (const other of platforms) {
      if (other === to) continue;
      const swapped = { ...signed, grant: { ...grant, destinationKey: other.identity.storageKey } };
      // Even with the text's own signature left aside, the approval itself is for `to` only.
      expect(
        errorOf(() => {
          verifyGrant(swapped, 'x');
        })?.code,
      ).toBe('SignatureInvalid');
      expect(toHex(nameOf(other.identity.storageKey))).not.toBe(toHex(nameOf(to.identity.storageKey)));
    }
  });
});
