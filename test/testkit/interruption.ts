/**
 * A change made by a program that is interrupted, judged afterwards: whether a person then sees what was before or what the change
 * makes, whole; whether it can be repeated; and whether nothing is left that should not be. What interrupts it is its tests' concern:
 * the disk (faults/operations.test.ts), the TPM (faults/tpm-power.test.ts).
 */
import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { expect } from 'vitest';
import { isSPMigrationError } from '../../core/src/domain/error.ts';
import { newPassword, passwords, secretTexts, type PreparedChange } from './changes.ts';
import { neighbourName } from './disk-files.ts';
import { PowerLost, type FailingDisk } from './failing-disk.ts';
import { comparable, share, viewOf, type GiveChip, type View } from './simulation.ts';

export type Outcome = 'done' | 'stopped' | { readonly code: string };

/** Makes the change as a program of its own, and says how it ended. */
export async function make(
  change: PreparedChange,
  disk: FailingDisk,
  pid: number,
  parameters = change.parameters,
  giveChip?: GiveChip,
): Promise<Outcome> {
  const seed = parameters === change.parameters ? 'first' : 'again';
  const computers = await change.simulate(disk, pid, seed, giveChip);
  try {
    await computers[change.on].run(change.operation, parameters, change.secrets);
    return 'done';
  } catch (error) {
    if (error instanceof PowerLost) return 'stopped';
    if (isSPMigrationError(error)) return { code: error.code };
    throw error;
  }
}

async function look({ on, simulate }: PreparedChange, disk: FailingDisk, pid: number): Promise<View> {
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
export interface Reference {
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

export async function runOnce(change: PreparedChange): Promise<Reference> {
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

/** An unencrypted private key of the elliptic curve that every key here is on (PKCS#8), up to the key itself. */
const pkcs8 = Buffer.from('020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420', 'hex');

/** No password and no private key lies anywhere. The software chip's storage key is known to (docs/spec/chip.md). */
export async function expectNoSecrets(disk: FailingDisk): Promise<void> {
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
export function expectTidy(disk: FailingDisk): void {
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
export async function changeNext({ on, simulate }: PreparedChange, disk: FailingDisk): Promise<void> {
  const computer = (await simulate(disk, 14, 'next'))[on];
  const status = await computer.one('status');
  if (status.initialized !== true) return;
  await computer.run('identity-export', { path: share, overwrite: true });
  await computer.ports.platform.setOwnerAttempts({ failed: 0, last: 0 });
  if (status.userInitialized === true) await computer.run('user-remove');
  await computer.run('user-initialize', {}, { password: newPassword });
}

/** What failed; of an assertion also what was found and what should have been. */
export function textOf(error: unknown): string {
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

/**
 * Looks at a computer on which a change was interrupted, and makes the change again: old or new, whole, and then done. Answers
 * which it was. `lookAgain`: also at what the repetition makes of it, where it can make something else than without interruption.
 */
export async function judge(
  reference: Reference,
  after: FailingDisk,
  outcome: Outcome,
  lookAgain = true,
): Promise<'old' | 'new'> {
  const { change, old, now } = reference;
  const view = await look(change, after, 11);
  const found = isOld(view, reference) ? 'old' : 'new';
  if (found === 'new') expect(comparable(view, old)).toBe(now);
  if (outcome === 'done') expect(found).toBe('new');
  await expectWholeFiles(after, reference);
  await expectNoSecrets(after);

  const again = await make(change, after, 12, change.again);
  if (found === 'old') expect(again).toBe('done');
  // What was left undone after the change itself is made up for; else repeating it is as it always is.
  else if (again !== 'done') expect(again).toEqual(reference.again);
  if (!lookAgain) return found;
  const seen = comparable(await look(change, after, 13), old);
  expect(seen).toBe(found === 'old' || seen === now ? now : reference.nowAgain);
  return found;
}
