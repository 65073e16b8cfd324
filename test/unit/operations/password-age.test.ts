/** Since when a password is used, from the lines of a history: which events set one, and which only look like it. */
import { describe, expect, it } from 'vitest';
import type { HistoryLine } from '../../../core/src/domain/history.ts';
import { passwordSetAt } from '../../../core/src/operations/password-age.ts';

const line = (
  time: number,
  operation: string,
  facts: Readonly<Record<string, string>> = {},
  more: Partial<HistoryLine> = {},
): HistoryLine => ({
  scope: 'user',
  number: 1,
  time,
  operation,
  outcome: 'ok',
  account: 'anna',
  facts,
  previous: '',
  hash: '',
  ...more,
});

const made = line(100, 'user-initialize', { generation: '1' });

describe('the password of a person was set', () => {
  it.each([
    ['when the key was made', [made], 100],
    ['when it was changed last', [made, line(300, 'user-password'), line(200, 'user-password')], 300],
    [
      'with a new key, where the password changed too',
      [made, line(200, 'user-new-key', { password: 'changed' })],
      200,
    ],
    ['not with a new key alone', [made, line(200, 'user-new-key', {})], 100],
    ['with the environment that an import installed', [line(200, 'import', { case: 'install' })], 200],
    ['with the one that replaced another', [made, line(200, 'import', { case: 'replace' })], 200],
    ['not with a merge', [made, line(200, 'import', { case: 'merge' })], 100],
    ['but with a merge into a new key', [made, line(200, 'import', { case: 'merge, rekey' })], 200],
    [
      'with an environment that came back from quarantine',
      [made, line(200, 'undo', { kind: 'Quarantine' })],
      200,
    ],
    ['not with content that came back', [made, line(200, 'undo', { kind: 'Generation' })], 100],
    [
      'not with a registration that was left again',
      [made, line(200, 'user-initialize', { registration: 'left again' })],
      100,
    ],
    ['not by what failed', [made, line(200, 'user-password', {}, { outcome: 'PasswordRejected' })], 100],
    ['not by a line of the platform', [made, line(200, 'user-password', {}, { scope: 'platform' })], 100],
    ['at no time that is known', [line(200, 'export')], undefined],
    ['never, without a line', [], undefined],
  ])('%s', (_, lines, expected) => {
    expect(passwordSetAt(lines)).toBe(expected);
  });
});
