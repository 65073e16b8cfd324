/**
 * The TPM is gone in the middle of an operation, at each of its commands: the way to it is cut before or after the command got
 * there, and the TPM goes on with what was loaded, or loses its power. Whatever happened, a person then sees what was before or
 * what the operation makes, whole; it can be made again; and every slot of the TPM is of use to the next program. SPMIGRATION_FULL=1
 * takes every kind of cut at every command; without it each command gets one of them. Interruptions of the disk: operations.test.ts.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { OpenTransport } from '../../core/src/adapters/chip-tpm2/transport/transport.ts';
import { createTpm2Chip } from '../../core/src/adapters/chip-tpm2/tpm2-chip.ts';
import { changes, prepareChange, titleOf, type Change } from '../testkit/changes.ts';
import type { Computer } from '../testkit/computer.ts';
import { expectTidy, judge, make, runOnce, textOf, type Reference } from '../testkit/interruption.ts';
import type { GiveChip } from '../testkit/simulation.ts';
import { fillSlots, hasSwtpm, random, Swtpm, useUserKey } from '../testkit/swtpm.ts';
import { dying, intercepted } from '../testkit/tpm-transports.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const full = process.env.SPMIGRATION_FULL === '1';

/** The operations that hand keys over, take them, make them or change them. */
const titles = [
  'export',
  'import that installs',
  'import that merges under a key that continues the one here',
  'user-initialize',
  'user-password',
  'user-new-key',
];
const interrupted: readonly Change[] = changes.filter((change) => titles.includes(titleOf(change)));

/** How the TPM is lost: whether the command still arrives, and whether the TPM loses its power. */
const cuts = [
  { arrives: false, power: false },
  { arrives: true, power: true },
  { arrives: true, power: false },
  { arrives: false, power: true },
] as const;

it('every operation that is interrupted here is one', () => {
  expect(interrupted.map(titleOf).toSorted()).toEqual(titles.toSorted());
});

describe.skipIf(!hasSwtpm())('the TPM is lost during', () => {
  const tpms = new Map<string, Swtpm>();
  const tpmOf = (name: string): Swtpm => {
    const tpm = tpms.get(name);
    if (tpm === undefined) throw new Error(`${name} has no TPM`);
    return tpm;
  };
  beforeAll(async () => {
    for (const name of ['PC-A', 'PC-B', 'PC-C']) {
      const tpm = await Swtpm.start();
      // Views try every password on every generation, and each loss of power counts as a try.
      await tpm.setLockOut(1_000_000, 1_000, 1_000);
      tpms.set(name, tpm);
    }
  });
  afterAll(async () => {
    for (const tpm of tpms.values()) await tpm.stop();
  });

  /** Each computer reaches its TPM in this way. */
  const reachedBy =
    (openOf: (tpm: Swtpm, name: string) => OpenTransport): GiveChip =>
    (computer: Computer, name) => {
      const { chip, platform } = computer.ports;
      const open = openOf(tpmOf(name), name);
      computer.ports = {
        ...computer.ports,
        chip: (kind, recorded) =>
          kind === 'software'
            ? chip(kind, recorded)
            : Promise.resolve(
                createTpm2Chip({ find: () => open, random, delay, recorded, platformPath: platform.path }),
              ),
      };
      return Promise.resolve();
    };
  const whole = reachedBy(({ open }) => open);

  /** How many commands the change sends to its computer's TPM. */
  async function countCommands({ change }: Reference): Promise<number> {
    let commands = 0;
    const counting = reachedBy((tpm, name) =>
      intercepted(tpm.open, ({ send }) => {
        if (name === nameOf(change.on)) commands += 1;
        return send();
      }),
    );
    expect(await make(change, change.fresh(), 8, change.parameters, counting)).toBe('done');
    return commands;
  }

  async function interrupt(
    reference: Reference,
    at: number,
    cut: (typeof cuts)[number],
  ): Promise<'old' | 'new'> {
    const { change } = reference;
    const tpm = tpmOf(nameOf(change.on));
    const disk = change.fresh();
    const cutOff = reachedBy(({ open }, name) =>
      name === nameOf(change.on) ? dying(open, at, cut.arrives) : open,
    );
    const outcome = await make(change, disk, 10, change.parameters, cutOff);
    expect(typeof outcome === 'string' ? outcome : outcome.code).toMatch(/^(?:done|ChipLost|ChipNotFound)$/);
    if (cut.power) await tpm.powerCycle();
    const after = disk.resume();
    const found = await judge(reference, after, outcome, full);
    expectTidy(after);
    // A new program finds every slot of use, whatever the dead one left there.
    await useEverySlot(tpm);
    expect(await tpm.leftLoaded()).toEqual([]);
    return found;
  }

  it.each(interrupted.map((change) => [titleOf(change), change] as const))(
    '%s: it is done or not done',
    { timeout: 300_000 },
    async (_, change) => {
      const reference = await runOnce(await prepareChange(change, whole));
      const commands = await countCommands(reference);
      expect(commands).toBeGreaterThan(7);
      const problems: string[] = [];
      const seen = new Set<string>();
      for (let at = 1; at <= commands; at++) {
        for (const cut of full ? cuts : cuts.slice(at % cuts.length).slice(0, 1)) {
          try {
            seen.add(await interrupt(reference, at, cut));
          } catch (error) {
            problems.push(`command ${at} of ${commands}, ${JSON.stringify(cut)}: ${textOf(error)}`);
          }
        }
      }
      expect(problems).toEqual([]);
      // An export changes nothing that a person sees, but its file.
      if (change.operation !== 'export') expect(seen).toContain('old');
    },
  );
});

const nameOf = (computer: 'a' | 'b' | 'c'): string => `PC-${computer.toUpperCase()}`;

async function useEverySlot(tpm: Swtpm): Promise<void> {
  await fillSlots(tpm);
  await useUserKey(tpm);
}
