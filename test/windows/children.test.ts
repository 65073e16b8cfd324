/**
 * What becomes of processes on Windows that are killed, or whose caller is: the cmdlet says so at once, no child lives on, and
 * the next call works. How a child is started, answers and ends by itself: test/psmodule/runner.test.ts, which runs here too.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allEnded, makeFakeModule, result, type FakeModule } from '../testkit/fake-module.ts';
import { startPowerShell } from '../testkit/powershell.ts';
import { WindowsComputer } from '../testkit/windows/computer.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';
import { haveWindows } from '../testkit/windows/lane.ts';
import { killWindowsProcess, windowsProcesses } from '../testkit/windows/processes.ts';

describe.skipIf(!haveWindows())('a process on Windows', { timeout: 300_000 }, () => {
  let fake: FakeModule;
  beforeAll(async () => {
    fake = await makeFakeModule();
  });
  afterAll(() => {
    fake.remove();
  });

  const start = (script: string) =>
    startPowerShell({ encodedCommand: `Import-Module -Name '${fake.manifest}'; ${script}` });

  it('that is killed is CoreCrashed for its cmdlet, and the next call has another', async () => {
    fake.script(
      { history: [result('HistoryEvent', { number: 7, summary: 'as ever' })] },
      { children: [{ history: [{ hang: true }] }] },
    );
    const engine = start(`'begun'
try { Get-SPMigrationHistory -ErrorAction Stop; 'never' } catch { $_.FullyQualifiedErrorId }
(Get-SPMigrationHistory).Summary`);
    await engine.waitFor('begun');
    await until(() => fake.core.asked().length === 1);
    for (const pid of fake.core.pids()) killWindowsProcess(pid);
    const { stdout, stderr, exitCode } = await engine.finished;
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(stdout.split(/\r?\n/).filter((line) => line !== '')).toEqual([
      'begun',
      'CoreCrashed,Get-SPMigrationHistory',
      'as ever',
    ]);
    await allEnded(fake.core.pids());
  });

  it('does not outlive the engine that is killed while it works', async () => {
    fake.script({ history: [{ waitMs: 3000 }] });
    const engine = start(`'begun'; Get-SPMigrationHistory; 'never'`);
    await engine.waitFor('begun');
    await until(() => fake.core.asked().length === 1);
    const [pid = 0] = fake.core.pids();
    expect(windowsProcesses().has(pid)).toBe(true);
    engine.kill();
    const { stdout } = await engine.finished;
    expect(stdout).not.toContain('never');
    await until(() => !windowsProcesses().has(pid));
  });

  it('that is asked to stop by the end of its input leaves the computer as it was', async () => {
    const computer = await WindowsComputer.make(await makeWindowsFolder(), 'PC-A');
    const conversation = computer.converse();
    await conversation.until(({ t }) => t === 'hello');
    const secrets = { ownerPassword: 'the owner of this computer' };
    conversation.write(conversation.encode({ cmd: 'platform-initialize', secrets }));
    const { code, stderr } = await conversation.end();
    expect([stderr, code]).toEqual(['', 0]);
    const status = await computer.result<{ initialized: boolean }>(['status']);
    expect(conversation.records.find(({ t }) => t === 'error')).toMatchObject({
      code: 'OperationInterrupted',
    });
    expect(status.initialized).toBe(false);
  });
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('what was waited for did not happen');
    await delay(100);
  }
}
