/**
 * The functions of Windows for owners and access lists (`adapters/system/windows-files.ts`), called for real: a wrong signature
 * would end the process. Wine makes lists up from the modes of Linux and ignores most of what is set, so that only owners,
 * failures, and how it reads texts of lists are evidence here; what lists do has to be seen on Windows (docs/windows-checklist.md).
 */
import { spawnSync } from 'node:child_process';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  accessOf,
  decodeSecurity,
  type Security,
} from '../../core/src/adapters/system/security-descriptor.ts';
import { fromHex } from '../../core/src/bytes/bytes.ts';
import { WindowsComputer } from '../testkit/windows/computer.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';
import { haveWindows, windowsPath, windowsProgram } from '../testkit/windows/lane.ts';
import { anna, fromText } from '../testkit/windows/security.ts';
import { windowsSid } from '../testkit/windows/user.ts';

interface Answers {
  readonly folder: Security;
  readonly file: Security;
  readonly ofOpen: Security;
  readonly missing: string;
  readonly made: readonly string[];
  readonly again: readonly string[];
  readonly below: readonly string[];
  readonly set: string;
  readonly nonsense: string;
  readonly read: readonly (readonly [string, string])[];
}

const program = join(import.meta.dirname, '../testkit/windows/ask-access.ts');

describe.skipIf(!haveWindows())('owners and access lists of Windows', { timeout: 120_000 }, () => {
  it('are told for a path and for an open file, and lists are read as they are meant', async () => {
    const folder = await makeWindowsFolder();
    const args = ['--no-warnings', windowsPath(program), windowsPath(folder), anna];
    const done = spawnSync(windowsProgram('node'), args, { encoding: 'utf8' });
    expect([done.stderr, done.status]).toEqual(['', 0]);
    const answers = JSON.parse(done.stdout) as Answers;
    for (const { owner } of [answers.folder, answers.file, answers.ofOpen]) expect(owner).toBe(windowsSid);
    expect(answers.ofOpen).toEqual(answers.file);
    expect(accessOf(answers.folder, true)).toMatchObject({ write: undefined, leave: undefined });
    expect(answers).toMatchObject({
      missing: 'FileNotFound',
      made: ['done', 'done'],
      again: ['OutputExists', 'OutputExists'],
      below: ['FileNotFound', 'FileNotFound'],
      set: 'done',
      nonsense: 'StorageFailed',
    });
    expect((await readdir(folder)).sort()).toEqual(['file', 'folder', 'made', 'made.file']);
    expect(answers.read).toHaveLength(6);
    for (const [text, bytes] of answers.read) {
      const read = decodeSecurity(fromHex(bytes) ?? new Uint8Array());
      expect([text, read]).toEqual([text, decodeSecurity(fromText(text))]);
    }
  });

  it('keep a rehearsal from a folder that others may write', async () => {
    const computer = await WindowsComputer.make(await makeWindowsFolder(), 'PC-A');
    const initialize = ['platform-initialize', '--owner-password-stdin', '--yes'];
    await chmod(computer.home, 0o777);
    expect(await computer.refusal(initialize, ['the owner of PC-A'])).toBe('PlatformFolderUntrusted');
    await chmod(computer.home, 0o755);
    expect(await computer.result(initialize, ['the owner of PC-A'])).toMatchObject({ initialized: true });
    await chmod(join(computer.home, 'platform/public/platform'), 0o666);
    expect(await computer.refusal(['status'])).toBe('PlatformFolderUntrusted');
  });
});
