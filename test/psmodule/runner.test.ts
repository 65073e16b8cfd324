/**
 * The module's runner against a scripted core: what goes over the streams, what comes out of the cmdlet, and what becomes of
 * the child (design page 4, "Process protocol"; page 7, ruling 15). Leaves out what operations do: the core is a fake.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Act } from '../testkit/fake-core.ts';
import {
  failure,
  identity,
  allEnded,
  makeFakeModule,
  plan,
  result,
  type FakeModule,
} from '../testkit/fake-module.ts';
import { openSession, type PowerShellSession, type SessionResult } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';
import { pathThere, windowsLane } from '../testkit/windows/lane.ts';

/** In the Windows lane each call takes a second. */
const briefly = windowsLane() !== undefined && process.env.SPMIGRATION_FULL !== '1';

describe.skipIf(!havePowerShell())('runner', { timeout: 120_000 }, () => {
  let fake: FakeModule;
  let session: PowerShellSession;

  beforeAll(async () => {
    fake = await makeFakeModule();
    session = await openSession();
    await session.invoke('Import-Module -Name $data', fake.manifest);
  });
  afterAll(async () => {
    await session.close();
    fake.remove();
  });

  const run = <T = Record<string, unknown>>(script: string, data?: unknown): Promise<SessionResult<T>> =>
    session.invoke<T>(script, data);

  describe('records', () => {
    it('gives results as typed objects with UTC dates', async () => {
      fake.script({ 'identity-read': [identity('/x')] });
      const { output } = await run<string>(
        `$o = Get-SPMigrationIdentity -LiteralPath /x
         $o.PSObject.TypeNames[0]; $o.Created.ToString('o'); $o.Rehearsal.GetType().Name; $o.Computer`,
      );
      expect(output).toEqual(['SPMigration.Identity', '2026-11-24T06:00:00.0000000Z', 'Boolean', 'PC-B']);
    });

    it('keeps Unicode, control characters and a line of a megabyte', async () => {
      const summary = `Zoë "quoted" \\ tab\t newline\n 漢字 😀 ${'x'.repeat(1_000_000)}`;
      fake.script({
        history: [
          result('HistoryEvent', { scope: 'user', number: 1, time: '2026-11-24T06:00:00Z', summary }),
        ],
      });
      const { output } = await run<{ Summary: string }>('Get-SPMigrationHistory');
      expect(output[0]?.Summary).toBe(summary);
    });

    it('sends text of any kind so that it arrives as it was', async () => {
      fake.script({ 'credential-list': [] });
      const text = 'Zoë "quoted" \\ tab\t newline\n 漢字 😀';
      await run('Get-SPMigrationCredential -Credential $data', text);
      expect(fake.core.asked()[0]?.parameters).toEqual({ credential: text });
    });

    it('shows warnings and, where the caller wants them, verbose messages', async () => {
      fake.script({
        status: [
          { record: { t: 'verbose', message: 'a step' } },
          { record: { t: 'warning', message: 'careful' } },
        ],
      });
      expect(await run('Get-SPMigrationStatus')).toMatchObject({ warnings: ['careful'], verbose: [] });
      expect(await run('Get-SPMigrationStatus -Verbose')).toMatchObject({ verbose: ['a step'] });
      expect(await run('& { $VerbosePreference = "Continue"; Get-SPMigrationStatus }')).toMatchObject({
        verbose: ['a step'],
      });
    });
  });

  describe('progress', () => {
    const steps = (count: number): readonly Act[] =>
      Array.from({ length: count }).flatMap((_, index) => [
        { record: { t: 'progress', activity: 'Importing', status: `step ${index}`, percent: index } },
        { waitMs: 50 },
      ]);
    // Only an engine of one's own lets its progress stream be read.
    const progressOf = async (command: string): Promise<readonly string[]> => {
      const { output, errors } = await run<string>(
        `$engine = [powershell]::Create([initialsessionstate]::CreateDefault2())
         $null = $engine.AddScript('param($module, $command) Import-Module -Name $module; . ([scriptblock]::Create($command))')
         $null = $engine.AddArgument($data.manifest).AddArgument($data.command).Invoke()
         if ($engine.HadErrors) { Write-Error ($engine.Streams.Error -join '; ') }
         $engine.Streams.Progress | Where-Object Activity -eq Importing | ForEach-Object { [string]$_.RecordType }`,
        { manifest: fake.manifest, command },
      );
      expect(errors).toEqual([]);
      return output;
    };

    it('is shown after a second, at most four times a second, and completed', async () => {
      fake.script({ status: steps(60) });
      const begun = performance.now();
      const output = await progressOf('Get-SPMigrationStatus');
      const seconds = (performance.now() - begun) / 1000;
      // Three seconds and a bit, the first of them without.
      expect(output.length).toBeGreaterThanOrEqual(4);
      expect(output.length).toBeLessThanOrEqual((seconds - 1) * 4 + 2);
      expect(output.slice(0, -1).every((type) => type === 'Processing')).toBe(true);
      expect(output.at(-1)).toBe('Completed');
    });

    it('is completed also when the pipeline is stopped', async () => {
      fake.script({ status: [...steps(40), result('Status', {}), ...steps(40)] });
      const output = await progressOf('Get-SPMigrationStatus | Select-Object -First 1');
      expect(output.at(-1)).toBe('Completed');
    });

    // In the Windows lane no call takes less.
    it.skipIf(windowsLane() !== undefined)('is not shown for what takes less than a second', async () => {
      fake.script({ status: steps(3) });
      // On a computer under load the child alone may take longer to start; one of these will not.
      for (let attempt = 0; attempt < 10; attempt++) {
        const begun = performance.now();
        const shown = await progressOf('Get-SPMigrationStatus');
        if (performance.now() - begun < 1000) {
          expect(shown).toEqual([]);
          return;
        }
      }
      expect.fail('no call took less than a second');
    });
  });

  describe.skipIf(briefly)('errors', () => {
    it('is a real error record', async () => {
      fake.script({
        'archive-read': [
          failure('ArchiveDamaged', 'InvalidData', {
            target: '/a.sparc',
            details: { path: '/a.sparc', problem: 'cut' },
          }),
        ],
      });
      const { errors, output } = await run<string>(
        `Get-SPMigrationArchive -LiteralPath /a.sparc -ErrorVariable problem
         $problem[0].Exception.Data['SPMigration'].Details.problem`,
      );
      expect(errors).toEqual([
        {
          id: 'ArchiveDamaged,Get-SPMigrationArchive',
          category: 'InvalidData',
          message: 'The fact of ArchiveDamaged.',
          recommendedAction: 'The step after ArchiveDamaged.',
          target: '/a.sparc',
          terminating: false,
        },
      ]);
      expect(output).toEqual(['cut']);
    });

    it('goes on with the next item after an error of one item', async () => {
      fake.script({ 'archive-read': [failure('ArchiveDamaged', 'InvalidData')] });
      const { errors } = await run(`'/a', '/b' | Get-SPMigrationArchive`);
      expect(errors.map((error) => error.id)).toHaveLength(2);
      expect(fake.core.pids()).toHaveLength(1);
    });

    it('ends the cmdlet where every further item would fail too', async () => {
      fake.script({ 'archive-read': [failure('PlatformNotInitialized', 'InvalidOperation')] });
      const { errors } = await run(`'/a', '/b' | Get-SPMigrationArchive`);
      expect(errors).toMatchObject([
        { id: 'PlatformNotInitialized,Get-SPMigrationArchive', terminating: true },
      ]);
    });

    it('honours the preference of the calling script and its parameters', async () => {
      fake.script({ 'archive-read': [failure('ArchiveDamaged', 'InvalidData')] });
      const stop =
        '& { $ErrorActionPreference = "Stop"; try { Get-SPMigrationArchive -LiteralPath /a; "went on" } catch { "stopped" } }';
      expect((await run(stop)).output).toEqual(['stopped']);
      const quiet = await run(
        'Get-SPMigrationArchive -LiteralPath /a -ErrorAction SilentlyContinue; "went on"',
      );
      expect(quiet).toMatchObject({ output: ['went on'], errors: [] });
    });
  });

  describe('the child', () => {
    it('is one for all items of a pipeline, with the same arguments', async () => {
      fake.script({ 'archive-read': [] });
      await run(`'/a', '/b', '/c' | Get-SPMigrationArchive`);
      expect(fake.core.asked().map(({ child, parameters }) => [child, parameters.path])).toEqual([
        [0, pathThere('/a')],
        [0, pathThere('/b')],
        [0, pathThere('/c')],
      ]);
    });

    it('is replaced unseen when it has ended idle', async () => {
      fake.script({ 'archive-read': [identity('/x')] }, { idleMs: 100 });
      const { output, errors } = await run(
        `'/a', '/b' | ForEach-Object { $_; [System.Threading.Thread]::Sleep(700) } | Get-SPMigrationArchive`,
      );
      expect(errors).toEqual([]);
      expect(output).toHaveLength(2);
      expect(fake.core.pids()).toHaveLength(2);
    });

    it.each([
      ['crashes', [{ stderr: 'boom: out of luck\n' }, { exit: 134 }], /out of luck/],
      [
        'ends well without an answer to what it had begun',
        [{ record: { t: 'verbose', message: 'x' } }, { exit: 0 }],
        /exit code 0/,
      ],
      ['ends at once, every time', [{ exit: 0 }], /exit code 0/],
    ] as const)('that %s is CoreCrashed', async (_, acts, text) => {
      fake.script({ status: acts });
      const { errors } = await run('Get-SPMigrationStatus');
      expect(errors).toMatchObject([
        { id: 'CoreCrashed,Get-SPMigrationStatus', category: 'InvalidResult', terminating: true },
      ]);
      expect(errors[0]?.message).toMatch(text);
    });

    it('of another version is CoreVersionMismatch', async () => {
      fake.script({}, { version: '9.9.9' });
      const { errors } = await run('Get-SPMigrationStatus');
      expect(errors).toMatchObject([
        { id: 'CoreVersionMismatch,Get-SPMigrationStatus', category: 'NotImplemented' },
      ]);
      expect(errors[0]?.message).toContain('9.9.9');
    });

    it('that lacks libatomic is CoreLibraryMissing', async () => {
      const stderr =
        'spmigration: error while loading shared libraries: libatomic.so.1: cannot open shared object file\n';
      fake.script({}, { start: [{ stderr }, { exit: 127 }] });
      expect((await run('Get-SPMigrationStatus')).errors).toMatchObject([
        { id: 'CoreLibraryMissing,Get-SPMigrationStatus' },
      ]);
    });

    it('that does not speak the protocol says so itself', async () => {
      fake.script(
        {},
        {
          start: [
            { record: { t: 'hello', version: '0.1.0' } },
            failure('ProtocolUnsupported', 'NotImplemented'),
            { exit: 8 },
          ],
        },
      );
      expect((await run('Get-SPMigrationStatus')).errors).toMatchObject([
        { id: 'ProtocolUnsupported,Get-SPMigrationStatus' },
      ]);
    });

    it('that is missing is CoreNotFound, that is refused CoreBlocked', async () => {
      const path = fake.core.program;
      fake.script({});
      renameSync(path, `${path}.away`);
      try {
        const missing = await run('Get-SPMigrationStatus');
        expect(missing.errors).toMatchObject([
          { id: 'CoreNotFound,Get-SPMigrationStatus', category: 'ObjectNotFound' },
        ]);
        expect(missing.errors[0]?.message).toContain(pathThere(path));
        writeFileSync(path, 'no program', { mode: 0o644 });
        const blocked = await run('Get-SPMigrationStatus');
        expect(blocked.errors).toMatchObject([
          { id: 'CoreBlocked,Get-SPMigrationStatus', category: 'NotImplemented' },
        ]);
      } finally {
        renameSync(`${path}.away`, path);
      }
    });

    it('is gone after Select-Object -First, a break, and an exception upstream', async () => {
      const many = Array.from({ length: 3 }, (_, index) => result('HistoryEvent', { number: index }));
      fake.script({ history: many, 'archive-read': many }, { idleMs: 300 });
      await run('Get-SPMigrationHistory | Select-Object -First 1');
      await run('foreach ($i in 1) { Get-SPMigrationHistory | ForEach-Object { break } }');
      await run(
        `try { '/a', '/b' | ForEach-Object { if ($_ -eq '/b') { throw 'x' }; $_ } | Get-SPMigrationArchive } catch { }`,
      );
      await delay(1500);
      const pids = fake.core.pids();
      expect(pids).toHaveLength(3);
      await allEnded(pids);
    });
  });

  // Of plans, errors and secrets, which are the same everywhere, and seen with the real core in windows/module.test.ts.
  describe.skipIf(briefly)('changes', () => {
    const answers = {
      'identity-export:plan': [plan('p1')],
      'identity-export:apply': [identity('/out/PC-B.spid')],
    };

    it('send a number that was given also where it is 0, and take no empty choice for none', async () => {
      fake.script({ 'undo:plan': [failure('GenerationNotFound', 'ObjectNotFound')] });
      const { errors } = await run('Undo-SPMigration -Generation 0');
      expect(errors).toMatchObject([{ id: 'GenerationNotFound,Undo-SPMigration' }]);
      expect(fake.core.asked()[0]?.parameters).toEqual({ generation: 0 });
      fake.script({});
      const empty = await run(
        `try { Undo-SPMigration -Quarantine '' } catch { $_.FullyQualifiedErrorId }
         [pscustomobject]@{ Credential = '' } | Undo-SPMigration 2>$null`,
      );
      expect(empty.output).toEqual(['ParameterArgumentValidationError,Undo-SPMigration']);
      expect(fake.core.asked()).toEqual([]);
    });

    it('are planned, then applied with the plan that was shown', async () => {
      fake.script(answers);
      const { output } = await run('Export-SPMigrationIdentity -Path /out');
      expect(output).toMatchObject([{ Computer: 'PC-B', Path: '/out/PC-B.spid' }]);
      expect(fake.core.asked()).toMatchObject([
        { operation: 'identity-export', mode: 'plan', parameters: { path: pathThere('/out') } },
        {
          operation: 'identity-export',
          mode: 'apply',
          planId: 'p1',
          parameters: { path: pathThere('/out') },
        },
      ]);
    });

    it('are only planned with -WhatIf, which prints the very lines', async () => {
      fake.script(answers);
      const { output, text } = await run('Export-SPMigrationIdentity -Path /out -WhatIf');
      expect(output).toEqual([]);
      expect(text).toContain('What if: Do the thing: the target');
      expect(text).toContain('The first effect.');
      expect(text).toContain('The second effect.');
      expect(fake.core.asked().map(({ mode, whatIf }) => [mode, whatIf])).toEqual([['plan', true]]);
    });

    it('honour $WhatIfPreference of the calling script', async () => {
      fake.script(answers);
      await run('& { $WhatIfPreference = $true; Export-SPMigrationIdentity -Path /out }');
      expect(fake.core.asked().map(({ mode, whatIf }) => [mode, whatIf])).toEqual([['plan', true]]);
      fake.script(answers);
      await run('& { $WhatIfPreference = $true; Export-SPMigrationIdentity -Path /out -WhatIf:$false }');
      expect(fake.core.asked().map(({ mode, whatIf }) => [mode, whatIf])).toEqual([
        ['plan', undefined],
        ['apply', undefined],
      ]);
    });

    it('show a warning of plan and apply once', async () => {
      const careful = { record: { t: 'warning', message: 'careful' } };
      fake.script({
        'identity-export:plan': [careful, plan('p1')],
        'identity-export:apply': [careful, identity('/out/PC-B.spid')],
      });
      expect((await run('Export-SPMigrationIdentity -Path /out')).warnings).toEqual(['careful']);
    });

    it('need a confirmation at once where nobody can be asked', async () => {
      fake.script({ 'user-remove:plan': [plan('p1', { impact: 'high' })] });
      const start = performance.now();
      const { errors } = await run('Remove-SPMigrationUser');
      expect(performance.now() - start).toBeLessThan(5000); // a second, and a computer under load
      expect(errors).toMatchObject([
        {
          id: 'ConfirmationRequired,Remove-SPMigrationUser',
          category: 'InvalidArgument',
          target: 'the target',
          terminating: true,
        },
      ]);
      expect(fake.core.asked().map((asked) => asked.mode)).toEqual(['plan']);
    });

    it.each(['-Force', '-Confirm:$false'])('count as confirmed with %s', async (how) => {
      const removal = result('UserRemoval', { account: 'anna', quarantine: '/q', uninstall: [] });
      fake.script({ 'user-remove:plan': [plan('p1', { impact: 'high' })], 'user-remove:apply': [removal] });
      const { output, errors } = await run(`Remove-SPMigrationUser ${how}`);
      expect(errors).toEqual([]);
      expect(output).toMatchObject([{ Quarantine: '/q' }]);
    });

    it('ask where the plan weighs more than the cmdlet usually does', async () => {
      fake.script({ 'import:plan': [plan('p1', { impact: 'high' })] });
      const { errors } = await run(
        '$p = [securestring]::new(); $p.AppendChar("x"); Import-SPMigration -LiteralPath /a -Password $p -AllowReplace',
      );
      expect(errors).toMatchObject([{ id: 'ConfirmationRequired,Import-SPMigration' }]);
    });

    it('are planned again by another child if the first ended before it began; the same plan stays confirmed', async () => {
      fake.script(
        { 'identity-export:plan': [plan('p1')], 'identity-export:apply': [identity('/o')] },
        { children: [{ 'identity-export:apply': [{ exit: 0 }] }] },
      );
      const { output, errors } = await run('Export-SPMigrationIdentity -Path /out');
      expect(errors).toEqual([]);
      expect(output).toHaveLength(1);
      expect(fake.core.asked().map(({ child, mode }) => [child, mode])).toEqual([
        [0, 'plan'],
        [0, 'apply'],
        [1, 'plan'],
        [1, 'apply'],
      ]);
    });

    it('are never repeated once the child had begun them', async () => {
      fake.script({
        'identity-export:plan': [plan('p1')],
        'identity-export:apply': [
          { record: { t: 'progress', activity: 'x', status: 'y', percent: 1 } },
          { exit: 0 },
        ],
      });
      const { errors } = await run('Export-SPMigrationIdentity -Path /out');
      expect(errors).toMatchObject([{ id: 'CoreCrashed,Export-SPMigrationIdentity' }]);
      expect(fake.core.asked().map((asked) => asked.mode)).toEqual(['plan', 'apply']);
    });
  });

  describe.skipIf(briefly)('secrets', () => {
    const secure = (text: string) =>
      `$s = [securestring]::new(); foreach ($c in ${text}.ToCharArray()) { $s.AppendChar($c) }`;

    it('go as frames behind the request, in UTF-8, and not again with apply', async () => {
      fake.script({ 'user-initialize:plan': [plan('p1')], 'user-initialize:apply': [] });
      await run(`${secure('$data')}; Initialize-SPMigrationUser -Password $s`, 'Pässwörd 漢字 "x"');
      expect(fake.core.asked()).toMatchObject([
        { mode: 'plan', secrets: { password: 'Pässwörd 漢字 "x"' } },
        { mode: 'apply', secrets: {} },
      ]);
    });

    it('are sent again to a child that replaces the one that knew them', async () => {
      fake.script(
        { 'user-initialize:plan': [plan('p1')], 'user-initialize:apply': [] },
        { children: [{ 'user-initialize:apply': [{ exit: 0 }] }] },
      );
      await run(`${secure('$data')}; Initialize-SPMigrationUser -Password $s`, 'secret');
      expect(fake.core.asked().map(({ child, secrets }) => [child, secrets.password])).toEqual([
        [0, 'secret'],
        [0, undefined],
        [1, 'secret'],
        [1, undefined],
      ]);
    });

    it('that are missing are errors of their own before anything is asked, and not needed for -WhatIf', async () => {
      fake.script({ 'export:plan': [plan('p1')], 'access-grant:plan': [plan('p2', { impact: 'high' })] });
      const lacking = await run('Export-SPMigration -Path /out -Destination PC-B');
      expect(lacking.errors).toMatchObject([
        { id: 'PasswordRequired,Export-SPMigration', category: 'InvalidArgument' },
      ]);
      const grant = await run('Grant-SPMigrationAccess -LiteralPath /x.spid');
      expect(grant.errors).toMatchObject([{ id: 'OwnerPasswordRequired,Grant-SPMigrationAccess' }]);
      expect((await run('Export-SPMigration -Path /out -Destination PC-B -WhatIf')).errors).toEqual([]);
    });
  });

  describe('paths', () => {
    it('are made absolute from the PowerShell location', async () => {
      fake.script({ 'identity-export:plan': [plan('p1')], 'identity-export:apply': [] });
      await run(
        'Set-Location -LiteralPath $data; Export-SPMigrationIdentity -Path "sub dir/ü.spid"',
        fake.folder,
      );
      expect(fake.core.asked()[0]?.parameters).toEqual({
        path: pathThere(join(fake.folder, 'sub dir/ü.spid')),
      });
    });

    it('mean the file system from any location', async () => {
      fake.script({ 'archive-read': [] });
      const paths = ['/x/y', '/x/z'].map(pathThere);
      await run(
        `Push-Location Variable:
         try { Get-SPMigrationArchive -LiteralPath $data[0]; Get-SPMigrationArchive -Path $data[1] } finally { Pop-Location }`,
        paths,
      );
      expect(fake.core.asked().map((asked) => asked.parameters.path)).toEqual(paths);
      const { errors } = await run('Get-SPMigrationArchive -LiteralPath Variable:x');
      expect(errors).toMatchObject([{ id: 'ParameterInvalid,Get-SPMigrationArchive', terminating: false }]);
    });

    it('take wildcards in -Path and none in -LiteralPath', async () => {
      const folder = join(fake.folder, 'w');
      mkdirSync(folder);
      for (const name of ['a.sparc', 'b.sparc', '[1].sparc', 'c.txt']) writeFileSync(join(folder, name), '');
      fake.script({ 'archive-read': [] });
      const paths = () =>
        fake.core.asked().map((asked) => String(asked.parameters.path).slice(pathThere(folder).length + 1));
      await run('Get-SPMigrationArchive -Path "$data/*.sparc"', folder);
      expect(paths().sort()).toEqual(['[1].sparc', 'a.sparc', 'b.sparc']);
      fake.script({ 'archive-read': [] });
      await run(
        'Get-SPMigrationArchive -LiteralPath "$data/[1].sparc"; Get-SPMigrationArchive -Path "$data/[1].sparc"',
        folder,
      );
      expect(paths()).toEqual(['[1].sparc', '[1].sparc']);
      const { errors } = await run('Get-SPMigrationArchive -Path "$data/*.none"', folder);
      expect(errors).toMatchObject([
        { id: 'FileNotFound,Get-SPMigrationArchive', category: 'ObjectNotFound', terminating: false },
      ]);
    });

    it('come by pipeline from files', async () => {
      const folder = join(fake.folder, 'p');
      mkdirSync(folder);
      for (const name of ['a.sparc', '[2].sparc']) writeFileSync(join(folder, name), '');
      fake.script({ 'archive-read': [] });
      await run('Get-ChildItem -LiteralPath $data | Get-SPMigrationArchive', folder);
      expect(
        fake.core
          .asked()
          .map((asked) => asked.parameters.path)
          .sort(),
      ).toEqual([join(folder, '[2].sparc'), join(folder, 'a.sparc')].map(pathThere).sort());
    });
  });
});
