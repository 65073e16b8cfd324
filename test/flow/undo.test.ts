/**
 * Taking back (docs/spec/environment-store.md, "Undo and removal"): content of an earlier state under the present keys, one
 * credential that is set aside, or a whole environment from quarantine. What is shown is what happens, nothing is lost by it,
 * and it can be taken back itself.
 */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { equal, toHex } from '../../core/src/bytes/bytes.ts';
import { decodeGeneration } from '../../core/src/format/generation-v1.ts';
import type {
  ArchiveResult,
  CredentialResult,
  FeatureResult,
  HistoryEventResult,
  ImportResult,
  StatusResult,
  UndoResult,
  UserRemovalResult,
} from '../../core/src/operations/results.ts';
import type { ParameterValues } from '../../core/src/operations/registry.ts';
import type { Computer } from '../testkit/computer.ts';
import { environmentFolder, keptFiles } from '../testkit/kept-files.ts';
import {
  copyWorld,
  fingerprintOf,
  grant,
  makeWorld,
  password,
  refused,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const other = 'the password of another time';

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

const undo = (computer: Computer, parameters: ParameterValues = {}, secret = password): Promise<UndoResult> =>
  computer.one<UndoResult>('undo', parameters, { password: secret });

const add = (computer: Computer, label: string, secret = password): Promise<CredentialResult> =>
  computer.one<CredentialResult>(
    'credential-new',
    { subject: 'Anna Müller', friendlyName: label, algorithm: 'P-256' },
    { password: secret },
  );

const enable = (computer: Computer, feature: string, credential: string) =>
  computer.run('feature-enable', { feature, credential }, { password });

/** Label, state and features of each credential, sorted. */
async function contentOf(computer: Computer): Promise<readonly string[]> {
  const list = await computer.run<CredentialResult>('credential-list');
  return list.map(({ label, state, features }) => [label, state, ...features].join(' ')).sort();
}

const actions = ({ items }: Pick<UndoResult, 'items'>): readonly string[] =>
  items.map(({ label, action }) => `${label}: ${action}`).sort();

const status = (computer: Computer) => computer.one<StatusResult>('status');

async function lastEvent(computer: Computer): Promise<HistoryEventResult> {
  const event = (await computer.run<HistoryEventResult>('history')).findLast(({ scope }) => scope === 'user');
  if (event === undefined) throw new Error('there is no history');
  return event;
}

describe('undo of the last change', () => {
  it('takes back that a credential came, and again that it went', async () => {
    const { a } = await copyWorld(made);
    const before = await contentOf(a);
    await add(a, 'New');
    const undone = await undo(a);
    expect(undone).toMatchObject({
      kind: 'Generation',
      restored: 3,
      generation: 5,
      setAside: null,
      featuresActive: ['SecureEmail'],
      uninstall: [],
    });
    expect(actions(undone)).toEqual(['Anna Müller: Unchanged', 'New: Leave']);
    expect(await contentOf(a)).toEqual(before);
    expect(await lastEvent(a)).toMatchObject({ operation: 'undo', outcome: 'ok' });
    expect((await lastEvent(a)).summary).toMatch(/generation: 5; kind: Generation; restored: generation 3/);
    const again = await undo(a);
    expect(again).toMatchObject({ restored: 4, generation: 6 });
    expect(actions(again)).toEqual(['Anna Müller: Unchanged', 'New: Return']);
    expect(await contentOf(a)).toEqual([...before, 'New Retained'].sort());
  });

  it('takes back what a feature uses', async () => {
    const { a } = await copyWorld(made);
    const { credential } = await add(a, 'New');
    const before = await contentOf(a);
    await enable(a, 'SecureEmail', credential);
    const undone = await undo(a);
    expect(actions(undone)).toEqual(['Anna Müller: Activate', 'New: Retain']);
    expect(await contentOf(a)).toEqual(before);
    await a.run('feature-disable', { feature: 'SecureEmail' }, { password });
    expect(actions(await undo(a))).toEqual(['Anna Müller: Activate', 'New: Unchanged']);
    expect(await contentOf(a)).toEqual(before);
  });

  it('takes back a removal, with the key', async () => {
    const { a } = await copyWorld(made);
    const { credential } = await add(a, 'New');
    await enable(a, 'Efs', credential);
    await a.run('feature-disable', { feature: 'Efs' }, { password });
    const before = await contentOf(a);
    const [present] = (await keptFiles(a, [password])).slice(-1);
    await a.run('credential-remove', { credential }, { password });
    expect(actions(await undo(a))).toEqual(['Anna Müller: Unchanged', 'New: Return']);
    expect(await contentOf(a)).toEqual(before);
    const [now] = (await keptFiles(a, [password])).slice(-1);
    expect(now?.publicKeys).toEqual(present?.publicKeys);
  });

  it('takes back a merge: the archive can be merged again as if it were the first time', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    const path = join(world.share, 'second.sparc');
    await b.run('import', { path: made.archive.path, enableFeature: true }, { password });
    const before = await contentOf(b);
    const { credential } = await add(a, 'Second');
    await enable(a, 'SecureEmail', credential);
    await a.run('export', { path, destination: 'PC-B' }, { password });
    const first = await b.one<ImportResult>('import', { path }, { password });
    const after = await contentOf(b);
    expect(first.unchanged).toBe(false);
    const undone = await undo(b);
    expect(actions(undone)).toEqual(['Anna Müller: Activate', 'Second: Leave']);
    expect(await contentOf(b)).toEqual(before);
    const again = await b.one<ImportResult>('import', { path }, { password });
    expect(again).toEqual({ ...first, generation: undone.generation + 1 });
    expect(await contentOf(b)).toEqual(after);
  });

  it('takes back a merge that changed no credential: it is said, and the archive counts as not merged', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    const path = join(world.share, 'second.sparc');
    await b.run('import', { path: made.archive.path, enableFeature: true }, { password });
    await a.run('export', { path, destination: 'PC-B' }, { password });
    await b.run('import', { path }, { password });
    const { plan } = await b.plan('undo', {}, { password });
    expect(plan.lines.join('\n')).toContain('archives merged since count as not merged');
    await undo(b);
    const [now] = (await keptFiles(b, [password])).slice(-1);
    expect(now?.environment?.privatePart.importedArchives).toHaveLength(1);
  });

  it('goes back past a new password and a new key, which are no content', async () => {
    const { a } = await copyWorld(made);
    const before = await contentOf(a);
    await add(a, 'New');
    await a.run('user-password', {}, { password, newPassword: other });
    expect(actions(await undo(a, {}, other))).toEqual(['Anna Müller: Unchanged', 'New: Leave']);
    expect(await contentOf(a)).toEqual(before);
    await a.run('user-new-key', {}, { password: other, newPassword: password });
    expect(actions(await undo(a))).toEqual(['Anna Müller: Unchanged', 'New: Return']);
    const files = await keptFiles(a, [password, other]);
    const [now] = files.slice(-1);
    expect(files.every((file) => file.password === password)).toBe(true);
    expect(
      files.every(({ header }) => equal(header.basicUserKey, now?.header.basicUserKey ?? header.nonce)),
    ).toBe(true);
    expect(now?.environment?.privatePart.replaces).toHaveLength(1);
  });

  it('takes a credential that leaves out of the certificate store', async () => {
    const { a } = await copyWorld(made);
    const { credential, thumbprint } = await add(a, 'New');
    await a.run('credential-installed', { credential, thumbprint: thumbprint ?? '' });
    const shown = await a.plan('undo', {}, { password });
    expect(shown.plan.lines.join('\n')).toContain('1 certificate(s) are taken out of the certificate store');
    expect((await undo(a)).uninstall).toEqual([thumbprint]);
  });
});

describe('undo to a generation', () => {
  it('brings back what it held, under what is never undone', async () => {
    const world = await copyWorld(made);
    const { b } = world;
    await b.run('import', { path: made.archive.path, enableFeature: true }, { password });
    const one = await contentOf(b);
    for (const label of ['Two', 'Three']) await add(b, label);
    const [before] = (await keptFiles(b, [password])).slice(-1);
    const undone = await undo(b, { generation: 1 });
    expect(undone).toMatchObject({ restored: 1, generation: 4 });
    expect(await contentOf(b)).toEqual(one);
    const [now] = (await keptFiles(b, [password])).slice(-1);
    expect(now?.environment?.publicPart.grants).toEqual(before?.environment?.publicPart.grants);
    expect(now?.environment?.privatePart.revocationNumbers).toEqual(
      before?.environment?.privatePart.revocationNumbers,
    );
    expect(now?.header).toMatchObject({ parent: 3, passwordSalt: before?.header.passwordSalt });
  });

  it('is refused where there is none, or nothing would change', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const error = await refused(world, 'GenerationNotFound', () => undo(a, { generation: 9 }));
    expect(error.hint).toContain('kept are: 3, 2, 1');
    await refused(world, 'NothingToUndo', () => undo(a, { generation: 3 }));
    await a.run('feature-disable', { feature: 'SecureEmail' }, { password });
    const same = await rejectedAs(world, 'NothingToUndo', () => undo(a, { generation: 2 }));
    expect(same).toContain('what generation 2 holds is what is here now');
    await refused(world, 'PasswordRequired', () => a.plan('undo', { generation: 1 }, {}));
    await refused(world, 'PasswordRejected', () => undo(a, { generation: 1 }, other));
    await refused(world, 'ParameterInvalid', () => undo(a, { generation: 1, quarantine: '1' }));
    await refused(world, 'UserNotInitialized', () => undo(world.c, { generation: 1 }));
  });

  it('is refused for one that stayed under an older password, and for one under another name', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const folder = await environmentFolder(a);
    const old = await readFile(join(folder, 'epochs', '1', '000002.spenv'));
    await a.run('user-password', {}, { password, newPassword: other });
    await writeFile(join(folder, 'epochs', '2', '000002.spenv'), old);
    const message = await rejectedAs(world, 'SetAsideNotOpened', () => undo(a, { generation: 2 }, other));
    expect(message).toContain('generation 2');
    // The last change was the generation after it.
    await refused(world, 'SetAsideNotOpened', () => undo(a, {}, other));
    await copyFile(join(folder, 'epochs', '2', '000001.spenv'), join(folder, 'epochs', '2', '000002.spenv'));
    await refused(world, 'EnvironmentDamaged', () => undo(a, { generation: 2 }, other));
    await undo(a, { generation: 1 }, other);
    expect(await contentOf(a)).toEqual([]);
  });
});

/** The refusal's message. */
async function rejectedAs(
  world: World,
  code: Parameters<typeof refused>[1],
  attempt: () => Promise<unknown>,
) {
  return (await refused(world, code, attempt)).message;
}

describe('undo of a replace', () => {
  /** PC-B with an environment of its own, replaced by the one of PC-A. */
  async function replaced(secret = other): Promise<World & { readonly done: ImportResult }> {
    const world = await copyWorld(made);
    const { b } = world;
    await b.run('user-initialize', {}, { password: secret });
    await add(b, 'Mine', secret);
    const done = await b.one<ImportResult>(
      'import',
      { path: made.archive.path, allowReplace: true, enableFeature: true },
      { password },
    );
    return { ...world, done };
  }

  it('row-027, row-030: exchanges whole environments, each under its own password, and both remain', async () => {
    const { b, done } = await replaced();
    const [theirs, before] = [await contentOf(b), await status(b)];
    expect(done.quarantine).toBe('1');
    const shown = await b.plan('undo', {}, { password: other });
    expect(shown.plan).toMatchObject({ impact: 'high' });
    const lines = shown.plan.lines.join('\n');
    expect(lines).toContain('quarantine 1');
    expect(lines).toContain('Both remain');
    expect(lines).toContain('Mine: comes back');
    expect(lines).toContain('Anna Müller: leaves; it is kept in quarantine 2');
    const undone = await undo(b, {}, other);
    expect(undone).toMatchObject({ kind: 'Quarantine', restored: 2, generation: 2, setAside: '2' });
    expect({ ...undone, setAside: '2' }).toEqual(shown.preview);
    expect(actions(undone)).toEqual(['Anna Müller: Leave', 'Mine: Return']);
    expect(await contentOf(b)).toEqual(['Mine Retained']);
    const after = await status(b);
    expect(after).toMatchObject({ quarantined: 1, generation: 2 });
    expect(after.basicUserKey).not.toBe(before.basicUserKey);
    await add(b, 'More', other);
    // The other one returns the same way, with its own password, by its name.
    const back = await undo(b, { quarantine: '2' });
    expect(back).toMatchObject({
      kind: 'Quarantine',
      restored: done.generation,
      featuresActive: ['SecureEmail'],
    });
    expect(await contentOf(b)).toEqual(theirs);
    expect(await status(b)).toMatchObject({ basicUserKey: before.basicUserKey, quarantined: 1 });
  });

  it('is undone itself by undoing once more, as long as nothing changed since', async () => {
    const { b } = await replaced();
    const theirs = await contentOf(b);
    await undo(b, {}, other);
    const redone = await undo(b);
    expect(redone).toMatchObject({ kind: 'Quarantine', featuresActive: ['SecureEmail'] });
    expect(await contentOf(b)).toEqual(theirs);
    await undo(b, {}, other);
    await add(b, 'More', other);
    expect(await undo(b, {}, other)).toMatchObject({ kind: 'Generation' });
    expect(await contentOf(b)).toEqual(['Mine Retained']);
  });

  it('leaves the registration of the key that is here now, by which its owner can let it move on', async () => {
    const world = await replaced();
    const { b, c } = world;
    await undo(b, {}, other);
    const access = await grant(world, b, c);
    expect(access.onward).toBe(true);
    const archive = await b.one<ArchiveResult>(
      'export',
      { path: world.share, destination: 'PC-C', overwrite: true },
      { password: other },
    );
    expect(await c.one<ImportResult>('import', { path: archive.path }, { password: other })).toMatchObject({
      case: 'Install',
    });
  });

  it('keeps what both environments have in the certificate store, and takes the rest out', async () => {
    const world = await copyWorld(made);
    const { b } = world;
    const { credential, thumbprint } = made.credential;
    const imported = { path: made.archive.path, enableFeature: true };
    await b.run('import', imported, { password });
    const mine = await add(b, 'Mine');
    for (const one of [{ credential, thumbprint }, mine])
      await b.run('credential-installed', { credential: one.credential, thumbprint: one.thumbprint ?? '' });
    await b.run('user-remove');
    await b.run('import', imported, { password });
    expect((await undo(b)).uninstall).toEqual([]);
    expect((await undo(b)).uninstall).toEqual([mine.thumbprint]);
  });

  it('is refused with another password, for a damaged file, another chip’s or none, and nothing changes', async () => {
    const world = await replaced();
    const { b } = world;
    const error = await refused(world, 'PasswordRejected', () => undo(b));
    expect(error.message).toContain('the environment in quarantine 1');
    expect(error.hint).toContain('the environment in quarantine 1');
    const hint = (await refused(world, 'QuarantineNotFound', () => undo(b, { quarantine: '7' }))).hint;
    expect(hint).toContain('1');
    await refused(world, 'PasswordRequired', () => b.plan('undo', { quarantine: '1' }, {}));
    const path = join(await environmentFolder(b), 'quarantine', '1', '000002.spenv');
    const whole = await readFile(path);
    const changed = (at: number): Uint8Array => whole.map((byte, index) => (index === at ? byte ^ 1 : byte));
    await writeFile(path, changed(whole.length - 1));
    await refused(world, 'EnvironmentDamaged', () => undo(b, {}, other));
    await writeFile(path, whole.subarray(0, 100));
    await refused(world, 'EnvironmentDamaged', () => undo(b, {}, other));
    await copyFile(join(await environmentFolder(b), 'quarantine', '1', '000001.spenv'), path);
    await refused(world, 'EnvironmentDamaged', () => undo(b, {}, other));
    await writeFile(
      path,
      await readFile(join(await environmentFolder(world.a), 'epochs', '1', '000003.spenv')),
    );
    await refused(world, 'EnvironmentDamaged', () => undo(b, {}, other));
    await writeFile(path, whole);
    expect(await undo(b, {}, other)).toMatchObject({ kind: 'Quarantine' });
  });

  it('is refused for an environment of another platform, and for one that another storage key made', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    await b.run('user-initialize', {}, { password });
    await b.run('user-remove');
    const path = join(await environmentFolder(b), 'quarantine', '1', '000001.spenv');
    const foreign = await readFile(join(await environmentFolder(a), 'epochs', '1', '000001.spenv'));
    await writeFile(path, foreign);
    await refused(world, 'EnvironmentOfOtherPlatform', () => undo(b));
    const { header } = decodeGeneration(new Uint8Array(await readFile(path)), path);
    const { platformId } = await status(b);
    expect(toHex(new Uint8Array(foreign))).toContain(header.platformId);
    await writeFile(path, replacedBytes(foreign, header.platformId, platformId ?? ''));
    await refused(world, 'StorageKeyChanged', () => undo(b));
  });

  it('is another plan once the environment in quarantine or the present one changed', async () => {
    const { b } = await replaced(password);
    const { planId } = await b.plan('undo', {}, { password });
    await b.run('credential-remove', { credential: 'Mine', permanent: true }, { password });
    const again = await b.plan('undo', { quarantine: '1' }, { password });
    expect(again.planId).not.toBe(planId);
    expect(again.plan.lines.join('\n')).not.toContain('Mine');
  });
});

function replacedBytes(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return new Uint8Array(Buffer.from(toHex(new Uint8Array(bytes)).replace(from, to), 'hex'));
}

describe('undo of the removal of the environment', () => {
  it('row-104: the account keeps it in quarantine, and undo brings it back as it was', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const [before, kept] = [
      await contentOf(a),
      (await keptFiles(a, [password])).map(({ credentials }) => credentials),
    ];
    const shown = await a.plan('user-remove');
    expect(shown.plan.lines.join('\n')).toContain('Undo-SPMigration');
    const removed = await a.one<UserRemovalResult>('user-remove');
    const gone = await status(a);
    expect(gone).toMatchObject({ userInitialized: false, quarantined: 1, credentials: 0 });
    await refused(world, 'UserNotInitialized', () => a.run('credential-list'));
    const undone = await undo(a);
    expect(undone).toMatchObject({
      kind: 'Quarantine',
      setAside: null,
      generation: 3,
      account: removed.account,
    });
    expect(await contentOf(a)).toEqual(before);
    expect((await keptFiles(a, [password])).map(({ credentials }) => credentials)).toEqual(kept);
    expect(await status(a)).toMatchObject({
      userInitialized: true,
      quarantined: 0,
      accountName: gone.accountName,
    });
    await add(a, 'New');
  });

  it('also brings it back where a new one was begun, which then is in quarantine', async () => {
    const { a } = await copyWorld(made);
    await a.run('user-remove');
    await a.run('user-initialize', {}, { password: other });
    expect(await undo(a)).toMatchObject({ kind: 'Quarantine', setAside: '2', restored: 3 });
    expect(await undo(a, {}, other)).toMatchObject({ kind: 'Quarantine', restored: 1 });
  });

  it('is refused where there is nothing', async () => {
    const world = await copyWorld(made);
    await refused(world, 'NothingToUndo', () => undo(world.c));
    await world.c.run('user-initialize', {}, { password });
    const error = await refused(world, 'NothingToUndo', () => undo(world.c));
    expect(error.message).toContain('first state of the environment');
  });
});

describe('undo of one removal', () => {
  it('brings one credential back as Retained, and leaves everything else', async () => {
    const { a } = await copyWorld(made);
    const two = await add(a, 'Two');
    await add(a, 'Three');
    await enable(a, 'Efs', two.credential);
    await a.run('feature-disable', { feature: 'Efs' }, { password });
    for (const credential of ['Two', 'Three']) await a.run('credential-remove', { credential }, { password });
    await enable(a, 'Efs', 'Anna Müller');
    const before = await contentOf(a);
    const shown = await a.plan('undo', { credential: 'Two' }, { password });
    expect(shown.plan.lines.join('\n')).toContain('Two: comes back, not active');
    const undone = await undo(a, { credential: two.thumbprint ?? '' });
    expect(undone).toMatchObject({ kind: 'Credential', restored: 7, generation: 11 });
    expect(actions(undone)).toEqual(['Two: Return']);
    expect(await contentOf(a)).toEqual([...before, 'Two Retained'].sort());
    expect((await lastEvent(a)).summary).toContain(two.credential);
    await enable(a, 'Efs', 'Two');
  });

  it('takes it from an environment in quarantine only where the present password opens that', async () => {
    const world = await copyWorld(made);
    const { b } = world;
    await b.run('user-initialize', {}, { password: other });
    const theirs = await add(b, 'Theirs', other);
    await b.run('user-remove');
    await b.run('user-initialize', {}, { password });
    const mine = await add(b, 'Mine');
    await b.run('user-remove');
    await b.run('import', { path: made.archive.path }, { password });
    const error = await refused(world, 'SetAsideNotOpened', () => undo(b, { credential: 'Theirs' }));
    expect(error.message).toContain('Theirs in quarantine 1');
    expect(error.hint).toContain('-Quarantine');
    const undone = await undo(b, { credential: mine.credential });
    expect(undone).toMatchObject({ kind: 'Credential', restored: 2, setAside: null });
    const [now] = (await keptFiles(b, [password])).filter(({ path }) => path.startsWith('epochs')).slice(-1);
    expect(now?.credentials).toContain(mine.credential);
    expect(now?.credentials).not.toContain(theirs.credential);
    expect(await status(b)).toMatchObject({ quarantined: 2 });
  });

  it('is refused for one that is here, unknown, or fits several', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const error = await refused(world, 'NothingToUndo', () => undo(a, { credential: 'Anna Müller' }));
    expect(error.message).toContain('Anna Müller is here');
    await refused(world, 'CredentialNotFound', () => undo(a, { credential: 'Nobody' }));
    for (const label of ['Twin', 'Twin']) await add(a, label);
    for (const { credential, label } of await a.run<CredentialResult>('credential-list'))
      if (label === 'Twin') await a.run('credential-remove', { credential }, { password });
    await refused(world, 'CredentialAmbiguous', () => undo(a, { credential: 'twin' }));
    await add(a, 'Single');
    await a.run('credential-remove', { credential: 'Single' }, { password });
    await refused(world, 'PasswordRequired', () => a.plan('undo', { credential: 'Single' }, {}));
  });

  it('warns of a certificate that comes into use again and is out of its time', async () => {
    const { a } = await copyWorld(made);
    await a.run('feature-disable', { feature: 'SecureEmail' }, { password });
    const later = a.ports.clock() + 20 * 365 * 86_400;
    a.ports = { ...a.ports, clock: () => later };
    await undo(a);
    expect(a.warnings.map(({ code }) => code)).toEqual(['CertificateExpired']);
    expect(await a.run<FeatureResult>('feature-list')).toContainEqual(
      expect.objectContaining({ feature: 'SecureEmail', enabled: true }),
    );
  });
});

it('a plan of any undo changes no byte', async () => {
  const world = await copyWorld(made);
  const { a } = world;
  await add(a, 'New');
  await a.run('credential-remove', { credential: 'New' }, { password });
  const before = await fingerprintOf(world.folder);
  for (const parameters of [{}, { generation: 1 }, { credential: 'New' }])
    await a.plan('undo', parameters, { password });
  expect(await fingerprintOf(world.folder)).toEqual(before);
});
