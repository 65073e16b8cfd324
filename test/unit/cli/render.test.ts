/** Results as lines for a terminal: sentences in the words of the command line, also those of the checks in a list. */
import { describe, expect, it } from 'vitest';
import { renderResult } from '../../../core/src/cli/render.ts';

describe('a result', () => {
  it('shows each check of a list in one line, and hints in command words', () => {
    const check = {
      name: 'Transfer code',
      passed: true,
      code: null,
      message: 'It opens only together with its transfer code.',
      hint: 'Pass it with -TransferCode (command line: --transfer-code-stdin), or see Export-SPMigration.',
    };
    expect(
      renderResult({ path: '/x -Force', fits: true, reasons: ['see Test-SPMigration'], checks: [check] }),
    ).toEqual([
      'Path     /x -Force',
      'Fits     yes',
      'Reasons  see spmigration platform-test',
      'Checks:',
      '  Name: Transfer code; Passed: yes; Message: It opens only together with its transfer code.; Hint: Pass it with --transfer-code-stdin, or see spmigration export.',
    ]);
  });
});
