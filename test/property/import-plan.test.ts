/**
 * The laws of imports over any environments, by the same pure functions that an import uses (`import-plan.ts`,
 * `import-content.ts`): a merge loses nothing, twice equals once, the order of archives does not matter, a replace leaves
 * exactly the archive's, an install equals a merge into an empty environment, a new key keeps all that was here.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import {
  features,
  type Credential,
  type Environment,
  type FeatureAssignments,
} from '../../core/src/domain/environment.ts';
import { freshContent, mergedContent, withImported } from '../../core/src/domain/import-content.ts';
import { toId, type CredentialId, type TpmName } from '../../core/src/domain/ids.ts';
import {
  metBefore,
  plainImport,
  planImport,
  type ImportChoices,
  type ImportPlan,
} from '../../core/src/domain/import-plan.ts';

const ids = Array.from({ length: 8 }, (_, index) => toId('CredentialId', String(index).repeat(32)));
const name = (digit: string) => toId('TpmName', `000b${digit.repeat(64)}`);
const [oldKey, newKey] = [name('a'), name('b')];
const [laptop, desktop] = [name('1'), name('2')];
/** Each credential's key, the same wherever it is. */
const keyOf = new Map(ids.map((id, index) => [id, new SecretBytes(new Uint8Array([index]))]));
const keysOf = (has: readonly CredentialId[]): Environment['privatePart']['keys'] =>
  new Map([...keyOf].filter(([id]) => has.includes(id)));

const credential = (id: CredentialId): Credential => ({
  id,
  label: `credential ${id.slice(0, 1)}`,
  publicKey: new Uint8Array(),
  certificate: new Uint8Array(1),
  chain: [],
  request: undefined,
  origin: 'new',
  added: 0,
  protection: 'vault',
});

/** Any environment over the eight credentials; features point only to credentials that it has. */
const environment: fc.Arbitrary<Environment> = fc
  .record({
    has: fc.subarray(ids),
    removed: fc.subarray(ids),
    replaces: fc.subarray([name('c'), name('d'), name('e')]),
    numbers: fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
  })
  .map(({ has, removed, replaces, numbers }) => {
    const assign = (from: number): FeatureAssignments =>
      Object.fromEntries(
        features.flatMap((feature, index) => {
          const chosen = has[(numbers[from + index] ?? 0) % (has.length + 1)];
          return chosen === undefined ? [] : [[feature, chosen]];
        }),
      );
    return {
      publicPart: {
        credentials: has.map(credential),
        features: assign(0),
        proposed: assign(3),
        rootAuthority: new Uint8Array(),
        grants: [],
      },
      privatePart: {
        keys: keysOf(has),
        importedArchives: [],
        revocationNumbers: [],
        // What was removed for good is not there (adding it again takes its tombstone away).
        tombstones: removed.filter((id) => !has.includes(id)),
        replaces,
      },
    };
  });

interface Archive {
  readonly key: TpmName;
  readonly environment: Environment;
  readonly source: TpmName;
  readonly generation: number;
}

/** Another archive for each source and number: a number is never used for two contents. */
const archiveId = ({ source, generation }: Pick<Archive, 'source' | 'generation'>) =>
  toId('ArchiveId', `${source.slice(-1)}${String(generation)}`.padStart(32, '0'));

const archive: fc.Arbitrary<Archive> = fc.record({
  key: fc.constant(oldKey),
  environment,
  source: fc.constantFrom(laptop, desktop),
  generation: fc.integer({ min: 1, max: 9 }),
});

/** Some archives of one source, oldest first, no two of one number. */
const archivesOfOne: fc.Arbitrary<readonly Archive[]> = fc
  .uniqueArray(archive, { selector: ({ generation }) => generation, minLength: 1, maxLength: 4 })
  .map((all) =>
    all.map((one) => ({ ...one, source: laptop })).sort((one, other) => one.generation - other.generation),
  );

interface Here {
  readonly key: TpmName;
  readonly environment: Environment;
}

const here: fc.Arbitrary<Here> = environment.map((content) => ({ key: oldKey, environment: content }));

const planned = (now: Here | undefined, from: Archive, choices: ImportChoices = plainImport): ImportPlan => {
  const met = metBefore(now?.environment.privatePart.importedArchives ?? [], {
    archive: archiveId(from),
    source: from.source,
  });
  return planImport(
    now && {
      basicUserKey: now.key,
      publicPart: now.environment.publicPart,
      tombstones: now.environment.privatePart.tombstones,
      newestMerged: met.newestMerged,
    },
    {
      basicUserKey: from.key,
      publicPart: from.environment.publicPart,
      generation: from.generation,
      known: met.known,
    },
    choices,
  );
};

/** What is here once the archive was imported. */
function imported(now: Here | undefined, from: Archive, choices: ImportChoices = plainImport): Here {
  const plan = planned(now, from, choices);
  const arrival = {
    rootAuthority: new Uint8Array(),
    grants: [],
    revocationNumbers: [],
    imported: { archive: archiveId(from), source: from.source, generation: from.generation },
  };
  const content =
    plan.case === 'merge' && now !== undefined
      ? mergedContent(plan, now.environment, from.environment, arrival)
      : freshContent(plan, from.environment, arrival);
  return { key: from.key, environment: content };
}

const all = (now: Here | undefined, archives: readonly Archive[], choices = plainImport): Here | undefined =>
  archives.reduce<Here | undefined>((before, from) => imported(before, from, choices), now);

const idsOf = ({ environment: { publicPart } }: Pick<Here, 'environment'>): readonly CredentialId[] =>
  publicPart.credentials.map(({ id }) => id);
const featuresOf = ({ environment: { publicPart } }: Pick<Here, 'environment'>) => publicPart.features;
const tombstonesOf = ({ environment: { privatePart } }: Pick<Here, 'environment'>) => privatePart.tombstones;

/** What every environment must be, whatever was imported into it. */
function expectWhole(now: Here): void {
  const has = idsOf(now);
  expect(has).toEqual([...has].sort());
  expect(new Set(has).size).toBe(has.length);
  expect(new Map(now.environment.privatePart.keys)).toEqual(keysOf(has));
  for (const id of tombstonesOf(now)) expect(has).not.toContain(id);
  const { publicPart, privatePart } = now.environment;
  for (const assigned of [publicPart.features, publicPart.proposed])
    for (const id of Object.values(assigned)) expect(has).toContain(id);
  expect(privatePart.replaces).toEqual([...new Set(privatePart.replaces)].sort());
}

const empty = (): Here => ({
  key: oldKey,
  environment: {
    publicPart: { credentials: [], features: {}, proposed: {}, rootAuthority: new Uint8Array(), grants: [] },
    privatePart: {
      keys: new Map(),
      importedArchives: [],
      revocationNumbers: [],
      tombstones: [],
      replaces: [],
    },
  },
});

const enabling = { ...plainImport, enableFeatures: true };

describe('an import plan', () => {
  it('of a merge loses no key and revives none that was removed for good', () => {
    fc.assert(
      fc.property(here, fc.array(archive, { maxLength: 3 }), archive, (before, earlier, from) => {
        const now = all(before, earlier) ?? before;
        const after = imported(now, from);
        expectWhole(after);
        for (const id of idsOf(now)) expect(idsOf(after)).toContain(id);
        for (const id of tombstonesOf(now)) expect(idsOf(after)).not.toContain(id);
        for (const id of idsOf(from)) expect(idsOf(after).includes(id)).toBe(!tombstonesOf(now).includes(id));
        expect(tombstonesOf(after)).toEqual(tombstonesOf(now));
      }),
    );
  });

  it('of a merge with removed credentials brings all of the archive, and forgets their removal', () => {
    fc.assert(
      fc.property(here, archive, (now, from) => {
        const after = imported(now, from, { ...plainImport, includeRemoved: true });
        expectWhole(after);
        for (const id of [...idsOf(now), ...idsOf(from)]) expect(idsOf(after)).toContain(id);
        expect(tombstonesOf(after)).toEqual(tombstonesOf(now).filter((id) => !idsOf(from).includes(id)));
      }),
    );
  });

  it('performed twice equals once: the second changes nothing', () => {
    fc.assert(
      fc.property(
        fc.option(here, { nil: undefined }),
        archive,
        fc.boolean(),
        fc.boolean(),
        (before, from, enableFeatures, includeRemoved) => {
          const choices = { ...plainImport, enableFeatures, includeRemoved };
          const once = imported(before, from, choices);
          expect(planned(once, from, choices)).toMatchObject({ case: 'merge', unchanged: true });
          expect(imported(once, from, choices)).toEqual(once);
        },
      ),
    );
  });

  it('that says nothing changes changes no credential and no feature', () => {
    fc.assert(
      fc.property(here, archive, (now, from) => {
        fc.pre(planned(now, from).unchanged);
        const after = imported(now, from);
        expect(after.environment.publicPart).toEqual(now.environment.publicPart);
        expect(after.environment.privatePart.keys).toEqual(now.environment.privatePart.keys);
      }),
    );
  });

  it('of archives of one source ends with the newest one’s features and the same credentials, in any order', () => {
    fc.assert(
      fc.property(here, archivesOfOne, fc.infiniteStream(fc.nat()), (before, archives, numbers) => {
        const shuffled = archives
          .map((one) => ({ one, place: Number(numbers.next().value) }))
          .sort((a, b) => a.place - b.place)
          .map(({ one }) => one);
        const [inOrder, anyhow] = [all(before, archives) ?? before, all(before, shuffled) ?? before];
        expect(idsOf(anyhow)).toEqual(idsOf(inOrder));
        const newest = archives.at(-1);
        for (const feature of features) {
          const chosen = newest?.environment.publicPart.features[feature];
          if (chosen === undefined || tombstonesOf(before).includes(chosen)) continue;
          expect(featuresOf(inOrder)[feature]).toBe(chosen);
          expect(featuresOf(anyhow)[feature]).toBe(chosen);
        }
      }),
    );
  });

  it('of archives of different sources brings the same credentials in any order', () => {
    fc.assert(
      fc.property(here, archive, archive, (before, one, other) => {
        expect(idsOf(imported(imported(before, one), other))).toEqual(
          idsOf(imported(imported(before, other), one)),
        );
      }),
    );
  });

  it('of a replace leaves exactly the archive’s and names all that is set aside', () => {
    fc.assert(
      fc.property(here, archive, fc.boolean(), (now, from, enableFeatures) => {
        const other = { ...from, key: newKey };
        const choices = { ...plainImport, enableFeatures };
        const plan = planned(now, other, choices);
        expect(plan).toMatchObject({ case: 'replace', rekey: false, unchanged: false });
        const after = imported(now, other, choices);
        expect(idsOf(after)).toEqual(idsOf(from));
        expect(after).toEqual(imported(undefined, other, choices));
        const aside = plan.items.filter(({ action }) => action === 'SetAside');
        expect(aside.map(({ credential: id }) => id)).toEqual(idsOf(now));
      }),
    );
  });

  it('of an install equals a merge into an empty environment', () => {
    fc.assert(
      fc.property(archive, (from) => {
        // A proposal is for whoever installs; a merge asks for none of its own.
        const { publicPart, privatePart } = from.environment;
        const plain = { ...from, environment: { publicPart: { ...publicPart, proposed: {} }, privatePart } };
        const [installed, merged] = [
          imported(undefined, plain, enabling),
          imported(empty(), plain, enabling),
        ];
        expect(installed.environment.publicPart).toEqual(merged.environment.publicPart);
        expect(installed.environment.privatePart.keys).toEqual(merged.environment.privatePart.keys);
      }),
    );
  });

  it('of an install and a merge equals two merges', () => {
    fc.assert(
      fc.property(archive, archive, (first, second) => {
        const { publicPart, privatePart } = first.environment;
        // Removals stay with the environment that made them: the empty one made none.
        const environmentOfFirst: Environment = {
          publicPart: { ...publicPart, proposed: {} },
          privatePart: { ...privatePart, tombstones: [] },
        };
        const plain = { ...first, environment: environmentOfFirst };
        expect(all(undefined, [plain, second], enabling)).toEqual(all(empty(), [plain, second], enabling));
      }),
    );
  });

  it('of a key that continues the one here keeps all that is here, and decides as any merge does', () => {
    fc.assert(
      fc.property(here, archive, (before, from) => {
        const rekeyed = { ...from, key: newKey };
        const choices = { ...plainImport, continues: true };
        const plan = planned(before, rekeyed, choices);
        expect(plan).toEqual({ ...planned(before, from), rekey: true, unchanged: false });
        const after = imported(before, rekeyed, choices);
        expectWhole(after);
        expect(after.key).toBe(newKey);
        expect(after.environment).toEqual(imported(before, from).environment);
        for (const id of idsOf(before)) expect(idsOf(after)).toContain(id);
        const { replaces } = after.environment.privatePart;
        for (const { environment: one } of [before, from])
          for (const key of one.privatePart.replaces) expect(replaces).toContain(key);
      }),
    );
  });

  it('makes a credential active only in the features that it says, each feature at most once', () => {
    fc.assert(
      fc.property(fc.option(here, { nil: undefined }), archive, fc.boolean(), (now, from, enable) => {
        const plan = planned(now, from, { ...plainImport, enableFeatures: enable });
        const present = idsOf(imported(now, from, { ...plainImport, enableFeatures: enable }));
        for (const feature of features) {
          const holder = plan.features[feature];
          const listed = plan.items.filter((item) => item.features.includes(feature));
          expect(listed.map(({ credential: id }) => id)).toEqual(holder === undefined ? [] : [holder]);
          if (holder !== undefined) expect(present).toContain(holder);
        }
      }),
    );
  });

  it('says of each credential what becomes of it, once', () => {
    fc.assert(
      fc.property(here, archive, (now, from) => {
        const plan = planned(now, from);
        const after = imported(now, from);
        const named = plan.items.map(({ credential: id }) => id);
        expect(named).toEqual([...new Set([...idsOf(now), ...idsOf(from)])].sort());
        for (const { credential: id, action, features: active } of plan.items) {
          const before = features.filter((feature) => featuresOf(now)[feature] === id);
          const [wasHere, isHere] = [idsOf(now).includes(id), idsOf(after).includes(id)];
          const gained = active.some((feature) => !before.includes(feature));
          const lost = before.some((feature) => !active.includes(feature));
          if (!wasHere) expect(action).toBe(isHere ? 'Add' : 'Skip');
          else if (gained) expect(action).toBe('Activate');
          else expect(action).toBe(lost ? 'Retain' : 'Unchanged');
        }
      }),
    );
  });

  it('of an older or already merged archive changes no feature and no proposal', () => {
    fc.assert(
      fc.property(here, archive, archive, (before, first, second) => {
        const now = imported(before, first);
        const from = { ...second, source: first.source };
        fc.pre(from.generation <= first.generation);
        if (from.generation < first.generation) expect(planned(now, from).older).toBe(true);
        const after = imported(now, from.generation < first.generation ? from : first);
        expect(featuresOf(after)).toEqual(featuresOf(now));
        expect(after.environment.publicPart.proposed).toEqual(now.environment.publicPart.proposed);
      }),
    );
  });

  it('leaves features alone that the archive does not set, and proposals that it does not decide', () => {
    fc.assert(
      fc.property(here, archive, (now, from) => {
        const after = imported(now, from);
        for (const feature of features) {
          if (featuresOf(from)[feature] !== undefined) continue;
          expect(featuresOf(after)[feature]).toBe(featuresOf(now)[feature]);
          expect(after.environment.publicPart.proposed[feature]).toBe(
            now.environment.publicPart.proposed[feature],
          );
        }
      }),
    );
  });
});

describe('the archives that an environment remembers', () => {
  it('are bounded, each once, and the newest of each source is never forgotten', () => {
    const sources = ['3', '4', '5'].map(name);
    const one = fc.record({
      source: fc.constantFrom(...sources),
      generation: fc.integer({ min: 1, max: 2000 }),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1000, maxLength: 1100 }), (met) => {
        let remembered: ReturnType<typeof withImported> = [];
        for (const [index, now] of met.entries()) {
          const id = toId('ArchiveId', String(index).padStart(32, '0'));
          remembered = withImported(remembered, { archive: id, ...now });
          // Merged again it moves to the end, and is not there twice.
          if (index % 100 === 0) remembered = withImported(remembered, { archive: id, ...now });
        }
        expect(remembered.length).toBeLessThanOrEqual(1000 + sources.length);
        expect(new Set(remembered.map(({ archive: id }) => id)).size).toBe(remembered.length);
        for (const source of sources) {
          const newest = (all: readonly { source: TpmName; generation: number }[]) =>
            Math.max(0, ...all.filter((each) => each.source === source).map(({ generation }) => generation));
          expect(newest(remembered)).toBe(newest(met));
        }
      }),
      { numRuns: 5 },
    );
  });
});
