/**
 * The command line as people and scripts meet it, with the real executable: help, results, plans, exit codes, secrets from
 * standard input, and that nothing ever waits for an answer that nobody can give.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../../core/src/cli/command-line.ts';
import { commandSummaries } from '../../core/src/cli/commands.ts';
import { errorCatalogue, errorClasses, type ErrorCode } from '../../core/src/domain/error-catalogue.ts';
import { findOperation } from '../../core/src/operations/registry.ts';
import { builtExecutable } from '../testkit/executable.ts';
import {
  copyWorld,
  fingerprintOf,
  stateOf,
  makeWorld,
  ownerPassword,
  password,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

let made: MadeWorld;
let executable: string;
beforeAll(async () => {
  executable = await builtExecutable();
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

/** Runs one command. `input` undefined: standard input stays open and says nothing, as from a forgetful caller. */
async function run(home: string, argv: readonly string[], input?: string): Promise<Ran> {
  const since = performance.now();
  const child = spawn(executable, argv, { env: { SPMIGRATION_HOME: home, HOME: home }, stdio: 'pipe' });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined);
  if (input !== undefined) child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr, milliseconds: performance.now() - since };
}

/** Expects a refusal: exit code of the code's class, an error and a hint on standard error, no result. */
function expectRefused(ran: Ran, code: ErrorCode): void {
  expect({ code: ran.code, stderr: ran.stderr }).toEqual({
    code: errorClasses[errorCatalogue[code].class].exitCode,
    stderr: expect.stringMatching(new RegExp(`error: .+\\(${code}\\)\\nhint: .+\\n$`)) as string,
  });
  expect(ran.stdout).toBe('');
}

const archiveIn = (world: World): string => join(world.share, basename(made.archive.path));

/** The same front door in this process, for what is asked of every command: starting one for each takes too long. */
async function runHere(argv: readonly string[]): Promise<Ran> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const [printed, told]: [string[], string[]] = [[], []];
  stdout.setEncoding('utf8').on('data', (text: string) => printed.push(text));
  stderr.setEncoding('utf8').on('data', (text: string) => told.push(text));
  // Help is printed by yargs itself.
  vi.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text));
  const code = await runCommandLine(argv, {
    stdin,
    stdout,
    stderr,
    version: '0.0.0',
    compose: () => Promise.reject(new TypeError('a mistake in the program')),
    interrupted: new AbortController().signal,
  });
  return { code, stdout: printed.join(''), stderr: told.join(''), milliseconds: 0 };
}

describe('help', () => {
  it('names every command, and for every command every option', async () => {
    const all = await runHere(['--help']);
    expect(all.code).toBe(0);
    for (const [name, summary] of Object.entries(commandSummaries)) {
      expect(all.stdout).toContain(`spmigration ${name}`);
      expect(all.stdout.replaceAll(/\s+/g, ' ')).toContain(summary.split(',')[0]);
      const help = await runHere([name, '--help']);
      expect([name, help.code, help.stderr]).toEqual([name, 0, '']);
      const entry = findOperation(name);
      for (const parameter of Object.keys(entry?.parameters ?? {}))
        expect(help.stdout).toContain(parameter.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
      expect(help.stdout.includes('--what-if')).toBe(entry?.kind === 'changer');
      // Secrets are never arguments.
      expect(help.stdout).not.toMatch(/--(?:\w+-)?password(?![\w-])/);
    }
  });

  it('version and completion need no platform', async () => {
    const none = join(made.world.folder, 'none');
    expect((await run(none, ['import', '--help'])).stdout).toContain('spmigration import <path>');
    expect((await run(none, ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await run(none, ['completion'])).stdout).toContain('spmigration');
  });
});

describe('wrong usage is UsageInvalid, exit code 2:', () => {
  it.each([
    [[]],
    [['format-disk']],
    [['status', '--verbose']],
    [['import']],
    [['import', 'a', 'b']],
    [['credential-new', 'Anna', '--validity-days', 'many']],
    [['credential-install', 'x']],
  ])('spmigration %s', async (argv) => {
    expectRefused(await runHere(argv), 'UsageInvalid');
  });

  it('suggests the command that was meant', async () => {
    expect((await run(made.world.a.home, ['statsu'])).stderr).toContain('status');
  });
});

describe('exit codes follow the class of the error', () => {
  it('for one of each class that needs no secret', async () => {
    const { a, b, share } = made.world;
    const cases: readonly (readonly [ErrorCode, string, readonly string[]])[] = [
      ['FileNotFound', a.home, ['identity-read', join(share, 'none.spid')]],
      ['OutputExists', a.home, ['export', share, '--destination', 'PC-B', '--password-stdin']],
      ['DestinationNotAuthorized', a.home, ['export', share, '--destination', 'PC-C', '--password-stdin']],
      ['WrongFileKind', b.home, ['archive-read', join(share, 'PC-B.spid')]],
      ['UserNotInitialized', b.home, ['credential-list']],
      ['PasswordRejected', b.home, ['import', made.archive.path, '--password-stdin']],
      ['PathUnusable', a.home, ['identity-export', join(share, 'x'.repeat(300))]],
      ['ParameterInvalid', a.home, ['access-grant', join(share, 'PC-B.spid'), '--valid-until', 'soon']],
    ];
    for (const [code, home, argv] of cases) {
      const before = await stateOf(made.world.folder);
      expectRefused(await run(home, argv, 'the wrong password\n'), code);
      expect(await stateOf(made.world.folder)).toEqual(before);
    }
  });

  it('and --json prints the same as data', async () => {
    const ran = await run(made.world.b.home, ['credential-list', '--json']);
    expect(ran.code).toBe(12);
    expect(JSON.parse(ran.stderr)).toMatchObject({
      error: { code: 'UserNotInitialized', details: { account: expect.any(String) as string } },
    });
  });
});

describe('nobody at a terminal', () => {
  it.each([
    ['OwnerPasswordRequired', ['access-grant', 'PC-B.spid', '--yes']],
    ['PasswordRequired', ['feature-disable', 'Efs']],
    ['PasswordRequired', ['import', 'archive', '--yes']],
    ['ConfirmationRequired', ['user-remove']],
    ['ConfirmationRequired', ['archive-remove', 'archive']],
    ['ConfirmationRequired', ['access-grant', 'PC-B.spid']],
  ] as const)(
    'a missing secret or agreement is %s at once: %s',
    { retry: 2 },
    async (code, [name, ...rest]) => {
      const { a, b, share } = made.world;
      const argv = rest.map((one) =>
        one === 'archive' ? made.archive.path : one.endsWith('.spid') ? join(share, one) : one,
      );
      const before = await fingerprintOf(made.world.folder);
      const ran = await run(name === 'import' ? b.home : a.home, [name, ...argv]);
      expectRefused(ran, code);
      // Within a second of what this computer takes for a command that succeeds; a busy one may need another try.
      expect(ran.milliseconds).toBeLessThan((await run(a.home, ['status'])).milliseconds + 1000);
      expect(await fingerprintOf(made.world.folder)).toEqual(before);
    },
  );

  it('standard input that ends without the secret is no empty password', async () => {
    expectRefused(
      await run(made.world.a.home, ['feature-disable', 'Efs', '--password-stdin'], ''),
      'UsageInvalid',
    );
    expectRefused(
      await run(made.world.a.home, ['feature-disable', 'Efs', '--password-stdin'], '\n'),
      'UsageInvalid',
    );
  });
});

describe('a migration by commands', () => {
  it('shows its plan with --what-if and changes nothing, then performs it', async () => {
    const world = await copyWorld(made);
    const before = await fingerprintOf(world.folder);
    const argv = ['import', archiveIn(world), '--password-stdin', '--enable-feature'];
    const shown = await run(world.b.home, [...argv, '--what-if'], `${password}\n`);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain('Anna Müller');
    expect(await fingerprintOf(world.folder)).toEqual(before);
    // A line of Windows ends with CR LF.
    const done = await run(world.b.home, [...argv, '--json'], `${password}\r\n`);
    expect(done.code).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({ case: 'Install', featuresActive: ['SecureEmail'] });
    const listed = await run(world.b.home, ['credential-list']);
    expect(listed.stdout).toMatch(/^Credential +[0-9a-f]{32}$/m);
  });

  it('warns of a replace with --what-if, refuses it, asks for agreement, and obeys --yes', async () => {
    const world = await copyWorld(made);
    await world.b.run('user-initialize', {}, { password: 'another password' });
    const argv = ['import', archiveIn(world), '--password-stdin'];
    const shown = await run(world.b.home, [...argv, '--what-if'], `${password}\n`);
    expect(shown.stderr).toMatch(/^warning: .*another Basic User Key/);
    expectRefused(await run(world.b.home, [...argv, '--yes'], `${password}\n`), 'ImportWouldReplace');
    const allowed = [...argv, '--allow-replace'];
    expectRefused(await run(world.b.home, allowed, `${password}\n`), 'ConfirmationRequired');
    const done = await run(world.b.home, [...allowed, '--yes', '--json'], `${password}\n`);
    expect(JSON.parse(done.stdout)).toMatchObject({ case: 'Replace' });
  });

  it('takes several secrets in their fixed order, one line each', async () => {
    const world = await copyWorld(made);
    const home = world.a.home;
    const argv = ['access-revoke', made.access.serial, '--owner-password-stdin', '--json'];
    const revoked = await run(home, argv, `${ownerPassword}\nmore\n`);
    expect(JSON.parse(revoked.stdout)).toMatchObject({ number: 1, revoked: 1 });
    await writeFile(join(world.share, 'x.pfx'), 'no pfx');
    const adding = [
      'credential-add',
      '--path',
      join(world.share, 'x.pfx'),
      '--pfx-password-stdin',
      '--password-stdin',
    ];
    expectRefused(await run(home, adding, `${password}\nsecret\n`), 'PfxMalformed');
  });
});

it('what cannot happen is InternalError with exit code 1, and no crash', async () => {
  const ran = await runHere(['status']);
  expectRefused(ran, 'InternalError');
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('TypeError: a mistake in the program')]);
});
