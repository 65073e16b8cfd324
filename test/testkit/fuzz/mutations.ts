/**
 * What a fuzz case does to a valid (or already refused) file: flipped bits, cuts, insertions, pieces of another file, numbers
 * and lengths at their extremes, lines moved, deep nesting, and inputs that are far too long. Pure: all chance is an argument.
 */
import { concat, joined } from '../../../core/src/bytes/bytes.ts';
import type { Random } from './random.ts';

type Mutation = (bytes: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array;

/** No mutation makes a file longer than this. */
export const longestBytes = 3 * 1024 * 1024;

const lineFeed = 0x0a;
const extremeBytes = [0, 1, 0x0a, 0x20, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xfe, 0xff] as const;
const extremeNumbers = [
  '',
  '0',
  '00',
  '-1',
  '1e9',
  '999999999',
  '4294967295',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '99999999999999999999999999',
] as const;
/** Begins of DER values that claim a length. */
const derLengths = [
  [0x80],
  [0x81, 0xff],
  [0x82, 0xff, 0xff],
  [0x84, 0xff, 0xff, 0xff, 0xff],
  [0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xff],
] as const;

const at = (bytes: Uint8Array, random: Random): number => random.below(bytes.length + 1);

/** The bytes with `replacement` in place of those from `start` to `end`. */
function spliced(bytes: Uint8Array, start: number, end: number, replacement: Uint8Array): Uint8Array {
  return concat(bytes.subarray(0, start), replacement, bytes.subarray(end));
}

function bigEndian(value: number, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** (8 * (width - 1 - i))) & 0xff);
}

/** A piece of up to `longest` bytes. */
function piece(bytes: Uint8Array, random: Random, longest: number): Uint8Array {
  const start = at(bytes, random);
  return bytes.subarray(start, start + 1 + random.below(longest));
}

/** More than any text file here has: a longer one is changed as bytes. */
const mostLines = 20_000;

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (
    let end = bytes.indexOf(lineFeed);
    end >= 0 && lines.length < mostLines;
    end = bytes.indexOf(lineFeed, start)
  ) {
    lines.push(bytes.subarray(start, end + 1));
    start = end + 1;
  }
  lines.push(bytes.subarray(start));
  return lines;
}

const mutations: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const changed = bytes.slice();
    const where = random.below(changed.length);
    if (changed.length > 0) changed[where] = (changed[where] ?? 0) ^ (1 << random.below(8));
    return changed;
  },
  function setByte(bytes, random) {
    const changed = bytes.slice();
    if (changed.length > 0) changed[random.below(changed.length)] = random.pick(extremeBytes);
    return changed;
  },
  function cutEnd(bytes, random) {
    return bytes.slice(0, at(bytes, random));
  },
  function cutBeginning(bytes, random) {
    return bytes.slice(random.below(40));
  },
  function takeOut(bytes, random) {
    const start = at(bytes, random);
    return spliced(bytes, start, start + 1 + random.below(64), new Uint8Array());
  },
  function insertBytes(bytes, random) {
    const start = at(bytes, random);
    return spliced(bytes, start, start, random.bytes(1 + random.below(64)));
  },
  function repeatPiece(bytes, random) {
    const start = at(bytes, random);
    return spliced(bytes, start, start, piece(bytes, random, 200));
  },
  function movePiece(bytes, random) {
    const moved = piece(bytes, random, 200);
    const start = at(bytes, random);
    return spliced(bytes, start, start + moved.length, moved);
  },
  function crossWithAnother(bytes, random, others) {
    const other = random.pick(others);
    return concat(bytes.subarray(0, at(bytes, random)), other.subarray(at(other, random)));
  },
  function pieceOfAnother(bytes, random, others) {
    const start = at(bytes, random);
    return spliced(bytes, start, start, piece(random.pick(others), random, 400));
  },
  function extremeLength(bytes, random) {
    const width = random.pick([1, 2, 4]);
    const largest = 2 ** (8 * width) - 1;
    const value = random.pick([0, 1, bytes.length, largest >>> 1, (largest >>> 1) + 1, largest - 1, largest]);
    const field = bigEndian(value % (largest + 1), width);
    const start = at(bytes, random);
    return spliced(bytes, start, start + width, random.below(2) === 0 ? field : field.reverse());
  },
  function extremeDerLength(bytes, random) {
    const start = at(bytes, random);
    return spliced(bytes, start, start + 1, Uint8Array.from(random.pick(derLengths)));
  },
  function extremeNumber(bytes, random) {
    const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
    let start = at(bytes, random);
    while (start < bytes.length && !isDigit(bytes[start])) start += 1;
    let end = start;
    while (end < bytes.length && isDigit(bytes[end])) end += 1;
    return spliced(bytes, start, end, new TextEncoder().encode(random.pick(extremeNumbers)));
  },
  function moveLine(bytes, random) {
    const lines = linesOf(bytes);
    const from = random.below(lines.length);
    const [line] = lines.splice(from, 1);
    if (line !== undefined && random.below(4) > 0) lines.splice(random.below(lines.length + 1), 0, line);
    return joined(lines);
  },
  function repeatLine(bytes, random) {
    const lines = linesOf(bytes);
    const line = random.pick(lines);
    lines.splice(random.below(lines.length + 1), 0, line);
    return joined(lines);
  },
];

/** Rare ones, since each costs as much as a hundred others. */
const longMutations: readonly Mutation[] = [
  function muchTooLong(bytes, random) {
    const repeated = piece(bytes, random, 300);
    const times = Math.floor(random.below(longestBytes - bytes.length) / Math.max(1, repeated.length));
    const long = new Uint8Array(repeated.length * times);
    for (let i = 0; i < times; i++) long.set(repeated, i * repeated.length);
    const start = at(bytes, random);
    return spliced(bytes, start, start, long);
  },
  function longLine(bytes, random) {
    const start = at(bytes, random);
    return spliced(
      bytes,
      start,
      start,
      new Uint8Array(random.below(100_000)).fill(random.pick(extremeBytes)),
    );
  },
  function deepNesting(bytes, random) {
    const tag = random.pick([0x30, 0x31, 0xa0, 0x24]);
    const depth = random.below(20_000);
    const opening = random.below(2) === 0 ? [tag, 0x80] : [tag, 0x84, 0x7f, 0xff, 0xff, 0xff];
    const nested = Uint8Array.from(
      { length: opening.length * depth },
      (_, i) => opening[i % opening.length] ?? 0,
    );
    const start = random.below(2) === 0 ? 0 : at(bytes, random);
    return spliced(bytes, start, start, nested);
  },
];

/** One case's input: a seed file changed one to four times. */
export function mutated(
  seeds: readonly Uint8Array[],
  others: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  let bytes = random.pick(seeds);
  const changes = 1 + random.below(4);
  for (let i = 0; i < changes; i++) {
    const kind = random.below(400) === 0 ? random.pick(longMutations) : random.pick(mutations);
    bytes = kind(bytes, random, others);
  }
  return bytes.length > longestBytes ? bytes.slice(0, longestBytes) : bytes;
}
