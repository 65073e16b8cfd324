/**
 * Fuzzing of every decoder, with mutated vectors: a short run of the same cases each time. `SPMIGRATION_FUZZ_SECONDS` makes it
 * longer, `SPMIGRATION_FUZZ_SEED` another one; `npm run fuzz` is the same for hours. The law is `test/testkit/fuzz/law.ts`.
 */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../core/src/bytes/bytes.ts';
import { codecs } from '../testkit/codecs.ts';
import { fuzz, replayOf } from '../testkit/fuzz/campaign.ts';
import { caseOf, judge } from '../testkit/fuzz/law.ts';
import { fuzzTargets } from '../testkit/fuzz/targets.ts';

const seconds = Number(process.env.SPMIGRATION_FUZZ_SECONDS ?? '10');
const seed = Number(process.env.SPMIGRATION_FUZZ_SEED ?? '4');

describe('fuzzing', () => {
  it('has every codec among its targets, and valid files for each', async () => {
    const names = fuzzTargets.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(codecs)));
    expect(new Set(names).size).toBe(names.length);
    for (const target of fuzzTargets) {
      const [valid = new Uint8Array()] = target.seeds;
      expect(`${target.name}: ${await judge(target, valid)}`).toBe(`${target.name}: accepted`);
    }
  });

  it('makes the same cases from the same seed, and others from another', () => {
    for (const target of fuzzTargets) {
      const cases = (from: number): readonly string[] =>
        [0, 1, 2, 3, 4].map((number) => toHex(caseOf(target, from, number)));
      expect(cases(7)).toEqual(cases(7));
      expect(cases(7)).not.toEqual(cases(8));
    }
  });

  it.each([
    ['broken-error', 'not of the catalogue'],
    ['broken-form', 'what was accepted is not what its writer writes'],
    ['broken-words', 'could forge what a terminal shows'],
    ['broken-time', 'it took more than two seconds'],
    ['broken-memory', /MiB of (heap|memory)|it took more than two seconds/],
  ])(
    'finds a reader that breaks the law: %s',
    async (target, problem) => {
      const { broken } = await fuzz({ seed, seconds: 60, target });
      expect(broken).toMatchObject([{ target, problem: expect.stringMatching(problem) as string }]);
    },
    60_000,
  );

  it('finds the same case again', async () => {
    const once = await fuzz({ seed, seconds: 60, target: 'broken-error' });
    const [found] = once.broken;
    const number = found?.number ?? 0;
    const again = await fuzz({ seed, seconds: 60, target: 'broken-error', first: number, cases: 1 });
    expect(again).toMatchObject({ cases: 1, broken: [{ ...found, problem: expect.any(String) as string }] });
    expect(replayOf(seed, { target: 'x', number: 7, problem: '', bytes: undefined })).toBe(
      `npm run fuzz -- --seed ${String(seed)} --target x --case 7`,
    );
  });

  it(
    'finds nothing that a decoder does but accept what its encoder writes, or refuse with a code',
    async () => {
      const report = await fuzz({ seed, seconds });
      expect(report.broken.map((one) => `${replayOf(seed, one)}\n${one.problem}`)).toEqual([]);
      // Every target was asked, refused something, and was not refused everything.
      expect(report.cases).toBeGreaterThan(fuzzTargets.length * 20);
      for (const { name } of fuzzTargets) {
        const outcomes = [...report.outcomes.keys()].filter((outcome) => outcome.startsWith(`${name}: `));
        expect(outcomes.length, name).toBeGreaterThan(1);
      }
    },
    (seconds + 120) * 1000,
  );
});
