/**
 * The demonstration on three TPMs, as a person starts it: the whole story, in a folder for temporary files of its own, in
 * which nothing may be left. The one with software chips is the same story with fewer steps and is not run here, as it takes
 * as long again.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtModule } from '../testkit/executable.ts';
import { havePowerShell } from '../testkit/powershell.ts';
import { has } from '../testkit/requirement.ts';
import { hasSwtpm } from '../testkit/swtpm.ts';

const root = join(import.meta.dirname, '../..');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, TMPDIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, stdout, stderr });
    });
  });
}

describe.skipIf(!(havePowerShell() && has('openssl') && hasSwtpm()))('npm run demo -- --chip tpm2', () => {
  it('moves the keys between three TPMs, each of which enforces it, and leaves nothing behind', async () => {
    await builtModule();
    const { status, stdout, stderr } = await run('npm', ['run', '--silent', 'demo', '--', '--chip', 'tpm2']);
    expect([status, stderr]).toEqual([0, '']);
    const told = (pattern: RegExp): readonly string[] => stdout.match(pattern) ?? [];
    expect(told(/^ +enforced: By the TPM: .*$/gm)).toHaveLength(3);
    // The steps: those of every demonstration, and those with a TPM only.
    expect(told(/^ +\d+ .* refused: \w+$/gm).map((line) => line.split(': ').at(-1))).toEqual([
      ...['DestinationNotAuthorized', 'FingerprintMismatch', 'DestinationNotAttested', 'PasswordRejected'],
      ...['ArchiveNotForThisPlatform', 'ArchiveDamaged', 'PasswordRejected', 'GrantRevoked'],
    ]);
    expect(told(/^ +Proof +: Attested$/gm)).toHaveLength(1);
    expect(told(/counts: 1; locked out: False$/gm)).toHaveLength(1);
    expect(told(/^ +From PC-C on no chip is known to guard these keys:/gm)).toHaveLength(1);
    expect(told(/^ +(?:RSA-3072|P-256): PC-A, PC-B and PC-C signed as the same signer/gm)).toHaveLength(2);
    expect(told(/^ +PC-[ABC]: no key and no session is loaded; .*: 0x81000001$/gm)).toHaveLength(3);
    expect(stdout).toMatch(/\nDone in \d+ s; nothing is left behind\.\n$/);
    expect(readdirSync(folder).filter((name) => name.startsWith('spmigration-'))).toEqual([]);
  }, 300_000);
});

describe('scripts/demo.ts', () => {
  const node = process.execPath;

  it.each(['--chip tpm', '--chip', '--chips tpm2', 'tpm2'])(
    'says how it is used, and does nothing, with %s',
    async (line) => {
      const { status, stdout, stderr } = await run(node, ['scripts/demo.ts', ...line.split(' ')]);
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toContain('npm run demo [-- --chip software|tpm2]');
    },
  );

  it('names the package where swtpm is missing', async () => {
    const env = { PATH: dirname(node), SPMIGRATION_REQUIRE: '' };
    const { status, stdout, stderr } = await run(node, ['scripts/demo.ts', '--chip', 'tpm2'], env);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('apt-get install swtpm');
  });
});
