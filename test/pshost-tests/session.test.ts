/**
 * The session driver: what it promises to the tests that use it. Data stays data, errors come back as records, state stays
 * between calls, a broken script is a rejection and not a hang.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { havePowerShell } from '../testkit/powershell.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';

describe.skipIf(!havePowerShell())('PowerShell session', () => {
  let session: PowerShellSession;
  beforeAll(async () => {
    session = await openSession({ env: { SESSION_TEST: 'from the environment' } });
  });
  afterAll(async () => {
    await session.close();
  });

  it('passes data unharmed', async () => {
    const data = {
      text: `'; exit 5 #"$(1)\`n Ünïcode 🔑\r\nnext`,
      list: [1, 2.5, null, true],
      deep: { a: { b: ['c'] } },
    };
    const { output } = await session.invoke('$data', data);
    expect(output).toEqual([data]);
  });

  it('keeps variables, functions and location', async () => {
    await session.invoke('$kept = 41; function Add-One($n) { $n + 1 }');
    expect((await session.invoke('Add-One $kept; $env:SESSION_TEST')).output).toEqual([
      42,
      'from the environment',
    ]);
  });

  it('tells the streams apart', async () => {
    const result = await session.invoke(
      "'out'; Write-Warning w; Write-Verbose v -Verbose; Write-Host h; Write-Error e -ErrorId Mine; $Host.UI.WriteLine('past the streams')",
    );
    expect(result).toMatchObject({
      output: ['out'],
      warnings: ['w'],
      verbose: ['v'],
      information: ['h'],
      errors: [{ message: 'e', terminating: false, category: 'NotSpecified' }],
    });
    expect(result.text.trim()).toBe('past the streams');
  });

  it('returns what was written before a terminating error', async () => {
    const { output, errors } = await session.invoke("'before'; throw 'boom'; 'after'");
    expect(output).toEqual(['before']);
    expect(errors).toMatchObject([
      { id: 'boom', message: 'boom', terminating: true, category: 'OperationStopped' },
    ]);
  });

  it('carries the recommended action and target', async () => {
    const { errors } = await session.invoke(
      "function f { [CmdletBinding()] param() $r = [System.Management.Automation.ErrorRecord]::new([Exception]::new('m'), 'I', 'ReadError', 't'); $r.ErrorDetails = [System.Management.Automation.ErrorDetails]::new('shown'); $r.ErrorDetails.RecommendedAction = 'next step'; $PSCmdlet.WriteError($r) }; f",
    );
    expect(errors).toEqual([
      {
        id: 'I,f',
        category: 'ReadError',
        message: 'shown',
        recommendedAction: 'next step',
        target: 't',
        terminating: false,
      },
    ]);
  });

  it('rejects a script that does not parse, and lives on', async () => {
    await expect(session.invoke('if (')).rejects.toThrow();
    expect((await session.invoke("'alive'")).output).toEqual(['alive']);
  });

  it('rejects when the engine ends', async () => {
    const other = await openSession();
    await expect(other.invoke('[Environment]::Exit(3)')).rejects.toThrow();
    await other.close();
  });
});
