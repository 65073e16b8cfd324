/**
 * A program for Node for Windows: prints as JSON what Windows' data protection answers (`adapters/system/windows-secrets.ts`).
 * With an argument, hex of what another process protected, it opens that.
 */
import { fromHex, toHex, utf8 } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { windowsProtection } from '../../../core/src/adapters/system/windows-secrets.ts';

const protection = windowsProtection();
const purpose = utf8('a purpose');
const secret = Uint8Array.from({ length: 64 }, (_, index) => (index * 7 + 1) % 256);
const open = (bytes: Uint8Array, given: Uint8Array): string => {
  const opened = protection.unprotect(bytes, given);
  return 'refused' in opened ? opened.refused : toHex(opened.reveal);
};

const given = process.argv[2];
const made = protection.protect(SecretBytes.copyOf(secret), purpose);
const changed = made.slice();
const middle = changed.length - 40;
changed[middle] = (changed[middle] ?? 0) ^ 1;
const answers = {
  secret: toHex(secret),
  made: toHex(made),
  again: toHex(protection.protect(SecretBytes.copyOf(secret), purpose)),
  opened: open(made, purpose),
  otherPurpose: open(made, utf8('another purpose')),
  changed: open(changed, purpose),
  cut: open(made.slice(0, 40), purpose),
  nonsense: open(utf8('nonsense'), purpose),
  given: given === undefined ? null : open(fromHex(given) ?? new Uint8Array(), purpose),
};
process.stdout.write(`${JSON.stringify(answers)}\n`);
