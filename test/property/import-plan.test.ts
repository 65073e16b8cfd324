/**
 * The import laws (issue, "Vectors"): a merge loses no key, twice equals once, a replace leaves exactly the archive's,
 * an install equals a merge into an empty environment. Over the pure plan, for any two environments.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  features,
  type Credential,
  type FeatureAssignments,
  type PublicPart,
} from '../../core/src/domain/environment.ts';
import { toId, type CredentialId } from '../../core/src/domain/ids.ts';
import {
  plainImport,
  planImport,
  type ArchivedState,
  type ImportPlan,
  type LocalState,
} from '../../core/src/domain/import-plan.ts';

const ids = Array.from({ length: 8 }, (_, index) => toId('CredentialId', String(index).repeat(32)));
const key = (digit: string) => toId('TpmName', `000b${digit.repeat(64)}`);

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
const publicPart: fc.Arbitrary<PublicPart> = fc
  .tuple(fc.subarray(ids), fc.infiniteStream(fc.nat()))
  .map(([has, numbers]) => {
    const assign = (): FeatureAssignments => {
      const assigned: Partial<Record<(typeof features)[number], CredentialId>> = {};
      for (const feature of features) {
        const chosen = has[Number(numbers.next().value) % (has.length + 1)];
        if (chosen !== undefined) assigned[feature] = chosen;
      }
      return assigned;
    };
    return {
      credentials: has.map(credential),
      features: assign(),
      proposed: assign(),
      rootAuthority: new Uint8Array(),
      grants: [],
    };
  });

const local: fc.Arbitrary<LocalState> = fc
  .record({ publicPart, removed: fc.subarray(ids), newestMerged: fc.nat(9) })
  .map(({ publicPart: part, removed, newestMerged }) => ({
    basicUserKey: key('a'),
    publicPart: part,
    // What was removed for good is not there (adding it again takes its tombstone away).
    tombstones: removed.filter((id) => !part.credentials.some((one) => one.id === id)),
    newestMerged,
  }));

const archived: fc.Arbitrary<ArchivedState> = fc
  .record({ publicPart, generation: fc.integer({ min: 1, max: 9 }), known: fc.boolean() })
  .map((state) => ({ basicUserKey: key('a'), ...state }));

const idsOf = (part: PublicPart): readonly CredentialId[] => part.credentials.map(({ id }) => id).sort();

/** What is here after a plan was performed, as `import-apply.ts` does it. */
function after(plan: ImportPlan, here: LocalState | undefined, from: ArchivedState): LocalState {
  const kept = plan.case === 'merge' ? (here?.publicPart.credentials ?? []) : [];
  const added = plan.items.filter(({ action }) => action === 'Add').map(({ credential: id }) => id);
  const incoming = from.publicPart.credentials.filter(({ id }) => added.includes(id));
  return {
    basicUserKey: from.basicUserKey,
    publicPart: {
      ...from.publicPart,
      credentials: [...kept, ...incoming],
      features: plan.features,
      proposed: plan.proposed,
    },
    tombstones: here?.tombstones ?? [],
    newestMerged: Math.max(here?.newestMerged ?? 0, from.generation),
  };
}

describe('an import plan', () => {
  it('of a merge loses no key and revives none that was removed for good', () => {
    fc.assert(
      fc.property(local, archived, (here, from) => {
        const now = idsOf(after(planImport(here, from, plainImport), here, from).publicPart);
        for (const id of idsOf(here.publicPart)) expect(now).toContain(id);
        for (const id of here.tombstones) expect(now).not.toContain(id);
        for (const id of idsOf(from.publicPart)) expect(now.includes(id)).toBe(!here.tombstones.includes(id));
      }),
    );
  });

  it('performed twice equals once: the second changes nothing', () => {
    fc.assert(
      fc.property(fc.option(local, { nil: undefined }), archived, fc.boolean(), (here, from, enable) => {
        const once = after(planImport(here, from, { ...plainImport, enableFeatures: enable }), here, from);
        const again = planImport(once, { ...from, known: true }, { ...plainImport, enableFeatures: enable });
        expect(again).toMatchObject({ case: 'merge', unchanged: true, features: once.publicPart.features });
        expect(after(again, once, from).publicPart.credentials).toEqual(once.publicPart.credentials);
      }),
    );
  });

  it('of a replace leaves exactly the archive’s and names all that is set aside', () => {
    fc.assert(
      fc.property(local, archived, fc.boolean(), (here, from, enable) => {
        const other = { ...from, basicUserKey: key('b') };
        const plan = planImport(here, other, { ...plainImport, enableFeatures: enable });
        expect(plan.case).toBe('replace');
        expect(idsOf(after(plan, here, other).publicPart)).toEqual(idsOf(from.publicPart));
        const aside = plan.items.filter(({ action }) => action === 'SetAside');
        expect(aside.map(({ credential: id }) => id).sort()).toEqual(idsOf(here.publicPart));
      }),
    );
  });

  it('of an install equals a merge into an empty environment', () => {
    fc.assert(
      fc.property(archived, (from) => {
        const empty: LocalState = {
          basicUserKey: from.basicUserKey,
          publicPart: { ...from.publicPart, credentials: [], features: {}, proposed: {} },
          tombstones: [],
          newestMerged: 0,
        };
        const fresh = { ...from, known: false, publicPart: { ...from.publicPart, proposed: {} } };
        const installed = after(
          planImport(undefined, fresh, { ...plainImport, enableFeatures: true }),
          undefined,
          fresh,
        ).publicPart;
        const merged = after(
          planImport(empty, fresh, { ...plainImport, enableFeatures: true }),
          empty,
          fresh,
        ).publicPart;
        expect(idsOf(installed)).toEqual(idsOf(merged));
        expect(installed.features).toEqual(merged.features);
      }),
    );
  });

  it('makes a credential active only in the features that it says, each feature at most once', () => {
    fc.assert(
      fc.property(fc.option(local, { nil: undefined }), archived, fc.boolean(), (here, from, enable) => {
        const plan = planImport(here, from, { ...plainImport, enableFeatures: enable });
        const present = idsOf(after(plan, here, from).publicPart);
        for (const feature of features) {
          const holder = plan.features[feature];
          const listed = plan.items.filter((item) => item.features.includes(feature));
          expect(listed.map(({ credential: id }) => id)).toEqual(holder === undefined ? [] : [holder]);
          if (holder !== undefined) expect(present).toContain(holder);
        }
      }),
    );
  });

  it('of an older or already merged archive changes no feature', () => {
    fc.assert(
      fc.property(local, archived, fc.boolean(), (here, from, enable) => {
        const frozen = from.known || from.generation < here.newestMerged;
        fc.pre(frozen);
        expect(planImport(here, from, { ...plainImport, enableFeatures: enable }).features).toEqual(
          here.publicPart.features,
        );
      }),
    );
  });
});
