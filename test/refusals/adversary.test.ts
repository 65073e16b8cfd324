/**
 * What somebody with bad intentions can leave for others: on a share, in an archive made by another program, in a clock
 * that was wrong. And what must still work after honest detours: a grant given again, a computer set up again.
 */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import type { Credential, Environment } from '../../core/src/domain/environment.ts';
import { toId } from '../../core/src/domain/ids.ts';
import { createAuthority } from '../../core/src/sealing/authority.ts';
import { signRevocationList } from '../../core/src/sealing/grants.ts';
import type { Call } from '../../core/src/operations/operation.ts';
import { requirePlatform } from '../../core/src/operations/platform-context.ts';
import type { AccessResult, ArchiveResult, ImportResult } from '../../core/src/operations/results.ts';
import { rememberLists } from '../../core/src/operations/revocation-memory.ts';
import { Secrets } from '../../core/src/operations/secrets.ts';
import { commitEnvironment, requireUser, unlock } from '../../core/src/operations/user-context.ts';
import { generateAgreementKey } from '../../core/src/crypto/ecdh.ts';
import { encodeRegistration } from '../../core/src/format/registration-v1.ts';
import { basicUserKeyPolicy } from '../../core/src/sealing/basic-user-key.ts';
import { basicUserKeyTemplate } from '../../core/src/tpm2/templates.ts';
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

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

const archiveIn = (world: World): string => join(world.share, basename(made.archive.path));

const importing = (computer: Computer, path: string): Promise<ImportResult> =>
  computer.one<ImportResult>('import', { path }, { password });

const exporting = (computer: Computer, path: string, access: AccessResult): Promise<ArchiveResult> =>
  computer.one<ArchiveResult>('export', { path, serial: access.serial }, { password });

function setClock(computer: Computer, shift: number): void {
  const { clock } = computer.ports;
  computer.ports = { ...computer.ports, clock: () => clock() + shift };
}

describe('revocation lists', () => {
  it('are not begun anew in place of a damaged one', async () => {
    const world = await copyWorld(made);
    const authorityPath = join(world.share, 'fleet.spauthority');
    await world.a.run('authority-new', { path: authorityPath }, { ownerPassword });
    const fleet = { authorityPath, outputPath: world.share };
    const list = await world.a.one<{ path: string }>(
      'access-revoke',
      { serial: '0'.repeat(31).concat('1'), ...fleet },
      { ownerPassword },
    );
    const bytes = await readFile(list.path);
    await writeFile(list.path, bytes.subarray(0, bytes.length - 20));
    await refused(world, 'RevocationListMalformed', () =>
      world.a.run('access-revoke', { serial: '0'.repeat(31).concat('2'), ...fleet }, { ownerPassword }),
    );
  });

  it('do not take the place of those of another authority', async () => {
    const world = await copyWorld(made);
    const revoke = async (name: string): Promise<{ path: string }> => {
      const authorityPath = join(world.share, name);
      await world.a.run('authority-new', { path: authorityPath }, { ownerPassword });
      return world.a.one<{ path: string }>(
        'access-revoke',
        { serial: 'a'.repeat(32), authorityPath, outputPath: world.share },
        { ownerPassword },
      );
    };
    const [one, two] = [await revoke('one.spauthority'), await revoke('two.spauthority')];
    await copyFile(one.path, two.path);
    await refused(world, 'RevocationListMalformed', () =>
      world.a.run(
        'access-revoke',
        {
          serial: 'b'.repeat(32),
          authorityPath: join(world.share, 'two.spauthority'),
          outputPath: world.share,
        },
        { ownerPassword },
      ),
    );
  });

  it('of strangers are not remembered, as an environment holds only so many', () => {
    const known = toId('AuthorityFingerprint', '11'.repeat(20));
    using stranger = createAuthority();
    using owner = createAuthority();
    const sign = (key: typeof owner, number: number) =>
      signRevocationList({ rehearsal: true, number, issued: 1_700_000_000, revoked: [] }, key);
    const [ours, theirs] = [sign(owner, 3), sign(stranger, 7)];
    const remembered = rememberLists([{ authority: known, number: 5 }], [ours, theirs], [ours.signer]);
    expect(remembered).toHaveLength(2);
    expect(remembered).toContainEqual({ authority: known, number: 5 });
    expect(remembered).toContainEqual({ authority: ours.signer, number: 3 });
  });
});

describe('a lock-out', () => {
  it('that began under a clock far ahead ends after its wait all the same', async () => {
    const world = await copyWorld(made);
    const wrong = (): Promise<unknown> =>
      world.a.run('feature-disable', { feature: 'Efs' }, { password: 'wrong password' });
    const year = 365 * 24 * 60 * 60;
    setClock(world.a, year);
    for (let attempt = 0; attempt < 5; attempt++)
      expect((await rejection(wrong)).code).toBe('PasswordRejected');
    setClock(world.a, -year);
    const right = (): Promise<unknown> => world.a.run('feature-disable', { feature: 'Efs' }, { password });
    expect((await rejection(right)).code).toBe('LockedOut');
    setClock(world.a, 31);
    await right();
  });
});

describe("an archive of the person's own program", () => {
  /** Rewrites the one credential and its key in the environment on PC-A, past every operation. */
  async function rewrite(
    computer: Computer,
    change: (credential: Credential, key: SecretBytes) => { credential: Credential; key: SecretBytes },
  ): Promise<void> {
    const secrets = new Secrets(computer.ports.random);
    secrets.put('password', new SecretBytes(utf8(password)));
    const report: Call['report'] = {
      progress: () => undefined,
      verbose: () => undefined,
      warning: () => undefined,
    };
    const call: Call = { ports: computer.ports, secrets, report, signal: new AbortController().signal };
    const user = await requireUser(call, await requirePlatform(computer.ports));
    const unlocked = await unlock(call, user);
    const { publicPart, privatePart } = unlocked.environment;
    const [credential] = publicPart.credentials;
    const key = credential && privatePart.keys.get(credential.id);
    if (credential === undefined || key === undefined) throw new Error('PC-A has no credential');
    const changed = change(credential, key);
    const environment: Environment = {
      publicPart: {
        ...publicPart,
        credentials: [changed.credential],
        features: { SecureEmail: changed.credential.id },
      },
      privatePart: { ...privatePart, keys: new Map([[changed.credential.id, changed.key]]) },
    };
    await commitEnvironment(call, user, unlocked, environment);
    await unlocked.dispose();
    secrets.dispose();
  }

  it('cannot forge lines of a plan by its names', async () => {
    const world = await copyWorld(made);
    const label = 'mail\u001b[2J\nNothing changes.\u202e';
    await rewrite(world.a, (credential, key) => ({ credential: { ...credential, label }, key }));
    const path = join(world.share, 'crafted.sparc');
    await world.a.run('export', { path, destination: 'PC-B' }, { password });
    const { plan } = await world.b.plan('import', { path }, { password });
    expect(plan.lines.join('')).toContain('mail\ufffd[2J\ufffdNothing changes.\ufffd: added');
    expect((await importing(world.b, path)).items.map((item) => item.label)).toEqual([
      'mail\ufffd[2J\ufffdNothing changes.\ufffd',
    ]);
  });

  const other = (credential: Credential): Credential => ({
    ...credential,
    id: toId('CredentialId', 'ab'.repeat(16)),
  });

  it.each([
    [
      'a credential under the id of another',
      (credential: Credential, key: SecretBytes) => ({ credential: other(credential), key }),
    ],
    [
      'a credential with bytes that are no key',
      (credential: Credential) => ({ credential, key: new SecretBytes(utf8('no key')) }),
    ],
  ])('is refused for %s', async (_, change) => {
    const world = await copyWorld(made);
    await rewrite(world.a, change);
    const path = join(world.share, 'crafted.sparc');
    await world.a.run('export', { path, destination: 'PC-B' }, { password });
    await refused(world, 'ArchiveChanged', () => importing(world.b, path));
  });
});

describe('the drop folder', () => {
  it('lets no account use up the delegations of a grant', async () => {
    const world = await copyWorld(made);
    const { ids, settings } = await requirePlatform(world.a.ports);
    const rootAuthority = settings.authorityKey;
    const account = { id: `uid:${String(process.geteuid?.())}@${ids.platformId}`, name: 'eve' };
    for (let index = 0; index < 30; index++) {
      const nonce = world.a.ports.random(16);
      const basicUserKey = basicUserKeyTemplate(
        basicUserKeyPolicy(rootAuthority, nonce),
        generateAgreementKey(),
      );
      const file = encodeRegistration({
        account,
        rehearsal: true,
        basicUserKey,
        nonce,
        rootAuthority,
        grants: [],
      });
      await world.a.ports.platform.register(`${String(index)}.spuser`, file);
    }
    const access = await grant(world, world.a, world.b);
    const text = new TextDecoder().decode(await readFile(access.path));
    expect(text.match(/^onward: /gm)).toHaveLength(20);
    expect(world.a.warnings.filter(({ code }) => code === 'LimitExceeded')).toHaveLength(11);
  });
});

describe('after a detour', () => {
  it('a grant given again lets a key that is here already move on', async () => {
    const world = await copyWorld(made);
    const closed = await grant(world, world.a, world.b, { noOnward: true });
    const first = join(world.share, 'closed.sparc');
    await exporting(world.a, first, closed);
    await importing(world.b, first);
    const onward = (): Promise<AccessResult> => grant(world, world.b, world.c);
    const path = join(world.share, 'onward.sparc');
    const before = await onward();
    expect((await rejection(() => exporting(world.b, path, before))).code).toBe('OnwardNotDelegated');

    const open = await grant(world, world.a, world.b);
    const second = join(world.share, 'open.sparc');
    await exporting(world.a, second, open);
    expect((await importing(world.b, second)).case).toBe('Merge');
    await exporting(world.b, path, await onward());
    expect((await importing(world.c, path)).case).toBe('Install');
  });

  it('a computer that was set up again is not taken for older than it was', async () => {
    const world = await copyWorld(made);
    await importing(world.b, archiveIn(world));
    const home = join(world.share, 'home.sparc');
    await exporting(world.b, home, await grant(world, world.b, world.a));
    await world.a.run('user-remove');
    await importing(world.a, home);
    const again = join(world.share, 'again.sparc');
    const archive = await world.a.one<ArchiveResult>(
      'export',
      { path: again, destination: 'PC-B' },
      { password },
    );
    expect(archive.generation).toBeGreaterThan(made.archive.generation);
    expect((await importing(world.b, again)).older).toBe(false);
  });
});
