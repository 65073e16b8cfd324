/**
 * Questions on a terminal that echoes: Ctrl+C comes as a signal there, not as a byte. Leaves out secrets, which are typed
 * without echo (test/cli).
 */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Terminal } from '../../../core/src/cli/terminal.ts';

function terminal(): { readonly input: PassThrough; readonly terminal: Terminal } {
  const input = new PassThrough();
  const stderr = new PassThrough();
  return { input, terminal: new Terminal({ stdin: input, stdout: new PassThrough(), stderr }) };
}

describe('a yes-or-no question', () => {
  it.each([
    ['y\n', true],
    ['Yes\r\n', true],
    ['n\n', false],
    ['\n', false],
  ])('%j is %s', async (typed, agreed) => {
    const { input, terminal: asked } = terminal();
    input.write(typed);
    expect(await asked.confirm('Continue?', new AbortController().signal)).toBe(agreed);
  });

  it('ends on Ctrl+C, before it is asked and while it waits', async () => {
    const interruption = new AbortController();
    const waiting = terminal().terminal.confirm('Continue?', interruption.signal);
    interruption.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'OperationInterrupted' });
    await expect(terminal().terminal.confirm('Continue?', interruption.signal)).rejects.toMatchObject({
      code: 'OperationInterrupted',
    });
  });
});
