/**
 * The Windows executable by itself: that it starts, knows where and as whom it runs, and speaks UTF-8 whatever the console's
 * code page is. The whole of its command line and protocol is tested by test/cli, which runs in this lane too.
 */
import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../core/src/version.ts';
import { WINDOWS_USER } from '../../scripts/windows/lane.ts';
import { haveWindows, windowsPath, windowsProgram } from '../testkit/windows/lane.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';

/** The user's SID as Wine makes it: of no domain, the first account. */
const sid = 'sid:S-1-5-21-0-0-0-1000';

function spmigration(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawnSync(windowsProgram('spmigration'), args, { env, encoding: 'utf8' });
}

describe.skipIf(!haveWindows())('spmigration.exe', () => {
  it('says its version', () => {
    expect(spmigration(['--version'])).toMatchObject({ status: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  it('shows a computer of its own to a user with a blank and letters beyond Latin', async () => {
    const home = join(await makeWindowsFolder(), 'Büro PC-日本');
    await mkdir(home);
    const { stdout, stderr, status } = spmigration(['status', '--json'], {
      SPMIGRATION_HOME: windowsPath(home),
    });
    expect([stderr, status]).toEqual(['', 0]);
    expect(windowsPath(home)).toMatch(
      /^C:\\users\\Jörg Ünïcode 日本\\AppData\\Local\\Temp\\.*\\Büro PC-日本$/,
    );
    expect(JSON.parse(stdout)).toMatchObject({
      computer: 'Büro PC-日本',
      initialized: false,
      rehearsal: true,
      account: sid,
      accountName: expect.stringMatching(new RegExp(`\\\\${WINDOWS_USER}$`)) as string,
      platformPath: `${windowsPath(home)}\\platform`,
      version: VERSION,
    });
  });

  it('keeps its folders where Windows keeps such things', () => {
    const { stdout, status } = spmigration(['status', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      rehearsal: false,
      initialized: false,
      platformPath: String.raw`C:\ProgramData\SPMigration`,
    });
  });

  it('fails with the code of the command line, in plain words', () => {
    const { stdout, stderr, status } = spmigration(['nothing-of-the-kind']);
    expect([stdout, status]).toEqual(['', 2]);
    expect(stderr).toContain('nothing-of-the-kind');
  });
});
