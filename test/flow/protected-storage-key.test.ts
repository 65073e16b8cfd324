/**
 * A platform whose software storage key is encrypted by the operating system for its computer, and that came to another one: as
 * a copy of the disk, or after Windows was installed anew. A double stands in for Windows (test/testkit/machine-protection.ts).
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createSoftwareChip } from '../../core/src/adapters/chip-software/software-chip.ts';
import { createFileSystem } from '../../core/src/adapters/system/node-file-system.ts';
import { systemRandom } from '../../core/src/adapters/system/surroundings.ts';
import type { CheckResult, StatusResult } from '../../core/src/operations/results.ts';
import { Computer } from '../testkit/computer.ts';
import { protectionOf } from '../testkit/machine-protection.ts';
import { makeTemporaryFolder } from '../testkit/temporary-folder.ts';
import { ownerPassword, password } from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const owner = { ownerPassword };

/** The platform in `home` as the computer named so sees it. */
function on(computer: string, home: string): Promise<Computer> {
  return Computer.at(home, {
    chip: () =>
      Promise.resolve(
        createSoftwareChip({
          folder: join(home, 'platform', 'public'),
          disk: createFileSystem('linux'),
          random: systemRandom,
          protection: protectionOf(computer),
        }),
      ),
  });
}

describe('a storage key that its computer encrypts', () => {
  it('opens there only; elsewhere the platform is initialized again, under the same authority', async () => {
    const home = await makeTemporaryFolder();
    const here = await on('PC-A', home);
    const before = await here.one<StatusResult>('platform-initialize', { chip: 'Software' }, owner);
    expect(before.enforcement).toMatch(/on this computer only/);
    await here.run('user-initialize', {}, { password });
    const adding = { subject: 'Anna', algorithm: 'P-256' };
    await here.run('credential-new', adding, { password });

    const elsewhere = await on('PC-B', home);
    const status = await elsewhere.one<StatusResult>('status');
    expect(status).toMatchObject({
      initialized: true,
      chipProblem: expect.stringMatching(/storage-key does not open: this computer refuses it\.$/) as string,
    });
    const refused = { code: 'StorageKeyNotOpened' };
    await expect(elsewhere.run('credential-new', adding, { password })).rejects.toMatchObject(refused);
    const checks = await elsewhere.run<CheckResult>('platform-test');
    expect(checks.filter(({ passed }) => !passed).map(({ code }) => code)).toContain('StorageKeyNotOpened');

    const { plan } = await elsewhere.plan('platform-initialize', { chip: 'Software' }, owner);
    expect(plan.impact).toBe('high');
    expect(plan.lines[0]).toMatch(/storage-key does not open/);
    const wrong = { ownerPassword: 'another Owner Password' };
    await expect(elsewhere.run('platform-initialize', {}, wrong)).rejects.toMatchObject({
      code: 'OwnerPasswordRejected',
    });
    const after = await elsewhere.one<StatusResult>('platform-initialize', { chip: 'Software' }, owner);
    expect(after).toMatchObject({ chipProblem: null, authorityFingerprint: before.authorityFingerprint });
    expect(after.platformId).not.toBe(before.platformId);
    const names = await readdir(join(home, 'platform', 'public'));
    expect(names.filter((name) => name.endsWith('.unopened'))).toHaveLength(1);
    await elsewhere.run('user-initialize', {}, { password });
    await elsewhere.run('credential-new', adding, { password });
    // Where it opens there is nothing to initialize.
    await expect(elsewhere.run('platform-initialize', { chip: 'Software' }, owner)).rejects.toMatchObject({
      code: 'PlatformAlreadyInitialized',
    });
  });
});
