/**
 * Moves from computer to computer, each with an owner of its own, through the operations: the chain of grants that travels and
 * grows, how far it goes, what breaks it, and whom the destination's policy must trust.
 */
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { toHex } from '../../core/src/bytes/bytes.ts';
import { sha256 } from '../../core/src/crypto/hash.ts';
import type { SignedGrant } from '../../core/src/domain/grant.ts';
import { secondsPerDay } from '../../core/src/domain/time.ts';
import { encodeGrants } from '../../core/src/format/grants-v1.ts';
import { encodeManifest } from '../../core/src/format/manifest-v1.ts';
import { encodeSums } from '../../core/src/format/sums-v1.ts';
import type {
  AccessResult,
  ArchiveTestResult,
  HistoryEventResult,
  ImportResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import { readArchive } from '../../core/src/sealing/archive.ts';
import type { Computer } from '../testkit/computer.ts';
import {
  copyWorld,
  grant,
  makeComputer,
  makeWorld,
  ownerPassword,
  password,
  refused,
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

/** The computer at another time. */
function at(computer: Computer, seconds: number): Computer {
  const { clock } = computer.ports;
  computer.ports = { ...computer.ports, clock: () => clock() + seconds };
  return computer;
}

/** Exports with this grant, or with the one that fits. */
async function exportTo(
  world: World,
  from: Computer,
  destination: string,
  choice: { readonly serial?: string } = {},
): Promise<string> {
  const path = join(world.share, `to ${destination}.sparc`);
  const serial = choice.serial === undefined ? {} : { serial: choice.serial };
  await from.run('export', { path, destination, overwrite: true, ...serial }, { password });
  return path;
}

function importAt(computer: Computer, path: string): Promise<ImportResult> {
  return computer.one<ImportResult>('import', { path }, { password });
}

/** Grant, export and import: one hop. */
async function hop(world: World, from: Computer, to: Computer): Promise<string> {
  const { destination } = await grant(world, from, to);
  const path = await exportTo(world, from, destination);
  expect((await importAt(to, path)).case).toBe('Install');
  return path;
}

/** The chain in an archive. */
async function grantsIn(world: World, path: string): Promise<readonly SignedGrant[]> {
  const parts = await world.a.ports.archives.unpack(await readFile(path), path);
  return readArchive(parts, path).grants;
}

/** Puts another chain into an archive, with manifest and sums to fit: what its thief could do, who has no key. */
async function withChain(
  world: World,
  path: string,
  change: (grants: readonly SignedGrant[]) => readonly SignedGrant[],
): Promise<void> {
  const { archives } = world.a.ports;
  const parts = await archives.unpack(await readFile(path), path);
  const { manifest, grants } = readArchive(parts, path);
  const changed = encodeGrants(change(grants).map(({ bytes }) => bytes));
  const entries = { ...manifest.entries, grants: { sizeBytes: changed.length, sha256: sha256(changed) } };
  const text = encodeManifest({ ...manifest, entries });
  const sums = encodeSums({ manifest: sha256(text), environment: sha256(parts.environment) });
  await writeFile(path, await archives.pack({ ...parts, manifest: text, grants: changed, sums }));
}

describe('a key that moves on', () => {
  it('goes from A to B and, each time by the owner there, four times more; a fifth onward move is refused', async () => {
    const world = await copyWorld(made);
    await importAt(world.b, archiveIn(world));
    const computers = [world.a, world.b, world.c];
    for (const name of ['PC-D', 'PC-E', 'PC-F', 'PC-G'])
      computers.push(await makeComputer(world.folder, name));
    const [, b, c, d, e, f, g] = computers as [
      Computer,
      Computer,
      Computer,
      Computer,
      Computer,
      Computer,
      Computer,
    ];
    const authorities = await Promise.all(
      computers.map(async (computer) => (await computer.one<StatusResult>('status')).authorityFingerprint),
    );
    let from = b;
    for (const [index, to] of [c, d, e, f].entries()) {
      const chain = await grantsIn(world, await hop(world, from, to));
      expect(chain).toHaveLength(index + 2);
      const signers = chain.map(({ signer }) => signer);
      expect(signers).toEqual(
        authorities.slice(0, index + 2).map((fingerprint) => fingerprint?.replaceAll(' ', '')),
      );
      from = to;
    }
    // The owner of F may grant, and the chip would even agree: the chain of software ends here.
    await grant(world, f, g);
    const error = await refused(world, 'GrantChainInvalid', () => exportTo(world, f, 'PC-G'));
    expect(error.message).toContain('6 grants would be needed, at most 5 are possible');
    // The root needs no delegation, wherever the key is: with its grant the chain is short again.
    const { path: granted } = await grant(world, world.a, g);
    const path = join(world.share, 'to PC-G.sparc');
    await f.run('export', { path, destination: 'PC-G', grantPath: [granted] }, { password });
    expect(await grantsIn(world, path)).toHaveLength(1);
    expect((await importAt(g, path)).case).toBe('Install');
  }, 60_000);

  it('needs only the last grant within its time: what ended before still delegates', async () => {
    const world = await copyWorld(made);
    await importAt(world.b, archiveIn(world));
    for (const computer of [world.b, world.c]) at(computer, 60 * secondsPerDay);
    const [first] = await grantsIn(world, await hop(world, world.b, world.c));
    expect((first?.grant.notAfter ?? 0) < world.c.ports.clock()).toBe(true);
  });

  it('stops where an earlier grant was revoked, at the export and at the import', async () => {
    const world = await copyWorld(made);
    await importAt(world.b, archiveIn(world));
    await grant(world, world.b, world.c);
    const path = await exportTo(world, world.b, 'PC-C');
    const revoked = await world.a.one<{ path: string }>(
      'access-revoke',
      { serial: made.access.serial },
      { ownerPassword },
    );
    const list = join(world.share, 'list.sprevoked');
    await copyFile(revoked.path, list);
    for (const computer of [world.b, world.c]) await computer.run('revocation-add', { path: list });
    await refused(world, 'GrantRevoked', () => exportTo(world, world.b, 'PC-C'));
    await refused(world, 'GrantRevoked', () => importAt(world.c, path));
    const test = await world.c.one<ArchiveTestResult>('archive-test', { path, forThisComputer: true });
    expect(test.checks.filter(({ passed }) => !passed).map(({ name }) => name)).toEqual(['Revocation']);
  });

  it('does not go on where it was delegated for another key of the same person', async () => {
    const world = await copyWorld(made);
    await importAt(world.b, archiveIn(world));
    // The same person, a new key on A: A's grant from before moves it to B, and delegated the old key only.
    await world.a.run('user-new-key', {}, { password });
    const path = await exportTo(world, world.a, 'PC-B', { serial: made.access.serial });
    await world.b.run('user-remove');
    expect((await importAt(world.b, path)).case).toBe('Install');
    await grant(world, world.b, world.c);
    const error = await refused(world, 'OnwardNotDelegated', () => exportTo(world, world.b, 'PC-C'));
    expect(error.message).toContain(made.access.serial);
  });

  it('does not go on by a grant that was signed before its owner knew the key', async () => {
    const world = await copyWorld(made);
    // Of B, before the key came there: no approval of this key.
    const early = await grant(world, world.b, world.c);
    await importAt(world.b, archiveIn(world));
    await refused(world, 'DestinationNotAuthorized', () =>
      exportTo(world, world.b, 'PC-C', { serial: early.serial }),
    );
    await grant(world, world.b, world.c);
    await exportTo(world, world.b, 'PC-C');
  });
});

describe('a broken chain', () => {
  /** An archive from B for C, and a third grant that is of the same owners and not of this chain. */
  async function atC(): Promise<{ world: World; path: string; other: SignedGrant }> {
    const world = await copyWorld(made);
    await importAt(world.b, archiveIn(world));
    await grant(world, world.b, world.c);
    const path = await exportTo(world, world.b, 'PC-C');
    // A's grant for C itself: signed by the root, for the same destination, and no part of this chain.
    const direct = await exportTo(
      world,
      world.a,
      'PC-C',
      await grant(world, world.a, world.c, { noOnward: true }),
    );
    const [other] = await grantsIn(world, direct);
    if (other === undefined) throw new Error('an archive without grants');
    await exportTo(world, world.b, 'PC-C');
    return { world, path, other };
  }

  const breaks: Readonly<
    Record<string, (grants: readonly SignedGrant[], other: SignedGrant) => readonly SignedGrant[]>
  > = {
    'without its first link': (grants) => grants.slice(1),
    'with its first link exchanged for one that delegates nothing': (grants, other) => [
      other,
      ...grants.slice(1),
    ],
    'with one link too many': (grants, other) => [...grants.slice(0, 1), other, ...grants.slice(1)],
    'with a link twice': (grants) => [...grants.slice(0, 1), ...grants],
  };

  it.each(Object.entries(breaks))('%s is refused, and is named beforehand', async (_, change) => {
    const { world, path, other } = await atC();
    await withChain(world, path, (grants) => change(grants, other));
    const test = await world.c.one<ArchiveTestResult>('archive-test', { path, forThisComputer: true });
    const failed = test.checks.filter(({ passed }) => !passed);
    expect(failed.map(({ name }) => name)).toEqual(['Grants']);
    expect(['GrantChainInvalid', 'BasicUserKeyPolicyWrong']).toContain(failed[0]?.code);
    const code = failed[0]?.code === 'GrantChainInvalid' ? 'GrantChainInvalid' : 'BasicUserKeyPolicyWrong';
    await refused(world, code, () => importAt(world.c, path));
  });

  it('whose links are swapped is for another destination, and says so', async () => {
    const { world, path } = await atC();
    const parts = await world.a.ports.archives.unpack(await readFile(path), path);
    const { grants } = readArchive(parts, path);
    const swapped = [...grants].reverse();
    const changed = encodeGrants(swapped.map(({ bytes }) => bytes));
    expect(changed).not.toEqual(parts.grants);
    await withChain(world, path, () => swapped);
    await refused(world, 'ArchiveChanged', () => importAt(world.c, path));
  });

  it('with a link of which one byte was changed is refused by its signature', async () => {
    const { world, path } = await atC();
    await withChain(world, path, (grants) =>
      grants.map((signed, index) => {
        if (index > 0) return signed;
        const text = new TextDecoder()
          .decode(signed.bytes)
          .replace('destination-computer: PC-B', 'destination-computer: PC-X');
        return { ...signed, bytes: new TextEncoder().encode(text) };
      }),
    );
    await refused(world, 'SignatureInvalid', () => importAt(world.c, path));
  });

  it('with a first link of an authority of one’s own is not the one that the key knows', async () => {
    const { world, path } = await atC();
    const eve = await makeComputer(world.folder, 'PC-EVE');
    const forged = await grant(world, eve, world.b);
    const bytes = await readFile(forged.path);
    await withChain(world, path, (grants) =>
      grants.map((signed, index) => (index > 0 ? signed : { ...signed, bytes })),
    );
    await refused(world, 'BasicUserKeyPolicyWrong', () => importAt(world.c, path));
  });
});

describe('the policy TrustedAuthorities of a destination', () => {
  /** An archive from C for D by the chain A, B, C, and the fingerprints of these authorities. */
  async function atD(): Promise<{
    world: World;
    d: Computer;
    path: string;
    fingerprints: readonly string[];
  }> {
    const world = await copyWorld(made);
    await importAt(world.b, archiveIn(world));
    await hop(world, world.b, world.c);
    const d = await makeComputer(world.folder, 'PC-D');
    await grant(world, world.c, d);
    const path = await exportTo(world, world.c, 'PC-D');
    const fingerprints = (await grantsIn(world, path)).map(({ signer }) => signer);
    return { world, d, path, fingerprints };
  }

  const trusting = (computer: Computer, fingerprints: readonly (string | undefined)[]): Promise<void> =>
    writeFile(
      join(computer.home, 'policy'),
      `SPMigration policy v1\n${[...fingerprints]
        .sort()
        .map((one) => `TrustedAuthorities: ${one ?? ''}\n`)
        .join('')}`,
    );

  it('must list the root and the last signer; whoever stands between needs no trust', async () => {
    const { world, d, path, fingerprints } = await atD();
    const [a, b, c] = fingerprints;
    await trusting(d, [a, b]);
    await refused(world, 'AuthorityNotTrusted', () => importAt(d, path));
    await trusting(d, [b, c]);
    const error = await refused(world, 'AuthorityNotTrusted', () => importAt(d, path));
    expect(error.message.replaceAll(' ', '')).toContain(a);
    await trusting(d, [a, c]);
    const test = await d.one<ArchiveTestResult>('archive-test', { path, forThisComputer: true });
    expect(test.checks.find(({ name }) => name === 'Trust')?.message).toContain('accepts its authorities');
    const result = await importAt(d, path);
    expect(result.anyAuthorityTrusted).toBe(false);
    const [event] = (await d.run<HistoryEventResult>('history')).filter(
      ({ operation, outcome }) => operation === 'import' && outcome === 'ok',
    );
    expect(event?.summary).toContain('a listed authority');
  });

  it('not configured accepts any, which is shown beforehand, in the result and in the history', async () => {
    const { d, path } = await atD();
    const test = await d.one<ArchiveTestResult>('archive-test', { path, forThisComputer: true });
    expect(test.checks.find(({ name }) => name === 'Trust')?.message).toContain('any is accepted');
    expect((await importAt(d, path)).anyAuthorityTrusted).toBe(true);
    const [event] = (await d.run<HistoryEventResult>('history')).filter(
      ({ operation, outcome }) => operation === 'import' && outcome === 'ok',
    );
    expect(event?.summary).toContain('any authority');
  });
});

describe('the separation of owner and person', () => {
  it('row-081: holds on every computer of a chain: each owner decides without the person’s password', async () => {
    const world = await copyWorld(made);
    await importAt(world.b, archiveIn(world));
    const access: AccessResult = await grant(world, world.b, world.c);
    // The owner has no more of the person's than the public half of the key, by its registration.
    const registered = await world.b.ports.platform.registrations();
    expect(registered.files).toHaveLength(1);
    const [file] = registered.files;
    const status = await world.b.one<StatusResult>('status');
    expect(toHex(file?.bytes ?? new Uint8Array())).not.toContain(toHex(new TextEncoder().encode(password)));
    expect(access.onward && status.userInitialized).toBe(true);
    await rm(join(world.b.home, 'platform', 'private', 'authority'));
    // And without the owner's key the person still does what was granted.
    expect((await importAt(world.c, await exportTo(world, world.b, 'PC-C'))).case).toBe('Install');
  });
});
