/**
 * A transfer code as people read, say and type it, docs/spec/archive.md, "Transfer code": 80 random bits as 16 characters
 * of Crockford's base32, in four groups. What is easily confused is read as what was meant (I and L are 1, O is 0), and U is
 * no character at all. Leaves out how a code becomes part of keys (`sealing/user-keys.ts`).
 */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Length of a transfer code in bytes. */
export const transferCodeBytes = 10;
const bitsPerCharacter = 5;
const characters = (transferCodeBytes * 8) / bitsPerCharacter;
const groupLength = 4;
/** Far more than hyphens and blanks between all characters: nobody types this. */
const longestText = 256;

/**
 * The 10 bytes of a code, read ignoring case, hyphens (of every kind: word processors exchange them) and white space;
 * undefined where the text is none. There is no check character: a wrong code shows where the archive does not open.
 */
export function parseTransferCode(text: string): Uint8Array | undefined {
  if (text.length > longestText) return undefined;
  const stripped = text.replaceAll(/[\s\p{Pd}]/gu, '');
  // Before the case is folded: other scripts have letters whose capitals are ours.
  if (stripped.length !== characters || !/^[0-9A-Za-z]+$/.test(stripped)) return undefined;
  const typed = stripped.toUpperCase().replaceAll(/[IL]/g, '1').replaceAll('O', '0');
  const bytes = new Uint8Array(transferCodeBytes);
  let bits = 0;
  let value = 0;
  let index = 0;
  for (const character of typed) {
    const digit = alphabet.indexOf(character);
    if (digit < 0) return undefined;
    value = (value << bitsPerCharacter) | digit;
    bits += bitsPerCharacter;
    if (bits < 8) continue;
    bits -= 8;
    bytes[index++] = value >> bits;
    value &= (1 << bits) - 1;
  }
  return bytes;
}

/** `7KQ2-90AB-CDEF-GH1J`. Throws RangeError for other than 10 bytes: a fault of the caller. */
export function formatTransferCode(bytes: Uint8Array): string {
  if (bytes.length !== transferCodeBytes) throw new RangeError('a transfer code has 10 bytes');
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= bitsPerCharacter) {
      bits -= bitsPerCharacter;
      text += alphabet.charAt(value >> bits);
      value &= (1 << bits) - 1;
    }
  }
  return (text.match(new RegExp(`.{${groupLength}}`, 'g')) ?? []).join('-');
}
