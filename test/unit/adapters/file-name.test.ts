import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameProblem, safeFileName } from '../../../core/src/adapters/system/file-name.ts';
import { utf8 } from '../../../core/src/bytes/bytes.ts';

/** Also halves of surrogate pairs, which Windows lets into names. */
const anyCharacter = fc.oneof(
  fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCodePoint(code)),
  fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
);

describe('safeFileName', () => {
  it.each([
    ['LAPTOP-7.spid', 'LAPTOP-7.spid'],
    ['DOMAIN\\jörg@PC 2.sparc', 'DOMAIN_jörg@PC 2.sparc'],
    ['../../etc/passwd', '__.._etc_passwd'],
    ['con.spid', '_con.spid'],
    ['LPT1', '_LPT1'],
    ['ends with dots. . .', 'ends with dots'],
    ['', '_'],
    ['..', '_'],
    ['.hidden', '_hidden'],
    ['a:b*c?d"e<f>g|h', 'a_b_c_d_e_f_g_h'],
    ['line\nbreak\u0000', 'line_break_'],
    ['gpj\u202e.sparc', 'gpj_.sparc'],
  ])('%j becomes %j', (given, expected) => {
    expect(safeFileName(given)).toBe(expected);
  });

  it('keeps the extension of a long name', () => {
    const name = safeFileName(`${'ü'.repeat(300)}.sparc`);
    expect(name.endsWith('ü.sparc')).toBe(true);
    expect(utf8(name).length).toBeLessThanOrEqual(200);
  });

  it('always gives a name that both systems take, and takes it as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 300 }), (given) => {
        const name = safeFileName(given);
        expect(nameProblem(name, true)).toBeUndefined();
        expect(nameProblem(name, false)).toBeUndefined();
        expect(name).not.toMatch(/[/\\\u0000]|^\./);
        expect(name).not.toBe('');
        expect(safeFileName(name)).toBe(name);
      }),
    );
  });
});

describe('nameProblem', () => {
  it('knows what Windows reserves, and that Linux does not', () => {
    for (const name of ['nul', 'com1.txt', 'a:b', 'a.', 'a ', 'a?']) {
      expect(nameProblem(name, true)).toEqual(expect.any(String));
      expect(nameProblem(name, false)).toBeUndefined();
    }
    expect(nameProblem('x'.repeat(256), false)).toBe('the name is too long');
    expect(nameProblem('console', true)).toBeUndefined();
  });
});
