/**
 * Every operation that changes something, interrupted at each of its changes of the disk: by a loss of power (half a file
 * written, names that were not synced lost or kept), a program that is killed, a full disk, an error of the disk. Whatever
 * happened, a person then sees what was before or what the operation makes, whole; it can be repeated; and nothing is left that
 * should not be (`testkit/interruption.ts`). SPMIGRATION_FULL=1 takes every kind of interruption at every place; without it each place gets one that
 * stops the program and one that the disk refuses.
 * What may be left: `expectTidy`. The store alone, more deeply: environment-store.test.ts; real kills: kill.test.ts.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { fail } from '../../core/src/domain/error.ts';
import { changers, changes, prepareChange, titleOf } from '../testkit/changes.ts';
import type { FailingDisk } from '../testkit/failing-disk.ts';
import {
  changeNext,
  expectNoSecrets,
  expectTidy,
  judge,
  make,
  runOnce,
  textOf,
  type Reference,
} from '../testkit/interruption.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const full = process.env.SPMIGRATION_FULL === '1';

type Interruption = (disk: FailingDisk, step: number) => (disk: FailingDisk) => FailingDisk;

const powerLoss =
  (halfDone: boolean, survives: (folder: string, name: string) => boolean): Interruption =>
  (disk, step) => {
    disk.losePowerAt(step, halfDone);
    return (stopped) => stopped.restart(survives);
  };
const kill: Interruption = (disk, step) => {
  disk.losePowerAt(step, true);
  return (stopped) => stopped.resume();
};
const refusal =
  (error: () => Error): Interruption =>
  (disk, step) => {
    disk.failAt(step, error());
    return (refused) => refused;
  };
const fullDisk = refusal(() => fail('StorageFull', { path: 'the disk' }));
const diskError = refusal(() => fail('StorageFailed', { path: 'the disk', problem: 'EIO: i/o error' }));

const mixture =
  (seed: string) =>
  (folder: string, name: string): boolean =>
    ((createHash('sha256').update(`${seed} ${folder}/${name}`).digest()[0] ?? 0) & 1) === 1;
const [none, all] = [() => false, () => true];

const stops: readonly Interruption[] = [
  powerLoss(true, none),
  kill,
  powerLoss(true, mixture('a')),
  powerLoss(true, all),
  powerLoss(true, mixture('b')),
  powerLoss(false, none),
];
const refusals: readonly Interruption[] = [fullDisk, diskError];

/** Which interruptions a step gets: all, or one of each kind, others from step to step. */
function interruptionsAt(step: number): readonly Interruption[] {
  if (full) return [...stops, ...refusals];
  return [stops, refusals].flatMap((kind) => kind[step % kind.length] ?? []);
}

/** Interrupts the change at one step; answers what was found. */
async function interrupt(
  reference: Reference,
  step: number,
  interruption: Interruption,
): Promise<'old' | 'new'> {
  const { change } = reference;
  const disk = change.fresh();
  const resume = interruption(disk, step);
  const outcome = await make(change, disk, 10);
  const after = resume(disk);
  const found = await judge(reference, after, outcome);
  await changeNext(change, after);
  expectTidy(after);
  await expectNoSecrets(after);
  return found;
}

it('every operation that changes something is interrupted', () => {
  expect(new Set(changes.map(({ operation }) => operation))).toEqual(new Set(changers));
});

describe.each(changes.map((change) => [titleOf(change), change] as const))('%s', (_, change) => {
  it('interrupted anywhere is done or not done', { timeout: 600_000 }, async () => {
    const reference = await runOnce(await prepareChange(change));
    expect(reference.steps).toBeGreaterThan(0);
    const problems: string[] = [];
    for (let step = 1; step <= reference.steps; step++) {
      for (const interruption of interruptionsAt(step)) {
        try {
          await interrupt(reference, step, interruption);
        } catch (error) {
          const place = `step ${step} of ${reference.steps}, interruption ${[...stops, ...refusals].indexOf(interruption)}`;
          problems.push(`${place}: ${textOf(error)}`);
        }
      }
    }
    expect(problems).toEqual([]);
  });
});
