/**
 * What somebody without the password learns from a refusal: nothing about which part failed. A wrong password and a damaged
 * wrapper give one text where the cipher cannot tell them apart; and every refusal costs the same number of Argon2id
 * derivations, which is where the time goes. Counted, not measured: a clock would make a test that fails by chance.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GenerationHeader } from '../../core/src/domain/environment.ts';
import { decodeAuthorityFile, encodeAuthorityFile } from '../../core/src/format/authority-v1.ts';
import { assembleGeneration, decodeGeneration, encodeHeader } from '../../core/src/format/generation-v1.ts';
import type { ArchiveResult, AuthorityResult, StatusResult } from '../../core/src/operations/results.ts';
import type { Computer } from '../testkit/computer.ts';
import {
  copyWorld,
  makeWorld,
  ownerPassword,
  password,
  rejection,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

const derivations = vi.hoisted(() => ({ count: 0 }));
vi.mock('../../core/src/crypto/kdf.ts', async (original) => {
  const kdf = await (await import('../testkit/memo-kdf.ts')).memoizedKdf(original);
  const deriveRoot: typeof kdf.deriveRoot = (secret, salt) => {
    derivations.count += 1;
    return kdf.deriveRoot(secret, salt);
  };
  return { ...kdf, deriveRoot };
});

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
}, 60_000);
afterAll(() => removeWorld(made));

const wrong = 'not the password';
const newPassword = 'ein anderes Passwort 9';
const transferCode = '7KQ2-90AB-CDEF-GH1J';

interface Refusal {
  readonly code: string;
  readonly text: string;
  readonly derivations: number;
}

/** All that a caller sees of it. */
async function refusal(attempt: () => Promise<unknown>): Promise<Refusal> {
  derivations.count = 0;
  const { code, message, hint } = await rejection(attempt);
  return { code, text: `${message} ${hint}`, derivations: derivations.count };
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const last = copy.length - 1;
  copy[last] = (copy[last] ?? 0) ^ 1;
  return copy;
}

interface Pieces {
  readonly header: GenerationHeader;
  readonly sealedPrivate: Uint8Array;
}

/** Changes the newest generation file in an epoch's folder. */
async function damage(epoch: string, change: (pieces: Pieces) => Partial<Pieces>): Promise<void> {
  const [newest = ''] = (await readdir(epoch)).sort().reverse();
  const path = join(epoch, newest);
  const decoded = decodeGeneration(await readFile(path), path);
  const { header, sealedPrivate } = { ...decoded, ...change(decoded) };
  await writeFile(path, assembleGeneration(encodeHeader(header), decoded.publicBytes, sealedPrivate));
}

const inHeader =
  (change: (header: GenerationHeader) => Partial<GenerationHeader>) =>
  ({ header }: Pieces): Partial<Pieces> => ({ header: { ...header, ...change(header) } });

const damages = {
  'the wrapper of the Basic User Key': inHeader(({ basicUserKeyPrivate }) => ({
    basicUserKeyPrivate: flipped(basicUserKeyPrivate),
  })),
  'the salt of the password': inHeader(({ passwordSalt }) => ({ passwordSalt: flipped(passwordSalt) })),
  'the salt of its keys': inHeader(({ keySalt }) => ({ keySalt: flipped(keySalt) })),
  'the blob of the vault key': inHeader(({ vaultKey }) => ({
    vaultKey: { ...vaultKey, private: flipped(vaultKey.private) },
  })),
  'the private part': ({ sealedPrivate }: Pieces) => ({ sealedPrivate: flipped(sealedPrivate) }),
} as const;

const using = (computer: Computer, secret: string) => () =>
  computer.run('feature-disable', { feature: 'SecureEmail' }, { password: secret });

const epochOf = async (computer: Computer): Promise<string> => {
  const { environmentPath } = await computer.one<StatusResult>('status');
  return join(environmentPath ?? '', 'epochs', '1');
};

describe('an environment', () => {
  it('says of a wrong password the same whatever else is damaged, at the same cost', async () => {
    const whole = await refusal(using((await copyWorld(made)).a, wrong));
    expect(whole).toMatchObject({ code: 'PasswordRejected', derivations: 1 });
    for (const [what, change] of Object.entries(damages)) {
      const { a } = await copyWorld(made);
      await damage(await epochOf(a), change);
      expect(await refusal(using(a, wrong)), what).toEqual(whole);
    }
  });

  it('says of a wrapper that the cipher cannot open what it says of a wrong password', async () => {
    const whole = await refusal(using((await copyWorld(made)).a, wrong));
    const codes: Record<string, string> = {};
    for (const [what, change] of Object.entries(damages)) {
      const { a } = await copyWorld(made);
      await damage(await epochOf(a), change);
      const right = await refusal(using(a, password));
      codes[what] = right.code;
      // Behind the wrapper only who has the password gets to hear more, and not sooner.
      expect(right.derivations, what).toBe(1);
      if (right.code === 'PasswordRejected') expect(right, what).toEqual(whole);
    }
    expect(codes).toEqual({
      'the wrapper of the Basic User Key': 'PasswordRejected',
      'the salt of the password': 'PasswordRejected',
      'the salt of its keys': 'PasswordRejected',
      'the blob of the vault key': 'ChipFailed',
      'the private part': 'EnvironmentDamaged',
    });
  });

  it('in quarantine likewise', async () => {
    const quarantined = async (): Promise<{ readonly a: Computer; readonly folder: string }> => {
      const { a } = await copyWorld(made);
      await a.run('user-remove');
      await a.run('user-initialize', {}, { password: newPassword });
      const { environmentPath } = await a.one<StatusResult>('status');
      return { a, folder: join(environmentPath ?? '', 'quarantine', '1') };
    };
    const returning = (computer: Computer, secret: string) => () =>
      computer.run('undo', { quarantine: '1' }, { password: secret });
    const whole = await refusal(returning((await quarantined()).a, wrong));
    expect(whole).toMatchObject({ code: 'PasswordRejected', derivations: 1 });
    const { a, folder } = await quarantined();
    await damage(folder, damages['the wrapper of the Basic User Key']);
    expect(await refusal(returning(a, password))).toEqual(whole);
  });

  it('that is locked does not tell whether the password would have been right', async () => {
    const { a } = await copyWorld(made);
    const now = a.ports.clock();
    a.ports = { ...a.ports, clock: () => now };
    for (let tries = 0; tries < 5; tries++) await rejection(using(a, wrong));
    const right = await refusal(using(a, password));
    expect(right.code).toBe('LockedOut');
    expect(await refusal(using(a, wrong))).toEqual(right);
  });
});

describe('an authority', () => {
  const backupOf = async ({ a, share }: World): Promise<string> =>
    (
      await a.one<AuthorityResult>(
        'authority-password',
        { newBackupPath: share },
        { ownerPassword, newPassword: `${ownerPassword} new` },
      )
    ).backupPath ?? '';
  const granting = (world: World, secret: string | undefined, backupPath?: string) => () =>
    world.a.run(
      'access-grant',
      { path: join(world.share, 'PC-B.spid'), ...(backupPath === undefined ? {} : { backupPath }) },
      secret === undefined ? {} : { ownerPassword: secret },
    );
  const withoutPaths = ({ text, ...rest }: Refusal, world: World): Refusal => ({
    ...rest,
    text: text.replaceAll(world.folder, ''),
  });

  it('says of a damaged slot, of a damaged salt, and of a wrong Owner Password the same', async () => {
    const first = await copyWorld(made);
    const whole = withoutPaths(await refusal(granting(first, wrong)), first);
    expect(whole).toMatchObject({ code: 'OwnerPasswordRejected', derivations: 1 });
    for (const field of ['sealed', 'nonce12', 'salt'] as const) {
      const world = await copyWorld(made);
      const path = join(world.a.ports.platform.path, 'private', 'authority');
      const file = decodeAuthorityFile(await readFile(path), path);
      const [owner, ...backup] = file.slots;
      const slot = { ...owner, [field]: flipped(owner[field]) };
      await writeFile(path, encodeAuthorityFile({ ...file, slots: [slot, ...backup] as typeof file.slots }));
      expect(withoutPaths(await refusal(granting(world, ownerPassword)), world), field).toEqual(whole);
    }
  });

  it('says of a damaged backup slot and of another backup key the same', async () => {
    const world = await copyWorld(made);
    const old = await backupOf(world);
    const outdated = join(world.share, 'outdated.spownerbackup');
    await writeFile(outdated, await readFile(old));
    await world.a.run(
      'authority-password',
      { newBackupPath: world.share, overwrite: true },
      { ownerPassword: `${ownerPassword} new`, newPassword: ownerPassword },
    );
    const other = await refusal(granting(world, undefined, outdated));
    expect(other.code).toBe('OwnerPasswordRejected');
    const path = join(world.a.ports.platform.path, 'private', 'authority');
    const file = decodeAuthorityFile(await readFile(path), path);
    const [owner, backup] = file.slots;
    if (backup === undefined) throw new Error('no backup slot');
    const slots = [owner, { ...backup, sealed: flipped(backup.sealed) }] as const;
    await writeFile(path, encodeAuthorityFile({ ...file, slots }));
    expect(await refusal(granting(world, undefined, old))).toEqual(other);
  });
});

describe('an archive', () => {
  const importing =
    (computer: Computer, { path }: ArchiveResult, secrets: Record<string, string>) =>
    () =>
      computer.run('import', { path }, secrets);
  const exporting = (world: World, name: string, secrets: Record<string, string>) =>
    world.a.one<ArchiveResult>('export', { path: join(world.share, name), destination: 'PC-B' }, secrets);

  it('says of a wrong password, a wrong transfer code and both the same: fresh, and in a merge', async () => {
    const world = await copyWorld(made);
    const archive = await exporting(world, 'code.sparc', { password, transferCode });
    const otherCode = '0000-0000-0000-0000';
    const guesses = [
      { password: wrong, transferCode },
      { password, transferCode: otherCode },
      { password: wrong, transferCode: otherCode },
    ];
    const fresh: Refusal[] = [];
    for (const secrets of guesses) fresh.push(await refusal(importing(world.b, archive, secrets)));
    expect(fresh[0]).toMatchObject({ code: 'PasswordRejected', derivations: 1 });
    expect(fresh[1]).toEqual(fresh[0]);
    expect(fresh[2]).toEqual(fresh[0]);

    await world.b.run('import', { path: archive.path }, { password, transferCode });
    const merge: Refusal[] = [];
    for (const secrets of guesses) {
      const withCurrent = { ...secrets, currentPassword: password };
      merge.push(await refusal(importing(world.b, archive, withCurrent)));
    }
    expect(merge[0]).toMatchObject({ code: 'PasswordRejected', text: fresh[0]?.text, derivations: 2 });
    expect(merge[1]).toEqual(merge[0]);
    expect(merge[2]).toEqual(merge[0]);
  });

  it('costs the same whichever of two passwords is wrong: in a merge, and where a key continues', async () => {
    const world = await copyWorld(made);
    const { a, b } = world;
    await b.run('import', { path: (await exporting(world, 'first.sparc', { password })).path }, { password });
    await a.run('user-password', {}, { password, newPassword });
    const merging = await exporting(world, 'merge.sparc', { password: newPassword });
    await a.run('user-new-key', {}, { password: newPassword });
    const continuing = await exporting(world, 'continue.sparc', { password: newPassword });
    for (const archive of [merging, continuing]) {
      const costs: number[] = [];
      for (const secrets of [
        { password: newPassword, currentPassword: wrong },
        { password: wrong, currentPassword: password },
        { password: wrong, currentPassword: wrong },
      ]) {
        const { code, derivations: cost } = await refusal(importing(b, archive, secrets));
        expect(code).toBe('PasswordRejected');
        costs.push(cost);
      }
      expect(costs).toEqual([2, 2, 2]);
    }
  });

  it('that is damaged is said to be before any password is tried', async () => {
    const world = await copyWorld(made);
    const archive = await exporting(world, 'damaged.sparc', { password });
    await writeFile(archive.path, flipped(await readFile(archive.path)));
    const refusals: Refusal[] = [];
    for (const secret of [password, wrong])
      refusals.push(await refusal(importing(world.b, archive, { password: secret })));
    expect(refusals[0]?.derivations).toBe(0);
    expect(refusals[1]).toEqual(refusals[0]);
  });
});
