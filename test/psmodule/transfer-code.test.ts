/**
 * `Export-SPMigration -NewTransferCode`: the code is made in the module, goes to the core as a secret, comes back in the
 * result as a SecureString, and is shown once where a person sees the screen and nowhere else. The core is a fake; that the
 * archive opens with the code and with no other is shown in pipelines.test.ts.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTransferCode } from '../../core/src/domain/transfer-code.ts';
import { failure, makeFakeModule, plan, result, type FakeModule } from '../testkit/fake-module.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import {
  engineEnvironment,
  haveHost,
  havePowerShell,
  hostEngine,
  requireEngine,
} from '../testkit/powershell.ts';
import { has } from '../testkit/requirement.ts';
import { sampleOf } from '../testkit/result-samples.ts';

const archive = result('Archive', sampleOf('Archive', { path: '/out/anna@PC-B.sparc' }));
const ANSWERS = { 'export:plan': [plan('p1')], 'export:apply': [archive] };
const EXPORT = 'Export-SPMigration -Path /out -Destination PC-B -Password $s -NewTransferCode';
/** Crockford's digits, in four groups. */
const CODE = /^(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/;

describe.skipIf(!havePowerShell())('transfer code', { timeout: 120_000 }, () => {
  let fake: FakeModule;
  let session: PowerShellSession;

  beforeAll(async () => {
    fake = await makeFakeModule();
    session = await openSession();
    const { errors } = await session.invoke(
      `Import-Module -Name $data
       $s = [securestring]::new(); $s.AppendChar('x')
       function Get-Text([securestring] $secret) { [System.Net.NetworkCredential]::new('', $secret).Password }`,
      fake.manifest,
    );
    expect(errors).toEqual([]);
  });
  afterAll(async () => {
    await session.close();
    fake.remove();
  });

  /** The codes that the core was given with plans. */
  const sent = (): readonly (string | undefined)[] =>
    fake.core
      .asked()
      .filter(({ mode }) => mode === 'plan')
      .map(({ secrets }) => secrets.transferCode);

  it('goes to the core as a secret with the plan, and is a SecureString in the result', async () => {
    fake.script(ANSWERS);
    const { output, errors } = await session.invoke<string | boolean>(
      `$archive = ${EXPORT}
       $archive.TransferCode.GetType().Name; $archive.TransferCode.IsReadOnly(); Get-Text $archive.TransferCode
       ($archive | Format-List | Out-String) -match '(?m)^TransferCode\\b'`,
    );
    expect(errors).toEqual([]);
    expect(output).toEqual(['SecureString', true, expect.stringMatching(CODE), false]);
    expect(sent()).toEqual([output[2]]);
    expect(fake.core.asked()[1]).toMatchObject({ mode: 'apply', secrets: {} });
    expect(JSON.stringify(fake.core.asked().map(({ parameters }) => parameters))).not.toContain(output[2]);
  });

  it.each([
    [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    [[255, 255, 255, 255, 255, 255, 255, 255, 255, 255]],
    [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    [[0xde, 0xad, 0xbe, 0xef, 0x80, 0x01, 0x7f, 0xfe, 0x55, 0xaa]],
  ])('of the bytes %j is their 80 bits, five for each character', async (bytes) => {
    fake.script(ANSWERS);
    const { errors } = await session.invoke(
      `& (Get-Module SPMigration) {
           $script:bytes = $args[0]
           function script:New-SPTransferCodeBytes { return , [byte[]]$script:bytes }
       } $data
       try { $null = ${EXPORT} } finally { Import-Module -Name $manifest -Force }`.replace(
        '$manifest',
        `'${fake.manifest}'`,
      ),
      bytes,
    );
    expect(errors).toEqual([]);
    let number = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    let text = '';
    for (let at = 0; at < 16; at++, number /= 32n) {
      text = `${'0123456789ABCDEFGHJKMNPQRSTVWXYZ'.charAt(Number(number % 32n))}${text}`;
    }
    expect(sent()).toEqual([text.replaceAll(/(.{4})(?=.)/g, '$1-')]);
    expect(parseTransferCode(sent()[0] ?? '')).toEqual(Uint8Array.from(bytes));
  });

  it('is another one for each archive', async () => {
    fake.script(ANSWERS);
    const { output } = await session.invoke<string>(
      `$grants = 1..3 | ForEach-Object { [pscustomobject]@{ Serial = "serial $_" } }
       $grants | Export-SPMigration -Path /out -Password $s -NewTransferCode | ForEach-Object { Get-Text $_.TransferCode }`,
    );
    expect(new Set(output).size).toBe(3);
    expect(sent()).toEqual(output);
  });

  it('is neither made nor a member without the switch', async () => {
    fake.script(ANSWERS);
    const { output } = await session.invoke(
      `$archive = Export-SPMigration -Path /out -Destination PC-B -Password $s
       $null -eq $archive.PSObject.Properties['TransferCode']`,
    );
    expect(output).toEqual([true]);
    expect(sent()).toEqual([undefined]);
  });

  it('is shown nowhere where nobody reads the screen', async () => {
    fake.script(ANSWERS);
    const outcome = await session.invoke(`$archive = ${EXPORT} -Verbose`);
    expect(outcome.errors).toEqual([]);
    expect(JSON.stringify(outcome)).not.toContain(sent()[0]);
    expect(outcome.text).not.toContain('Transfer code');
  });

  it('needs no screen: a host without one gives the result all the same', async () => {
    fake.script(ANSWERS);
    const { output, errors } = await session.invoke<string>(
      `$engine = [powershell]::Create([initialsessionstate]::CreateDefault2())
       $null = $engine.AddScript('param($module, $s) Import-Module -Name $module; ${EXPORT}').AddArgument($data).AddArgument($s)
       $engine.Invoke() | ForEach-Object { Get-Text $_.TransferCode }
       if ($engine.HadErrors) { Write-Error ($engine.Streams.Error -join '; ') }`,
      fake.manifest,
    );
    expect(errors).toEqual([]);
    expect(output).toEqual(sent());
  });

  it('is shown once for each archive, and not for a plan or a failure', async () => {
    await session.invoke('& (Get-Module SPMigration) { function script:Test-SPReader { $true } }');
    fake.script(ANSWERS);
    const { text } = await session.invoke(`$archives = 1..2 | ForEach-Object { ${EXPORT} }`);
    const shown = [...text.matchAll(/^Transfer code: (.*)$/gm)].map(([, code]) => code);
    expect(shown).toEqual([expect.stringMatching(CODE), expect.stringMatching(CODE)]);
    expect(shown[0]).not.toBe(shown[1]);
    expect(text).toContain('/out/anna@PC-B.sparc');
    const planned = await session.invoke(`${EXPORT} -WhatIf`);
    expect(planned.text).toContain('What if:');
    expect(planned.text).not.toContain('Transfer code:');
    fake.script({ ...ANSWERS, 'export:apply': [failure('StorageFull', 'WriteError')] });
    const failed = await session.invoke(EXPORT);
    expect(failed.errors).toHaveLength(1);
    expect(failed.text).not.toContain('Transfer code:');
  });

  it('comes to an import as a secret, also from the archive that the export returned', async () => {
    fake.script({
      'import:plan': [plan('p1')],
      'import:apply': [result('ImportResult', sampleOf('ImportResult'))],
    });
    const { errors } = await session.invoke(
      `$code = [securestring]::new(); 'abcd-efgh-jkmn-pqrs'.ToCharArray() | ForEach-Object { $code.AppendChar($_) }
       $null = Import-SPMigration -LiteralPath /a -Password $s -CurrentPassword $s -TransferCode $code
       $archive = [pscustomobject]@{ Path = '/a'; TransferCode = $code }
       $null = $archive | Import-SPMigration -Password $s`,
    );
    expect(errors).toEqual([]);
    const code = 'abcd-efgh-jkmn-pqrs';
    expect(fake.core.asked().map(({ secrets }) => secrets)).toEqual([
      { password: 'x', currentPassword: 'x', transferCode: code },
      {},
      { password: 'x', transferCode: code },
      {},
    ]);
  });

  describe.skipIf(!haveHost() || !has('script'))('on a terminal', () => {
    it.each([
      ['is seen by the person', [], 1],
      ['is not shown with -NonInteractive', ['-NonInteractive'], 0],
      ['is not shown with -noni either', ['-noni'], 0],
    ] as const)('%s', async (_, switches, times) => {
      fake.script(ANSWERS);
      const file = join(fake.folder, 'export.ps1');
      writeFileSync(
        file,
        `Import-Module -Name '${fake.manifest}'\n$s = [securestring]::new(); $s.AppendChar('x')\n$null = ${EXPORT}\n'finished'\n`,
      );
      const host = requireEngine(hostEngine()).path;
      const command = [host, '-NoLogo', '-NoProfile', ...switches, '-File', file];
      const quoted = command.map((word) => `'${word}'`).join(' ');
      // The program `script` gives its command a terminal, and passes on what is shown there.
      const { stdout } = await promisify(execFile)('script', ['-qec', quoted, '/dev/null'], {
        env: engineEnvironment(),
      });
      expect(stdout).toContain('finished');
      const shown = [...stdout.matchAll(/Transfer code: ([0-9A-Z-]+)/g)].map(([, code]) => code);
      expect(shown).toHaveLength(times);
      if (times > 0) expect(shown).toEqual(sent());
    });
  });
});
