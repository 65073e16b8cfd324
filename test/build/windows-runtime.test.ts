/**
 * Preparing node.exe, on a small image of the PE layout that the code reads ("PE Format"), so that it needs no
 * Windows runtime. Leaves out the version resource, which `npm run reproducible` writes for real.
 */
import { describe, expect, it } from 'vitest';
import { withoutSignature } from '../../scripts/build/windows-runtime.ts';

const PE = 0x80;
const CERTIFICATE_ENTRY = PE + 24 + 112 + 32;
const CHECKSUM = PE + 24 + 64;

function image(signatureOffset: number, signatureSize: number, total = 0x400): Uint8Array {
  const bytes = new Uint8Array(total).map((_, index) => index & 0xff);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x3c, PE, true);
  view.setUint32(CHECKSUM, 0xdeadbeef, true);
  view.setUint32(CERTIFICATE_ENTRY, signatureOffset, true);
  view.setUint32(CERTIFICATE_ENTRY + 4, signatureSize, true);
  return bytes;
}

describe('withoutSignature', () => {
  it('cuts the certificate table off the end and forgets it', () => {
    const input = image(0x300, 0x100);
    const output = withoutSignature(input);
    const view = new DataView(output.buffer);
    expect(output.length).toBe(0x300);
    expect([view.getUint32(CERTIFICATE_ENTRY, true), view.getUint32(CERTIFICATE_ENTRY + 4, true)]).toEqual([
      0, 0,
    ]);
    expect(view.getUint32(CHECKSUM, true)).toBe(0);
    expect(input.length).toBe(0x400);
  });

  it('leaves an unsigned image as long as it was', () => {
    expect(withoutSignature(image(0, 0)).length).toBe(0x400);
  });

  it('refuses a signature that something follows', () => {
    expect(() => withoutSignature(image(0x200, 0x100))).toThrow(/not at its end/);
  });
});
