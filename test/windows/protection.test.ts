/**
 * Windows' data protection, called for real, and the software chip's storage key under it on a platform that is no rehearsal. Wine
 * encrypts with a key that anybody can compute: that another computer does not open it has to be seen on Windows
 * (docs/windows-checklist.md).
 */
import { spawnSync } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { StatusResult } from '../../core/src/operations/results.ts';
import { WINDOWS_USER } from '../../scripts/windows/lane.ts';
import { WindowsComputer } from '../testkit/windows/computer.ts';
import { driveC, haveWindows, windowsPath, windowsProgram } from '../testkit/windows/lane.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';

const owner = 'the owner of this computer';
const password = 'Annas eigenes Passwort';
const initialize = ['platform-initialize', '--owner-password-stdin', '--yes'];
const program = join(import.meta.dirname, '../testkit/windows/ask-protection.ts');

function ask(...args: readonly string[]): Readonly<Record<string, string>> {
  const done = spawnSync(windowsProgram('node'), ['--no-warnings', windowsPath(program), ...args], {
    encoding: 'utf8',
  });
  expect([done.stderr, done.status]).toEqual(['', 0]);
  return JSON.parse(done.stdout) as Readonly<Record<string, string>>;
}

describe.skipIf(!haveWindows())('data protection of Windows', { timeout: 120_000 }, () => {
  const platform = (): string => join(driveC(), 'ProgramData/SPMigration');
  const user = (): string => join(driveC(), 'users', WINDOWS_USER, 'AppData/Local/SPMigration');
  afterEach(async () => {
    for (const folder of [platform(), user()]) await rm(folder, { recursive: true, force: true });
  });

  it('gives a secret back to every process, for its purpose only, and nothing of what was changed', () => {
    const first = ask();
    expect(first.opened).toBe(first.secret);
    expect(first.made).not.toContain(String(first.secret).slice(0, 16));
    expect(first.again).not.toBe(first.made);
    for (const answer of [first.otherPurpose, first.changed, first.cut, first.nonsense])
      expect(answer).toMatch(/^Windows refuses it \(0x[0-9a-f]{8}\)$/);
    expect(ask(String(first.made)).given).toBe(first.secret);
  });

  it('keeps the software chip’s storage key, and what it does not open is set aside for a new one', async () => {
    const computer = WindowsComputer.real();
    const before = await computer.result<StatusResult>([...initialize, '--chip', 'Software'], [owner]);
    expect(before.enforcement).toMatch(/on this computer only/);
    const path = join(platform(), 'public/storage-key');
    const bytes = await readFile(path);
    expect(bytes.subarray(0, 27).toString('latin1')).toBe('SPMigration storage-key v2\n');
    // Line, public area, and more than 64 bytes of what Windows made of scalar and seedValue.
    const publicBytes = bytes.readUInt16BE(27);
    expect(publicBytes).toBe(90);
    expect(bytes.readUInt16BE(29 + publicBytes)).toBe(bytes.length - 31 - publicBytes);
    expect(bytes.length - 31 - publicBytes).toBeGreaterThan(64);
    // Other processes open it, and work with it.
    const made = ['user-initialize', '--password-stdin', '--yes'];
    expect(await computer.result(made, [password])).toMatchObject({ userInitialized: true });

    const changed = Buffer.from(bytes);
    const last = changed.length - 30;
    changed.writeUInt8(changed.readUInt8(last) ^ 1, last);
    await writeFile(path, changed);
    const adding = ['credential-new', 'Anna', '--password-stdin', '--yes'];
    expect(await computer.refusal(adding, [password])).toBe('StorageKeyNotOpened');
    const after = await computer.result<StatusResult>([...initialize, '--chip', 'Software'], [owner]);
    expect(after).toMatchObject({ chipProblem: null, authorityFingerprint: before.authorityFingerprint });
    expect(after.platformId).not.toBe(before.platformId);
    const names = await readdir(join(platform(), 'public'));
    expect(names.filter((name) => name.endsWith('.unopened'))).toHaveLength(1);
  });

  it('has no part in a rehearsal', async () => {
    const computer = await WindowsComputer.make(await makeWindowsFolder(), 'PC-A');
    await computer.result(initialize, [owner]);
    const bytes = await readFile(join(computer.home, 'platform/public/storage-key'));
    expect(bytes.subarray(0, 27).toString('latin1')).toBe('SPMigration storage-key v1\n');
  });
});
