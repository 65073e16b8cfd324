/** Transfer codes as text: which text is which code, what is forgiven, and what is no code. Laws: property/transfer-code.test.ts. */
import { describe, expect, it } from 'vitest';
import { formatTransferCode, parseTransferCode } from '../../../core/src/domain/transfer-code.ts';
import { fromHex } from '../../../core/src/bytes/bytes.ts';

/** Text and its 10 bytes. Computed by hand: each character is five bits, the first byte's highest bits first. */
const known: readonly (readonly [string, string])[] = [
  ['0000-0000-0000-0000', '00000000000000000000'],
  ['ZZZZ-ZZZZ-ZZZZ-ZZZZ', 'ffffffffffffffffffff'],
  ['0000-0000-0000-0001', '00000000000000000001'],
  ['G000-0000-0000-0000', '80000000000000000000'],
  // 1 is 00001, 2 is 00010, … Z is 11111.
  ['0123-4567-89AB-CDEF', '00443214c74254b635cf'],
  ['GHJK-MNPQ-RSTV-WXYZ', '84653a56d7c675be77df'],
];

describe('a transfer code', () => {
  it.each(known)('%s is the bytes %s, both ways', (text, hex) => {
    const bytes = fromHex(hex);
    expect(bytes).toBeDefined();
    expect(parseTransferCode(text)).toEqual(bytes);
    expect(formatTransferCode(bytes ?? new Uint8Array())).toBe(text);
  });

  it.each([
    ['0123456789abcdef'],
    ['O123 4567 89ab cdef'],
    ['oi23-4567-89AB-CDEF'],
    ['0l23–4567‑89AB—CDEF'],
    ['  0L23-4567-89AB-CDEF\r\n'],
    ['0 1 2 3\t4-5-6-7\u00a089AB--CDEF'],
  ])('is read from %j as 0123-4567-89AB-CDEF', (text) => {
    expect(parseTransferCode(text)).toEqual(fromHex('00443214c74254b635cf'));
  });

  it.each([
    [''],
    ['----'],
    ['0123-4567-89AB-CDE'],
    ['0123-4567-89AB-CDEF0'],
    ['0123-4567-89AB-CDEU'],
    ['0123-4567-89AB-CDE*'],
    ['0123-4567-89AB-CDE\u0000'],
    // The capital of the dotless i is I, of the long s it is S, of the ligature it is two letters.
    ['0123-4567-89AB-CDEı'],
    ['0123-4567-89AB-CDEſ'],
    ['0123-4567-89AB-CDﬀ'],
    ['０123-4567-89AB-CDEF'],
    [`0123-4567-89AB-CDEF${' '.repeat(300)}`],
  ])('is not in %j', (text) => {
    expect(parseTransferCode(text)).toBeUndefined();
  });

  it.each([0, 9, 11])('has no text of %i bytes', (length) => {
    expect(() => formatTransferCode(new Uint8Array(length))).toThrow(RangeError);
  });
});
