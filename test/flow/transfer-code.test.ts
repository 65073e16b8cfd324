/**
 * An archive with a transfer code, through the operations: what the export says before and after, and that the archive
 * opens with the code and with nothing else. How the command line makes and shows a code: cli/transfer-code.test.ts; the
 * module: psmodule/transfer-code.test.ts.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { deriveRoot } from '../../core/src/crypto/kdf.ts';
import { parseTransferCode } from '../../core/src/domain/transfer-code.ts';
import { openArchive, readArchive } from '../../core/src/sealing/archive.ts';
import { UserKeys } from '../../core/src/sealing/user-keys.ts';
import type { ArchiveResult } from '../../core/src/operations/results.ts';
import {
  copyWorld,
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

const transferCode = '7KQ2-90AB-CDEF-GH1J';

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

const target = (world: World) => ({ path: join(world.share, 'coded.sparc'), destination: 'PC-B' });

/** An archive from PC-A for PC-B that needs `transferCode`. */
function exportCoded(world: World, code = transferCode): Promise<ArchiveResult> {
  return world.a.one<ArchiveResult>('export', target(world), { password, transferCode: code });
}

describe('an export with a transfer code', () => {
  it('says before and after that the archive opens only together with it', async () => {
    const world = await copyWorld(made);
    const { plan } = await world.a.plan('export', target(world), { transferCode });
    expect(plan.lines.join('\n')).toContain('transfer code');
    const archive = await exportCoded(world);
    expect(archive.transferCodeRequired).toBe(true);
    const [read] = await world.b.run<ArchiveResult>('archive-read', { path: archive.path });
    expect(read?.transferCodeRequired).toBe(true);
  });

  it('without one is as before, and no line speaks of one', async () => {
    const world = await copyWorld(made);
    const { plan } = await world.a.plan('export', target(world));
    expect(plan.lines.join('\n')).not.toContain('transfer code');
    const archive = await world.a.one<ArchiveResult>('export', target(world), { password });
    expect(archive.transferCodeRequired).toBe(false);
  });

  it('has another plan than without one, and the same with any code: it depends on no secret', async () => {
    const world = await copyWorld(made);
    const without = await world.a.plan('export', target(world));
    const first = await world.a.plan('export', target(world), { transferCode });
    const second = await world.a.plan('export', target(world), { transferCode: '0000-0000-0000-0000' });
    expect(first.planId).not.toBe(without.planId);
    expect(second.planId).toBe(first.planId);
  });

  it.each(['', '7KQ2', '7KQ2-90AB-CDEF-GH1U', `${transferCode}0`])(
    'is refused before anything is written where the code is %j',
    async (code) => {
      const world = await copyWorld(made);
      const error = await refused(world, 'TransferCodeMalformed', () => exportCoded(world, code));
      if (code !== '') expect(`${error.message} ${error.hint}`).not.toContain(code);
      await refused(world, 'TransferCodeMalformed', () =>
        world.a.plan('export', target(world), { transferCode: code }),
      );
    },
  );

  it('leaves the code neither in the archive nor in anything on the source', async () => {
    const world = await copyWorld(made);
    const { path } = await exportCoded(world);
    const history = await world.a.run('history');
    expect(JSON.stringify(history)).not.toContain(transferCode);
    const archive = await readFile(path);
    expect(archive.includes(transferCode)).toBe(false);
    expect(archive.includes(transferCode.replaceAll('-', ''))).toBe(false);
  });
});

describe('a thief of the archive, the destination and the password', () => {
  /** The archive's inner wrapper and environment, tried with keys that do or do not know the code. */
  async function tryToOpen(
    world: World,
    path: string,
    code: SecretBytes | undefined,
    vault: SecretBytes | undefined,
  ) {
    const { archives } = world.b.ports;
    const chip = await world.b.ports.chip('software');
    const read = readArchive(await archives.unpack(new Uint8Array(await readFile(path)), path), path);
    const { manifest } = read;
    using typed = new SecretBytes(utf8(password));
    using root = await deriveRoot(typed, manifest.passwordSalt);
    using keys = new UserKeys(root);
    using innerKey = keys.innerKey(manifest.archive, code);
    const blob = await chip.importBasicUserKey(read.basicUserKey, read.duplicate, innerKey);
    const loaded = await chip.loadBasicUserKey(blob, keys.basicUserAuth);
    try {
      using vaultKey = await loaded.openVaultKey(read.vaultKey, keys.vaultAuth);
      using archiveKey = keys.archiveKey(vaultKey, manifest.archive, vault);
      return openArchive(read, archiveKey, path).publicPart.credentials.length;
    } finally {
      await loaded.dispose();
    }
  }

  it('gets neither the key from the chip nor the environment from the archive without the code', async () => {
    const world = await copyWorld(made);
    const { path } = await exportCoded(world);
    const code = new SecretBytes(parseTransferCode(transferCode) ?? new Uint8Array());
    const wrong = new SecretBytes(new Uint8Array(10));
    expect(await tryToOpen(world, path, code, code)).toBe(1);
    for (const guess of [undefined, wrong])
      expect((await rejection(() => tryToOpen(world, path, guess, guess))).code).toBe('PasswordRejected');
    // Whoever has the Basic User Key already (a merge) is stopped by the second key.
    for (const guess of [undefined, wrong])
      expect((await rejection(() => tryToOpen(world, path, code, guess))).code).toBe('PasswordRejected');
  });
});
