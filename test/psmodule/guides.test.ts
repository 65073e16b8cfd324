/**
 * The guides, word by word: every PowerShell block runs in one session per guide, in the order of the text, on the simulated
 * computer that the comment above it names, with a person who types passwords and agrees. Each computer keeps the passwords
 * that were typed there, as sessions of their own would. A block marked `refused` must end
 * with exactly that error. Leaves out what only display shows; what commands do is shown elsewhere.
 */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCatalogue } from '../../core/src/domain/error-catalogue.ts';
import { builtModule } from '../testkit/executable.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';

const folder = join(import.meta.dirname, '../../docs/guides');
const guides = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md');
const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8');

interface Block {
  /** Computer, or `a rehearsal` for a block that chooses it by itself. */
  readonly where: string;
  /** The error that must end it; undefined: none. */
  readonly refused: string | undefined;
  /** Whether the inventory of fingerprints must lie there. */
  readonly inventory: boolean;
  readonly code: string;
}

function blocksOf(text: string): readonly Block[] {
  const pattern =
    /^<!-- (?:on|in) ([^,]+?)(?:, (csv))?(?:, refused: (\w+))? -->\n+```powershell\n([^]*?)^```$/gm;
  return [...text.matchAll(pattern)].map(([, where = '', csv, refused, code = '']) => ({
    where,
    refused,
    inventory: csv !== undefined,
    code,
  }));
}

it('every PowerShell block of a guide says where it runs', () => {
  for (const name of guides) {
    const text = textOf(name);
    const all = text.match(/^```powershell$/gm)?.length ?? 0;
    expect([name, blocksOf(text).length]).toEqual([name, all]);
    expect(all).toBeGreaterThan(1);
  }
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
function Set-Computer([string] $folder) {
    $variables = $ExecutionContext.SessionState.PSVariable
    foreach ($name in 'owner', 'password', 'newOwner', 'newPassword') {
        $typed["$env:SPMIGRATION_HOME $name"] = $variables.GetValue("global:$name")
        $variables.Set("global:$name", $typed["$folder $name"])
    }
    $env:SPMIGRATION_HOME = $folder
}
$ConfirmPreference = 'None' # the person agrees`;

describe.skipIf(!havePowerShell()).each(guides)('%s', { timeout: 240_000 }, (name) => {
  let place: string;
  let session: PowerShellSession;
  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), 'spmigration-guide-'));
    for (const one of ['srv/migration', 'srv/vault', 'home', 'computers'])
      mkdirSync(join(place, one), { recursive: true });
    const module = await builtModule();
    session = await openSession({ cwd: place, env: { HOME: join(place, 'home'), XDG_DATA_HOME: undefined } });
    const started = await session.invoke(`${PERSON}\nImport-Module $data`, join(module, 'SPMigration.psd1'));
    expect(started.errors).toEqual([]);
  }, 120_000);
  afterAll(async () => {
    await session.close();
    rmSync(place, { recursive: true, force: true });
  });

  it('runs as it stands', async () => {
    for (const block of blocksOf(textOf(name))) {
      if (block.inventory) await writeInventory(session, place);
      if (block.where !== 'a rehearsal') await useComputer(session, place, block.where);
      const { errors } = await session.invoke(here(block.code, place));
      const ids = errors.map(({ id }) => id.split(',')[0]);
      const texts = errors.map(({ message }) => message).join('\n');
      expect([block.code, texts, ids]).toEqual([
        block.code,
        block.refused === undefined ? '' : texts,
        block.refused === undefined ? [] : [block.refused],
      ]);
    }
  });
});

/** Another simulated computer; its folder comes into being as a real computer's would be there. */
async function useComputer(session: PowerShellSession, place: string, computer: string): Promise<void> {
  const home = join(place, 'computers', computer);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const { errors } = await session.invoke('Set-Computer $data', home);
  expect(errors).toEqual([]);
}

/** The guide's share and module instead of a server's and an installed one. */
function here(code: string, place: string): string {
  return code
    .replaceAll(/^Import-Module SPMigration$/gm, '')
    .replaceAll(/\\\\srv\\([\w\\.@*-]+)/g, (_, rest: string) => `${place}/srv/${rest.replaceAll('\\', '/')}`);
}

/** What an inventory knows of the computers: fingerprints that did not come from the identity files. */
async function writeInventory(session: PowerShellSession, place: string): Promise<void> {
  const lines = ['Path,Fingerprint'];
  for (const computer of ['PC-1', 'PC-2']) {
    await useComputer(session, place, computer);
    const { output } = await session.invoke<string>('(Get-SPMigrationStatus).Fingerprint');
    lines.push(`${join(place, 'srv/migration', `${computer}.spid`)},${output[0] ?? ''}`);
  }
  writeFileSync(join(place, 'srv/vault/fingerprints.csv'), `${lines.join('\n')}\n`);
  await useComputer(session, place, 'ADMIN');
}
