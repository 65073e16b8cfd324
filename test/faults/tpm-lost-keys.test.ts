/**
 * A TPM that lost the keys of a platform: cleared, its storage key taken out, or another one in its place. Every operation that
 * works on the chip says so before anything secret is sent, and what it says to do brings the person back to everything that
 * another computer still has.
 */
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type {
  AccessResult,
  AuthorityResult,
  CheckResult,
  CredentialResult,
  HistoryEventResult,
  ImportResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import type { Chip } from '../../core/src/ports/chip.ts';
import { RH } from '../../core/src/tpm2/constants.ts';
import { hasSwtpm, recording, Swtpm, type Exchange } from '../testkit/swtpm.ts';
import { credentialWorks } from '../testkit/tpm-computers.ts';
import {
  ask,
  asking,
  askingTheChip,
  copyField,
  expectEverywhere,
  makeField,
  reachBy,
  removeField,
  statusOf,
  type Field,
  type FieldComputer,
} from '../testkit/tpm-field.ts';
import { takeStorageKeyOut } from '../testkit/tpm-storage-keys.ts';
import { nameOfCommand } from '../testkit/tpm-transports.ts';
import { secretOf } from '../testkit/tpm-refusals/world.ts';
import { grant, ownerPassword, password, refused, rejection } from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const owner = { ownerPassword };
const cleared = /holds no storage key any more: it was cleared, or the key was taken out/;
const exchanged = /is not the one recorded at its initialization/;

const credentialsOf = async ({ computer }: FieldComputer): Promise<readonly string[]> => {
  const all = await computer.run<CredentialResult>('credential-list');
  return all.map(({ credential, label, thumbprint, state }) =>
    [credential, label, thumbprint, state].join(' '),
  );
};

/** Checks of Test-SPMigration that do not pass. */
const failing = async ({ computer }: FieldComputer, role: string): Promise<readonly string[]> => {
  const checks = await computer.run<CheckResult>('platform-test', { role });
  return checks.filter(({ passed }) => !passed).map(({ name, code }) => `${name}: ${code ?? ''}`);
};

/** A new grant, and an archive for the destination as it is now; answers its path. */
async function archiveFor(field: Field, from: FieldComputer, to: FieldComputer): Promise<string> {
  // By its fingerprint: another grant may be there for the same computer as it was.
  const { fingerprint, computer } = await statusOf(to);
  const destination = fingerprint ?? '';
  await grant(field, from.computer, to.computer, { allowUnattested: true });
  const path = join(field.share, `for ${computer}.sparc`);
  await from.computer.run('export', { path, destination, overwrite: true }, { password });
  return path;
}

describe.skipIf(!hasSwtpm())('a TPM', () => {
  let made: Field;
  beforeAll(async () => {
    made = await makeField();
  });
  afterAll(() => removeField(made));

  describe('that was cleared', () => {
    it('is known as that by everything that works on it', async () => {
      const field = await copyField(made, 'a', 'b');
      for (const { tpm } of [field.a, field.b]) await tpm.clear();
      await expectEverywhere(field, 'ChipCleared', cleared);
      const error = await refused(field, 'ChipCleared', () => ask(asking(field, 'export')));
      expect(error.hint).toContain(field.a.computer.ports.platform.path);
      for (const { tpm } of [field.a, field.b]) expect(await tpm.leftLoaded()).toEqual([]);
    });

    it('gets its environment back from the computer that took the last archive', async () => {
      const field = await copyField(made, 'a', 'b');
      const { a, b } = field;
      const [before, credentials] = [await statusOf(a), await credentialsOf(a)];
      const id = credentials[0]?.split(' ')[0] ?? '';
      const certificate = await credentialWorks({ ...a, name: 'PC-A', bus: [] }, id);
      await b.computer.run('import', { path: field.archive, enableFeature: true }, { password });
      const archive = await archiveFor(field, b, a);
      await a.tpm.clear();

      const { plan } = await a.computer.plan('platform-initialize', {}, owner);
      expect(plan.impact).toBe('high');
      expect(plan.lines[0]).toMatch(cleared);
      await refused(field, 'OwnerPasswordRejected', () =>
        a.computer.run('platform-initialize', {}, { ownerPassword: 'another one' }),
      );
      await a.computer.run('platform-initialize', {}, owner);
      const after = await statusOf(a);
      expect(after).toMatchObject<Partial<StatusResult>>({
        chip: 'tpm2',
        chipProblem: null,
        authority: 'Local',
        authorityFingerprint: before.authorityFingerprint,
        userInitialized: false,
      });
      expect(after.platformId).not.toBe(before.platformId);
      expect(await failing(a, 'Destination')).toEqual([]);

      // An archive for the storage key that is gone opens nowhere, and says so; a new one, as the code's text advises, does.
      await refused(field, 'IdentityStale', () => a.computer.run('import', { path: archive }, { password }));
      const path = await archiveFor(field, b, a);
      const { case: kind } = await a.computer.one<ImportResult>(
        'import',
        { path, enableFeature: true },
        { password },
      );
      expect(kind).toBe('Install');
      expect(await credentialsOf(a)).toEqual(credentials);
      expect(await credentialWorks({ ...a, name: 'PC-A', bus: [] }, id)).toBe(certificate);
      expect(await failing(a, 'Source')).toEqual([]);

      // The grant that was signed here before still holds, and the platform's history goes on.
      const access = await a.computer.run<AccessResult>('access-list');
      expect(access.map(({ destination }) => destination)).toContain('PC-B');
      await a.computer.run(
        'export',
        { path: field.share, destination: 'PC-B', overwrite: true },
        { password },
      );
      const history = await a.computer.run<HistoryEventResult>('history');
      expect(
        history.filter(({ operation, outcome }) => operation === 'platform-initialize' && outcome === 'ok'),
      ).toHaveLength(2);
      for (const { tpm } of [a, b]) expect(await tpm.leftLoaded()).toEqual([]);
    });

    it('stays under its authority, whoever initializes it again', async () => {
      const field = await copyField(made, 'a', 'b', 'n');
      const { a, n } = field;
      const fleet = { path: field.share, name: 'Fleet' };
      const other = { path: field.share, name: 'Other' };
      const own = await field.b.computer.one<AuthorityResult>('authority-new', fleet, owner);
      const strange = await field.b.computer.one<AuthorityResult>('authority-new', other, owner);
      await n.computer.run('platform-initialize', { authorityPath: own.publicPath });
      for (const { tpm } of [a, n]) await tpm.clear();
      // An administrator could clear the chip, and would be the owner of what comes after.
      for (const { computer } of [a, n]) {
        const error = await refused(field, 'ParameterInvalid', () =>
          computer.run('platform-initialize', { authorityPath: strange.publicPath }),
        );
        expect(error.message).toContain('stays under its authority');
      }
      const key = join(a.computer.home, 'platform', 'private', 'authority');
      const file = await readFile(key);
      await rm(key);
      await refused(field, 'PlatformDamaged', () => a.computer.run('platform-initialize', {}, owner));
      await copyFile(strange.path, key);
      await refused(field, 'PlatformDamaged', () => a.computer.run('platform-initialize', {}, owner));
      await writeFile(key, file);
      const { plan } = await a.computer.plan('platform-initialize', { chip: 'Software' }, owner);
      expect(plan.lines).toContain('Until now a TPM guarded keys here; from now on no chip does.');
      await a.computer.run('platform-initialize', {}, owner);
      await n.computer.run('platform-initialize', { authorityPath: own.publicPath });
    });

    it('keeps the authority of its fleet', async () => {
      const field = await copyField(made, 'b', 'n');
      const { n } = field;
      const { publicPath, fingerprint } = await field.b.computer.one<AuthorityResult>(
        'authority-new',
        { path: field.share },
        owner,
      );
      await n.computer.run('platform-initialize', { authorityPath: publicPath });
      await n.tpm.clear();
      await n.computer.run('platform-initialize');
      expect(await statusOf(n)).toMatchObject({ authority: 'Fleet', authorityFingerprint: fingerprint });
    });
  });

  describe('whose storage key was taken out', () => {
    it('makes the same one again, and nothing was lost', async () => {
      const field = await copyField(made, 'a');
      const { a } = field;
      const before = await statusOf(a);
      await takeStorageKeyOut(a.tpm);
      await expectEverywhere(field, 'ChipCleared', cleared, [a]);
      await a.computer.run('platform-initialize', {}, owner);
      const { initializedAt: _, ...after } = await statusOf(a);
      expect(before).toMatchObject(after);
      await ask(asking(field, 'export'));
    });

    it.each([
      ['nothing in its place', 'ChipCleared', (tpm: Swtpm) => takeStorageKeyOut(tpm)],
      ['another one in its place', 'StorageKeyChanged', (tpm: Swtpm) => exchangeStorageKey(tpm)],
      ['the hierarchy off', 'ChipDisabled', (tpm: Swtpm) => tpm.disable(RH.OWNER)],
    ] as const)('while a program works: %s is %s', async (_, code, change) => {
      const { a } = await copyField(made, 'a');
      const chip = a.tpm.chip({ recorded: await a.tpm.chip().storageKey() });
      const key = await chip.createBasicUserKey(new Uint8Array(32), secretOf(1));
      const inner = secretOf(2, 16);
      const handedOver = { duplicate: new Uint8Array(100), seed: new Uint8Array(70) };
      await change(a.tpm);
      for (const attempt of [
        () => chip.createBasicUserKey(new Uint8Array(32), secretOf(1)),
        () => chip.loadBasicUserKey(key, secretOf(1)),
        () => chip.importBasicUserKey(key.public, handedOver, inner),
      ])
        expect((await rejection(attempt)).code).toBe(code);
      expect(await a.tpm.leftLoaded()).toEqual([]);
    });
  });

  describe('with another storage key', () => {
    it('gets nothing secret: only which key it has was asked', async () => {
      const field = await copyField(made, 'a', 'b');
      const { a, b } = field;
      for (const { tpm } of [a, b]) await exchangeStorageKey(tpm);
      for (const asked of askingTheChip(field)) {
        const bus: Exchange[] = [];
        reachBy(asked.of, recording(asked.of.tpm.open, bus));
        const error = await refused(field, 'StorageKeyChanged', () => ask(asked));
        expect(error.message).toMatch(exchanged);
        expect(bus.map(({ command }) => nameOfCommand(command))).toEqual(['ReadPublic']);
      }
      for (const one of [a, b]) {
        expect((await failing(one, 'Source')).slice(0, 1)).toEqual(['Chip: StorageKeyChanged']);
        expect(await one.tpm.leftLoaded()).toEqual([]);
      }
    });

    it('is refused by the chip itself, whatever it is asked for', async () => {
      const { a } = await copyField(made, 'a');
      const recorded = await a.tpm.chip().storageKey();
      const key = await a.tpm.chip().createBasicUserKey(new Uint8Array(32), secretOf(1));
      await exchangeStorageKey(a.tpm);
      const handedOver = { duplicate: new Uint8Array(100), seed: new Uint8Array(70) };
      const attempts: readonly ((chip: Chip) => Promise<unknown>)[] = [
        (chip) => chip.storageKey(),
        (chip) => chip.provision(),
        (chip) => chip.createBasicUserKey(new Uint8Array(32), secretOf(1)),
        (chip) => chip.loadBasicUserKey(key, secretOf(1)),
        (chip) => chip.importBasicUserKey(key.public, handedOver, secretOf(2, 16)),
      ];
      for (const attempt of attempts) {
        const bus: Exchange[] = [];
        const chip = a.tpm.chip({ recorded, open: recording(a.tpm.open, bus) });
        expect((await rejection(() => attempt(chip))).code).toBe('StorageKeyChanged');
        expect(bus.map(({ command }) => nameOfCommand(command))).toEqual(['ReadPublic']);
      }
    });

    it('serves when it is initialized with that', async () => {
      const field = await copyField(made, 'a', 'b');
      const { a, b } = field;
      await b.computer.run('import', { path: field.archive }, { password });
      await exchangeStorageKey(a.tpm);
      const { plan } = await a.computer.plan('platform-initialize', {}, owner);
      expect([plan.impact, plan.lines[0]]).toEqual(['high', expect.stringMatching(exchanged)]);
      await a.computer.run('platform-initialize', {}, owner);
      const path = await archiveFor(field, b, a);
      await a.computer.run('import', { path }, { password });
      await refused(field, 'PlatformAlreadyInitialized', () =>
        a.computer.run('platform-initialize', {}, owner),
      );
      expect(await failing(a, 'Source')).toEqual([]);
    });
  });
});

/** Somebody made the TPM's storage key anew, of the other type. */
async function exchangeStorageKey(tpm: Swtpm): Promise<void> {
  await takeStorageKeyOut(tpm);
  await tpm.makeStorageKey('RSA');
}
