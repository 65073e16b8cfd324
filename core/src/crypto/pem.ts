/**
 * PEM (RFC 7468): base64 between labelled lines. The reader finds every block, with text before, between and after
 * (OpenSSL writes some); the writer follows the RFC's strict form. Leaves out the encrypted form of RFC 1421, whose
 * header lines make a block unreadable here.
 */
import { fromBase64, toBase64 } from '../bytes/bytes.ts';

export interface PemBlock {
  /** What stands after `BEGIN`, for example `CERTIFICATE`. */
  readonly label: string;
  /** Undefined where the block is not base64. */
  readonly bytes: Uint8Array | undefined;
}

const lineLength = 64;

/** The blocks of `text`, in order; none where it holds no PEM. Any line ends and a BOM are accepted. */
export function decodePem(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  for (const match of text
    .replace(/^\uFEFF/, '')
    .matchAll(/^-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n([^-]*)^-----END \1-----/gm)) {
    const [, label = '', body = ''] = match;
    blocks.push({ label, bytes: fromBase64(body.replace(/[ \t\r\n]/g, '')) });
  }
  return blocks;
}

/** One block, lines of 64 characters, ended by line feeds. */
export function encodePem(label: string, bytes: Uint8Array): string {
  const lines = toBase64(bytes).match(new RegExp(`.{1,${lineLength}}`, 'g')) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
