/**
 * The guides, word by word: every PowerShell block runs in one session per guide, in the order of the text, on the simulated
 * computer that the comment above it names, with a person who types passwords and agrees. Each computer keeps the passwords
 * that were typed there, as sessions of their own would. A block marked `refused` must end
 * with exactly that error. A computer `with a TPM` has one that swtpm simulates. Shell blocks run in bash, with that TPM for
 * tpm2-tools; those marked `not run` would change the computer itself. Leaves out what only display shows; what commands do is shown elsewhere.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCatalogue } from '../../core/src/domain/error-catalogue.ts';
import { quickModule } from '../testkit/quick-executable.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';
import { CC } from '../../core/src/tpm2/constants.ts';
import { cellsOf } from '../testkit/documents.ts';
import { hasTpmTools, ToolTpm } from '../testkit/tpm-tools.ts';

const folder = join(import.meta.dirname, '../../docs/guides');
const guides = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md');
const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8');

interface Block {
  readonly language: string;
  /** Computer, or `a rehearsal` for a block that chooses it by itself. */
  readonly where: string;
  readonly tpm: boolean;
  /** The error that must end it; undefined: none. */
  readonly refused: string | undefined;
  /** Whether the inventory of fingerprints must lie there. */
  readonly inventory: boolean;
  readonly code: string;
}

function blocksOf(text: string): readonly Block[] {
  const pattern =
    /^<!-- (?:on|in) ([^,]+?)( with a TPM)?(?:, (csv))?(?:, refused: (\w+))? -->\n+```(powershell|sh)\n([^]*?)^```$/gm;
  return [...text.matchAll(pattern)].map(([, where = '', tpm, csv, refused, language = '', code = '']) => ({
    language,
    where,
    tpm: tpm !== undefined,
    refused,
    inventory: csv !== undefined,
    code,
  }));
}

/** Whether a guide's blocks use simulated TPMs, and the tools for them. */
const needsTpm = (name: string): boolean =>
  blocksOf(textOf(name)).some(({ tpm, language }) => tpm || language === 'sh');
const canRun = (name: string): boolean => havePowerShell() && (!needsTpm(name) || hasTpmTools());

it('every PowerShell and every shell block of a guide says where it runs', () => {
  for (const name of guides) {
    const text = textOf(name);
    const all = text.match(/^```(?:powershell|sh)$/gm)?.length ?? 0;
    const notRun = text.match(/^<!-- not run: [^>]+ -->\n+```sh$/gm)?.length ?? 0;
    expect([name, blocksOf(text).length + notRun]).toEqual([name, all]);
    expect(all).toBeGreaterThan(1);
    expect(text.match(/^```\w+$/gm)?.length).toBe(all);
  }
});

it('the guide to TPMs lists every command that is sent to one', () => {
  const [, table = ''] = /^## Windows$([^]*?)^## /m.exec(textOf('tpm.md')) ?? [];
  const listed = cellsOf(table).map(([name, code]) => [name, Number(code)]);
  expect(listed).toEqual(Object.entries(CC));
  const users = cellsOf(table).map(([, , , account]) => account);
  expect(new Set(users)).toEqual(new Set(['administrator', 'user']));
});

it('the guide to refusals names every error of the catalogue, and no other', () => {
  const named = new Set(
    [...textOf('refusals.md').matchAll(/`([A-Z][a-z]+[A-Z]\w+)`/g)].map(([, name = '']) => name),
  );
  const codes = Object.keys(errorCatalogue);
  expect(codes.filter((code) => !named.has(code))).toEqual([]);
  const others = [...named].filter((name) => !codes.includes(name));
  expect(others).toEqual(['SecureString'].filter((name) => named.has(name)));
});

/** What the person of the guides types, by prompt; owners by computer, so that no password fits by accident. */
const PERSON = String.raw`
function Read-Host {
    param([string] $Prompt, [switch] $AsSecureString)
    $computer = 'any computer'
    if ($env:SPMIGRATION_HOME) { $computer = Split-Path -Leaf $env:SPMIGRATION_HOME }
    $text = switch ($Prompt) {
        'Owner Password' { "the owner of $computer" }
        'New Owner Password' { "the new owner of $computer" }
        'Basic User Password' { 'the password of a person' }
        'New Basic User Password' { 'Quite another passphrase 7' }
        'A wrong password' { 'not the password at all' }
        'Transfer code' { [System.Net.NetworkCredential]::new('', $archive.TransferCode).Password }
        default { throw "nobody knows what to type at: $Prompt" }
    }
    [System.Net.NetworkCredential]::new('', $text).SecurePassword
}
# What was typed at one computer is not known at another.
$typed = @{}
function Set-Computer([string] $folder, [string] $tpm) {
    $variables = $ExecutionContext.SessionState.PSVariable
    foreach ($name in 'owner', 'password', 'newOwner', 'newPassword') {
        $typed["$env:SPMIGRATION_HOME $name"] = $variables.GetValue("global:$name")
        $variables.Set("global:$name", $typed["$folder $name"])
    }
    $env:SPMIGRATION_HOME = $folder
    $env:SPMIGRATION_TPM = $tpm
}
$ConfirmPreference = 'None' # the person agrees`;

describe.each(guides)('%s', { timeout: 300_000 }, (name) => {
  it.skipIf(!canRun(name))('runs as it stands', async () => {
    const reader = await Reader.open();
    try {
      for (const block of blocksOf(textOf(name))) {
        if (block.language === 'sh') await reader.runShell(block);
        else await reader.runPowerShell(block);
      }
    } finally {
      await reader.close();
    }
  });
});

/** Who follows a guide: a folder for everything, one PowerShell session, and the TPMs of the guide's computers. */
class Reader {
  readonly #place: string;
  readonly #session: PowerShellSession;
  readonly #tpms = new Map<string, ToolTpm>();

  private constructor(place: string, session: PowerShellSession) {
    this.#place = place;
    this.#session = session;
  }

  static async open(): Promise<Reader> {
    const place = mkdtempSync(join(tmpdir(), 'spmigration-guide-'));
    for (const one of ['srv/migration', 'srv/vault', 'home', 'computers'])
      mkdirSync(join(place, one), { recursive: true });
    const module = await quickModule();
    const env = { HOME: join(place, 'home'), XDG_DATA_HOME: undefined, SPMIGRATION_TPM: undefined };
    const session = await openSession({ cwd: place, env });
    const started = await session.invoke(`${PERSON}\nImport-Module $data`, join(module, 'SPMigration.psd1'));
    expect(started.errors).toEqual([]);
    return new Reader(place, session);
  }

  async close(): Promise<void> {
    await this.#session.close();
    for (const tpm of this.#tpms.values()) tpm.stop();
    this.#endDaemons();
    rmSync(this.#place, { recursive: true, force: true });
  }

  async runPowerShell({ code, inventory, where, tpm, refused }: Block): Promise<void> {
    if (inventory) await this.#writeInventory();
    if (where !== 'a rehearsal') await this.#useComputer(where, tpm);
    const { errors } = await this.#session.invoke(here(code, this.#place));
    const ids = errors.map(({ id }) => id.split(',')[0]);
    const texts = errors.map(({ message }) => message).join('\n');
    expect([code, texts, ids]).toEqual([
      code,
      refused === undefined ? '' : texts,
      refused === undefined ? [] : [refused],
    ]);
  }

  /** In bash, where every command must succeed. The person types the same at every question. */
  async runShell({ code, where, tpm }: Block): Promise<void> {
    const tcti = tpm ? (await this.#tpmOf(where)).tcti : undefined;
    const env = {
      ...process.env,
      HOME: join(this.#place, 'home'),
      ...(tcti !== undefined && { TPM2TOOLS_TCTI: tcti }),
    };
    const child = spawn('bash', ['-euo', 'pipefail', '-c', code], { cwd: this.#place, env });
    child.stdin.on('error', () => undefined).end('a password of the TPM\n'.repeat(9));
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [status] = (await once(child, 'close')) as [number | null];
    expect([code, said, status]).toEqual([code, said, 0]);
    // Behind a resource manager nothing would have stayed.
    if (tpm) (await this.#tpmOf(where)).run('tpm2_flushcontext', '-t');
  }

  /** Another simulated computer; its folder comes into being as a real computer's would be there. */
  async #useComputer(computer: string, withTpm: boolean): Promise<void> {
    const home = join(this.#place, 'computers', computer);
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const tpm = withTpm ? (await this.#tpmOf(computer)).address : '';
    const { errors } = await this.#session.invoke('Set-Computer $data.home $data.tpm', { home, tpm });
    expect(errors).toEqual([]);
  }

  async #tpmOf(computer: string): Promise<ToolTpm> {
    const tpm = this.#tpms.get(computer) ?? (await ToolTpm.start());
    this.#tpms.set(computer, tpm);
    return tpm;
  }

  /** What an inventory knows of the computers: fingerprints that did not come from the identity files. */
  async #writeInventory(): Promise<void> {
    const lines = ['Path,Fingerprint'];
    for (const computer of ['PC-1', 'PC-2']) {
      await this.#useComputer(computer, false);
      const { output } = await this.#session.invoke<string>('(Get-SPMigrationStatus).Fingerprint');
      lines.push(`${join(this.#place, 'srv/migration', `${computer}.spid`)},${output[0] ?? ''}`);
    }
    writeFileSync(join(this.#place, 'srv/vault/fingerprints.csv'), `${lines.join('\n')}\n`);
    await this.#useComputer('ADMIN', false);
  }

  /** Programs that a guide starts in the background write their numbers into files; a failed run leaves them. */
  #endDaemons(): void {
    const files = readdirSync(this.#place, { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((path) => basename(path) === 'pid'))
      process.kill(Number(readFileSync(join(this.#place, file), 'utf8')));
  }
}

/** The guide's share and module instead of a server's and an installed one. */
function here(code: string, place: string): string {
  return code
    .replaceAll(/^Import-Module SPMigration$/gm, '')
    .replaceAll(/\\\\srv\\([\w\\.@*-]+)/g, (_, rest: string) => `${place}/srv/${rest.replaceAll('\\', '/')}`);
}
