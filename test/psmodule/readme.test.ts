/**
 * README's two quick starts, word by word: the fenced blocks are taken from the file and run, the PowerShell one in the
 * engine with a person who answers, the other one command by command with the built executable. Leaves out typing on a
 * terminal: secrets of the command line come from standard input here.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VERSION } from '../../core/src/version.ts';
import { builtExecutable, builtModule } from '../testkit/executable.ts';
import { haveHost, runPowerShell } from '../testkit/powershell.ts';

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const moduleFolder = `dist/SPMigration/${VERSION}`;

/** The fenced block behind `<!-- name -->`. */
function block(name: string, language: string): string {
  const [, after = ''] = readme.split(`<!-- ${name} -->`);
  const [, text] = new RegExp(`^\\s*\`\`\`${language}\\n([^]*?)\`\`\``).exec(after) ?? [];
  if (text === undefined) throw new Error(`README has no block ${name} in ${language}.`);
  return text;
}

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
      writeFileSync(script, `$ErrorActionPreference = 'Stop'\n${block('quick-start', 'powershell')}`);
      const { stdout, stderr, exitCode } = await runPowerShell({
        file: script,
        cwd: folder,
        env: { HOME: join(folder, 'home'), SPMIGRATION_HOME: undefined, XDG_DATA_HOME: undefined },
        answers: ['the owner of PC-A', 'the owner of PC-B', 'the password of Anna', 'y'],
        timeoutMs: 150_000,
      });
      expect([stderr, exitCode]).toEqual(['', 0]);
      const [fingerprint] = /(?<=Fingerprint +: )([0-9a-f]{4} ?){10}/.exec(stdout) ?? [];
      expect(stdout).toContain(`Its fingerprint is ${String(fingerprint).trim()}`);
      expect(stdout).toMatch(/^Fits +: True$/m);
      expect(stdout).toContain('What if: Import the environment');
      expect(stdout).toMatch(/^Case +: Install$/m);
      const atTheEnd = stdout.slice(stdout.lastIndexOf('Credential '));
      expect(atTheEnd).toMatch(/^State +: Active$/m);
      expect(atTheEnd).toMatch(/^Features +: \{SecureEmail\}$/m);
      expect(existsSync(join(folder, 'home/spmigration-rehearsal'))).toBe(false);
    },
  );

  it('its quick start on the command line runs as it stands', { timeout: 120_000 }, async () => {
    const executable = await builtExecutable();
    const lines = block('command-line', 'sh')
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
