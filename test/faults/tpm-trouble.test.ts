/**
 * A TPM in the field that does not do what is asked: absent, denied, disabled, managed by somebody else, locked out. Each is met
 * through the operations in which a person meets it: it has its own code, says what to do, and changes nothing; and what it says
 * to do works. Lost keys: tpm-lost-keys.test.ts. Trouble on the way to the TPM: tpm-bus.test.ts.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StatusResult } from '../../core/src/operations/results.ts';
import { RH } from '../../core/src/tpm2/constants.ts';
import { hasSwtpm, recording, type Exchange } from '../testkit/swtpm.ts';
import {
  ask,
  asking,
  askingTheChip,
  chipCheck,
  copyField,
  expectEverywhere,
  makeField,
  reachBy,
  removeField,
  statusOf,
  type Field,
} from '../testkit/tpm-field.ts';
import { keepUnsuitable, unsuitableKeys } from '../testkit/tpm-storage-keys.ts';
import { nameOfCommand, unreachable } from '../testkit/tpm-transports.ts';
import { ownerPassword, password, refused, rejection } from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const owner = { ownerPassword };
const wrong = { password: 'not the password' };

describe.skipIf(!hasSwtpm())('a TPM', () => {
  let made: Field;
  beforeAll(async () => {
    made = await makeField();
  });
  afterAll(() => removeField(made));

  const initialize = ({ n }: Field, parameters = {}) =>
    n.computer.run('platform-initialize', parameters, owner);

  describe('that cannot be reached', () => {
    it.each([
      {
        problem: 'absent',
        code: 'ChipNotFound',
        fact: /No TPM 2\.0 was found: \/dev\/tpmrm0/,
        step: /firmware/,
      },
      {
        problem: 'denied',
        code: 'ChipAccessDenied',
        fact: /may not use the TPM: \/dev\/tpmrm0/,
        step: /usermod -aG tss/,
      },
      {
        problem: 'busy',
        code: 'ChipBusy',
        fact: /another program uses \/dev\/tpmrm0/,
        step: /other programs/,
      },
      { problem: 'lost', code: 'ChipLost', fact: /\/dev\/tpmrm0 is gone/, step: /repeat/ },
      { problem: 'timeout', code: 'ChipLost', fact: /\/dev\/tpmrm0 gave no answer in time/, step: /repeat/ },
    ] as const)('because it is $problem: $code', async ({ problem, code, fact, step }) => {
      const field = await copyField(made, 'a', 'b', 'n');
      for (const one of [field.a, field.b, field.n]) reachBy(one, unreachable(problem, '/dev/tpmrm0'));
      await expectEverywhere(field, code, fact);
      const error = await refused(field, code, () => initialize(field, { chip: 'Tpm2' }));
      expect(error.hint).toMatch(step);
      // Only where there is none, nothing is passed over.
      if (problem !== 'absent') await refused(field, code, () => initialize(field));
    });

    it('is none: the software chip is taken, and that is said', async () => {
      const field = await copyField(made, 'n');
      reachBy(field.n, unreachable('absent', '/dev/tpmrm0'));
      const { plan } = await field.n.computer.plan('platform-initialize', {}, owner);
      expect(plan.lines[0]).toBe('No TPM was found.');
      await initialize(field);
      expect((await statusOf(field.n)).chip).toBe('software');
    });
  });

  describe('whose storage hierarchy is disabled', () => {
    it('does nothing, loses nothing, and works again after a restart', async () => {
      const field = await copyField(made, 'a', 'b', 'n');
      for (const { tpm } of [field.a, field.b, field.n]) await tpm.disable(RH.OWNER);
      await expectEverywhere(field, 'ChipDisabled', /storage hierarchy of the TPM is disabled/);
      for (const chip of ['Auto', 'Tpm2'])
        await refused(field, 'ChipDisabled', () => initialize(field, { chip }));
      for (const { tpm } of [field.a, field.b, field.n]) await tpm.powerCycle();
      await ask(asking(field, 'import'));
      await ask(asking(field, 'export'));
      await initialize(field);
    });
  });

  describe('whose owner hierarchy has a password', () => {
    it('makes no storage key for us, and that is known before anything is changed', async () => {
      const field = await copyField(made, 'n');
      await field.n.tpm.setHierarchyPassword(RH.OWNER, 'of the company');
      await refused(field, 'ChipOwnerPasswordSet', () =>
        field.n.computer.plan('platform-initialize', {}, owner),
      );
      await refused(field, 'ChipOwnerPasswordSet', () => initialize(field));
      expect(existsSync(join(field.n.computer.home, 'platform'))).toBe(false);
      expect(await field.n.tpm.leftLoaded()).toEqual([]);
    });

    it.each(['ECC', 'RSA'] as const)('serves with the %s storage key that it has', async (type) => {
      const field = await copyField(made, 'a', 'n');
      await field.n.tpm.makeStorageKey(type);
      for (const { tpm } of [field.n, field.a]) await tpm.setHierarchyPassword(RH.OWNER, 'of the company');
      await initialize(field);
      await field.n.computer.run('user-initialize', {}, { password });
      await ask(asking(field, 'export'));
      await ask(asking(field, 'user-new-key'));
      for (const { tpm } of [field.n, field.a]) expect(await tpm.leftLoaded()).toEqual([]);
    });
  });

  describe('whose storage key is unsuitable', () => {
    it.each(Object.entries(unsuitableKeys))('%s', async (_, key) => {
      const field = await copyField(made, 'n');
      await keepUnsuitable(field.n.tpm, key);
      for (const attempt of [
        () => field.n.computer.plan('platform-initialize', {}, owner),
        () => initialize(field),
        () => initialize(field, { chip: 'Tpm2' }),
      ]) {
        const error = await refused(field, 'StorageKeyUnsuitable', attempt);
        expect(error.message).toMatch(key.problem);
      }
      expect(await field.n.tpm.leftLoaded()).toEqual([]);
    });
  });

  describe('whose storage key could be handed on', () => {
    it('is not taken for a guard: anybody who may use the TPM could have put that key there', async () => {
      const field = await copyField(made, 'n');
      await keepUnsuitable(field.n.tpm, unsuitableKeys['that can be handed on']);
      const chip = field.n.tpm.chip();
      for (const attempt of [() => chip.provision(), () => chip.storageKey()]) {
        expect((await rejection(attempt)).code).toBe('StorageKeyUnsuitable');
      }
    });
  });

  describe('that is locked out', () => {
    const wrongTry = (field: Field) =>
      refused(field, 'PasswordRejected', () =>
        field.a.computer.run('feature-disable', { feature: 'SecureEmail' }, wrong),
      );

    it('after three wrong passwords: says for how long, and takes the right one when that is over', async () => {
      const field = await copyField(made, 'a');
      const { tpm, computer } = field.a;
      await tpm.setLockOut(3, 1, 1_000);
      for (let tries = 1; tries <= 3; tries++) {
        await wrongTry(field);
        const { chipFailedTries, failedAttempts } = await statusOf(field.a);
        expect({ chipFailedTries, failedAttempts }).toEqual({
          chipFailedTries: tries,
          failedAttempts: tries,
        });
      }
      const error = await refused(field, 'ChipLockedOut', () =>
        computer.run('feature-disable', { feature: 'SecureEmail' }, { password }),
      );
      expect(error.message).toContain('the next try is possible in at most 1 second.');
      await delay(1_500);
      await computer.run('feature-disable', { feature: 'SecureEmail' }, { password });
      expect(await statusOf(field.a)).toMatchObject({ chipLockedOut: false, failedAttempts: 0 });
    });

    it('does nothing with a user’s key, everything else, and status and test say it', async () => {
      const field = await copyField(made, 'a', 'b');
      await field.a.tpm.setLockOut(3, 600, 600);
      for (let tries = 1; tries <= 3; tries++) await wrongTry(field);
      // On the other computer it was somebody else's program.
      await field.b.tpm.setLockOut(0, 600, 600);
      for (const asked of askingTheChip(field)) {
        if (asked.operation === 'identity-export') await ask(asked);
        else {
          const error = await refused(field, 'ChipLockedOut', () => ask(asked));
          expect(error.message).toContain('10 minutes');
        }
      }
      for (const one of [field.a, field.b]) {
        expect(await statusOf(one)).toMatchObject<Partial<StatusResult>>({
          chipLockedOut: true,
          chipLockedOutSeconds: 600,
          chipProblem: null,
        });
        expect(await chipCheck(one)).toMatchObject({ passed: false, code: 'ChipLockedOut' });
        expect(await one.tpm.leftLoaded()).toEqual([]);
      }
    });

    it('is kept from it by our own counter, which refuses before the TPM is asked', async () => {
      const field = await copyField(made, 'a');
      const bus: Exchange[] = [];
      reachBy(field.a, recording(field.a.tpm.open, bus));
      for (let tries = 1; tries <= 5; tries++) await wrongTry(field);
      bus.splice(0);
      await refused(field, 'LockedOut', () =>
        field.a.computer.run('feature-disable', { feature: 'SecureEmail' }, { password }),
      );
      expect(bus.map(({ command }) => nameOfCommand(command))).toEqual(['ReadPublic']);
      expect((await statusOf(field.a)).chipFailedTries).toBe(5);
    });
  });
});
