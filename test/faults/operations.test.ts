/**
 * Every operation that changes something, interrupted at each of its changes of the disk: by a loss of power (half a file
 * written, names that were not synced lost or kept), a program that is killed, a full disk, an error of the disk. Whatever
 * happened, a person then sees what was before or what the operation makes, whole; it can be repeated; and nothing is left that
 * should not be. SPMIGRATION_FULL=1 takes every kind of interruption at every place; without it each place gets one that
 * stops the program and one that the disk refuses.
 * What may be left: `expectTidy`. The store alone, more deeply: environment-store.test.ts; real kills: kill.test.ts.
 */
import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { fail, isSPMigrationError } from '../../core/src/domain/error.ts';
import {
  changers,
  changes,
  newPassword,
  passwords,
  prepareChange,
  secretTexts,
  titleOf,
  type PreparedChange,
} from '../testkit/changes.ts';
import { neighbourName } from '../testkit/disk-files.ts';
import { PowerLost, type FailingDisk } from '../testkit/failing-disk.ts';
import { comparable, share, simulate, viewOf, type View } from '../testkit/simulation.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).memoizedKdf(original),
);

const full = process.env.SPMIGRATION_FULL === '1';

type Outcome = 'done' | 'stopped' | { readonly code: string };

/** Makes the change as a program of its own, and says how it ended. */
async function make(
  change: PreparedChange,
  disk: FailingDisk,
  pid: number,
  parameters = change.parameters,
): Promise<Outcome> {
  const computers = await simulate(disk, pid, parameters === change.parameters ? 'first' : 'again');
  try {
    await computers[change.on].run(change.operation, parameters, change.secrets);
    return 'done';
  } catch (error) {
    if (error instanceof PowerLost) return 'stopped';
    if (isSPMigrationError(error)) return { code: error.code };
    throw error;
  }
}

async function look({ on }: PreparedChange, disk: FailingDisk, pid: number): Promise<View> {
  return viewOf((await simulate(disk, pid, 'look'))[on], passwords);
}

/** Name, size and content of every file in the share. */
async function sharedFiles(disk: FailingDisk): Promise<ReadonlyMap<string, { size: number; hash: string }>> {
  const files = new Map<string, { size: number; hash: string }>();
  for (const path of disk.files().filter((one) => dirname(one) === share)) {
    const { bytes } = await disk.read(path, 100_000_000);
    files.set(basename(path), { size: bytes.length, hash: createHash('sha256').update(bytes).digest('hex') });
  }
  return files;
}

/** A change that was made once without an interruption. */
interface Reference {
  readonly change: PreparedChange;
  /** How many changes of the disk it makes. */
  readonly steps: number;
  readonly old: View;
  readonly now: string;
  readonly oldFiles: ReadonlyMap<string, { size: number; hash: string }>;
  readonly nowFiles: ReadonlyMap<string, { size: number; hash: string }>;
  /** What repeating it answers, and leads to, once it is done. */
  readonly again: Outcome;
  readonly nowAgain: string;
}

async function runOnce(change: PreparedChange): Promise<Reference> {
  const before = change.fresh();
  const old = await look(change, before, 3);
  const disk = change.fresh();
  expect(await make(change, disk, 4)).toBe('done');
  const steps = disk.changes;
  const after = await look(change, disk, 5);
  const [oldFiles, nowFiles] = [await sharedFiles(before), await sharedFiles(disk)];
  const now = comparable(after, old);
  const again = await make(change, disk, 6, change.again);
  const nowAgain = comparable(await look(change, disk, 7), old);
  return { change, steps, old, now, oldFiles, nowFiles, again, nowAgain };
}

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

/** An unencrypted private key of the elliptic curve that every key here is on (PKCS#8), up to the key itself. */
const pkcs8 = Buffer.from('020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420', 'hex');

/** No password and no private key lies anywhere. The software chip's storage key is known to (docs/spec/chip.md). */
async function expectNoSecrets(disk: FailingDisk): Promise<void> {
  for (const path of disk.files()) {
    const bytes = Buffer.from((await disk.read(path, 100_000_000)).bytes);
    const found = secretTexts.filter((text) => bytes.includes(text));
    if (bytes.includes(pkcs8) || bytes.includes('PRIVATE KEY')) found.push('a private key');
    if (found.length > 0) expect.fail(`${path} holds ${found.join(', ')}`);
  }
}

/**
 * Nothing is left over once the change was repeated, except: the neighbours of files that people name, in folders that are not
 * ours to tidy (they hold what the file was to hold, and their names say what they are).
 */
function expectTidy(disk: FailingDisk): void {
  const left = disk.files().filter((path) => /\.tmp$|lock\./.test(basename(path)));
  expect(
    left.filter((path) => !(dirname(path) === share && basename(path).startsWith(neighbourName))),
  ).toEqual([]);
}

/** Each file in the share is untouched, not there, or whole. */
async function expectWholeFiles(disk: FailingDisk, { oldFiles, nowFiles }: Reference): Promise<void> {
  for (const [name, { size, hash }] of await sharedFiles(disk)) {
    if (name.startsWith(neighbourName) || oldFiles.get(name)?.hash === hash) continue;
    // Signatures differ in length, and a receipt leaves out a history that could not be written; half a file is shorter.
    expect({ name, isWhole: size > 0.7 * (nowFiles.get(name)?.size ?? Infinity) }).toEqual({
      name,
      isWhole: true,
    });
  }
  for (const name of oldFiles.keys())
    if (nowFiles.has(name)) expect((await sharedFiles(disk)).has(name), name).toBe(true);
}

/** Some other change of everything that the interrupted one may have touched: it takes left-overs away. */
async function changeNext({ on }: PreparedChange, disk: FailingDisk): Promise<void> {
  const computer = (await simulate(disk, 14, 'next'))[on];
  const status = await computer.one('status');
  if (status.initialized !== true) return;
  await computer.run('identity-export', { path: share, overwrite: true });
  await computer.ports.platform.setOwnerAttempts({ failed: 0, last: 0 });
  if (status.userInitialized === true) await computer.run('user-remove');
  await computer.run('user-initialize', {}, { password: newPassword });
}

/** What failed; of an assertion also what was found and what should have been. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!('actual' in error && 'expected' in error)) return error.stack ?? error.message;
  const [actual, expected] = [JSON.stringify([error.actual]), JSON.stringify([error.expected])];
  let same = 0;
  while (same < actual.length && actual[same] === expected[same]) same += 1;
  const from = Math.max(0, same - 60);
  return `found …${actual.slice(from, from + 400)} instead of …${expected.slice(from, from + 400)}`;
}

/** Whether a person sees what was there before the change. */
function isOld(view: View, { change, old, now }: Reference): boolean {
  // What a change leaves as it was, it leaves so in any case: then the new state counts.
  if (comparable(old, old) === now) return false;
  const seen = change.quarantineFirst ? { ...view, quarantine: old.quarantine } : view;
  return JSON.stringify(seen) === JSON.stringify(old);
}

/** Interrupts the change at one step; answers what was found. */
async function interrupt(
  reference: Reference,
  step: number,
  interruption: Interruption,
): Promise<'old' | 'new'> {
  const { change, old, now } = reference;
  const disk = change.fresh();
  const resume = interruption(disk, step);
  const outcome = await make(change, disk, 10);
  const after = resume(disk);

  const view = await look(change, after, 11);
  const found = isOld(view, reference) ? 'old' : 'new';
  if (found === 'new') expect(comparable(view, old)).toBe(now);
  if (outcome === 'done') expect(found).toBe('new');
  await expectWholeFiles(after, reference);
  await expectNoSecrets(after);

  const again = await make(change, after, 12, change.again);
  const seen = comparable(await look(change, after, 13), old);
  if (found === 'old') {
    expect(again).toBe('done');
    expect(seen).toBe(now);
  } else {
    // What was left undone after the change itself is made up for; else repeating it is as it always is.
    if (again !== 'done') expect(again).toEqual(reference.again);
    expect(seen).toBe(seen === now ? now : reference.nowAgain);
  }
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
