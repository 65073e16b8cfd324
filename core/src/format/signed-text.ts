/**
 * The end of a signed text file (docs/spec/text-format.md, "Signed kinds"): an empty line, then
 * `-- <signer's authority fingerprint> <base64 of r ‖ s>`. What is signed is every byte before that line, so it begins
 * with the kind line and no kind verifies as another. Leaves out the verification (`sealing/grants.ts`).
 */
import { ascii, concat, toBase64 } from '../bytes/bytes.ts';
import type { AuthorityFingerprint } from '../domain/ids.ts';
import { id, pair, signatureBytes } from './forms.ts';
import type { TextReader } from './text.ts';

const signatureLine = pair(id('AuthorityFingerprint'), signatureBytes);
/** `-- `, 40 hex digits, a space, 88 characters of base64, a line feed. */
const signatureLineBytes = 3 + 40 + 1 + 88 + 1;

/** The part of a decoded signed file that is signed: everything before its signature line. */
export function signedPart(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, Math.max(0, bytes.length - signatureLineBytes));
}

/** The whole file. `body` ends with the empty line, as the kinds' `encode…Body` write it; `signature` is r ‖ s, 64 bytes. */
export function appendSignature(
  body: Uint8Array,
  signer: AuthorityFingerprint,
  signature: Uint8Array,
): Uint8Array {
  if (signature.length !== 64) throw new RangeError('a signature has 64 bytes');
  return concat(body, ascii(`-- ${signer} ${toBase64(signature)}\n`));
}

/** Reads the empty line and the signature line, and demands that nothing follows. */
export function readSignature(reader: TextReader): {
  readonly signer: AuthorityFingerprint;
  readonly signature: Uint8Array;
} {
  reader.blank();
  const line = reader.plainLine();
  const read = line.startsWith('-- ') ? signatureLine.read(line.slice(3)) : undefined;
  if (read === undefined) throw reader.malformed('the signature line is not "-- <fingerprint> <base64>"', -1);
  reader.end();
  return { signer: read[0], signature: read[1] };
}
