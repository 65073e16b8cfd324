/**
 * What must hold for any bytes that a reader gets: it accepts them, and they are then exactly those that its writer writes, or it
 * refuses them with an error of the catalogue whose words are whole, short and harmless to a terminal. Twice the same.
 */
import { equal } from '../../../core/src/bytes/bytes.ts';
import { errorCatalogue, type ErrorClass } from '../../../core/src/domain/error-catalogue.ts';
import { isSPMigrationError } from '../../../core/src/domain/error.ts';
import { mutated } from './mutations.ts';
import { randomFor } from './random.ts';
import { allSeeds, type FuzzTarget } from './targets.ts';

/** A wrong PFX password cannot be told from a changed file. */
const refusals: readonly ErrorClass[] = ['integrity', 'unsupported', 'limit', 'authentication'];
const longestMessage = 1000;

/** The input of one case. */
export function caseOf(target: FuzzTarget, seed: number, number: number): Uint8Array {
  return mutated(target.seeds, allSeeds, randomFor(seed, target.name, number));
}

/** What the reader made of the bytes: a code, or what it accepted. Throws, with a sentence, where the law is broken. */
export async function judge(target: FuzzTarget, bytes: Uint8Array): Promise<string> {
  const before = bytes.slice();
  const first = await outcome(target, bytes);
  if (!equal(bytes, before)) throw new Error('the reader changed its input');
  const second = await outcome(target, before);
  if (first !== second) throw new Error(`it answered ${first} at first and then ${second}`);
  return first;
}

async function outcome(target: FuzzTarget, bytes: Uint8Array): Promise<string> {
  let read: Awaited<ReturnType<FuzzTarget['read']>>;
  try {
    read = await target.read(bytes);
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    const words = `${error.message} ${error.hint}`;
    if (!refusals.includes(errorCatalogue[error.code].class)) throw new Error(`it answered ${error.code}`);
    if (error.message.length > longestMessage) throw new Error(`the message has ${words.length} characters`);
    if (/\(\w+ unknown\)|undefined/.test(words)) throw new Error(`a fact is missing: ${words}`);
    if (/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(words))
      throw new Error(`the message could forge what a terminal shows: ${JSON.stringify(words)}`);
    return error.code;
  }
  if (typeof read === 'string') return read;
  if (!equal(read, bytes)) throw new Error('what was accepted is not what its writer writes');
  return 'accepted';
}

/** The bytes with as much as possible taken out while `judge` goes on throwing: at most `tries` attempts. */
export async function smallest(target: FuzzTarget, bytes: Uint8Array, tries = 400): Promise<Uint8Array> {
  let left = tries;
  let best = bytes;
  for (let step = best.length >> 1; step > 0 && left > 0; step >>= 1) {
    for (let start = 0; start < best.length && left > 0;) {
      left -= 1;
      const candidate = Uint8Array.from([...best.subarray(0, start), ...best.subarray(start + step)]);
      if (await breaks(target, candidate)) best = candidate;
      else start += step;
    }
  }
  return best;
}

async function breaks(target: FuzzTarget, bytes: Uint8Array): Promise<boolean> {
  try {
    await judge(target, bytes);
    return false;
  } catch {
    return true;
  }
}
