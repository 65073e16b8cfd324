/**
 * The form of a `*.vector` file (docs/spec/vectors.md): header lines `name: value`, an empty line, then the bytes of the
 * scenario's file, as they are (`body: text`) or in base64 (`body: base64`).
 */
import { concat, fromBase64, fromUtf8, toBase64, utf8 } from '../../../core/src/bytes/bytes.ts';

/** Header names in the order in which they are written. Unknown ones are an error: a reader must not skip what it does not understand. */
export const headerNames = [
  'expect',
  'code',
  'read',
  'stage',
  'spec',
  'comment',
  'now',
  'rehearsal',
  'source-key',
  'account',
  'basic-user-key',
  'destination-key',
  'revocation-list',
  'trusted-authority',
  'authority',
  'identity',
  'endorsement-key-fingerprint',
  'endorsement-key',
  'storage-key',
  'password',
  'transfer-code',
  'environment-sha256',
  'answer',
  'body',
] as const;
export type HeaderName = (typeof headerNames)[number];

export interface Vector {
  /** File name without `.vector`. */
  readonly name: string;
  readonly headers: ReadonlyMap<HeaderName, string>;
  readonly body: Uint8Array;
}

const lineWidth = 100;

/** Bytes of the `*.vector` file. */
export function encodeVector({ headers, body }: Vector): Uint8Array {
  const lines = headerNames.flatMap((name) => {
    const value = headers.get(name);
    return value === undefined ? [] : [`${name}: ${value}\n`];
  });
  const head = utf8(`${lines.join('')}\n`);
  if (headers.get('body') === 'text') return concat(head, body);
  const wrapped = toBase64(body).replace(new RegExp(`.{1,${String(lineWidth)}}`, 'g'), '$&\n');
  return concat(head, utf8(wrapped));
}

/** Reads a `*.vector` file. Throws Error where it has not that form. */
export function decodeVector(name: string, bytes: Uint8Array): Vector {
  const split = bytes.findIndex((byte, index) => byte === 0x0a && bytes[index + 1] === 0x0a);
  const head = fromUtf8(bytes.subarray(0, split)) ?? '';
  const headers = new Map<HeaderName, string>();
  for (const line of head.split('\n')) {
    const [, key = '', value = ''] = /^([a-z0-9-]+): (.+)$/.exec(line) ?? [];
    const header = headerNames.find((candidate) => candidate === key);
    if (header === undefined || headers.has(header))
      throw new Error(`${name}: unknown or repeated header "${line}"`);
    headers.set(header, value);
  }
  const rest = bytes.slice(split + 2);
  if (headers.get('body') === 'text') return { name, headers, body: rest };
  const body = fromBase64((fromUtf8(rest) ?? '').replaceAll('\n', ''));
  if (body === undefined) throw new Error(`${name}: its body is not base64`);
  return { name, headers, body };
}
