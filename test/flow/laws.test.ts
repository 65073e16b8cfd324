/**
 * Laws of changes: planning changes no byte; what was shown is what happens, in every case; what changed in between is
 * noticed; of two at once, one wins. Over the operations, on real files.
 */
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { isSPMigrationError } from '../../core/src/domain/error.ts';
import type { Call } from '../../core/src/operations/operation.ts';
import {
  findOperation,
  operations,
  type ChangerEntry,
  type OperationName,
  type ParameterValues,
} from '../../core/src/operations/registry.ts';
import type {
  ArchiveResult,
  ChallengeResult,
  CredentialResult,
  IdentityResult,
  ImportResult,
} from '../../core/src/operations/results.ts';
import { applyChange, type ShownPlan } from '../../core/src/operations/run.ts';
import { Secrets, type SecretName } from '../../core/src/operations/secrets.ts';
import { Computer } from '../testkit/computer.ts';
import { giveTpm, makeEccEndorsementKey } from '../testkit/tpm-double.ts';
import {
  copyWorld,
  fingerprintOf,
  grant,
  makeWorld,
  ownerPassword,
  password,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

/** A call as a front door makes it, whose signal can be chosen; for `plan` and `apply` with an id in between. */
async function calling<Value>(
  computer: Computer,
  secrets: Readonly<Partial<Record<SecretName, string>>>,
  work: (call: Call) => Promise<Value>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Value> {
  const ring = new Secrets(computer.ports.random);
  for (const [name, value] of Object.entries(secrets))
    ring.put(name as SecretName, SecretBytes.copyOf(utf8(value)));
  const report = { progress: () => undefined, verbose: () => undefined, warning: () => undefined };
  try {
    return await work({ ports: computer.ports, secrets: ring, signal, report });
  } finally {
    ring.dispose();
  }
}

function changer(name: OperationName): ChangerEntry {
  const entry = findOperation(name);
  if (entry?.kind !== 'changer') throw new Error(`${name} changes nothing`);
  return entry;
}

const apply = (
  computer: Computer,
  name: OperationName,
  parameters: ParameterValues,
  planId: string | undefined,
  secrets: Readonly<Partial<Record<SecretName, string>>> = { password },
) => calling(computer, secrets, (call) => applyChange(name, changer(name), call, parameters, planId));

function archiveIn(world: World): string {
  return join(world.share, basename(made.archive.path));
}

/** PC-C with a TPM. Answers the path of its identity, which lies in the share. */
async function identityOfTpm({ c, share }: World): Promise<string> {
  await rm(join(c.home, 'platform'), { recursive: true });
  giveTpm(c, makeEccEndorsementKey());
  await c.run('platform-initialize', { chip: 'Tpm2' }, { ownerPassword });
  return (await c.one<IdentityResult>('identity-export', { path: share })).path;
}

/** Parameters with which each changer has something to do on PC-A (or, for the first four, on the computer named). */
const doable: Readonly<
  Record<
    string,
    (world: World) => readonly [Computer, ParameterValues] | Promise<readonly [Computer, ParameterValues]>
  >
> = {
  'authority-new': ({ a, share }) => [a, { path: share }],
  'platform-initialize': async ({ c }) => {
    await rm(join(c.home, 'platform'), { recursive: true });
    return [c, {}];
  },
  'user-initialize': ({ b }) => [b, {}],
  import: (world) => [world.b, { path: archiveIn(world) }],
  'identity-export': ({ a, share }) => [a, { path: share }],
  'challenge-new': async (world) => [world.a, { path: await identityOfTpm(world) }],
  'attestation-export': async (world) => {
    const path = await identityOfTpm(world);
    const challenge = await world.a.one<ChallengeResult>('challenge-new', { path }, { ownerPassword });
    return [world.c, { path: world.share, challengePath: challenge.path }];
  },
  'access-grant': ({ a, share }) => [a, { path: join(share, 'PC-B.spid') }],
  'access-revoke': ({ a }) => [a, { serial: made.access.serial }],
  'revocation-add': async ({ a, b, share }) => {
    const { path } = await a.one<{ path: string }>(
      'access-revoke',
      { serial: made.access.serial },
      { ownerPassword },
    );
    await copyFile(path, join(share, 'list.sprevoked'));
    return [b, { path: join(share, 'list.sprevoked') }];
  },
  'authority-password': ({ a }) => [a, {}],
  'user-password': ({ a }) => [a, {}],
  'user-new-key': ({ a }) => [a, {}],
  'user-remove': ({ a }) => [a, {}],
  undo: ({ a }) => [a, {}],
  'credential-new': ({ a, share }) => [
    a,
    { subject: 'Neu', algorithm: 'P-256', requestPath: join(share, 'a.csr') },
  ],
  'credential-remove': async ({ a }) => {
    await a.run('feature-disable', { feature: 'SecureEmail' }, { password });
    return [a, { credential: made.credential.credential }];
  },
  'credential-uninstalled': async ({ a }) => {
    const { credential, thumbprint } = made.credential;
    await a.run('credential-installed', { credential, thumbprint: thumbprint ?? '' });
    return [a, { thumbprint: [thumbprint ?? ''] }];
  },
  'credential-installed': ({ a }) => [
    a,
    { credential: made.credential.credential, thumbprint: made.credential.thumbprint ?? '' },
  ],
  'feature-enable': ({ a }) => [a, { feature: 'Efs', credential: made.credential.credential }],
  'feature-disable': ({ a }) => [a, { feature: 'SecureEmail' }],
  export: ({ a, share }) => [a, { path: join(share, 'new.sparc'), destination: 'PC-B' }],
  'archive-remove': (world) => [world.a, { path: archiveIn(world) }],
};

/** Read a file that only a suite with certificates has: planned and applied in test/refusals/user.test.ts. */
const elsewhere = ['credential-add', 'credential-complete'];

it('every operation that changes something is held to the laws', () => {
  const changers = Object.entries(operations)
    .filter(([, { kind }]) => kind === 'changer')
    .map(([name]) => name);
  expect([...Object.keys(doable), ...elsewhere].sort()).toEqual(changers.sort());
});

describe.each(Object.keys(doable) as OperationName[])('%s', (name) => {
  it('planned changes no byte, twice the same; applied as shown changes some', async () => {
    const world = await copyWorld(made);
    const [computer, parameters] = (await doable[name]?.(world)) ?? [world.a, {}];
    const secrets = { password, ownerPassword, newPassword: 'ein neues Passwort 1' };
    const before = await fingerprintOf(world.folder);
    const plan = (): Promise<ShownPlan> => computer.plan(name, parameters, secrets);
    const first = await plan();
    expect(first.plan.lines.length).toBeGreaterThan(0);
    expect((await plan()).planId).toBe(first.planId);
    expect(await fingerprintOf(world.folder)).toEqual(before);
    await expect(apply(computer, name, parameters, '0'.repeat(64), secrets)).rejects.toMatchObject({
      code: 'PlanOutdated',
    });
    await expect(
      calling(
        computer,
        secrets,
        (call) => applyChange(name, changer(name), call, parameters, first.planId),
        AbortSignal.abort(),
      ),
    ).rejects.toMatchObject({ code: 'OperationInterrupted' });
    expect(await fingerprintOf(world.folder)).toEqual(before);
    await apply(computer, name, parameters, first.planId, secrets);
    expect(await fingerprintOf(world.folder)).not.toEqual(before);
  });
});

describe('an import', () => {
  /** The plan's preview and the result of applying it agree in everything that a person was shown. */
  async function performsItsPlan(computer: Computer, parameters: ParameterValues): Promise<ImportResult> {
    const shown = await computer.plan('import', parameters, { password });
    const [result] = (await apply(computer, 'import', parameters, shown.planId)) as readonly ImportResult[];
    if (result === undefined) throw new Error('an import answered nothing');
    const { items, featuresActive, featuresProposed, unchanged, older } = shown.preview as ImportResult;
    expect(result).toMatchObject({ items, featuresActive, featuresProposed, unchanged, older });
    expect(result.case).toBe((shown.preview as ImportResult).case);
    const list = await computer.run<CredentialResult>('credential-list');
    const kept = items.filter(({ action }) => action !== 'SetAside' && action !== 'Skip');
    expect(list.map(({ credential, features }) => [credential, features]).sort()).toEqual(
      kept.map(({ credential, features }) => [credential, features]).sort(),
    );
    return result;
  }

  it('installs, merges and replaces exactly as planned', async () => {
    const world = await copyWorld(made);
    const path = archiveIn(world);
    expect(await performsItsPlan(world.b, { path, enableFeature: true })).toMatchObject({ case: 'Install' });
    const before = await fingerprintOf(world.folder);
    expect(await performsItsPlan(world.b, { path })).toMatchObject({ case: 'Merge', unchanged: true });
    expect(await fingerprintOf(world.folder)).toEqual(before);
    await world.a.run('credential-new', { subject: 'Second', algorithm: 'P-256' }, { password });
    const second = await world.a.one<ArchiveResult>(
      'export',
      { path: join(world.share, 'second.sparc'), destination: 'PC-B' },
      { password },
    );
    const merged = await performsItsPlan(world.b, { path: second.path });
    expect(merged.items.map(({ action }) => action).sort()).toEqual(['Add', 'Unchanged']);
    await world.c.run('user-initialize', {}, { password });
    await world.c.run('credential-new', { subject: 'Third', algorithm: 'P-256' }, { password });
    await grant(world, world.a, world.c);
    const third = await world.a.one<ArchiveResult>(
      'export',
      { path: join(world.share, 'third.sparc'), destination: 'PC-C' },
      { password },
    );
    const replaced = await performsItsPlan(world.c, { path: third.path, allowReplace: true });
    expect(replaced.items.map(({ action }) => action).sort()).toEqual(['Add', 'Add', 'SetAside']);
    expect(replaced.quarantine).not.toBeNull();
  });

  it('older than one that was merged already changes no feature', async () => {
    const world = await copyWorld(made);
    await world.a.run('feature-disable', { feature: 'SecureEmail' }, { password });
    const newer = await world.a.one<ArchiveResult>(
      'export',
      { path: join(world.share, 'newer.sparc'), destination: 'PC-B' },
      { password },
    );
    await world.b.run('import', { path: newer.path }, { password });
    const older = await performsItsPlan(world.b, { path: archiveIn(world) });
    expect(older).toMatchObject({ case: 'Merge', older: true, featuresActive: [] });
  });

  it('planned before something changed is PlanOutdated: the archive, the environment, a revocation, the parameters', async () => {
    const world = await copyWorld(made);
    const parameters = { path: archiveIn(world) };
    await world.b.run('import', parameters, { password });
    const planned = async () => (await world.b.plan('import', parameters, { password })).planId;
    const outdated = async (planId: string, now: ParameterValues = parameters): Promise<void> => {
      const before = await fingerprintOf(world.folder);
      await expect(apply(world.b, 'import', now, planId)).rejects.toMatchObject({ code: 'PlanOutdated' });
      expect(await fingerprintOf(world.folder)).toEqual(before);
    };
    let planId = await planned();
    await outdated(planId, { ...parameters, enableFeature: true });
    await world.b.run('credential-new', { subject: 'Between', algorithm: 'P-256' }, { password });
    await outdated(planId);
    planId = await planned();
    await world.a.run('export', { ...parameters, destination: 'PC-B', overwrite: true }, { password });
    await outdated(planId);
    planId = await planned();
    const other = await grant(world, world.a, world.c);
    const { path: list } = await world.a.one<{ path: string }>(
      'access-revoke',
      { serial: other.serial },
      { ownerPassword },
    );
    await copyFile(list, join(world.share, 'list.sprevoked'));
    await world.b.run('revocation-add', { path: join(world.share, 'list.sprevoked') });
    await outdated(planId);
  });

  it('begun twice at once is done once', async () => {
    const world = await copyWorld(made);
    const parameters = { path: archiveIn(world) };
    const outcomes = await Promise.allSettled([
      world.b.run('import', parameters, { password }),
      (await Computer.at(world.b.home)).run('import', parameters, { password }),
      (await Computer.at(world.b.home)).run('import', parameters, { password }),
    ]);
    const codes = outcomes.map((outcome) => {
      if (outcome.status === 'fulfilled') return 'done';
      return isSPMigrationError(outcome.reason) ? outcome.reason.code : String(outcome.reason);
    });
    expect(codes.filter((code) => code === 'done')).toHaveLength(1);
    for (const code of codes) expect(['done', 'PlanOutdated', 'EnvironmentBusy']).toContain(code);
    expect(await world.b.run('credential-list')).toHaveLength(1);
  });

  it('fails at once with wrong passwords, and each of them counts', async () => {
    const { a } = await copyWorld(made);
    const wrong = { password: 'not the password of anna' };
    const tries = [1, 2, 3, 4].map(async (number) =>
      (await Computer.at(a.home)).run('credential-new', { subject: `Try ${number}` }, wrong),
    );
    for (const outcome of await Promise.allSettled(tries))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'PasswordRejected' } });
    expect(await a.one('status')).toMatchObject({ failedAttempts: 4, lockedOutSeconds: 0 });
  });
});

it('a plan with a file that is changed while it is confirmed is outdated', async () => {
  const world = await copyWorld(made);
  const path = join(world.share, 'PC-B.spid');
  const { planId } = await world.a.plan('access-grant', { path }, { ownerPassword });
  const other = await world.c.one<{ path: string }>('identity-export', { path: join(world.share, 'c.spid') });
  await copyFile(other.path, path);
  await expect(apply(world.a, 'access-grant', { path }, planId, { ownerPassword })).rejects.toMatchObject({
    code: 'PlanOutdated',
  });
  await writeFile(path, '');
  await expect(apply(world.a, 'access-grant', { path }, planId, { ownerPassword })).rejects.toMatchObject({
    code: 'WrongFileKind',
  });
});
