/**
 * Port `history`: JSON lines, each with the SHA-256 of the line before, one chain for each writer (docs/spec/history.md). The
 * platform's chain lies in `private/`, where only administrators write and read; a user's in their own folder. A full file is
 * put aside under a number and the chain goes on in a new one; of those, the oldest goes in the end, and the chain itself says
 * where the kept record begins. Finds accidents and partial edits; whoever may write the files can rewrite them whole, which
 * shows only against heads that have left the computer. Leaves out merging both chains for display.
 */
import { basename, dirname, join } from 'node:path';
import { concat } from '../../bytes/bytes.ts';
import { fail, hasCode } from '../../domain/error.ts';
import type { HistoryEvent, HistoryLine } from '../../domain/history.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { History } from '../../ports/history.ts';
import type { Processes } from '../../ports/processes.ts';
import { ensureFolder, listIfThere, readIfThere, removeLeftOver } from './durable.ts';
import { broken, decodeLine, encodeLine, noLine, splitLines } from './history-line.ts';
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
  /** From this size on a file is full. */
  readonly fullBytes?: number;
}

/** Files written before there was a rotation may be as large as this. */
const largestHistoryBytes = 64 * 1024 * 1024;
const defaultFullBytes = 1024 * 1024;
/** Full files that are kept, besides the one that is written. */
const keptFiles = 9;
const lockWaitMilliseconds = 5000;
const lineFeed = Uint8Array.of(0x0a);
/** The operation of the line that begins a new file: which number the kept record begins with. */
export const rotation = 'history-rotate';

export function createHistory(options: HistoryOptions): History {
  return {
    append: (scope, event) => append(options, scope, event),
    read: async (scope) => readChain(options, scope, fileOf(options, scope)),
    head: async (scope) => {
      const path = fileOf(options, scope);
      const last = path === undefined ? undefined : await readable(scope, () => newestLine(options, path));
      return last === undefined ? new Uint8Array() : options.sha256(last.bytes);
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
    const size = await cutUnfinished(options, path);
    const isFull = size >= (options.fullBytes ?? defaultFullBytes);
    if (isFull) await putAside(options, path);
    const last = await newestLine(options, path);
    const before = last && decodeLine(options.sha256, scope, last.bytes, last.path, last.place);
    // Also where the power went between putting a file aside and its successor's first line.
    const begins = isFull || (size === 0 && before !== undefined);
    const turn = begins ? await turnOf(options, scope, path, event) : undefined;
    const events = turn === undefined ? [event] : [turn.event, event];
    await disk.append(path, chained(options, scope, before, events), fileMode);
    if (size === 0 || isFull) await disk.syncFolder(folder);
    // Only now: the record says from here on that it begins after them.
    for (const old of turn?.drop ?? []) await removeLeftOver(disk, old.path);
  });
}

/** The lines' bytes, each following the one before. */
function chained(
  { sha256 }: HistoryOptions,
  scope: Scope,
  before: HistoryLine | undefined,
  events: readonly HistoryEvent[],
): Uint8Array {
  let number = before?.number ?? 0;
  let previous = before?.hash ?? noLine;
  const lines = events.map((event) => {
    number += 1;
    const line = encodeLine(scope, event, number, previous);
    previous = Buffer.from(sha256(line)).toString('hex');
    return concat(line, lineFeed);
  });
  return concat(...lines);
}

/** A line without its end was never acknowledged: its writer died half-way. Answers the size of what is left, in bytes. */
async function cutUnfinished({ disk }: HistoryOptions, path: string): Promise<number> {
  const bytes = await wholeFile(disk, path);
  const { wholeBytes } = splitLines(bytes);
  if (wholeBytes < bytes.length) await disk.truncate(path, wholeBytes);
  return wholeBytes;
}

/** The full file gets the next number. */
async function putAside({ disk }: HistoryOptions, path: string): Promise<void> {
  const full = await fullFiles(disk, path);
  await disk.rename(path, `${path}.${(full.at(-1)?.number ?? 0) + 1}`);
  await disk.syncFolder(dirname(path));
}

/** The line with which a new file begins, and the files that go when it is there. */
async function turnOf(
  { disk, sha256 }: HistoryOptions,
  scope: Scope,
  path: string,
  { time, account }: HistoryEvent,
): Promise<{ readonly event: HistoryEvent; readonly drop: readonly FullFile[] }> {
  const full = await fullFiles(disk, path);
  const [oldest] = full.slice(-keptFiles);
  const [first] = oldest === undefined ? [] : splitLines(await wholeFile(disk, oldest.path)).lines;
  const begins =
    oldest === undefined || first === undefined ? 1 : decodeLine(sha256, scope, first, oldest.path, 1).number;
  const facts = { begins: String(begins) };
  return {
    event: { time, operation: rotation, outcome: 'ok', account, facts },
    drop: full.slice(0, -keptFiles),
  };
}

interface FullFile {
  readonly number: number;
  readonly path: string;
}

/** Files put aside, oldest first. */
async function fullFiles(disk: FileSystem, path: string): Promise<readonly FullFile[]> {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  const files: FullFile[] = [];
  for (const name of await listIfThere(disk, folder)) {
    const digits = name.startsWith(start) ? name.slice(start.length) : '';
    if (/^[1-9][0-9]{0,8}$/.test(digits)) files.push({ number: Number(digits), path: join(folder, name) });
  }
  return files.sort((a, b) => a.number - b.number);
}

async function wholeFile(disk: FileSystem, path: string): Promise<Uint8Array> {
  return (await readIfThere(disk, path, largestHistoryBytes)) ?? new Uint8Array();
}

/** The newest whole line: of the file that is written, or where that is new, of the one put aside last. */
async function newestLine(
  { disk }: HistoryOptions,
  path: string,
): Promise<{ readonly bytes: Uint8Array; readonly path: string; readonly place: number } | undefined> {
  const files = [path, ...(await fullFiles(disk, path)).map((file) => file.path).reverse()];
  for (const file of files) {
    const { lines } = splitLines(await wholeFile(disk, file));
    const bytes = lines.at(-1);
    if (bytes !== undefined) return { bytes, path: file, place: lines.length };
  }
  return undefined;
}

async function readChain(
  options: HistoryOptions,
  scope: Scope,
  path: string | undefined,
): Promise<readonly HistoryLine[]> {
  if (path === undefined) return [];
  const chain: HistoryLine[] = [];
  for (const { file, bytes } of (await readable(scope, () => readFiles(options.disk, path))) ?? []) {
    for (const [index, line] of splitLines(bytes).lines.entries()) {
      const decoded = decodeLine(options.sha256, scope, line, file, index + 1);
      const problem = misfit(chain.at(-1), decoded);
      if (problem !== undefined) throw broken(file, index + 1, problem);
      chain.push(decoded);
    }
  }
  const [first] = chain;
  const begins = beginning(chain, path);
  if (first !== undefined && first.number > begins) {
    const problem = `the record is kept from line ${begins} on, and line ${first.number} is the first`;
    throw broken(path, 1, problem);
  }
  return chain;
}

interface ReadFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** The files of a chain, oldest first. Readers hold no lock: where a file was put aside meanwhile, all is read once more. */
async function readFiles(disk: FileSystem, path: string): Promise<readonly ReadFile[]> {
  const listed = async (): Promise<readonly string[]> => [
    ...(await fullFiles(disk, path)).map((full) => full.path),
    path,
  ];
  for (let names = await listed(); ;) {
    const files: ReadFile[] = [];
    for (const file of names) files.push({ file, bytes: await wholeFile(disk, file) });
    const after = await listed();
    if (after.join('\n') === names.join('\n')) return files;
    names = after;
  }
}

/** Undefined where the line follows the one before it; the first that is kept may have any number. */
function misfit(before: HistoryLine | undefined, line: HistoryLine): string | undefined {
  const number = before === undefined ? line.number : before.number + 1;
  if (line.number !== number) return `it says that it is line ${line.number}, after line ${number - 1}`;
  if (before === undefined) return line.number === 1 && line.previous !== noLine ? followsNothing : undefined;
  return line.previous === before.hash ? undefined : followsNothing;
}

const followsNothing = 'it does not follow the line before it';

/** The number that the kept record begins with, as its newest rotation says: what is gone before was not taken out by others. */
function beginning(chain: readonly HistoryLine[], path: string): number {
  const newest = chain.findLast(({ operation }) => operation === rotation);
  if (newest === undefined) return 1;
  const begins = newest.facts.begins ?? '';
  if (!/^[1-9][0-9]{0,14}$/.test(begins))
    throw broken(path, 1, `line ${newest.number} of the record does not say where the record begins`);
  return Number(begins);
}

/** Undefined where the platform's chain is the administrators' and the caller is none. */
async function readable<Value>(scope: Scope, work: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await work();
  } catch (error) {
    if (scope === 'platform' && hasCode(error, 'StorageDenied')) return undefined;
    throw error;
  }
}
