/**
 * Port `history`: JSON lines, each with the SHA-256 of the line before, one file per chain (docs/spec/history.md). The
 * platform's chain lies in `private/`, where only administrators write and read; a user's in their own folder. Finds
 * accidents and partial edits; whoever may write the file can rewrite it whole, which shows only against heads that have
 * left the computer in grants and archives. Leaves out merging both chains for display.
 */
import { dirname } from 'node:path';
import { concat, fromUtf8, toHex, utf8 } from '../../bytes/bytes.ts';
import { fail, hasCode } from '../../domain/error.ts';
import type { HistoryEvent, HistoryLine } from '../../domain/history.ts';
import { formatInstant, parseInstant } from '../../domain/time.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { History } from '../../ports/history.ts';
import type { Processes } from '../../ports/processes.ts';
import { ensureFolder, readIfThere } from './durable.ts';
import { fileMode, folderMode } from './layout.ts';
import { withLock } from './lock.ts';

type Scope = HistoryLine['scope'];

export interface HistoryOptions {
  readonly disk: FileSystem;
  readonly processes: Processes;
  readonly sha256: (bytes: Uint8Array) => Uint8Array;
  /** File of the platform's chain; its folder is made by initialisation. */
  readonly platformFile: string;
  /** File of the caller's chain; undefined where the platform is not known yet. */
  readonly userFile: string | undefined;
}

const largestHistoryBytes = 64 * 1024 * 1024;
const lockWaitMilliseconds = 5000;
const version = 1;
const noLine = '0'.repeat(64);
const lineFeed = 0x0a;

export function createHistory(options: HistoryOptions): History {
  return {
    append: (scope, event) => append(options, scope, event),
    read: async (scope) => readChain(options, scope, fileOf(options, scope)),
    head: async (scope) => {
      const { lines } = splitLines(await readChainFile(options, scope, fileOf(options, scope)));
      const last = lines.at(-1);
      return last === undefined ? new Uint8Array() : options.sha256(last);
    },
  };
}

function fileOf(options: HistoryOptions, scope: Scope): string | undefined {
  return scope === 'platform' ? options.platformFile : options.userFile;
}

async function append(options: HistoryOptions, scope: Scope, event: HistoryEvent): Promise<void> {
  const { disk, processes } = options;
  const path = fileOf(options, scope);
  if (path === undefined) throw fail('PlatformNotInitialized');
  const folder = dirname(path);
  if (scope === 'user') await ensureFolder(disk, folder, folderMode);
  else if ((await disk.status(folder)) === undefined) throw fail('PlatformNotInitialized');
  const place = {
    disk,
    processes,
    folder,
    name: 'history-lock',
    platform: scope,
    waitMilliseconds: lockWaitMilliseconds,
  };
  await withLock(place, async () => {
    const bytes = (await readIfThere(disk, path, largestHistoryBytes)) ?? new Uint8Array();
    const { lines, wholeBytes } = splitLines(bytes);
    // A line without its end was never acknowledged: its writer died half-way.
    if (wholeBytes < bytes.length) await disk.truncate(path, wholeBytes);
    const last = lines.at(-1);
    const previous = last === undefined ? undefined : readLine(options, scope, last, path, lines.length);
    const line = encodeLine(scope, event, (previous?.number ?? 0) + 1, previous?.hash ?? noLine);
    await disk.append(path, concat(line, Uint8Array.of(lineFeed)), fileMode);
    if (bytes.length === 0) await disk.syncFolder(folder);
  });
}

async function readChain(
  options: HistoryOptions,
  scope: Scope,
  path: string | undefined,
): Promise<readonly HistoryLine[]> {
  if (path === undefined) return [];
  const chain: HistoryLine[] = [];
  let hash = noLine;
  for (const bytes of splitLines(await readChainFile(options, scope, path)).lines) {
    const number = chain.length + 1;
    const line = readLine(options, scope, bytes, path, number);
    if (line.number !== number) throw broken(path, number, `it says that it is line ${line.number}`);
    if (line.previous !== hash) throw broken(path, number, 'it does not follow the line before it');
    chain.push(line);
    hash = line.hash;
  }
  return chain;
}

/** Empty where there is no file, or it is the administrators' and the caller is none. */
async function readChainFile(
  options: HistoryOptions,
  scope: Scope,
  path: string | undefined,
): Promise<Uint8Array> {
  if (path === undefined) return new Uint8Array();
  try {
    return (await readIfThere(options.disk, path, largestHistoryBytes)) ?? new Uint8Array();
  } catch (error) {
    if (scope === 'platform' && hasCode(error, 'StorageDenied')) return new Uint8Array();
    throw error;
  }
}

/** The lines that end, without their line feeds, and how many bytes they take with them. */
function splitLines(bytes: Uint8Array): {
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

/** One line in its only form: names in this order, facts sorted. */
function encodeLine(scope: Scope, event: HistoryEvent, number: number, previous: string): Uint8Array {
  const facts = Object.fromEntries(Object.entries(event.facts).sort(([a], [b]) => (a < b ? -1 : 1)));
  const { operation, outcome, account } = event;
  const time = formatInstant(event.time);
  return utf8(
    JSON.stringify({ v: version, scope, number, time, operation, outcome, account, facts, previous }),
  );
}

function readLine(
  options: HistoryOptions,
  scope: Scope,
  bytes: Uint8Array,
  path: string,
  number: number,
): HistoryLine {
  const fields = parseObject(bytes);
  if (fields === undefined) throw broken(path, number, 'it is not a JSON object');
  if (typeof fields.v === 'number' && fields.v > version)
    throw fail('StoreNewer', { path, version: fields.v });
  const line = decodeLine(scope, fields, toHex(options.sha256(bytes)));
  // Written again it must be the same bytes: an edit that keeps the meaning is an edit too.
  if (
    line === undefined ||
    fromUtf8(encodeLine(scope, line, line.number, line.previous)) !== fromUtf8(bytes)
  ) {
    throw broken(path, number, 'it is not as it was written');
  }
  return line;
}

function decodeLine(
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

function broken(path: string, number: number, problem: string): Error {
  return fail('HistoryBroken', { path, problem: `line ${number}: ${problem}` });
}
