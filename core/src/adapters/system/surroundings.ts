/** Ports `clock` and `random` of a real process. The only place that asks for the time or for randomness of keys. */
import { randomBytes } from 'node:crypto';
import { plain } from '../../bytes/bytes.ts';
import type { Clock, Random } from '../../ports/surroundings.ts';

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);

export const systemRandom: Random = (length) => plain(randomBytes(length));
