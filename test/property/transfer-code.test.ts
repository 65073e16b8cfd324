/** Laws of transfer codes as text: every code has one shown form, which is read back; every reading of it means the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatTransferCode,
  parseTransferCode,
  transferCodeBytes,
} from '../../core/src/domain/transfer-code.ts';

const code = fc.uint8Array({ minLength: transferCodeBytes, maxLength: transferCodeBytes });

describe('a transfer code', () => {
  it('is shown in one form and read back as the same bytes', () => {
    fc.assert(
      fc.property(code, (bytes) => {
        const text = formatTransferCode(bytes);
        expect(text).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
        expect(parseTransferCode(text)).toEqual(bytes);
      }),
    );
  });

  it('is the same however it is typed: case, hyphens, blanks, and letters that look like digits', () => {
    const typed = fc.tuple(code, fc.infiniteStream(fc.nat(3))).map(([bytes, choices]) => {
      const choose = (...forms: readonly string[]): string =>
        forms[Number(choices.next().value) % forms.length] ?? '';
      const text = Array.from(formatTransferCode(bytes))
        .map((character) => {
          if (character === '-') return choose('-', '', ' ', ' - ');
          if (character === '0') return choose('0', 'O', 'o');
          if (character === '1') return choose('1', 'I', 'l', 'L');
          return choose(character, character.toLowerCase(), `${character} `);
        })
        .join('');
      return { bytes, text };
    });
    fc.assert(
      fc.property(typed, ({ bytes, text }) => {
        expect(parseTransferCode(text)).toEqual(bytes);
      }),
    );
  });

  it('is found in no other text, or it is one that shows the same code', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 24 }), fc.string({ unit: 'binary' })), (text) => {
        const bytes = parseTransferCode(text);
        if (bytes === undefined) return;
        expect(parseTransferCode(formatTransferCode(bytes))).toEqual(bytes);
      }),
    );
  });

  it('that differs in one character is another code or none', () => {
    const position = fc.nat(18).filter((at) => at % 5 !== 4);
    fc.assert(
      fc.property(
        code,
        position,
        fc.constantFrom(...Array.from('0123456789ABCDEFGHJKMNPQRSTVWXYZU')),
        (bytes, at, other) => {
          const text = formatTransferCode(bytes);
          fc.pre(text[at] !== other);
          expect(parseTransferCode(text.slice(0, at) + other + text.slice(at + 1))).not.toEqual(bytes);
        },
      ),
    );
  });
});
