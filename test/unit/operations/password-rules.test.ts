/** What a new password must be like: lengths, kinds of characters, the account's name; and that only a new one is judged. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { requireAcceptable, type PasswordRules } from '../../../core/src/operations/password-rules.ts';
import { Secrets } from '../../../core/src/operations/secrets.ts';

function judge(text: string, rules: PasswordRules = {}, account = ''): void {
  const secrets = new Secrets((length) => new Uint8Array(length));
  try {
    secrets.put('newPassword', new SecretBytes(utf8(text)));
    requireAcceptable(secrets, 'newPassword', 'the new one', rules, account);
  } finally {
    secrets.dispose();
  }
}

const complex = { requireComplexity: true } as const;

describe('row-083, row-084, row-091: a new password', () => {
  it.each([
    ['of 8 characters', '8 chars.', {}, ''],
    ['of 255 characters', 'x'.repeat(255), {}, ''],
    ['of 255 characters outside of the first plane', '🔑'.repeat(255), {}, ''],
    ['of 6, where that is the least', 'sixsix', { minimumLength: 6 }, ''],
    ['of one kind, where nothing is demanded', 'lowercase', {}, ''],
    ['of lower case, upper case and digits', 'Abcdefg1', complex, ''],
    ['of lower case, digits and others', 'abcdef 1', complex, ''],
    ['of letters without case, digits and lower case', '鍵鍵鍵鍵鍵abc1', complex, ''],
    ['with the digits of another script', 'Abcdefg٣', complex, ''],
    ["with a short account's name in it", 'Xy is an A1', complex, 'Xy'],
    ['with the name in it, where complexity is not demanded', 'anna and more', {}, 'CONTOSO\\Anna'],
  ] as const)('%s is one', (_, text, rules, account) => {
    expect(() => {
      judge(text, rules, account);
    }).not.toThrow();
  });

  it.each([
    ['of 7 characters', '7 chars', {}, '', 'it has 7 characters, 8 are the least'],
    ['of 256 characters', 'x'.repeat(256), {}, '', 'it has 256 characters, 255 are the most'],
    ['of 11, where 12 are the least', 'elevenchars', { minimumLength: 12 }, '', '12 are the least'],
    ['of one kind', 'lower case'.replace(' ', ''), complex, '', 'it has 1 of the four kinds'],
    ['of two kinds', 'lower1case', complex, '', 'it has 2 of the four kinds'],
    ["that is the account's name", 'AnnaMüller', {}, 'CONTOSO\\annamüller', "it is the account's name"],
    ['that is it before the @', 'anna.mueller', {}, 'Anna.Mueller@contoso.com', "it is the account's name"],
    ['with the name in it', 'My Anna 1', complex, 'CONTOSO\\anna', "it contains the account's name"],
  ] as const)('%s is none', (_, text, rules, account, problem) => {
    const attempt = () => {
      judge(text, rules, account);
    };
    expect(attempt).toThrow(expect.objectContaining({ code: 'PasswordUnacceptable' }) as Error);
    expect(attempt).toThrow(problem);
  });

  it('is counted in the form in which it is derived', () => {
    // Seven letters, each typed as a letter and a mark: 14 code points, 7 after NFKC.
    expect(() => {
      judge('a\u0308'.repeat(7));
    }).toThrow('it has 7 characters');
    // One ligature that becomes three letters.
    expect(() => {
      judge('\ufb03'.repeat(3));
    }).not.toThrow();
  });

  it.each([5, 256, 0, -8, 8.5, NaN])('has a least length of 6 to 255, so not of %s', (minimumLength) => {
    expect(() => {
      judge('good enough for all', { minimumLength });
    }).toThrow(expect.objectContaining({ code: 'ParameterInvalid' }) as Error);
  });

  it('is no longer judged when only its root is left', () => {
    const secrets = new Secrets((length) => new Uint8Array(length));
    secrets.put('newPassword', new SecretBytes(utf8('short')));
    secrets.dropPasswords();
    expect(() => {
      requireAcceptable(secrets, 'newPassword', 'the new one');
    }).not.toThrow();
    secrets.dispose();
  });
});
