/**
 * The software chip where the operating system encrypts its storage key for this computer (version 2 of the file): the contract,
 * and what a copy of the file is worth elsewhere. A double stands in for Windows (test/windows/protection.test.ts has the real one).
 */
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSoftwareChip } from '../../core/src/adapters/chip-software/software-chip.ts';
import { readStorageKey } from '../../core/src/adapters/chip-software/storage-key-file.ts';
import { createFileSystem } from '../../core/src/adapters/system/node-file-system.ts';
import { ascii, concat, plain, toHex } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { ByteWriter } from '../../core/src/bytes/reader.ts';
import { fail } from '../../core/src/domain/error.ts';
import type { Chip } from '../../core/src/ports/chip.ts';
import type { MachineProtection } from '../../core/src/ports/machine-protection.ts';
import { protectionOf, refusedByComputer } from '../testkit/machine-protection.ts';
import { describeChip } from './chip.ts';

const disk = createFileSystem('linux');
const random = (length: number): Uint8Array => plain(randomBytes(length));
const here = protectionOf('PC-A');
const head = 'SPMigration storage-key v2\n';

describeChip('software, protected', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-chip-'));
  const reopen = (): Chip => createSoftwareChip({ folder, disk, random, protection: here });
  return { chip: reopen(), reopen, close: () => rm(folder, { recursive: true }) };
});

describe('the software chip with a protected storage key', () => {
  let folder: string;
  let path: string;
  const chipOf = (protection?: MachineProtection): Chip =>
    createSoftwareChip({ folder, disk, random, ...(protection !== undefined && { protection }) });
  const refused = { code: 'StorageKeyNotOpened', details: { problem: refusedByComputer } };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spmigration-chip-'));
    path = join(folder, 'storage-key');
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('has a file that holds neither scalar nor seedValue, nor parts of them', async () => {
    await chipOf(here).provision();
    const bytes = plain(await readFile(path));
    expect(new TextDecoder().decode(bytes.slice(0, head.length))).toBe(head);
    using key = await readStorageKey({ disk, path, protection: here });
    expect(toHex(bytes)).toContain(toHex(key.public));
    for (const secret of [key.privateKey, key.seedValue]) {
      for (let offset = 0; offset + 8 <= secret.length; offset++)
        expect(toHex(bytes)).not.toContain(toHex(secret.reveal.slice(offset, offset + 8)));
    }
  });

  test('says what that is worth, as long as its file is so', async () => {
    const bound = /Windows opens the file of that key on this computer only/;
    expect((await chipOf(here).describe()).enforcement).toMatch(bound);
    await chipOf(here).provision();
    expect((await chipOf(here).describe()).enforcement).toMatch(bound);
    expect((await chipOf().describe()).enforcement).not.toMatch(bound);
    await rm(path);
    await chipOf().provision();
    expect((await chipOf(here).describe()).enforcement).not.toMatch(bound);
    await writeFile(path, 'nonsense');
    expect((await chipOf(here).describe()).enforcement).not.toMatch(bound);
  });

  test('is opened by no other computer, and by no system without such protection', async () => {
    const key = await chipOf(here).provision();
    await expect(chipOf(protectionOf('PC-B')).storageKey()).rejects.toMatchObject(refused);
    await expect(chipOf().storageKey()).rejects.toMatchObject({ code: 'StorageKeyNotOpened' });
    expect(toHex(await chipOf(here).storageKey())).toBe(toHex(key));
  });

  test('is opened with no byte changed', async () => {
    await chipOf(here).provision();
    const whole = plain(await readFile(path));
    for (let index = 0; index < whole.length; index++) {
      const changed = whole.slice();
      changed[index] = (changed[index] ?? 0) ^ 1;
      await writeFile(path, changed);
      const code = index < head.length ? /PlatformDamaged|StoreNewer/ : /PlatformDamaged|StorageKeyNotOpened/;
      const refusal = await chipOf(here)
        .storageKey()
        .then(() => 'opened', String);
      expect([index, refusal]).toEqual([index, expect.stringMatching(/SPMigrationError/)]);
      await expect(chipOf(here).storageKey()).rejects.toMatchObject({
        code: expect.stringMatching(code) as string,
      });
    }
  });

  test('is damaged where what opens is not a key, or another one than it says', async () => {
    const { public: area } = await (async () => {
      await chipOf(here).provision();
      using key = await readStorageKey({ disk, path, protection: here });
      return { public: key.public };
    })();
    const write = (secret: Uint8Array, tail: Uint8Array = new Uint8Array()): Promise<void> => {
      const before = new ByteWriter().raw(ascii(head)).sized16(area).done();
      const bytes = here.protect(new SecretBytes(secret), before);
      return writeFile(path, concat(before, new ByteWriter().sized16(bytes).done(), tail));
    };
    const damaged = (problem: string): object => ({
      code: 'PlatformDamaged',
      details: { problem: `the storage key ${problem}` },
    });
    await write(random(63));
    await expect(chipOf(here).storageKey()).rejects.toMatchObject(damaged('has another length'));
    await write(new Uint8Array(64));
    await expect(chipOf(here).storageKey()).rejects.toMatchObject(damaged('has no valid private key'));
    await write(concat(new Uint8Array(31), Uint8Array.of(5), random(32)));
    await expect(chipOf(here).storageKey()).rejects.toMatchObject(
      damaged('does not belong to its public area'),
    );
    await write(random(64), Uint8Array.of(0));
    await expect(chipOf(here).storageKey()).rejects.toMatchObject(damaged('has trailing bytes'));
  });

  test('leaves a file of version 1 as it is, and uses it', async () => {
    const key = await chipOf().provision();
    const before = await readFile(path);
    expect(toHex(await chipOf(here).provision())).toBe(toHex(key));
    expect(await readFile(path)).toEqual(before);
  });

  test('is set aside where it does not open, for a new one, and is not lost', async () => {
    const first = await chipOf(here).provision();
    const before = await readFile(path);
    const elsewhere = chipOf(protectionOf('PC-B'));
    const second = await elsewhere.provision();
    expect(toHex(second)).not.toBe(toHex(first));
    expect(toHex(await elsewhere.storageKey())).toBe(toHex(second));
    const aside = (await readdir(folder)).filter((name) => name !== 'storage-key');
    expect(aside).toEqual([expect.stringMatching(/^storage-key\.[0-9a-f]{16}\.unopened$/)]);
    expect(await readFile(join(folder, aside[0] ?? ''))).toEqual(before);
    // Back where it was made, it needs its name only.
    await copyFile(join(folder, aside[0] ?? ''), path);
    expect(toHex(await chipOf(here).storageKey())).toBe(toHex(first));
  });

  test('is not set aside where it is damaged, or where the system cannot tell now', async () => {
    await chipOf(here).provision();
    const cannotTell: MachineProtection = {
      ...here,
      unprotect: () => {
        throw fail('StorageFailed', { path: 'Windows', problem: 'CryptUnprotectData answered 1722' });
      },
    };
    await expect(chipOf(cannotTell).provision()).rejects.toMatchObject({ code: 'StorageFailed' });
    await writeFile(path, 'nonsense');
    await expect(chipOf(here).provision()).rejects.toMatchObject({ code: 'PlatformDamaged' });
    expect(await readdir(folder)).toEqual(['storage-key']);
  });
});
