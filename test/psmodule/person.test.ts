/**
 * The module with a person at the prompt or at the keys: what a confirmation shows and what each answer does, and that
 * Ctrl+C ends the cmdlet and its child (design page 4, rules 2, 3 and 6). The core is a fake.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allEnded, failure, makeFakeModule, plan, result, type FakeModule } from '../testkit/fake-module.ts';
import { haveHost, runPowerShell, startPowerShell } from '../testkit/powershell.ts';
import { windowsLane } from '../testkit/windows/lane.ts';

/** What an answer does is the same everywhere; in the Windows lane each of these starts an engine more. */
const briefly = windowsLane() !== undefined && process.env.SPMIGRATION_FULL !== '1';

describe.skipIf(!haveHost())('a person', { timeout: 120_000 }, () => {
  let fake: FakeModule;
  beforeAll(async () => {
    fake = await makeFakeModule();
  });
  afterAll(() => {
    fake.remove();
  });

  const script = (text: string): string => {
    const file = join(fake.folder, 'script.ps1');
    writeFileSync(
      file,
      `Import-Module -Name '${fake.manifest}'
$secret = [securestring]::new(); $secret.AppendChar('x')
${text}
`,
    );
    return file;
  };
  const removal = result('UserRemoval', { account: 'anna', quarantine: '/q', uninstall: [] });
  const modes = (): readonly string[] => fake.core.asked().map((asked) => asked.mode);

  it('who confirms gets exactly the plan that was shown', async () => {
    fake.script({ 'user-remove:plan': [plan('p1', { impact: 'high' })], 'user-remove:apply': [removal] });
    const { stdout } = await runPowerShell({
      file: script('(Remove-SPMigrationUser).Quarantine'),
      answers: ['y'],
    });
    expect(stdout).toContain('Do the thing: the target');
    expect(stdout).toContain('The first effect.');
    expect(stdout.trim().endsWith('/q')).toBe(true);
    expect(fake.core.asked()[1]).toMatchObject({ mode: 'apply', planId: 'p1' });
  });

  it.skipIf(briefly)('who declines changes nothing, and that is no error', async () => {
    fake.script({ 'user-remove:plan': [plan('p1', { impact: 'high' })] });
    const { stderr, exitCode } = await runPowerShell({
      file: script('Remove-SPMigrationUser'),
      answers: ['n'],
    });
    expect([stderr, exitCode, modes()]).toEqual(['', 0, ['plan']]);
  });

  it.skipIf(briefly)(
    'is asked about a plan of high impact also by a cmdlet that usually does not ask',
    async () => {
      const text = 'Import-SPMigration -LiteralPath /a -Password $secret -AllowReplace';
      fake.script({ 'import:plan': [plan('p1', { impact: 'high' })] });
      await runPowerShell({ file: script(text), answers: ['n'] });
      expect(modes()).toEqual(['plan']);
      await runPowerShell({ file: script(text), answers: ['y'] });
      expect(modes()).toEqual(['plan', 'plan', 'apply']);
    },
  );

  it.skipIf(briefly)('is not asked when the core will refuse anyway', async () => {
    const refusal = { record: { t: 'warning', code: 'ImportWouldReplace', message: 'It would replace.' } };
    fake.script({
      'import:plan': [refusal, plan('p1', { impact: 'high' })],
      'import:apply': [failure('ImportWouldReplace', 'ResourceExists')],
    });
    const text = 'Import-SPMigration -LiteralPath /a -Password $secret';
    const { stdout, stderr } = await runPowerShell({ file: script(text), answers: [] });
    expect([stdout, stderr]).toEqual(['', expect.stringContaining('The fact of ImportWouldReplace.')]);
    expect(modes()).toEqual(['plan', 'apply']);
    fake.script({ 'import:plan': [refusal, plan('p1', { impact: 'high' })] });
    const shown = await runPowerShell({ file: script(`${text} -WhatIf`), answers: [] });
    expect(shown.stdout).toContain('WARNING: It would replace.');
    expect(shown.stdout).toContain('What if: Do the thing');
  });

  it.skipIf(briefly)('is asked again if the child ended meanwhile and the new plan is another', async () => {
    fake.script(
      {
        'user-remove:plan': [plan('p2', { impact: 'high', lines: ['Another effect.'] })],
        'user-remove:apply': [removal],
      },
      {
        children: [
          { 'user-remove:plan': [plan('p1', { impact: 'high' })], 'user-remove:apply': [{ exit: 0 }] },
        ],
      },
    );
    const { stdout } = await runPowerShell({ file: script('Remove-SPMigrationUser'), answers: ['y', 'y'] });
    expect(stdout).toContain('The first effect.');
    expect(stdout).toContain('Another effect.');
    expect(fake.core.asked().map(({ mode, planId }) => [mode, planId])).toEqual([
      ['plan', undefined],
      ['apply', 'p1'],
      ['plan', undefined],
      ['apply', 'p2'],
    ]);
  });

  it.skipIf(briefly)('who says yes to all is asked once for a pipeline', async () => {
    fake.script({ 'archive-remove:plan': [plan('p1', { impact: 'high' })], 'archive-remove:apply': [] });
    await runPowerShell({ file: script(`'/a', '/b' | Remove-SPMigrationArchive`), answers: ['a'] });
    expect(modes()).toEqual(['plan', 'apply', 'plan', 'apply']);
  });

  it.each([
    ['while the core works', [{ record: { t: 'verbose', message: 'x' } }, { hang: true }]],
    ['before the core has said anything', [{ hang: true }]],
  ] as const)('who presses Ctrl+C %s leaves nothing behind', async (_, acts) => {
    fake.script({ status: acts });
    const engine = startPowerShell({ file: script(`'begun'; Get-SPMigrationStatus; 'never'`) });
    await engine.waitFor('begun');
    await until(() => fake.core.asked().length === 1);
    const pressed = performance.now();
    engine.interrupt();
    const { stdout } = await engine.finished;
    // A core that does not react to the end of its input is given five seconds.
    expect(performance.now() - pressed).toBeLessThan(windowsLane() === undefined ? 8_000 : 30_000);
    expect(stdout).not.toContain('never');
    await allEnded(fake.core.pids());
  });

  it('who presses Ctrl+C stops a core that listens at once', async () => {
    fake.script({
      status: [{ record: { t: 'progress', activity: 'a', status: 's', percent: 1 } }, { waitMs: 1500 }],
    });
    const engine = startPowerShell({ file: script(`'begun'; Get-SPMigrationStatus`) });
    await engine.waitFor('begun');
    await until(() => fake.core.asked().length === 1);
    engine.interrupt();
    await engine.finished;
    await allEnded(fake.core.pids());
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 50) {
    if (waited > 20_000) throw new Error('what was waited for did not happen');
    await delay(50);
  }
}
