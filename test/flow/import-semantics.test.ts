/**
 * The details of an import, each as docs/spec/import.md decides it: what a new key, a transfer code, a receipt and the states
 * of single credentials make of it. More of single credentials: import-details.test.ts. Laws that hold for all imports:
 * property/import-plan.test.ts.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeReceipt } from '../../core/src/format/receipt-v1.ts';
import type {
  ArchiveResult,
  CredentialResult,
  FeatureResult,
  ImportResult,
  KeyChangeResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import type { ParameterValues } from '../../core/src/operations/registry.ts';
import type { Computer } from '../testkit/computer.ts';
import {
  copyWorld,
  grant,
  makeWorld,
  password,
  refused,
  rejection,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

vi.mock('../../core/src/crypto/kdf.ts', async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
}, 60_000);
afterAll(() => removeWorld(made));

const newPassword = 'ein anderes Passwort 9';
let names = 0;

const add = (computer: Computer, label: string, secret = password, more: ParameterValues = {}) =>
  computer.one<CredentialResult>(
    'credential-new',
    { subject: 'Anna Müller', algorithm: 'P-256', friendlyName: label, ...more },
    { password: secret },
  );
const enable = (computer: Computer, feature: string, credential: string, secret = password) =>
  computer.one<FeatureResult>('feature-enable', { feature, credential }, { password: secret });
const exportTo = (world: World, from: Computer, destination: string, secret = password) =>
  from.one<ArchiveResult>(
    'export',
    { path: join(world.share, `archive-${++names}.sparc`), destination },
    { password: secret },
  );
const importHere = (
  computer: Computer,
  { path }: ArchiveResult,
  secrets: Record<string, string> = { password },
  more: ParameterValues = {},
) => computer.one<ImportResult>('import', { path, ...more }, secrets);
const states = async (computer: Computer): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await computer.run<CredentialResult>('credential-list')).map(({ label, state, features }) => [
      label,
      [state, ...features].join(' '),
    ]),
  );
const fate = ({ items }: ImportResult): Record<string, string> =>
  Object.fromEntries(items.map(({ label, action }) => [label, action]));

describe('an archive whose key continues the one that is here', () => {
  /** B holds A's old key and a credential of its own; A has made a new key since, and another credential. */
  async function continued(): Promise<{ world: World; archive: ArchiveResult; key: KeyChangeResult }> {
    const world = await copyWorld(made);
    const { a, b } = world;
    await importHere(b, await exportTo(world, a, 'PC-B'), { password }, { enableFeature: true });
    await add(b, 'At B');
    await enable(b, 'Efs', 'At B');
    const key = await a.one<KeyChangeResult>('user-new-key', {}, { password, newPassword });
    await add(a, 'After', newPassword);
    await enable(a, 'SecureEmail', 'After', newPassword);
    return { world, key, archive: await exportTo(world, a, 'PC-B', newPassword) };
  }

  it('is merged when the present password is given: its key and password take over, and nothing is lost', async () => {
    const { world, archive, key } = await continued();
    const { b } = world;
    const secrets = { password: newPassword, currentPassword: password };
    const plan = await b.plan('import', { path: archive.path }, secrets);
    expect(plan.plan).toMatchObject({ impact: 'medium', facts: { import: { case: 'merge', rekey: true } } });
    expect(plan.plan.lines[0]).toContain('continues the one here');
    const result = await importHere(b, archive, secrets);
    expect(result).toMatchObject({ case: 'Merge', rekey: true, quarantine: null });
    expect(fate(result)).toEqual({ 'Anna Müller': 'Retain', 'At B': 'Unchanged', After: 'Add' });
    expect(await b.one<StatusResult>('status')).toMatchObject({
      basicUserKey: key.basicUserKey,
      quarantined: 0,
    });
    expect(await states(b)).toEqual({
      'Anna Müller': 'Retained',
      'At B': 'Active Efs',
      After: 'Active SecureEmail',
    });
    expect(await rejection(() => add(b, 'x', password))).toMatchObject({ code: 'PasswordRejected' });
    await add(b, 'y', newPassword);
    // From now on archives of the new key are plain merges, and it can be moved on by B's owner.
    // (The grant by which it came was signed before the key was registered: A's owner grants again.)
    await grant(world, world.a, b);
    const next = await exportTo(world, world.a, 'PC-B', newPassword);
    expect(await importHere(b, next, { password: newPassword })).toMatchObject({
      case: 'Merge',
      rekey: false,
    });
    await grant(world, b, world.c);
    const onward = await exportTo(world, b, 'PC-C', newPassword);
    expect(await importHere(world.c, onward, { password: newPassword })).toMatchObject({ case: 'Install' });
  });

  it('is a replace that claims to continue it, as long as the present password is not given', async () => {
    const { world, archive } = await continued();
    const { b } = world;
    const shown = await b.plan('import', { path: archive.path }, { password: newPassword });
    expect(shown.plan).toMatchObject({ impact: 'high', refused: { code: 'ImportWouldReplace' } });
    expect(shown.plan.refused?.message).toContain('-CurrentPassword');
    expect(shown.plan.lines[0]).toContain('claims to continue your key');
    const error = await refused(world, 'CurrentPasswordRequired', () =>
      importHere(b, archive, { password: newPassword }),
    );
    expect(error.message).toContain('-AllowReplace');
    const wrong = { password: newPassword, currentPassword: 'not the password' };
    await refused(world, 'PasswordRejected', () => importHere(b, archive, wrong));
    const replaced = await importHere(b, archive, { password: newPassword }, { allowReplace: true });
    expect(replaced).toMatchObject({ case: 'Replace', rekey: false });
    expect(replaced.quarantine).not.toBeNull();
  });

  it('is not merged with a key that it does not name', async () => {
    const { world, archive } = await continued();
    const { c } = world;
    await c.run('user-initialize', {}, { password });
    await grant(world, world.a, c);
    const other = await exportTo(world, world.a, 'PC-C', newPassword);
    const secrets = { password: newPassword, currentPassword: password };
    await refused(world, 'ImportWouldReplace', () => importHere(c, other, secrets));
    expect(archive.path).not.toBe(other.path);
  });
});

describe('an archive with a transfer code', () => {
  const transferCode = '7KQ2-90AB-CDEF-GH1J';
  const withCode = (world: World, from: Computer, destination: string) =>
    from.one<ArchiveResult>(
      'export',
      { path: join(world.share, `coded-${++names}.sparc`), destination },
      { password, transferCode },
    );

  it('is installed and merged only with it', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    const archive = await withCode(world, a, 'PC-B');
    await refused(world, 'TransferCodeRequired', () => importHere(b, archive));
    await refused(world, 'TransferCodeMalformed', () =>
      importHere(b, archive, { password, transferCode: 'U' }),
    );
    const wrong = { password, transferCode: '0000-0000-0000-0000' };
    const error = await refused(world, 'PasswordRejected', () => importHere(b, archive, wrong));
    expect(error.message).toContain('transfer code');
    const typed = { password, transferCode: '7kq2 9oab cdef ghij' };
    expect(await importHere(b, archive, typed)).toMatchObject({ case: 'Install' });
    await add(a, 'Later');
    const second = await withCode(world, a, 'PC-B');
    await refused(world, 'PasswordRejected', () => importHere(b, second, wrong));
    expect(await importHere(b, second, { password, transferCode })).toMatchObject({ case: 'Merge' });
  });

  it('is told from one without: a code that is not needed is only warned of', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    await importHere(b, await exportTo(world, a, 'PC-B'), { password, transferCode });
    expect(b.warnings).toMatchObject([{ message: expect.stringContaining('not needed') as string }]);
  });

  it('counts wrong codes and passwords, whatever else was right', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    await importHere(b, await exportTo(world, a, 'PC-B'));
    await add(a, 'Later');
    const archive = await withCode(world, a, 'PC-B');
    const secrets = { password, transferCode: '0000-0000-0000-0000' };
    for (let tries = 0; tries < 5; tries++) {
      expect((await rejection(() => importHere(b, archive, secrets))).code).toBe('PasswordRejected');
    }
    // The present password of B was right each time, and made no room for a sixth guess.
    expect((await rejection(() => importHere(b, archive, { password, transferCode }))).code).toBe(
      'LockedOut',
    );
  });
});

describe('a receipt', () => {
  it('says what was imported where, and carries the head of the history', async () => {
    const world = await copyWorld(made);
    const { a, b, share } = world;
    const archive = await exportTo(world, a, 'PC-B');
    const result = await importHere(b, archive, { password }, { receiptPath: share });
    const path = result.receiptPath ?? '';
    expect(path).toMatch(/@PC-B\.spreceipt$/);
    const receipt = decodeReceipt(new Uint8Array(await readFile(path)), path);
    const status = await b.one<StatusResult>('status');
    expect(receipt).toMatchObject({
      archive: archive.archive,
      rehearsal: true,
      sourceComputer: 'PC-A',
      destinationComputer: 'PC-B',
      basicUserKey: archive.basicUserKey,
      case: 'install',
      rekey: false,
      generation: status.generation,
      grant: archive.serial,
      counts: { Add: 1, Activate: 0, Retain: 0, Unchanged: 0, SetAside: 0, Skip: 0 },
    });
    const lines = await b.run<{ scope: string; hash: string }>('history');
    expect(Buffer.from(receipt.historyHead).toString('hex')).toBe(
      lines.findLast(({ scope }) => scope === 'user')?.hash,
    );
  });

  it('that could not be written is said before the import, and does not undo it afterwards', async () => {
    const world = await copyWorld(made);
    const { a, b, share } = world;
    const archive = await exportTo(world, a, 'PC-B');
    const receiptPath = archive.path;
    await refused(world, 'OutputExists', () => importHere(b, archive, { password }, { receiptPath }));
    await refused(world, 'FileNotFound', () =>
      importHere(b, archive, { password }, { receiptPath: join(share, 'nowhere', 'r.spreceipt') }),
    );
    const { files } = b.ports;
    const full = Object.assign(Object.create(files) as typeof files, {
      write: () => Promise.reject(new (class extends Error {})('not ours')),
    });
    b.ports = { ...b.ports, files: full };
    await expect(importHere(b, archive, { password }, { receiptPath: share })).rejects.toThrow('not ours');
    expect(await b.one<StatusResult>('status')).toMatchObject({ userInitialized: true });
  });
});

describe('a merge', () => {
  /** B has what A had; both go on. */
  async function both(): Promise<World> {
    const world = await copyWorld(made);
    await importHere(world.b, await exportTo(world, world.a, 'PC-B'), { password }, { enableFeature: true });
    return world;
  }

  it('takes features that only the archive sets, and leaves those that only this computer sets', async () => {
    const world = await both();
    const { a, b } = world;
    await add(b, 'Drive at B');
    await enable(b, 'SecureDrive', 'Drive at B');
    await add(a, 'Files at A');
    await enable(a, 'Efs', 'Files at A');
    const result = await importHere(b, await exportTo(world, a, 'PC-B'));
    expect(result.featuresActive).toEqual(['SecureEmail', 'Efs', 'SecureDrive']);
    expect(await states(b)).toEqual({
      'Anna Müller': 'Active SecureEmail',
      'Drive at B': 'Active SecureDrive',
      'Files at A': 'Active Efs',
    });
  });

  it('of two claims to one feature makes the archive’s active and retains the other, which can be enabled again', async () => {
    const world = await both();
    const { a, b } = world;
    await add(b, 'Files at B');
    await enable(b, 'Efs', 'Files at B');
    await add(a, 'Files at A');
    await enable(a, 'Efs', 'Files at A');
    const result = await importHere(b, await exportTo(world, a, 'PC-B'));
    expect(fate(result)).toEqual({ 'Anna Müller': 'Unchanged', 'Files at A': 'Add', 'Files at B': 'Retain' });
    await enable(b, 'Efs', 'Files at B');
    expect(await states(b)).toMatchObject({ 'Files at A': 'Retained', 'Files at B': 'Active Efs' });
  });

  it('decides what was only proposed here', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    await importHere(b, await exportTo(world, a, 'PC-B'));
    expect(await b.run<FeatureResult>('feature-list')).toMatchObject([
      { feature: 'SecureEmail', enabled: false, proposed: expect.any(String) as string },
      { feature: 'Efs' },
      { feature: 'SecureDrive' },
    ]);
    await add(a, 'Newer');
    await enable(a, 'SecureEmail', 'Newer');
    const result = await importHere(b, await exportTo(world, a, 'PC-B'));
    expect(result).toMatchObject({ featuresActive: ['SecureEmail'], featuresProposed: [] });
    expect(await states(b)).toEqual({ 'Anna Müller': 'Retained', Newer: 'Active SecureEmail' });
  });

  it('activates an expired certificate like any other, and says that it is', async () => {
    const world = await both();
    const { a, b } = world;
    await add(a, 'Short', password, { validityDays: 1 });
    await enable(a, 'Efs', 'Short');
    const archive = await exportTo(world, a, 'PC-B');
    const now = b.ports.clock();
    b.ports = { ...b.ports, clock: () => now + 3 * 86_400 };
    expect(fate(await importHere(b, archive))).toMatchObject({ Short: 'Add' });
    expect(b.warnings).toMatchObject([{ code: 'CertificateExpired' }]);
    expect(await states(b)).toMatchObject({ Short: 'Active Efs' });
  });

  it('of an older archive adds and changes no feature; of a known one changes nothing', async () => {
    const world = await both();
    const { a, b } = world;
    await add(a, 'First');
    await enable(a, 'Efs', 'First');
    const older = await exportTo(world, a, 'PC-B');
    await add(a, 'Second');
    await enable(a, 'Efs', 'Second');
    const newer = await exportTo(world, a, 'PC-B');
    await importHere(b, newer);
    const generation = async () => (await b.one<StatusResult>('status')).generation;
    const before = await generation();
    const late = await importHere(b, older);
    expect(late).toMatchObject({ older: true });
    expect(fate(late)).toEqual({ 'Anna Müller': 'Unchanged', First: 'Unchanged', Second: 'Unchanged' });
    expect(await states(b)).toMatchObject({ First: 'Retained', Second: 'Active Efs' });
    const known = await generation();
    expect(await importHere(b, older)).toMatchObject({ unchanged: true });
    expect([await generation(), known]).toEqual([known, (before ?? 0) + 1]);
  });

  it('completes what waits for its certificate as a credential of its own', async () => {
    const world = await both();
    const { a, b } = world;
    await add(a, 'Asked', password, { request: true });
    expect(fate(await importHere(b, await exportTo(world, a, 'PC-B')))).toMatchObject({ Asked: 'Add' });
    expect(await states(b)).toMatchObject({ Asked: 'Pending' });
  });
});
