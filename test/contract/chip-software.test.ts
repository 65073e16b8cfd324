/** The software chip: the contract, and what only it must do: its file, its permissions, irregular chains. */
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { plain, toHex } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { createSoftwareChip } from '../../core/src/adapters/chip-software/software-chip.ts';
import { generateStorageKey } from '../../core/src/adapters/chip-software/storage-key.ts';
import { writeStorageKey } from '../../core/src/adapters/chip-software/storage-key-file.ts';
import { createFileSystem } from '../../core/src/adapters/system/node-file-system.ts';
import type { Chip } from '../../core/src/ports/chip.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import { bukBranches, bukPolicy, policyAuthorize, REF_ANY } from '../../core/src/tpm2/policy.ts';
import { makeAuthority } from '../testkit/chain.ts';
import { describeChip } from './chip.ts';

const disk = createFileSystem('linux');
const random = (length: number): Uint8Array => plain(randomBytes(length));

describeChip('software', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-chip-'));
  const reopen = (): Chip => createSoftwareChip({ folder, disk, random });
  return { chip: reopen(), reopen, close: () => rm(folder, { recursive: true }) };
});

/** Runs `work` as an account that may not enter `folder`. Permissions do not bind root, so root becomes nobody for it. */
async function withoutPermission(folder: string, work: () => Promise<void>): Promise<void> {
  await chmod(folder, 0o000);
  const wasRoot = process.geteuid?.() === 0;
  if (wasRoot) process.seteuid?.('nobody');
  try {
    await work();
  } finally {
    if (wasRoot) process.seteuid?.(0);
    await chmod(folder, 0o700);
  }
}

describe('the software chip', () => {
  let folder: string;
  let path: string;
  let chip: Chip;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spmigration-chip-'));
    path = join(folder, 'storage-key');
    chip = createSoftwareChip({ folder, disk, random });
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('says that programs are not kept out, and what its caller adds', async () => {
    const described = await createSoftwareChip({
      folder,
      disk,
      random,
      enforcementNote: 'A rehearsal.',
    }).describe();
    expect(described).toMatchObject({ kind: 'software', model: 'Software chip' });
    expect(described.enforcement).toMatch(/every account .* can read\. A rehearsal\.$/);
  });

  test('users read its file and nobody else writes it, whatever the mask of the process', async () => {
    const mask = process.umask(0o077);
    try {
      await chip.provision();
    } finally {
      process.umask(mask);
    }
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    expect(await readdir(folder)).toEqual(['storage-key']);
  });

  test('of many that provision at once all get the one key that is there afterwards', async () => {
    const keys = await Promise.all(
      Array.from({ length: 8 }, () => createSoftwareChip({ folder, disk, random }).provision()),
    );
    const kept = toHex(await chip.storageKey());
    expect(keys.map(toHex)).toEqual(Array.from({ length: 8 }, () => kept));
    expect(await readdir(folder)).toEqual(['storage-key']);
  });

  test('a key that was made meanwhile is kept: the later one is dropped', async () => {
    const first = toHex(await chip.provision());
    using late = generateStorageKey(random);
    using kept = await writeStorageKey({ disk, path }, late, random);
    expect(toHex(late.public)).not.toBe(first);
    expect(toHex(kept.public)).toBe(first);
    expect(toHex(await chip.storageKey())).toBe(first);
    expect(await readdir(folder)).toEqual(['storage-key']);
  });

  test('what a program left that was stopped while it wrote the key goes with the next provisioning, and only that', async () => {
    await chip.provision();
    const [leftOver, other] = [`${path}.0123456789abcdef.tmp`, join(folder, 'other.tmp')];
    for (const file of [leftOver, other]) await writeFile(file, await readFile(path));
    await chip.provision();
    expect((await readdir(folder)).sort()).toEqual(['other.tmp', 'storage-key']);
  });

  test('a present file is never replaced: not when damaged, not when newer', async () => {
    await chip.provision();
    const whole = await readFile(path);
    const cases: readonly (readonly [string, Uint8Array, string])[] = [
      ['empty', new Uint8Array(0), 'PlatformDamaged'],
      ['cut', whole.subarray(0, -1), 'PlatformDamaged'],
      ['longer', Buffer.concat([whole, Buffer.of(0)]), 'PlatformDamaged'],
      ['another kind', Buffer.concat([Buffer.from('X'), whole]), 'PlatformDamaged'],
      [
        'version 0',
        Buffer.from(whole.toString('latin1').replace(' v1\n', ' v0\n'), 'latin1'),
        'PlatformDamaged',
      ],
      ['much too long', new Uint8Array(5000), 'PlatformDamaged'],
      ['newer', Buffer.from('SPMigration storage-key v3\nwhatever comes'), 'StoreNewer'],
      ['far newer', Buffer.from('SPMigration storage-key v12\n'), 'StoreNewer'],
    ];
    for (const [what, bytes, code] of cases) {
      await writeFile(path, bytes);
      await expect(chip.storageKey(), what).rejects.toMatchObject({ code });
      await expect(chip.provision(), what).rejects.toMatchObject({ code });
      expect(new Uint8Array(await readFile(path)), what).toEqual(new Uint8Array(bytes));
    }
    await writeFile(path, whole);
    await expect(chip.storageKey()).resolves.toBeDefined();
  });

  test('public area and private key in the file must belong together', async () => {
    await chip.provision();
    const whole = await readFile(path);
    const headBytes = 'SPMigration storage-key v1\n'.length + 2;
    for (const index of [headBytes, headBytes + 100, whole.length - 40]) {
      const changed = Buffer.from(whole);
      changed[index] = (changed[index] ?? 0) ^ 1;
      await writeFile(path, changed);
      await expect(chip.storageKey(), `byte ${index}`).rejects.toMatchObject({ code: 'PlatformDamaged' });
    }
  });

  test('a folder that is missing or a file is an error of the storage; the chip makes none', async () => {
    const missing = createSoftwareChip({ folder: join(folder, 'missing'), disk, random });
    await expect(missing.provision()).rejects.toMatchObject({ code: 'StorageFailed' });
    await writeFile(path, 'a file');
    const below = createSoftwareChip({ folder: path, disk, random });
    await expect(below.provision()).rejects.toMatchObject({ code: 'StorageFailed' });
    expect(await readdir(folder)).toEqual(['storage-key']);
  });

  test('a folder without permission is StorageDenied', async () => {
    await chip.provision();
    await withoutPermission(folder, async () => {
      await expect(chip.storageKey()).rejects.toMatchObject({ code: 'StorageDenied' });
      await expect(chip.provision()).rejects.toMatchObject({ code: 'StorageDenied' });
    });
    await expect(chip.storageKey()).resolves.toBeDefined();
  });

  test('chains that a TPM would follow but nobody may sign are refused', async () => {
    const nonce = random(16);
    const [authority, delegate] = [makeAuthority(), makeAuthority()];
    const auth = new SecretBytes(random(32));
    const newParent = await chip.provision();
    const buk = await chip.createBasicUserKey(bukPolicy(authority.name, nonce), auth);
    const loaded = await chip.loadBasicUserKey(buk, auth);
    const innerKey = new SecretBytes(random(16));
    const branches = bukBranches(authority.name, nonce);
    const [, one] = bukBranches(delegate.name, nonce);
    const underAny = policyAuthorize(delegate.name, REF_ANY);
    const irregular = {
      'a delegation to refOne under refAny': [
        delegate.moveOne(nonce, nameOf(newParent)),
        authority.approve(one, REF_ANY),
      ],
      'a delegation to refAny under refAny': [
        delegate.grant(nameOf(newParent)),
        authority.approve(underAny, REF_ANY),
      ],
      'a delegation to refAny under refOne': [
        delegate.grant(nameOf(newParent)),
        authority.approve(underAny, authority.moveOne(nonce, nameOf(newParent)).policyRef),
      ],
    };
    for (const [what, steps] of Object.entries(irregular)) {
      await expect(loaded.duplicate({ newParent, steps, branches, innerKey }), what).rejects.toMatchObject({
        code: 'DestinationNotAuthorized',
        details: { reason: 'a delegation is not bound to this key' },
      });
    }
    await loaded.dispose();
  });

  test('keys that are not of this product are refused, and so is a destination that is no storage key', async () => {
    const authority = makeAuthority();
    const nonce = random(16);
    const auth = new SecretBytes(random(32));
    await chip.provision();
    const buk = await chip.createBasicUserKey(bukPolicy(authority.name, nonce), auth);
    const loaded = await chip.loadBasicUserKey(buk, auth);
    const sealed = await loaded.sealVaultKey(new SecretBytes(random(32)), auth);
    await expect(chip.loadBasicUserKey(sealed, auth)).rejects.toMatchObject({ code: 'ChipFailed' });
    await expect(loaded.openVaultKey(buk, auth)).rejects.toMatchObject({ code: 'ChipFailed' });
    const request = {
      newParent: authority.public,
      steps: [authority.grant(nameOf(authority.public))],
      branches: bukBranches(authority.name, nonce),
      innerKey: new SecretBytes(random(16)),
    };
    await expect(loaded.duplicate(request)).rejects.toMatchObject({ code: 'DestinationNotAuthorized' });
    await loaded.dispose();
    await expect(loaded.sealVaultKey(auth, auth)).rejects.toThrow('cleared');
  });
});
