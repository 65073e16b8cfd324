/**
 * Transfer codes on the command line: made at the export and shown once to a person, never among results; asked for at the
 * import; given by scripts on standard input. In this process, with streams that say whether they are terminals.
 */
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../../core/src/cli/command-line.ts';
import { serveRpc } from '../../core/src/cli/rpc/serve.ts';
import { parseTransferCode } from '../../core/src/domain/transfer-code.ts';
import type { ArchiveResult } from '../../core/src/operations/results.ts';
import type { Computer } from '../testkit/computer.ts';
import {
  copyWorld,
  fingerprintOf,
  makeWorld,
  password,
  removeWorld,
  type MadeWorld,
} from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).memoizedKdf(original),
);

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
});
afterAll(() => removeWorld(made));

/** Runs one command on a computer. `seen`: standard error is a terminal; `asked`: standard input too. */
async function run(
  computer: Computer,
  argv: readonly string[],
  { input = '', seen = false, asked = false }: { input?: string; seen?: boolean; asked?: boolean } = {},
): Promise<Ran> {
  const stdin = Object.assign(new PassThrough(), { isTTY: asked });
  const stdout = new PassThrough();
  const stderr = Object.assign(new PassThrough(), { isTTY: seen });
  const [printed, told]: [string[], string[]] = [[], []];
  stdout.setEncoding('utf8').on('data', (text: string) => printed.push(text));
  stderr.setEncoding('utf8').on('data', (text: string) => told.push(text));
  stdin.end(input);
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

const shownCode = /^Transfer code: (\S+)$/m;

describe('export --transfer-code', () => {
  it.each([[[]], [['--json']]])('shows a new code once, on standard error only %j', async (more) => {
    const world = await copyWorld(made);
    const path = join(world.share, 'coded.sparc');
    const argv = ['export', path, '--destination', 'PC-B', '--password-stdin', '--transfer-code', ...more];
    const codes = new Set<string>();
    for (const round of ['first', 'second']) {
      const again = round === 'second' ? ['--overwrite'] : [];
      const ran = await run(world.a, [...argv, ...again], { input: `${password}\n`, seen: true });
      expect(ran).toMatchObject({ code: 0 });
      const [, code = ''] = shownCode.exec(ran.stderr) ?? [];
      expect(parseTransferCode(code)).toHaveLength(10);
      expect(ran.stderr.split(code)).toHaveLength(2);
      expect(ran.stdout).not.toContain(code);
      expect(ran.stdout).toContain(path);
      codes.add(code);
    }
    expect(codes.size).toBe(2);
    const [archive] = await world.a.run<ArchiveResult>('archive-read', { path });
    expect(archive?.transferCodeRequired).toBe(true);
  });

  it('shows none and writes nothing with --what-if, and says what the archive will need', async () => {
    const world = await copyWorld(made);
    const before = await fingerprintOf(world.folder);
    const argv = [
      'export',
      join(world.share, 'x.sparc'),
      '--destination',
      'PC-B',
      '--transfer-code',
      '--what-if',
    ];
    const ran = await run(world.a, argv, { seen: true });
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.stdout).toContain('transfer code');
    expect(ran.stderr).not.toMatch(shownCode);
    expect(await fingerprintOf(world.folder)).toEqual(before);
  });

  it('shows none where the export failed', async () => {
    const world = await copyWorld(made);
    const argv = [
      'export',
      join(world.share, 'x.sparc'),
      '--destination',
      'PC-B',
      '--password-stdin',
      '--transfer-code',
    ];
    const ran = await run(world.a, argv, { input: 'not the password\n', seen: true });
    expect(ran.code).toBe(6);
    expect(ran.stderr).not.toMatch(shownCode);
  });

  it('is refused, and nothing is written, where nobody would see the code', async () => {
    const world = await copyWorld(made);
    const before = await fingerprintOf(world.folder);
    const argv = [
      'export',
      join(world.share, 'x.sparc'),
      '--destination',
      'PC-B',
      '--password-stdin',
      '--transfer-code',
    ];
    const ran = await run(world.a, argv, { input: `${password}\n` });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('--transfer-code-stdin');
    expect(ran.stderr).toContain('(UsageInvalid)');
    expect(await fingerprintOf(world.folder)).toEqual(before);
  });

  it('makes a code or takes one, not both', async () => {
    const world = await copyWorld(made);
    const argv = ['export', world.share, '--transfer-code', '--transfer-code-stdin'];
    const ran = await run(world.a, argv, { seen: true });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('(UsageInvalid)');
  });

  it('is an option of export alone', async () => {
    const world = await copyWorld(made);
    for (const command of ['import', 'archive-read', 'identity-export']) {
      const ran = await run(world.b, [command, world.share, '--transfer-code'], { seen: true });
      expect(ran.code, command).toBe(2);
      expect(ran.stderr, command).toContain('(UsageInvalid)');
    }
  });
});

describe('export --transfer-code-stdin', () => {
  it('takes the code of a script, however it is typed, and shows it nowhere', async () => {
    const world = await copyWorld(made);
    const path = join(world.share, 'coded.sparc');
    const argv = ['export', path, '--destination', 'PC-B', '--password-stdin', '--transfer-code-stdin'];
    const ran = await run(world.a, argv, { input: `${password}\n7kq2 90ab cdef gh1j\n` });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout.toUpperCase()).not.toContain('7KQ2');
    const [archive] = await world.a.run<ArchiveResult>('archive-read', { path });
    expect(archive?.transferCodeRequired).toBe(true);
  });

  it('names the form of a code that is none', async () => {
    const world = await copyWorld(made);
    const argv = [
      'export',
      join(world.share, 'x.sparc'),
      '--destination',
      'PC-B',
      '--password-stdin',
      '--transfer-code-stdin',
    ];
    const ran = await run(world.a, argv, { input: `${password}\n7kq2\n` });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('(TransferCodeMalformed)');
  });
});

describe('import', () => {
  const code = '7KQ2-90AB-CDEF-GH1J';

  it('asks for the code that an archive needs, also at a --what-if, and takes it from a script', async () => {
    const world = await copyWorld(made);
    const path = join(world.share, 'coded.sparc');
    await world.a.run('export', { path, destination: 'PC-B' }, { password, transferCode: code });
    const terminal = { seen: true, asked: true };
    const look = await run(world.b, ['import', path, '--what-if'], {
      input: `${password}\r7kq29oabcdefghij\r`,
      ...terminal,
    });
    expect(look).toMatchObject({ code: 0 });
    expect(look.stderr).toMatch(/Basic User Password: \nTransfer code: \n/);
    const typed = await run(world.b, ['import', path], { input: `${password}\r0000\r`, ...terminal });
    expect(typed.code).toBe(2);
    expect(typed.stderr).toContain('(TransferCodeMalformed)');
    const alone = await run(world.b, ['import', path, '--password-stdin'], { input: `${password}\n` });
    expect(alone.code).toBe(2);
    expect(alone.stderr).toContain('hint: Pass --transfer-code-stdin.');
    const ran = await run(world.b, ['import', path, '--password-stdin', '--transfer-code-stdin'], {
      input: `${password}\n${code}\n`,
    });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain('Install');
    expect(ran.stdout).not.toContain(code);
  });
});

describe('the process protocol', () => {
  interface Plan {
    readonly t: string;
    readonly id: number;
    readonly planId?: string;
    readonly lines?: readonly string[];
    readonly message?: string;
    readonly value?: Partial<ArchiveResult>;
  }

  /** One conversation; each request is its line and its secrets. */
  async function converse(
    computer: Computer,
    requests: readonly { readonly line: object; readonly secrets?: Readonly<Record<string, string>> }[],
  ): Promise<readonly Plan[]> {
    const [stdin, stdout] = [new PassThrough(), new PassThrough()];
    let text = '';
    stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      // The end of input cancels what is being worked on: not before the last answer.
      if (text.split('"t":"end"').length > requests.length) stdin.end();
    });
    requests.forEach(({ line, secrets = {} }, index) => {
      const frames = Object.entries(secrets).map(([name, value]) => ({
        name,
        bytes: Buffer.byteLength(value),
      }));
      stdin.write(`${JSON.stringify({ v: 1, id: index + 1, ...line, secrets: frames })}\n`);
      for (const value of Object.values(secrets)) stdin.write(value);
    });
    await serveRpc(['--protocol', '1'], {
      stdin,
      stdout,
      version: '0.0.0',
      compose: () => Promise.resolve(computer.ports),
      random: computer.ports.random,
      idleMilliseconds: 1000,
    });
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Plan);
  }

  it('keeps a code for the apply of its plan, and not for the next request', async () => {
    const world = await copyWorld(made);
    const params = { path: join(world.share, 'x.sparc'), destination: 'PC-B', overwrite: true };
    const secrets = { password, transferCode: '7KQ2-90AB-CDEF-GH1J' };
    const planned = await converse(world.a, [
      { line: { cmd: 'export', mode: 'plan', params }, secrets },
      { line: { cmd: 'export', mode: 'plan', params }, secrets: { password } },
    ]);
    const plans = planned.filter(({ t }) => t === 'plan');
    expect(plans.map(({ lines = [] }) => lines.join().includes('transfer code'))).toEqual([true, false]);
    // Who asks for details is told once that a code would help; who has one is not.
    const details = planned.filter(({ t }) => t === 'verbose').map(({ id, message }) => [id, message]);
    expect(details).toEqual([[2, expect.stringContaining('-NewTransferCode')]]);
    const [planId = ''] = plans.map((plan) => plan.planId ?? '');
    const applied = await converse(world.a, [
      { line: { cmd: 'export', mode: 'plan', params }, secrets },
      { line: { cmd: 'export', mode: 'apply', planId, params } },
    ]);
    expect(applied.find(({ t }) => t === 'result')?.value?.transferCodeRequired).toBe(true);
  });
});
