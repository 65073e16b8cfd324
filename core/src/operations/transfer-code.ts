/**
 * The transfer code of a conversation: the secret is the text that people type, keys take its 10 bytes (ruling 11). Where
 * one is used and missed: `export-environment.ts`, `import-open.ts`.
 */
import { fromUtf8 } from '../bytes/bytes.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { fail } from '../domain/error.ts';
import { parseTransferCode } from '../domain/transfer-code.ts';
import type { Secrets } from './secrets.ts';

/** The 10 bytes of the code at hand, undefined where none was given; the caller disposes them. `TransferCodeMalformed`. */
export function givenTransferCode(secrets: Secrets): SecretBytes | undefined {
  const text = secrets.value('transferCode');
  if (text === undefined) return undefined;
  const bytes = parseTransferCode(fromUtf8(text.reveal) ?? '');
  if (bytes !== undefined) return new SecretBytes(bytes);
  throw fail('TransferCodeMalformed', {
    problem: 'it must have 16 letters and digits, and none of the letters is U',
  });
}
