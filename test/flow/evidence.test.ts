/**
 * Grants, archives and receipts against the history that is here (docs/spec/history.md, "Evidence"): whole, cut off, written
 * anew, older than the kept record, of somebody else, and where the history itself says nothing.
 */
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createHistory } from '../../core/src/adapters/store-file/history.ts';
import { sha256 } from '../../core/src/crypto/hash.ts';
import { decodeReceipt, encodeReceipt } from '../../core/src/format/receipt-v1.ts';
import { toId } from '../../core/src/domain/ids.ts';
import type {
  ArchiveResult,
  CheckResult,
  ImportResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import type { Computer } from '../testkit/computer.ts';
import { createFileSystem } from '../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../core/src/adapters/system/processes.ts';
import {
  copyWorld,
  fingerprintOf,
  grant,
  makeWorld,
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
}, 60_000);
afterAll(() => removeWorld(made));

interface Evidence extends World {
  readonly grantPath: string;
  readonly archivePath: string;
  readonly receiptPath: string;
}

/** A's grant and archive, and B's receipt of its import, in the share. */
async function imported(): Promise<Evidence> {
  const world = await copyWorld(made);
  const { a, b, share } = world;
  const granted = await grant(world, a, b);
  const grantPath = join(share, basename(granted.path));
  await copyFile(granted.path, grantPath);
  const archive = await a.one<ArchiveResult>(
    'export',
    { path: share, destination: 'PC-B', overwrite: true },
    { password },
  );
  const result = await b.one<ImportResult>(
    'import',
    { path: archive.path, receiptPath: share },
    { password },
  );
  return { ...world, grantPath, archivePath: archive.path, receiptPath: result.receiptPath ?? '' };
}

async function judged(computer: Computer, ...evidence: readonly string[]): Promise<readonly CheckResult[]> {
  const checks = await computer.run<CheckResult>('platform-test', { evidence });
  return checks.filter(({ name }) => name.startsWith('Evidence '));
}

const historyOf = async (computer: Computer, scope: 'user' | 'platform'): Promise<string> =>
  scope === 'platform'
    ? join(computer.home, 'platform', 'private', 'history')
    : join((await computer.one<StatusResult>('status')).environmentPath ?? '', 'history');

async function withoutLastLines(path: string, count: number): Promise<void> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  await writeFile(
    path,
    lines
      .slice(0, -1 - count)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

describe('evidence', () => {
  it('of this history is found in it, on both computers, and nothing is changed by looking', async () => {
    const { folder, share, a, b, grantPath, archivePath, receiptPath } = await imported();
    const before = await fingerprintOf(folder);
    const onA = await judged(a, grantPath, archivePath, receiptPath);
    expect(onA.map(({ code, hint }) => [code, hint])).toEqual(Array(3).fill([null, null]));
    expect(onA[0]?.message).toMatch(/^The history is the one with which the grant was made \(line \d+\)\.$/);
    expect(onA[2]?.message).toMatch(/^The receipt is for the archive that line \d+ .* imported on PC-B\.$/);
    const [receipt] = await judged(b, receiptPath);
    expect(receipt).toMatchObject({ passed: true, hint: null });
    expect(receipt?.message).toMatch(/with which the receipt was made/);
    // A folder stands for what lies in it.
    const names = (await judged(a, share)).map(({ name }) => name).sort();
    expect(names).toEqual([grantPath, archivePath, receiptPath].map((path) => `Evidence ${path}`).sort());
    expect(await fingerprintOf(folder)).toEqual(before);
  });

  it('shows a history whose end was cut off, which its own chain cannot', async () => {
    const { a, b, grantPath, archivePath, receiptPath } = await imported();
    // The platform's newest line is the grant; the head in the grant is the one before.
    await withoutLastLines(await historyOf(a, 'platform'), 2);
    // The user's newest line is the export, whose archive has the head before it.
    await withoutLastLines(await historyOf(a, 'user'), 2);
    await withoutLastLines(await historyOf(b, 'user'), 1);
    const chains = (await a.run<CheckResult>('platform-test')).filter(({ name }) =>
      name.startsWith('History'),
    );
    expect(chains.map(({ passed }) => passed)).toEqual([true, true]);
    const codes = (await judged(a, grantPath, archivePath, receiptPath)).map(({ code }) => code);
    expect(codes).toEqual(['HistoryRewritten', 'HistoryRewritten', 'HistoryRewritten']);
    expect((await judged(b, receiptPath)).map(({ code }) => code)).toEqual(['HistoryRewritten']);
  });

  it('shows a history that was written anew as a whole', async () => {
    const { a, archivePath } = await imported();
    const path = await historyOf(a, 'user');
    await rm(path);
    const disk = createFileSystem(process.platform);
    const processes = createProcesses(process.platform);
    const forger = createHistory({ disk, processes, sha256, platformFile: '/nowhere', userFile: path });
    for (let line = 0; line < 6; line++) {
      const event = { time: a.ports.clock(), operation: 'export', outcome: 'ok', account: 'x', facts: {} };
      await forger.append('user', event);
    }
    expect((await judged(a, archivePath))[0]).toMatchObject({ code: 'HistoryRewritten' });
  });

  it('of an archive that was never exported here shows in the receipt', async () => {
    const { a, receiptPath } = await imported();
    const receipt = decodeReceipt(new Uint8Array(await readFile(receiptPath)), receiptPath);
    const invented = { ...receipt, archive: toId('ArchiveId', 'ab'.repeat(16)) };
    await writeFile(receiptPath, encodeReceipt(invented));
    const [check] = await judged(a, receiptPath);
    expect(check).toMatchObject({ passed: false, code: 'HistoryRewritten' });
    expect(check?.message).toContain('ab'.repeat(16));
  });

  it('that is older than the kept record is said to be', async () => {
    const { a, archivePath } = await imported();
    const path = await historyOf(a, 'user');
    const disk = createFileSystem(process.platform);
    const processes = createProcesses(process.platform);
    const small = { disk, processes, sha256, platformFile: '/nowhere', userFile: path, fullBytes: 600 };
    const later = a.ports.clock() + 60;
    for (let line = 0; line < 40; line++) {
      const event = { time: later, operation: 'export', outcome: 'ok', account: 'x', facts: {} };
      await createHistory(small).append('user', event);
    }
    const [check] = await judged(a, archivePath);
    expect(check).toMatchObject({ passed: true, message: 'It is older than the record that is kept here.' });
    expect(check?.hint).not.toBeNull();
  });

  it('of another computer, another account or another authority says nothing here', async () => {
    const { a, b, c, grantPath, archivePath, receiptPath } = await imported();
    for (const check of [
      ...(await judged(b, grantPath, archivePath)),
      ...(await judged(c, grantPath, archivePath, receiptPath)),
    ]) {
      expect(check).toMatchObject({ passed: true, code: null });
      expect(check.hint).toContain('follows from it');
    }
    const { current } = a.ports.account;
    const other = async (id: Parameters<typeof current>[0]) => ({
      ...(await current.call(a.ports.account, id)),
      id: `uid:4711@${String(id)}`,
    });
    a.ports = { ...a.ports, account: { ...a.ports.account, current: other } };
    for (const check of await judged(a, archivePath, receiptPath)) expect(check.hint).toContain('follows');
  });

  it('is not called rewritten where the history is broken already, or may not be read', async () => {
    const { a, grantPath, archivePath } = await imported();
    const path = await historyOf(a, 'user');
    await writeFile(path, (await readFile(path, 'utf8')).replace('credential-new', 'credential-old'));
    const checks = await a.run<CheckResult>('platform-test', { evidence: [archivePath] });
    expect(checks.find(({ name }) => name === 'History (user)')?.code).toBe('HistoryBroken');
    expect(checks.find(({ name }) => name.startsWith('Evidence'))?.message).toContain('not be compared');
    a.ports = { ...a.ports, account: { ...a.ports.account, isAdministrator: () => Promise.resolve(false) } };
    const [check] = await judged(a, grantPath);
    expect(check).toMatchObject({ passed: true });
    expect(check?.message).toContain('not be compared');
  });

  it('that is none of the three is named for what it is', async () => {
    const { a, share, grantPath } = await imported();
    const wrong = join(share, 'notes.txt');
    await writeFile(wrong, 'not ours');
    expect(await judged(a, wrong, made.identity.path)).toMatchObject([
      { passed: false, code: 'WrongFileKind' },
      { passed: false, code: 'WrongFileKind' },
    ]);
    const text = await readFile(grantPath, 'utf8');
    await writeFile(grantPath, text.replace('PC-B', 'PC-X'));
    expect((await judged(a, grantPath))[0]).toMatchObject({ passed: false, code: 'SignatureInvalid' });
  });
});
