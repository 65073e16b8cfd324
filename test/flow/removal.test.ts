/**
 * Removing (docs/spec/environment-store.md, "Undo and removal"): what is removed stays recoverable and is shown as set aside,
 * until it is removed for good; then its key is in no file that can be opened, and neither undo nor import revive it.
 */
import { join } from 'node:path';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { toHex, utf8 } from '../../core/src/bytes/bytes.ts';
import { fail } from '../../core/src/domain/error.ts';
import { sealPkcs12 } from '../../core/src/crypto/pkcs12.ts';
import type {
  ArchiveResult,
  CredentialRemovalResult,
  CredentialResult,
  HistoryEventResult,
  ImportResult,
  StatusResult,
  UndoResult,
} from '../../core/src/operations/results.ts';
import type { ParameterValues } from '../../core/src/operations/registry.ts';
import type { EnvironmentStore, EnvironmentWriter } from '../../core/src/ports/environment-store.ts';
import { issueCertificate, makeCertificate, type TestCertificate } from '../testkit/certificates.ts';
import type { Computer } from '../testkit/computer.ts';
import { environmentFolder, keptFiles, publicKeyOf } from '../testkit/kept-files.ts';
import { createSeededRandom } from '../testkit/surroundings.ts';
import {
  copyWorld,
  fingerprintOf,
  makeWorld,
  password,
  refused,
  rejection,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const other = 'the password of another time';
const pfxPassword = 'the password of the file';

let made: MadeWorld;
let threefoldMade: Threefold;
beforeAll(async () => {
  made = await makeWorld();
  threefoldMade = await makeThreefold();
}, 60_000);
afterAll(() => removeWorld({ ...made, world: threefoldMade }));
afterAll(() => removeWorld(made));

const add = (computer: Computer, label: string, secret = password, more: ParameterValues = {}) =>
  computer.one<CredentialResult>(
    'credential-new',
    { subject: 'Anna Müller', friendlyName: label, algorithm: 'P-256', ...more },
    { password: secret },
  );

/** A known key with its certificate, so that it can be added again, and looked for. */
async function addFrom(
  computer: Computer,
  { privateKey, certificate }: TestCertificate,
  friendlyName: string,
  secret = password,
): Promise<CredentialResult> {
  const entry = { privateKey: privateKey(), certificate, chain: [], friendlyName };
  const pfx = sealPkcs12([entry], new SecretBytes(utf8(pfxPassword)), createSeededRandom(friendlyName));
  return computer.one<CredentialResult>('credential-add', {}, { password: secret, pfx, pfxPassword });
}

const remove = (computer: Computer, credential: string, secret = password) =>
  computer.one<CredentialRemovalResult>('credential-remove', { credential }, { password: secret });

const removeForGood = (computer: Computer, credential: string, secret = password) =>
  computer.one<CredentialRemovalResult>(
    'credential-remove',
    { credential, permanent: true },
    { password: secret },
  );

const undo = (computer: Computer, parameters: ParameterValues = {}, secret = password) =>
  computer.one<UndoResult>('undo', parameters, { password: secret });

/** Label, state and place of everything that is listed. */
async function listed(computer: Computer): Promise<readonly string[]> {
  const all = await computer.run<CredentialResult>('credential-list', { includeSetAside: true });
  return all.map(({ label, state, setAsideIn }) =>
    [label, state, ...(setAsideIn ? [setAsideIn] : [])].join(' '),
  );
}

async function tombstones(computer: Computer, secret = password): Promise<readonly string[]> {
  const files = await keptFiles(computer, [secret]);
  const [now] = files.filter(({ path }) => path.startsWith('epochs')).slice(-1);
  return now?.environment?.privatePart.tombstones ?? [];
}

/** Paths of the files that hold this credential or its key, as far as the passwords open them. */
async function holders(
  computer: Computer,
  { credential }: CredentialResult,
  key?: string,
): Promise<readonly string[]> {
  const files = await keptFiles(computer, [password, other]);
  return files
    .filter(
      (file) => file.credentials.includes(credential) || (key !== undefined && file.publicKeys.includes(key)),
    )
    .map(({ path }) => path);
}

interface Threefold extends World {
  readonly old: CredentialResult;
  /** SubjectPublicKeyInfo, hex. */
  readonly key: string;
}

/**
 * PC-B with the same credential in two environments in quarantine, under two passwords, and in a third that is here, under the
 * first one's. Made once.
 */
async function makeThreefold(): Promise<Threefold> {
  const { world } = await makeWorld();
  const { b } = world;
  const certificate = await makeCertificate('CN=Anna Müller');
  let old: CredentialResult | undefined;
  for (const [index, secret] of [password, other, password].entries()) {
    if (index > 0) await b.run('user-remove');
    await b.run('user-initialize', {}, { password: secret });
    old = await addFrom(b, certificate, 'Old', secret);
    await b.run('feature-enable', { feature: 'Efs', credential: old.credential }, { password: secret });
    await add(b, 'Beside', secret);
  }
  await b.run('feature-disable', { feature: 'Efs' }, { password });
  if (old === undefined) throw new Error('nothing was added');
  return { ...world, old, key: publicKeyOf(certificate.privateKey()) };
}

async function threefold(): Promise<Threefold> {
  return { ...threefoldMade, ...(await copyWorld({ ...made, world: threefoldMade })) };
}

describe('a removed credential', () => {
  it('row-030: is set aside: shown with where it is, used by nothing, and brought back by undo', async () => {
    const { a } = await copyWorld(made);
    const removed = await add(a, 'Old');
    const result = await remove(a, removed.credential);
    expect(result).toMatchObject({ permanent: false, rewritten: 0, notOpened: [], uninstall: [] });
    expect(await a.run('credential-list')).toHaveLength(1);
    expect((await listed(a)).toSorted()).toEqual(['Anna Müller Active', 'Old SetAside generation 4']);
    expect(await a.one<StatusResult>('status')).toMatchObject({ credentials: 1, setAside: 1 });
    const [one] = await a.run<CredentialResult>('credential-list', {
      credential: removed.credential,
      includeSetAside: true,
    });
    expect(one).toMatchObject({
      state: 'SetAside',
      thumbprint: removed.thumbprint,
      features: [],
      proposed: [],
    });
    await undo(a, { credential: 'Old' });
    expect((await listed(a)).toSorted()).toEqual(['Anna Müller Active', 'Old Retained']);
  });

  it('is listed only on request, at its newest place, and a completed request not at all', async () => {
    const world = await copyWorld(made);
    const { b } = world;
    await b.run('user-initialize', {}, { password: other });
    await add(b, 'Theirs', other);
    await b.run('user-remove');
    expect(await listed(b)).toEqual(['Theirs SetAside quarantine 1']);
    expect(await b.one<StatusResult>('status')).toMatchObject({ setAside: 1, quarantined: 1 });
    await refused(world, 'UserNotInitialized', () => b.run('credential-list'));
    await b.run('import', { path: made.archive.path }, { password });
    const mine = await add(b, 'Mine');
    await add(b, 'Later');
    await remove(b, mine.credential);
    expect((await listed(b)).toSorted()).toEqual([
      'Anna Müller Retained',
      'Later Retained',
      'Mine SetAside generation 5',
      'Theirs SetAside quarantine 1',
    ]);
    await refused(world, 'CredentialNotFound', () => b.run('credential-list', { credential: 'Mine' }));
    await refused(world, 'CredentialNotFound', () =>
      b.run('credential-list', { credential: 'Nobody', includeSetAside: true }),
    );
    await refused(world, 'UserNotInitialized', () =>
      world.c.run('credential-list', { includeSetAside: true }),
    );
  });

  it('of a file that cannot be read is passed over, and that is said', async () => {
    const { a } = await copyWorld(made);
    const { credential } = await add(a, 'Old');
    await remove(a, credential);
    await writeFile(join(await environmentFolder(a), 'epochs', '1', '000004.spenv'), 'not a generation');
    expect(await listed(a)).toEqual(['Anna Müller Active']);
    expect(a.warnings).toMatchObject([{ code: 'EnvironmentDamaged' }]);
  });
});

describe('a credential removed for good', () => {
  it('is in no kept generation any more, neither its id nor its key, and the others are as they were', async () => {
    const { a } = await copyWorld(made);
    const certificate = await makeCertificate('CN=Anna Müller');
    const key = publicKeyOf(certificate.privateKey());
    const old = await addFrom(a, certificate, 'Old');
    await a.run('feature-enable', { feature: 'Efs', credential: old.credential }, { password });
    await refused({ folder: a.home }, 'CredentialInUse', () => removeForGood(a, 'Old'));
    await a.run('feature-disable', { feature: 'Efs' }, { password });
    await add(a, 'New');
    expect(await holders(a, old, key)).toHaveLength(4);
    const before = await keptFiles(a, [password]);
    const shown = await a.plan('credential-remove', { credential: 'Old', permanent: true }, { password });
    expect(shown.plan).toMatchObject({ impact: 'high' });
    expect(shown.plan.lines.join('\n')).toContain('taken out of 4 kept generation(s)');
    const result = await removeForGood(a, 'Old');
    expect(result).toMatchObject({ permanent: true, label: 'Old', rewritten: 7, notOpened: [] });
    const after = await keptFiles(a, [password]);
    expect(await holders(a, old, key)).toEqual([]);
    expect(after).toHaveLength(before.length + 1);
    for (const [index, file] of before.entries()) {
      expect(after[index]?.credentials).toEqual(file.credentials.filter((id) => id !== old.credential));
      expect(after[index]?.header).toMatchObject({ generation: index + 1, parent: index });
    }
    expect(await tombstones(a)).toEqual([old.credential]);
    expect(await listed(a)).not.toContainEqual(expect.stringContaining('Old'));
    const [event] = (await a.run<HistoryEventResult>('history')).slice(-1);
    expect(event?.summary).toMatch(/generation: 8;.*permanent: yes/);
  });

  it('is not brought back by undo, and by an import only where that is asked for', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    await b.run('import', { path: made.archive.path }, { password });
    const old = made.credential;
    await removeForGood(b, old.credential);
    const error = await refused(world, 'NothingToUndo', () => undo(b));
    expect(error.message).toContain('removed a credential for good');
    await refused(world, 'NothingToUndo', () => undo(b, { generation: 1 }));
    await refused(world, 'CredentialNotFound', () => undo(b, { credential: old.credential }));
    const path = join(world.share, 'again.sparc');
    await a.one<ArchiveResult>('export', { path, destination: 'PC-B' }, { password });
    const skipped = await b.one<ImportResult>('import', { path }, { password });
    expect(skipped.items).toMatchObject([{ action: 'Skip' }]);
    expect(await listed(b)).toEqual([]);
    const revived = await b.one<ImportResult>('import', { path, includeRemoved: true }, { password });
    expect(revived.items).toMatchObject([{ action: 'Add' }]);
    expect(await tombstones(b)).toEqual([]);
  });

  it('may be one that is only set aside', async () => {
    const { a } = await copyWorld(made);
    const old = await add(a, 'Old');
    await remove(a, old.credential);
    await rejection(() => remove(a, old.credential));
    const result = await removeForGood(a, 'Old');
    expect(result).toMatchObject({ credential: old.credential, notOpened: [] });
    expect(await holders(a, old)).toEqual([]);
    expect(await listed(a)).toEqual(['Anna Müller Active']);
    await undo(a, { generation: 2 });
    expect(await listed(a)).toEqual(['Anna Müller Retained']);
  });

  it('leaves environments in quarantine that the password opens, with a tombstone; the others are named', async () => {
    const world = await threefold();
    const { b, old, key } = world;
    const before = await fingerprintOf(world.folder);
    const shown = await b.plan('credential-remove', { credential: 'Old', permanent: true }, { password });
    expect(await fingerprintOf(world.folder)).toEqual(before);
    const lines = shown.plan.lines.join('\n');
    expect(lines).toContain('out of the environments in quarantine 1.');
    expect(lines).toContain('generation 4 in quarantine 2 does not open with this password');
    const result = await removeForGood(b, 'Old');
    expect(result.notOpened).toEqual(
      [4, 3, 2].map((number) => `generation ${number} in quarantine 2 does not open with this password`),
    );
    // Five generations that are here, and three files of the first quarantine.
    expect(result.rewritten).toBe(8);
    expect(await holders(b, old, key)).toEqual(
      [2, 3, 4].map((number) => join('quarantine', '2', `00000${number}.spenv`)),
    );
    // What is left of the second is not brought back alone; as a whole it returns as it was.
    const error = await refused(world, 'CredentialRemoved', () => undo(b, { credential: 'Old' }));
    expect(error.hint).toContain('-IncludeRemoved');
    expect(await undo(b, { quarantine: '1' })).toMatchObject({ kind: 'Quarantine', featuresActive: [] });
    expect((await b.run<CredentialResult>('credential-list')).map(({ label }) => label)).toEqual(['Beside']);
    expect(await tombstones(b)).toEqual([old.credential]);
    await undo(b, { quarantine: '2' }, other);
    await b.run('feature-disable', { feature: 'Efs' }, { password: other });
    expect((await removeForGood(b, 'Old', other)).notOpened).toEqual([]);
    expect(await holders(b, old, key)).toEqual([]);
  });

  it('may be in quarantine only; the newest state there knows it as removed, too', async () => {
    const { b, old, key } = await threefold();
    await b.run('user-remove');
    await b.run('user-initialize', {}, { password });
    expect((await removeForGood(b, 'Old')).rewritten).toBe(1 + 3 + 4);
    expect(await tombstones(b)).toEqual([old.credential]);
    const files = await keptFiles(b, [password]);
    const third = files.filter(({ path }) => path.startsWith(join('quarantine', '3')));
    expect(third.at(-1)?.environment?.privatePart.tombstones).toEqual([old.credential]);
    expect(third.flatMap(({ publicKeys }) => publicKeys)).not.toContain(key);
  });

  it('interrupted after the quarantines is still here, and can be removed again', async () => {
    const { b, old, key } = await threefold();
    const whole = b.ports;
    b.ports = { ...whole, environment: (...which) => failingRewrite(whole.environment(...which)) };
    expect(await rejection(() => removeForGood(b, 'Old'))).toMatchObject({ code: 'StorageFull' });
    b.ports = whole;
    expect(await b.run<CredentialResult>('credential-list', { credential: 'Old' })).toMatchObject([
      { credential: old.credential },
    ]);
    expect(await holders(b, old, key)).not.toContainEqual(expect.stringContaining(join('quarantine', '1')));
    expect(await removeForGood(b, 'Old')).toMatchObject({ permanent: true });
    expect((await holders(b, old, key)).every((path) => path.startsWith(join('quarantine', '2')))).toBe(true);
  });

  it('in quarantine only, interrupted after its tombstone, is found and can be removed again', async () => {
    const { b, old, key } = await threefold();
    await b.run('user-remove');
    await b.run('user-initialize', {}, { password });
    const whole = b.ports;
    b.ports = { ...whole, environment: (...which) => failingQuarantine(whole.environment(...which)) };
    expect(await rejection(() => removeForGood(b, 'Old'))).toMatchObject({ code: 'StorageFull' });
    b.ports = whole;
    expect(await tombstones(b)).toEqual([old.credential]);
    await removeForGood(b, 'Old');
    expect((await holders(b, old, key)).every((path) => path.startsWith(join('quarantine', '2')))).toBe(true);
    expect(await tombstones(b)).toEqual([old.credential]);
  });

  it('that stays in a generation under an older password, or in one that cannot be read, is said to', async () => {
    const { a } = await copyWorld(made);
    const old = await add(a, 'Old');
    const folder = await environmentFolder(a);
    await add(a, 'Later');
    const left = await readFile(join(folder, 'epochs', '1', '000004.spenv'));
    await a.run('user-password', {}, { password, newPassword: other });
    await writeFile(join(folder, 'epochs', '2', '000004.spenv'), left);
    await writeFile(join(folder, 'epochs', '2', '000001.spenv'), 'not a generation');
    await remove(a, old.credential, other);
    const result = await removeForGood(a, 'Old', other);
    expect(result.notOpened).toEqual([
      'generation 4 is still under an older password or key',
      'generation 1 cannot be read',
    ]);
    expect((await a.run<HistoryEventResult>('history')).at(-1)?.summary).toContain(
      'generation 4 is still under',
    );
  });

  it('takes the request along that it completed, which is not set aside by itself', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const [requestPath, path] = [join(world.share, 'anna.csr'), join(world.share, 'anna.cer')];
    const pending = await add(a, 'Asked', password, { request: true, requestPath });
    const issuer = await makeCertificate('CN=Issuer', { authority: true });
    await writeFile(path, await issueCertificate(await readFile(requestPath, 'utf8'), issuer));
    const done = await a.one<CredentialResult>('credential-complete', { path }, { password });
    expect(done.credential).not.toBe(pending.credential);
    expect(await listed(a)).toHaveLength(2);
    await remove(a, done.credential);
    expect((await listed(a)).toSorted()).toEqual(['Anna Müller Active', 'Asked SetAside generation 5']);
    const publicKeys = (await keptFiles(a, [password]))[3]?.publicKeys ?? [];
    await removeForGood(a, done.credential);
    const left = await keptFiles(a, [password]);
    expect(left.flatMap(({ credentials }) => credentials)).not.toContain(pending.credential);
    for (const key of new Set(left.flatMap((file) => file.publicKeys))) expect(publicKeys).toContain(key);
    expect(new Set(left.flatMap((file) => file.publicKeys)).size).toBe(publicKeys.length - 1);
    expect(await tombstones(a)).toEqual([pending.credential, done.credential].sort());
  });

  it('keeps its key where another certificate of it stays, and says so', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const first = await makeCertificate('CN=Anna 2025');
    const renewed = await makeCertificate('CN=Anna 2026', { renews: first });
    const key = publicKeyOf(first.privateKey());
    await addFrom(a, first, 'Anna 2025');
    await addFrom(a, renewed, 'Anna 2026');
    const shown = await a.plan(
      'credential-remove',
      { credential: 'Anna 2025', permanent: true },
      { password },
    );
    expect(shown.plan.lines.join('\n')).toMatch(/Its key stays: Anna 2026 \([0-9a-f]{32}\) has the same one/);
    await removeForGood(a, 'Anna 2025');
    const [now] = (await keptFiles(a, [password])).slice(-1);
    expect(now?.publicKeys).toContain(key);
    await removeForGood(a, 'Anna 2026');
    expect((await keptFiles(a, [password])).flatMap(({ publicKeys }) => publicKeys)).not.toContain(key);
  });

  it('takes its certificate out of the store', async () => {
    const { a } = await copyWorld(made);
    const { credential, thumbprint } = await add(a, 'Old');
    await a.run('credential-installed', { credential, thumbprint: thumbprint ?? '' });
    const shown = await a.plan('credential-remove', { credential, permanent: true }, { password });
    expect(shown.plan.lines.join('\n')).toContain('taken out of the certificate store');
    expect((await removeForGood(a, 'Old')).uninstall).toEqual([thumbprint]);
  });

  it('is refused without the password, also for the plan, and with a wrong one', async () => {
    const world = await copyWorld(made);
    const { a } = world;
    const old = await add(a, 'Old');
    const parameters = { credential: old.credential, permanent: true };
    await refused(world, 'PasswordRequired', () => a.plan('credential-remove', parameters, {}));
    await refused(world, 'PasswordRejected', () => removeForGood(a, 'Old', other));
    await refused(world, 'CredentialNotFound', () => removeForGood(a, 'Nobody'));
  });
});

/** A store whose disk is full when the present environment is to be written anew. */
function failingRewrite(store: EnvironmentStore): EnvironmentStore {
  return withWriter(store, (writer) => ({
    rewrite: async (generations) => {
      for await (const { bytes } of generations) expect(toHex(bytes.subarray(0, 4))).toBe('53504d69');
      throw fail('StorageFull', { path: store.path });
    },
    rewriteQuarantined: (id, file) => writer.rewriteQuarantined(id, file),
  }));
}

/** A store whose disk is full at the first file in quarantine. */
function failingQuarantine(store: EnvironmentStore): EnvironmentStore {
  return withWriter(store, () => ({
    rewriteQuarantined: () => Promise.reject(fail('StorageFull', { path: store.path })),
  }));
}

function withWriter(
  store: EnvironmentStore,
  replaced: (writer: EnvironmentWriter) => Partial<EnvironmentWriter>,
): EnvironmentStore {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'withLock') {
        return (work: (writer: EnvironmentWriter) => Promise<unknown>) =>
          target.withLock((writer) => work(overriding(writer, replaced(writer))));
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function overriding(writer: EnvironmentWriter, replaced: Partial<EnvironmentWriter>): EnvironmentWriter {
  return new Proxy(writer, {
    get: (target, name) => {
      const mine: unknown = Reflect.get(replaced, name);
      if (mine !== undefined) return mine;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
