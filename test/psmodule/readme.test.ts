/**
 * README's two quick starts, word by word: the fenced blocks are taken from the file and run, the PowerShell one in the
 * engine with a person who answers, the other one command by command with the built executable. Leaves out typing on a
 * terminal: secrets of the command line come from standard input here; and the installation on Windows
 * (test/windows/quick-start.test.ts).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archiveName } from '../../scripts/build/package.ts';
import { VERSION } from '../../core/src/version.ts';
import { builtExecutable, builtModule } from '../testkit/executable.ts';
import { haveHost, runPowerShell } from '../testkit/powershell.ts';
import {
  expectRehearsed,
  readme,
  readmeBlock,
  rehearsalAnswers,
  rehearsalFolder,
} from '../testkit/quick-start.ts';

const moduleFolder = `dist/SPMigration/${VERSION}`;

describe('README', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spmigration-readme-'));
    mkdirSync(join(folder, 'home'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('names the version that there is', () => {
    expect(new Set(readme.match(/dist\/SPMigration\/\d[^/]*/g))).toEqual(new Set([moduleFolder]));
    expect(new Set(readme.match(/SPMigration-\d.*?\.zip/g))).toEqual(new Set([archiveName(['win-x64'])]));
  });

  it('links to files that exist', () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, target = '']) => target);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((target) => !existsSync(join(import.meta.dirname, '../..', target)))).toEqual([]);
  });

  it.skipIf(!haveHost())(
    'its quick start in PowerShell runs as it stands',
    { timeout: 180_000 },
    async () => {
      const module = join(folder, moduleFolder);
      mkdirSync(dirname(module), { recursive: true });
      symlinkSync(await builtModule(), module, 'junction');
      const script = join(folder, 'quick-start.ps1');
      // An error that a person would see and type on from must fail here.
      const lines = ['quick-start: import on Linux', 'quick-start'].map((name) =>
        readmeBlock(name, 'powershell'),
      );
      writeFileSync(script, `$ErrorActionPreference = 'Stop'\n${lines.join('\n')}`);
      const { stdout, stderr, exitCode } = await runPowerShell({
        file: script,
        cwd: folder,
        env: { HOME: join(folder, 'home'), SPMIGRATION_HOME: undefined, XDG_DATA_HOME: undefined },
        answers: rehearsalAnswers,
        timeoutMs: 150_000,
      });
      expect([stderr, exitCode]).toEqual(['', 0]);
      expectRehearsed(stdout);
      expect(existsSync(join(folder, 'home', rehearsalFolder))).toBe(false);
    },
  );

  it('its quick start on the command line runs as it stands', { timeout: 120_000 }, async () => {
    const executable = await builtExecutable();
    const lines = readmeBlock('command-line', 'sh')
      .split('\n')
      .filter((line) => line !== '');
    const env: Record<string, string | undefined> = { ...process.env, PWD: folder, XDG_DATA_HOME: undefined };
    let last = '';
    for (const line of lines) {
      const [word = '', ...rest] = line.split(' ');
      if (word === 'export') {
        const [name = '', value = ''] = rest.join(' ').split('=');
        env[name] = value.replaceAll(/\$(\w+)/g, (_, variable: string) => env[variable] ?? '');
        continue;
      }
      expect(word).toBe('spmigration');
      const { args, input } = withSecrets(rest);
      const done = spawnSync(executable, args, { cwd: folder, env, input, encoding: 'utf8' });
      expect([line, done.stderr.includes('error:') ? done.stderr : '', done.status]).toEqual([line, '', 0]);
      last = done.stdout;
    }
    expect(env.PATH).toContain(`${folder}/${moduleFolder}/bin/linux-x64`);
    expect(last).toMatch(/^State +Active$/m);
    expect(last).toMatch(/^Features +SecureEmail$/m);
  });
});

/** What a person types where the command asks: an Owner Password, or the Basic User Password, and yes. */
function withSecrets(args: readonly string[]): { readonly args: readonly string[]; readonly input: string } {
  const [command = ''] = args;
  if (['platform-initialize', 'access-grant'].includes(command)) {
    return { args: [...args, '--owner-password-stdin', '--yes'], input: 'the password of an owner\n' };
  }
  if (['user-initialize', 'credential-new', 'feature-enable', 'export', 'import'].includes(command)) {
    return { args: [...args, '--password-stdin', '--yes'], input: 'the password of Anna\n' };
  }
  return { args, input: '' };
}
