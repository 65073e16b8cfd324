/**
 * How passwords reach a command: each by its own option from standard input, in a fixed order, or typed where a person sits; a
 * new one typed twice. In this process, over a simulated computer.
 */
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../../core/src/cli/command-line.ts';
import type { Computer } from '../testkit/computer.ts';
import {
  copyWorld,
  makeWorld,
  ownerPassword,
  password,
  removeWorld,
  type MadeWorld,
} from '../testkit/world.ts';

vi.mock('../../core/src/crypto/kdf.ts', async (original) =>
  (await import('../testkit/memo-kdf.ts')).memoizedKdf(original),
);

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
}, 60_000);
afterAll(() => removeWorld(made));

const newPassword = 'ein anderes Passwort 9';

/** Runs one command with these lines on standard input: piped, or typed by a person. */
async function run(computer: Computer, argv: readonly string[], lines: readonly string[], person = false) {
  const terminal = () => Object.assign(new PassThrough(), person ? { isTTY: true } : {});
  const [stdin, stdout, stderr] = [terminal(), new PassThrough(), terminal()];
  const [printed, told]: [string[], string[]] = [[], []];
  stdout.setEncoding('utf8').on('data', (text: string) => printed.push(text));
  stderr.setEncoding('utf8').on('data', (text: string) => told.push(text));
  stdin.write(lines.map((line) => `${line}\n`).join(''));
  if (!person) stdin.end();
  const code = await runCommandLine(argv, {
    stdin,
    stdout,
    stderr,
    version: '0.0.0',
    compose: () => Promise.resolve(computer.ports),
    interrupted: new AbortController().signal,
  });
  return { code, stdout: printed.join(''), stderr: told.join('') };
}

describe('passwords from standard input', () => {
  it('are read in their order, and set a new one', async () => {
    const { a } = await copyWorld(made);
    const options = ['user-password', '--password-stdin', '--new-password-stdin'];
    expect(await run(a, options, [password, newPassword])).toMatchObject({ code: 0 });
    const again = await run(a, options, [password, newPassword]);
    expect(again.stderr).toContain('(PasswordRejected)');
    const owner = ['authority-password', '--new-password-stdin', '--owner-password-stdin'];
    expect(await run(a, owner, [ownerPassword, newPassword])).toMatchObject({ code: 0 });
  });

  it('that are missing are asked of nobody', async () => {
    const { a } = await copyWorld(made);
    const { stderr } = await run(a, ['user-password', '--password-stdin'], [password]);
    expect(stderr).toContain('(NewPasswordRequired)');
    expect(stderr).toContain('--new-password-stdin');
  });
});

describe('passwords that a person types', () => {
  it('are asked for one by one, a new one twice', async () => {
    const { a } = await copyWorld(made);
    const typed = await run(a, ['user-password'], [password, newPassword, newPassword], true);
    expect(typed.code).toBe(0);
    expect(typed.stderr).toMatch(/Basic User Password: \nNew password: \nNew password again: \n/);
    for (const secret of [password, newPassword]) expect(typed.stderr + typed.stdout).not.toContain(secret);
  });

  it('and do not match, change nothing', async () => {
    const { a } = await copyWorld(made);
    const typed = await run(a, ['user-password'], [password, newPassword, `${newPassword}?`], true);
    expect(typed.stderr).toContain('it was not typed the same twice');
    expect(typed.code).not.toBe(0);
    expect(await run(a, ['user-password'], [password, newPassword, newPassword], true)).toMatchObject({
      code: 0,
    });
  });
});
