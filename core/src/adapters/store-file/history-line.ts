/**
 * One line of a history in its only form (docs/spec/history.md, "Format"): JSON with its names in this order, facts sorted.
 * Leaves out files and their rotation (`history.ts`).
 */
import { fromUtf8, toHex, utf8 } from '../../bytes/bytes.ts';
import { fail } from '../../domain/error.ts';
import type { HistoryEvent, HistoryLine } from '../../domain/history.ts';
import { formatInstant, parseInstant } from '../../domain/time.ts';

type Scope = HistoryLine['scope'];
type Hash = (bytes: Uint8Array) => Uint8Array;

const version = 1;
const lineFeed = 0x0a;

/** What the first line of all follows. */
export const noLine = '0'.repeat(64);

/** The lines that end, without their line feeds, and how many bytes they take with them. */
export function splitLines(bytes: Uint8Array): {
  readonly lines: readonly Uint8Array[];
  readonly wholeBytes: number;
} {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return { lines, wholeBytes: start };
}

/** Without its line feed. */
export function encodeLine(scope: Scope, event: HistoryEvent, number: number, previous: string): Uint8Array {
  const facts = Object.fromEntries(Object.entries(event.facts).sort(([a], [b]) => (a < b ? -1 : 1)));
  const { operation, outcome, account } = event;
  const time = formatInstant(event.time);
  return utf8(
    JSON.stringify({ v: version, scope, number, time, operation, outcome, account, facts, previous }),
  );
}

/** `HistoryBroken`, `StoreNewer`. `place` is the line's place in its file, from 1, for messages. */
export function decodeLine(
  sha256: Hash,
  scope: Scope,
  bytes: Uint8Array,
  path: string,
  place: number,
): HistoryLine {
  const fields = parseObject(bytes);
  if (fields === undefined) throw broken(path, place, 'it is not a JSON object');
  if (typeof fields.v === 'number' && fields.v > version)
    throw fail('StoreNewer', { path, version: fields.v });
  const line = fromFields(scope, fields, toHex(sha256(bytes)));
  // Written again it must be the same bytes: an edit that keeps the meaning is an edit too.
  if (
    line === undefined ||
    fromUtf8(encodeLine(scope, line, line.number, line.previous)) !== fromUtf8(bytes)
  ) {
    throw broken(path, place, 'it is not as it was written');
  }
  return line;
}

function fromFields(
  scope: Scope,
  fields: Readonly<Record<string, unknown>>,
  hash: string,
): HistoryLine | undefined {
  const { number, operation, outcome, account, facts, previous } = fields;
  const time = typeof fields.time === 'string' ? parseInstant(fields.time) : undefined;
  if (fields.scope !== scope || time === undefined || typeof number !== 'number') return undefined;
  if (typeof operation !== 'string' || typeof outcome !== 'string' || typeof account !== 'string')
    return undefined;
  if (typeof previous !== 'string' || !isFacts(facts)) return undefined;
  return { scope, number, time, operation, outcome, account, facts, previous, hash };
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const text = fromUtf8(bytes);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFacts(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((fact) => typeof fact === 'string');
}

export function broken(path: string, number: number, problem: string): Error {
  return fail('HistoryBroken', { path, problem: `line ${number}: ${problem}` });
}
