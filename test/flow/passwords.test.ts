/**
 * New passwords and new keys: everything that is kept opens under the new one and nothing under the old, archives keep the
 * password of their time, and messages say which one is meant. Owners change theirs without users noticing.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type {
  AccessResult,
  ArchiveResult,
  AuthorityResult,
  CheckResult,
  CredentialResult,
  ImportResult,
  KeyChangeResult,
  PasswordChangeResult,
  StatusResult,
  UndoResult,
} from '../../core/src/operations/results.ts';
import { fail } from '../../core/src/domain/error.ts';
import { decodeManifest } from '../../core/src/format/manifest-v1.ts';
import type { Computer } from '../testkit/computer.ts';
import {
  copyWorld,
  grant,
  makeWorld,
  ownerPassword,
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

const change = (computer: Computer, from = password, to = newPassword): Promise<PasswordChangeResult> =>
  computer.one<PasswordChangeResult>('user-password', {}, { password: from, newPassword: to });

const add = (computer: Computer, subject: string, secret = newPassword): Promise<CredentialResult> =>
  computer.one<CredentialResult>('credential-new', { subject, algorithm: 'P-256' }, { password: secret });

const exported = (world: World, secret: string, name: string): Promise<ArchiveResult> =>
  world.a.one<ArchiveResult>(
    'export',
    { path: join(world.share, name), destination: 'PC-B' },
    { password: secret },
  );

const labels = async (computer: Computer): Promise<readonly string[]> =>
  (await computer.run<CredentialResult>('credential-list')).map(({ label }) => label).toSorted();

describe('a Basic User Password', () => {
  it('is changed: the new one opens, the old one does not, and the environment is the same', async () => {
    const { a } = await copyWorld(made);
    const before = await a.one<StatusResult>('status');
    const result = await change(a);
    expect(result).toMatchObject({
      generation: before.generation,
      rewritten: 3,
      notOpened: [],
      quarantined: 0,
    });
    const after = await a.one<StatusResult>('status');
    expect(after.basicUserKey).toBe(before.basicUserKey);
    expect(after.generation).toBe(before.generation);
    expect(await rejection(() => add(a, 'Old', password))).toMatchObject({ code: 'PasswordRejected' });
    await add(a, 'New');
    expect(await labels(a)).toEqual(['Anna Müller', 'New']);
    await change(a, newPassword, 'the third password');
    await add(a, 'Third', 'the third password');
  });

  it('is not changed by who does not know it, nor into itself or one that is none', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    await refused(world, 'PasswordRejected', () => change(a, 'not the password'));
    await refused(world, 'PasswordUnacceptable', () => change(a, password, password));
    // The same characters, composed otherwise.
    await refused(world, 'PasswordUnacceptable', () => change(a, password, password.normalize('NFD')));
    await refused(world, 'PasswordUnacceptable', () => change(a, password, 'short'));
    await refused(world, 'NewPasswordRequired', () => a.run('user-password', {}, { password }));
    await refused(world, 'PasswordRequired', () => a.run('user-password', {}, { newPassword }));
    await refused(world, 'NewPasswordRequired', () => a.plan('user-password', {}, { password }));
  });

  it.each([
    ['twelve characters', { minimumLength: 12 }, 'eleven char', 'twelve chars'],
    ['six characters', { minimumLength: 6 }, 'fiver', 'sixsix'],
    ['three kinds of characters', { requireComplexity: true }, 'only lower case', 'Upper and lower'],
    ['surrogates as one character each', { minimumLength: 8 }, '🔑🔑🔑🔑🔑🔑🔑', '🔑🔑🔑🔑🔑🔑🔑🔑'],
  ] as const)('must have %s where that is demanded', async (_, rules, bad, good) => {
    const { a } = await copyWorld(made);
    const secrets = (newOne: string) => ({ password, newPassword: newOne });
    const refusal = await rejection(() => a.run('user-password', rules, secrets(bad)));
    expect(refusal.code).toBe('PasswordUnacceptable');
    await a.run('user-password', rules, secrets(good));
  });

  it('holds no account name where complexity is demanded, and rules have their bounds', async () => {
    const { a } = await copyWorld(made);
    const { accountName } = await a.one<StatusResult>('status');
    const named = { password, newPassword: `My ${accountName.toUpperCase()} 1` };
    const refusal = await rejection(() => a.run('user-password', { requireComplexity: true }, named));
    expect(refusal.message).toContain("account's name");
    for (const minimumLength of [5, 256, 8.5]) {
      const odd = () => a.run('user-password', { minimumLength }, { password, newPassword });
      expect((await rejection(odd)).code).toBe('ParameterInvalid');
    }
  });

  it('of an archive is the one of its time: to install, and to merge into what has a newer one', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    const old = await exported(world, password, 'old.sparc');
    await change(a);
    const wrong = await rejection(() => b.one('import', { path: old.path }, { password: newPassword }));
    expect(wrong).toMatchObject({ code: 'PasswordRejected' });
    expect(wrong.hint).toContain('at the time of the export');
    expect(await b.one('import', { path: old.path }, { password })).toMatchObject({ case: 'Install' });
    const current = await exported(world, newPassword, 'current.sparc');
    const merging = { path: current.path };
    expect(await rejection(() => b.one('import', merging, { password: newPassword }))).toMatchObject({
      code: 'PasswordRejected',
    });
    const secrets = { password: newPassword, currentPassword: password };
    expect(await b.one<ImportResult>('import', merging, secrets)).toMatchObject({ case: 'Merge' });
    // B's own password stays.
    await add(b, 'At B', password);
  });

  it('leaves what is in quarantine under its own password, and says how much', async () => {
    const { a } = await copyWorld(made);
    await a.run('user-remove');
    await a.run('user-initialize', {}, { password });
    expect((await change(a)).quarantined).toBe(1);
    // The other environment comes back under the password of its time, and the changed one goes under the new one.
    expect(
      await rejection(() => a.run('undo', { quarantine: '1' }, { password: newPassword })),
    ).toMatchObject({ code: 'PasswordRejected' });
    const { setAside } = await a.one<UndoResult>('undo', { quarantine: '1' }, { password });
    expect(await labels(a)).toEqual(['Anna Müller']);
    await add(a, 'After its return', password);
    await a.run('undo', { quarantine: setAside ?? '' }, { password: newPassword });
    expect(await labels(a)).toEqual([]);
    await add(a, 'In the changed one');
  });

  it('says in plan and result what it does, and what it does not reach', async () => {
    const { a } = await copyWorld(made);
    const { plan } = await a.plan('user-password', {}, { password, newPassword });
    expect(plan.lines.join('\n')).toContain('3 kept generation(s)');
    expect(plan.lines.join('\n')).toContain('made before still open with the old password');
    expect(plan.lines.join('\n')).toContain('certificate store are not affected');
    expect(a.warnings).toEqual([]);
    await change(a);
    expect(a.warnings).toMatchObject([
      { message: expect.stringContaining('made before still open with the old password') as string },
    ]);
  });

  it('names a generation that is under an older one, until it is dropped', async () => {
    const { a } = await copyWorld(made);
    const { environmentPath } = await a.one<StatusResult>('status');
    const epochs = join(environmentPath ?? '', 'epochs');
    const first = await readFile(join(epochs, '1', '000001.spenv'));
    await change(a);
    expect(await a.one<StatusResult>('status')).toMatchObject({ otherPasswordGenerations: [] });
    // As after a change that could not open it: the file of generation 1 is the one of before.
    await writeFile(join(epochs, '2', '000001.spenv'), first);
    expect(await a.one<StatusResult>('status')).toMatchObject({ otherPasswordGenerations: [1] });
    const again = await change(a, newPassword, 'the third password');
    expect(again).toMatchObject({
      rewritten: 2,
      notOpened: ['generation 1 is still under an older password or key'],
    });
    expect(await readFile(join(epochs, '3', '000001.spenv'))).toEqual(first);
    const key = await a.one<KeyChangeResult>('user-new-key', {}, { password: 'the third password' });
    expect(key.notOpened).toEqual(again.notOpened);
    expect(await a.one<StatusResult>('status')).toMatchObject({ otherPasswordGenerations: [1] });
    const checks = await a.run<CheckResult>('platform-test');
    expect(checks.find(({ name }) => name === 'Kept generations')?.message).toContain('generations 1.');
    await add(a, 'Goes on', 'the third password');
  });

  it('is known to the status as far as it shows without it: since when, and how often it was missed', async () => {
    const { a } = await copyWorld(made);
    let now = a.ports.clock();
    a.ports = { ...a.ports, clock: () => now };
    const before = await a.one<StatusResult>('status');
    expect(before).toMatchObject({ failedAttempts: 0, lockedOutSeconds: 0 });
    expect(before.passwordSet).toBeGreaterThan(now - 120);
    now += 1000;
    await change(a);
    expect((await a.one<StatusResult>('status')).passwordSet).toBe(now);
    for (let tries = 0; tries < 6; tries++) {
      await rejection(() => add(a, 'Guess', password));
      now += 30;
    }
    expect(await a.one<StatusResult>('status')).toMatchObject({ failedAttempts: 6, lockedOutSeconds: 30 });
    // A day forgives one.
    now += 86_400;
    expect(await a.one<StatusResult>('status')).toMatchObject({ failedAttempts: 5, lockedOutSeconds: 0 });
    await add(a, 'Right');
    expect(await a.one<StatusResult>('status')).toMatchObject({ failedAttempts: 0 });
    // Whoever never had an environment here has no password either.
    const none = (await copyWorld(made)).b;
    expect(await none.one<StatusResult>('status')).toMatchObject({
      failedAttempts: 0,
      lockedOutSeconds: 0,
      otherPasswordGenerations: [],
      passwordSet: null,
    });
  });
});

describe('row-092: a right password forgives wrong guesses at itself only', () => {
  it('not those at an archive, whatever else is done with the present one in between', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    await b.run('import', { path: (await exported(world, password, 'first.sparc')).path }, { password });
    await change(a);
    const { path } = await exported(world, newPassword, 'second.sparc');
    for (let tries = 0; tries < 5; tries++) {
      const secrets = { password: `guess ${tries} at it`, currentPassword: password };
      expect(await rejection(() => b.run('import', { path }, secrets))).toMatchObject({
        code: 'PasswordRejected',
      });
      await add(b, `With the right one ${tries}`, password);
    }
    const right = { password: newPassword, currentPassword: password };
    expect(await rejection(() => b.run('import', { path }, right))).toMatchObject({ code: 'LockedOut' });
    // B's own password is not locked by it.
    expect(await b.one<StatusResult>('status')).toMatchObject({ failedAttempts: 0, lockedOutSeconds: 0 });
    await add(b, 'Still open', password);
  });

  it("not those at the present one, where the archive is somebody's whose password is known", async () => {
    const world = await copyWorld(made);
    const { b } = world;
    await b.run('user-initialize', {}, { password: 'the password of B' });
    const { path } = await exported(world, password, 'known.sparc');
    for (let tries = 0; tries < 5; tries++) {
      await rejection(() => add(b, 'Guess', `guess ${tries} at it`));
      // It opens, and would replace what is here.
      const replacing = await b.plan('import', { path }, { password });
      expect(replacing.plan.refused?.code).toBe('ImportWouldReplace');
    }
    expect(await rejection(() => add(b, 'Right', 'the password of B'))).toMatchObject({ code: 'LockedOut' });
  });

  it('nor those at the present one where the archive continues its key', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    await b.run('import', { path: (await exported(world, password, 'first.sparc')).path }, { password });
    await a.run('user-new-key', {}, { password, newPassword });
    const { path } = await exported(world, newPassword, 'continuing.sparc');
    for (let tries = 0; tries < 5; tries++) {
      const secrets = { password: newPassword, currentPassword: `guess ${tries} at it` };
      expect(await rejection(() => b.run('import', { path }, secrets))).toMatchObject({
        code: 'PasswordRejected',
      });
    }
    const right = { password: newPassword, currentPassword: password };
    expect(await rejection(() => b.run('import', { path }, right))).toMatchObject({ code: 'LockedOut' });
  });
});

describe('a new Basic User Key', () => {
  it('keeps content and features, names the key that it continues, and needs a new grant', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const before = await a.one<StatusResult>('status');
    const changed = await a.one<KeyChangeResult>('user-new-key', {}, { password, newPassword });
    expect(a.warnings).toEqual([]);
    expect(changed).toMatchObject({ replaced: before.basicUserKey, passwordChanged: true, notOpened: [] });
    const after = await a.one<StatusResult>('status');
    expect(after.basicUserKey).toBe(changed.basicUserKey);
    expect(after.basicUserKey).not.toBe(before.basicUserKey);
    expect(after.generation).toBe((before.generation ?? 0) + 1);
    expect(await a.run<CredentialResult>('credential-list')).toMatchObject([
      { label: 'Anna Müller', features: ['SecureEmail'] },
    ]);
    expect(await rejection(() => add(a, 'Old', password))).toMatchObject({ code: 'PasswordRejected' });
    // The grant was for every key of the authority: it moves this one as well.
    await exported(world, newPassword, 'new.sparc');
    const again = await a.one<KeyChangeResult>('user-new-key', {}, { password: newPassword });
    expect(a.warnings).toMatchObject([{ message: expect.stringContaining('stays the same') as string }]);
    expect(again).toMatchObject({ replaced: changed.basicUserKey, passwordChanged: false });
    await add(a, 'Same password');
  });

  it('is not made with a new password that is the present one', async () => {
    const world = await copyWorld(made);
    const same = () => world.a.run('user-new-key', {}, { password, newPassword: password });
    expect((await refused(world, 'PasswordUnacceptable', same)).message).toContain('the present one stays');
  });

  it('continues every key before it, in order of their Names, in environment and manifest', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const names = [(await a.one<StatusResult>('status')).basicUserKey ?? ''];
    for (let change = 0; change < 3; change++) {
      const secrets = { password: change % 2 === 0 ? password : newPassword };
      const newOne = { newPassword: change % 2 === 0 ? newPassword : password };
      const key = await a.one<KeyChangeResult>('user-new-key', {}, { ...secrets, ...newOne });
      names.push(key.basicUserKey);
    }
    const archive = await exported(world, newPassword, 'after-three.sparc');
    const parts = await a.ports.archives.unpack(await readFile(archive.path), archive.path);
    const { replaces, basicUserKey } = decodeManifest(parts.manifest, archive.path);
    expect(basicUserKey).toBe(names.pop());
    expect(replaces).toEqual(names.toSorted());
  });

  it('is not moved by a grant for the old one, and is registered for new ones', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    const old = (await a.one<StatusResult>('status')).basicUserKey ?? '';
    const [only] = await a.run<AccessResult>('access-list');
    await a.run('access-revoke', { serial: only?.serial ?? '' }, { ownerPassword });
    await grant(world, a, b, { basicUserKey: [old] });
    await exported(world, password, 'old-key.sparc');
    const { basicUserKey } = await a.one<KeyChangeResult>('user-new-key', {}, { password });
    await refused(world, 'DestinationNotAuthorized', () => exported(world, password, 'new-key.sparc'));
    await grant(world, a, b, { basicUserKey: [basicUserKey] });
    await exported(world, password, 'new-key.sparc');
  });
});

describe('an Owner Password', () => {
  const newOwner = 'the new owner of PC-A';

  it('is changed: the new one grants, the old one does not, and the backup still opens', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    const set = await a.one<AuthorityResult>(
      'authority-password',
      { newBackupPath: world.share },
      { ownerPassword, newPassword: newOwner },
    );
    const backupPath = set.backupPath ?? '';
    expect(backupPath).toBe(join(world.share, 'PC-A.spownerbackup'));
    const identity = join(world.share, 'PC-B.spid');
    const granting = (secret: string) => a.one('access-grant', { path: identity }, { ownerPassword: secret });
    await refused(world, 'OwnerPasswordRejected', () => granting(ownerPassword));
    await granting(newOwner);
    // The backup opens it although the password changes once more, and is how a forgotten one is replaced.
    await a.run('authority-password', { backupPath }, { newPassword: 'a third owner password' });
    await granting('a third owner password');
    await a.run('access-grant', { path: identity, backupPath });
    expect(await b.one<StatusResult>('status')).toMatchObject({ initialized: true });
    const lines = (await a.run<{ operation: string }>('history')).map(({ operation }) => operation);
    expect(lines.filter((operation) => operation === 'authority-password')).toHaveLength(2);
  });

  it('is not changed by who does not know it, nor into itself', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const setting = (secrets: Record<string, string>) => () => a.run('authority-password', {}, secrets);
    await refused(
      world,
      'OwnerPasswordRejected',
      setting({ ownerPassword: 'nobody', newPassword: newOwner }),
    );
    await refused(world, 'OwnerPasswordRequired', setting({ newPassword: newOwner }));
    await refused(world, 'NewPasswordRequired', setting({ ownerPassword }));
    await refused(world, 'PasswordUnacceptable', setting({ ownerPassword, newPassword: ownerPassword }));
    await refused(world, 'PasswordUnacceptable', setting({ ownerPassword, newPassword: 'short' }));
  });

  it('is changed also where the new backup cannot be written, which is then said', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const { files } = a.ports;
    const full = () => Promise.reject(fail('StorageFull', { path: world.share, needed: 1, free: 0 }));
    a.ports = { ...a.ports, files: { ...files, writePrivate: full } };
    const set = await a.one<AuthorityResult>(
      'authority-password',
      { newBackupPath: world.share },
      { ownerPassword, newPassword: newOwner },
    );
    expect(set.backupPath).toBeNull();
    expect(a.warnings).toMatchObject([
      { code: 'StorageFull', message: expect.stringContaining('its backup file was not written') as string },
    ]);
    a.ports = { ...a.ports, files };
    const again = { ownerPassword: newOwner, newPassword: 'a third owner password' };
    const { backupPath } = await a.one<AuthorityResult>(
      'authority-password',
      { newBackupPath: world.share },
      again,
    );
    await a.run('access-grant', {
      path: join(world.share, 'PC-B.spid'),
      backupPath: backupPath ?? '',
    });
  });

  it('of a fleet authority is changed in its file, with an older backup kept', async () => {
    const world = await copyWorld(made);
    const { a, share } = world;
    const authority = await a.one<AuthorityResult>(
      'authority-new',
      { path: share, name: 'Contoso', backupPath: share },
      { ownerPassword },
    );
    await a.run(
      'authority-password',
      { authorityPath: authority.path },
      { ownerPassword, newPassword: newOwner },
    );
    const granting = (secrets: Record<string, string>, backupPath?: string) =>
      a.run(
        'access-grant',
        {
          path: join(share, 'PC-B.spid'),
          authorityPath: authority.path,
          outputPath: share,
          ...(backupPath === undefined ? {} : { backupPath }),
        },
        secrets,
      );
    expect(await rejection(() => granting({ ownerPassword }))).toMatchObject({
      code: 'OwnerPasswordRejected',
    });
    await granting({ ownerPassword: newOwner });
    await granting({}, authority.backupPath ?? '');
  });
});
