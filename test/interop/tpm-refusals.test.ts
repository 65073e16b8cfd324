/**
 * The refusal table: the chip itself is asked for everything that must not be, and answers with its own response code, which
 * the port translates. Every refused question differs by one change from one that is allowed, which is put first. Cases:
 * test/testkit/tpm-refusals. The table is docs/spec/tpm-refusals.md.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSPMigrationError } from '../../core/src/domain/error.ts';
import { Tpm2Error } from '../../core/src/tpm2/response-code.ts';
import { hasSwtpm } from '../testkit/swtpm.ts';
import { expectedOf, refusalGroups, refusalsDocument } from '../testkit/tpm-refusals/table.ts';
import { makeRefusalWorld, tpmsOf, type Question, type RefusalWorld } from '../testkit/tpm-refusals/world.ts';
import { expectComplete } from '../testkit/world.ts';

test('docs/spec/tpm-refusals.md is what `npm run refusals` writes', async () => {
  const file = await readFile(join(import.meta.dirname, '../../docs/spec/tpm-refusals.md'), 'utf8');
  expect(file).toBe(refusalsDocument());
});

test('no case is there twice', () => {
  for (const { title, refusals } of refusalGroups) {
    const titles = refusals.map((one) => one.title);
    expect([title, titles]).toEqual([title, [...new Set(titles)]]);
  }
});

/** Wrong authorizations that the three TPMs count. */
async function triesOn({ a, b, c }: RefusalWorld): Promise<number> {
  let tries = 0;
  for (const { chip } of [a, b, c]) tries += (await chip.describe()).lockOut?.failedTries ?? 0;
  return tries;
}

/** What the TPM answered, and what our chip made of it. */
async function refusalOf(world: RefusalWorld, question: Question): Promise<object> {
  let error: unknown;
  try {
    await question(world);
  } catch (caught) {
    error = caught;
  }
  if (error === undefined) return { refused: false };
  const ours = isSPMigrationError(error) ? error : undefined;
  if (ours !== undefined) expectComplete(ours);
  const cause = ours === undefined ? error : ours.cause;
  if (!(cause instanceof Tpm2Error)) throw new Error('it was not the TPM that refused', { cause: error });
  return { command: cause.command, responseCode: hex(cause.responseCode), code: ours?.code };
}

const hex = (code: number): string => `0x${code.toString(16)}`;

describe.skipIf(!hasSwtpm()).each(['ECC', 'RSA'] as const)('with %s storage keys', (type) => {
  let world: RefusalWorld;
  beforeAll(async () => {
    world = await makeRefusalWorld(type);
  });
  afterAll(async () => {
    for (const tpm of tpmsOf(world)) await tpm.stop();
  });

  describe.each(refusalGroups.map((group) => [group.title, group.refusals] as const))('%s', (_, refusals) => {
    test.each(refusals.map((one) => [one.title, one] as const))('%s', async (_title, refusal) => {
      await refusal.allowed(world);
      const before = await triesOn(world);
      const { command, responseCode, code } = expectedOf(refusal, type);
      expect(await refusalOf(world, refusal.refused)).toEqual({
        command,
        responseCode: hex(responseCode),
        code,
      });
      expect((await triesOn(world)) - before).toBe(refusal.tries ?? 0);
      for (const tpm of tpmsOf(world)) expect(await tpm.leftLoaded()).toEqual([]);
    });
  });
});
